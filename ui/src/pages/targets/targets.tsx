// Devices: filter, page through, choose, act on the chosen.
import { useState } from 'preact/hooks';
import { get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { go } from '../../lib/route';
import type { Page, Target } from '../../lib/types';
import { Card } from '../../parts/card';
import { Empty, Problem, Waiting } from '../../parts/notice';
import { Pager } from '../../parts/pager';
import { Heading } from '../../parts/shell';
import { Bulk } from './bulk';
import { Filter } from './filter';
import { TargetTable } from './table';

const SIZE = 25;
const EVERY_MS = 5000;

export function TargetsPage({ query }: { query: URLSearchParams }) {
	const q = query.get('q') ?? '';
	const offset = Number(query.get('offset') ?? 0) || 0;
	const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
	const { data, error, reload } = useLoad(
		() => get<Page<Target>>('/rest/v1/targets', { q, offset, limit: SIZE, sort: 'name:ASC' }),
		[q, offset],
		EVERY_MS,
	);
	const filter = (text: string) => {
		setChosen(new Set());
		go(['targets'], { q: text });
	};
	return (
		<>
			<Heading title={t('nav.targets')} />
			<Filter q={q} set={filter} error={error} />
			<Card class="table-card">
				<Bulk chosen={chosen} setChosen={setChosen} q={q} total={data?.total ?? 0} done={reload} />
				{!data && !error && <Waiting rows={8} />}
				{data?.content.length === 0 && <Empty icon="targets" text={t(q ? 'targets.nomatch' : 'fleet.nodevices')} />}
				{data && data.content.length > 0 && <TargetTable targets={data.content} chosen={chosen} setChosen={setChosen} />}
				{data && <Pager offset={offset} size={SIZE} total={data.total} go={(o) => go(['targets'], { q, offset: o ? String(o) : undefined })} />}
			</Card>
			{!data && <Problem error={error} />}
		</>
	);
}
