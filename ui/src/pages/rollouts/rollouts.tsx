import { get } from '../../lib/api';
import { ago, dateTime, number, percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { go, link } from '../../lib/route';
import type { Page, Rollout } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Bar } from '../../parts/meter';
import { Empty, Problem, Waiting } from '../../parts/notice';
import { Pager } from '../../parts/pager';
import { Heading } from '../../parts/shell';
import { sharesOf } from './shares';

const SIZE = 20;

export function RolloutsPage({ query }: { query: URLSearchParams }) {
	const offset = Number(query.get('offset') ?? 0) || 0;
	const { data, error } = useLoad(
		() => get<Page<Rollout>>('/rest/v1/rollouts', { offset, limit: SIZE, sort: 'id:DESC', representation: 'full' }),
		[offset],
		3000,
	);
	return (
		<>
			<Heading title={t('nav.rollouts')}>
				<a class="button primary" href={link(['rollouts', 'new'])}>
					<Icon name="plus" size={18} />
					{t('rollouts.new')}
				</a>
			</Heading>
			<Problem error={error} />
			<Card class="table-card">
				{!data && !error && <Waiting rows={6} />}
				{data?.content.length === 0 && <Empty icon="rollouts" text={t('rollouts.none')} />}
				<ul class="rollout-list">
					{data?.content.map((r) => (
						<Item key={r.id} rollout={r} />
					))}
				</ul>
				{data && <Pager offset={offset} size={SIZE} total={data.total} go={(o) => go(['rollouts'], { offset: o ? String(o) : undefined })} />}
			</Card>
		</>
	);
}

function Item({ rollout: r }: { rollout: Rollout }) {
	const finished = r.totalTargetsPerStatus?.finished ?? 0;
	return (
		<li>
			<div class="row-head">
				<a href={link(['rollouts', r.id])}>{r.name}</a>
				<Badge state={r.status} />
			</div>
			<Bar shares={sharesOf(r.totalTargetsPerStatus)} total={r.totalTargets} label={r.name} />
			<div class="row-head muted small">
				<span>
					{t('rollouts.progress', { done: number(finished), total: number(r.totalTargets) })} ({percent(finished, r.totalTargets)})
				</span>
				<span title={dateTime(r.createdAt)}>{ago(r.createdAt)}</span>
			</div>
		</li>
	);
}
