import { get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { Page, Rollout } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Bar } from '../../parts/meter';
import { Empty, Problem, Waiting } from '../../parts/notice';
import { sharesOf } from '../rollouts/shares';

const Q = 'status=in=(running,starting,paused,stopping,waiting_for_approval,ready)';

export function Running() {
	const { data, error } = useLoad(
		() => get<Page<Rollout>>('/rest/v1/rollouts', { q: Q, sort: 'id:DESC', limit: 5, representation: 'full' }),
		[],
		3000,
	);
	return (
		<Card title={t('fleet.running')} aside={<a href={link(['rollouts'])}>{t('all')}</a>} class="running-card">
			<Problem error={error} />
			{!data && !error && <Waiting rows={3} />}
			{data?.content.length === 0 && <Empty icon="rollouts" text={t('fleet.norollouts')} />}
			<ul class="rows">
				{data?.content.map((r) => (
					<li key={r.id}>
						<div class="row-head">
							<a href={link(['rollouts', r.id])}>{r.name}</a>
							<Badge state={r.status} />
						</div>
						<Bar shares={sharesOf(r.totalTargetsPerStatus)} total={r.totalTargets} label={r.name} />
					</li>
				))}
			</ul>
		</Card>
	);
}
