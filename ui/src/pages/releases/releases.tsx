import { get } from '../../lib/api';
import { fromInput } from '../../lib/fiql';
import { ago, dateTime } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { go, link } from '../../lib/route';
import type { DistributionSet, Page } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Empty, Problem, Waiting } from '../../parts/notice';
import { Pager } from '../../parts/pager';
import { Heading } from '../../parts/shell';
import { Trust } from './trust';

const SIZE = 20;

export function stateOfSet(s: DistributionSet): [string, string] {
	if (!s.valid) return ['stopped', t('set.invalid')];
	if (!s.complete) return ['warning', t('set.incomplete')];
	return s.locked ? ['finished', t('set.locked')] : ['ready', t('set.open')];
}

export function ReleasesPage({ query }: { query: URLSearchParams }) {
	const offset = Number(query.get('offset') ?? 0) || 0;
	const q = fromInput(query.get('q') ?? '');
	const { data, error } = useLoad(
		() => get<Page<DistributionSet>>('/rest/v1/distributionsets', { q, offset, limit: SIZE, sort: 'id:DESC' }),
		[q, offset],
		10000,
	);
	return (
		<>
			<Heading title={t('nav.releases')}>
				<a class="button primary" href={link(['releases', 'new'])}>
					<Icon name="upload" size={18} />
					{t('releases.upload')}
				</a>
			</Heading>
			<Problem error={error} />
			<Card class="table-card">
				{!data && !error && <Waiting rows={6} />}
				{data?.content.length === 0 && <Empty icon="releases" text={t('releases.none')} />}
				{data && data.content.length > 0 && <Sets sets={data.content} />}
				{data && <Pager offset={offset} size={SIZE} total={data.total} go={(o) => go(['releases'], { offset: o ? String(o) : undefined })} />}
			</Card>
			<Trust />
		</>
	);
}

function Sets({ sets }: { sets: DistributionSet[] }) {
	return (
		<table class="table sets">
			<thead>
				<tr>
					<th>{t('releases.release')}</th>
					<th>{t('targets.state')}</th>
					<th>{t('releases.modules')}</th>
					<th>{t('releases.created')}</th>
				</tr>
			</thead>
			<tbody>
				{sets.map((s) => {
					const [state, text] = stateOfSet(s);
					return (
						<tr key={s.id}>
							<td class="main-cell">
								<a href={link(['releases', s.id])}>
									{s.name} <span class="version">{s.version}</span>
								</a>
								{s.description && <span class="muted small">{s.description}</span>}
							</td>
							<td>
								<Badge state={state} text={text} />
							</td>
							<td class="kinds">
								{s.modules.map((m) => (
									<span key={m.id} class="chip">
										{m.typeName}
									</span>
								))}
							</td>
							<td title={dateTime(s.createdAt)}>{ago(s.createdAt)}</td>
						</tr>
					);
				})}
			</tbody>
		</table>
	);
}
