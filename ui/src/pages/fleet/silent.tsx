import { get } from '../../lib/api';
import { NEVER_SEEN, SILENT } from '../../lib/fiql';
import { ago } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { Page, Target } from '../../lib/types';
import { Card } from '../../parts/card';
import { Empty, Problem, Waiting } from '../../parts/notice';
import type { Numbers } from './data';

export function Silent({ numbers }: { numbers: Numbers | undefined }) {
	const { data, error } = useLoad(
		() => get<Page<Target>>('/rest/v1/targets', { q: SILENT, sort: 'lastcontrollerrequestat:ASC', limit: 6 }),
		[],
		15000,
	);
	return (
		<Card title={t('fleet.silent')} aside={<a href={link(['targets'], { q: SILENT })}>{t('all')}</a>} class="silent-card">
			<Problem error={error} />
			{!data && !error && <Waiting rows={3} />}
			{data?.content.length === 0 && <Empty icon="clock" text={t('fleet.nosilent')} />}
			<ul class="rows plain">
				{data?.content.map((d) => (
					<li key={d.controllerId} class="row-head">
						<a href={link(['targets', d.controllerId])}>{d.name}</a>
						<span class="muted">{ago(d.lastControllerRequestAt)}</span>
					</li>
				))}
			</ul>
			{!!numbers?.neverSeen && (
				<p class="card-foot">
					<a href={link(['targets'], { q: NEVER_SEEN })}>{t('fleet.neverseen', { n: numbers.neverSeen })}</a>
				</p>
			)}
		</Card>
	);
}
