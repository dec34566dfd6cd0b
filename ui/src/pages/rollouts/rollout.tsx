// One rollout: its groups fill while one looks on.
import { get } from '../../lib/api';
import { dateTime } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { DistributionSet, Group, Page, Rollout } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Bar, Legend } from '../../parts/meter';
import { Problem, Waiting } from '../../parts/notice';
import { Heading } from '../../parts/shell';
import { Controls } from './controls';
import { GroupCard } from './group';
import { sharesOf } from './shares';

const EVERY_MS = 1000;

interface RolloutData {
	rollout: Rollout;
	groups: Group[];
	set: DistributionSet;
}

async function load(id: string): Promise<RolloutData> {
	const base = `/rest/v1/rollouts/${Number(id)}`;
	const [rollout, groups] = await Promise.all([get<Rollout>(base), get<Page<Group>>(`${base}/deploygroups`, { limit: 200 })]);
	const set = await get<DistributionSet>(`/rest/v1/distributionsets/${rollout.distributionSetId}`);
	return { rollout, groups: groups.content, set };
}

export function RolloutPage({ id }: { id: string }) {
	const { data, error, reload } = useLoad(() => load(id), [id], EVERY_MS);
	const rollout = data?.rollout;
	return (
		<>
			<Heading title={rollout?.name ?? '\u00a0'} back={[link(['rollouts']), t('nav.rollouts')]}>
				{rollout && <Controls rollout={rollout} changed={reload} />}
			</Heading>
			<Problem error={error} />
			{!data && !error && <Waiting rows={8} />}
			{data && rollout && (
				<>
					<div class="subhead">
						<Badge state={rollout.status} />
						<a href={link(['releases', data.set.id])}>
							{data.set.name} {data.set.version}
						</a>
						<code class="muted">{rollout.targetFilterQuery}</code>
						<span class="muted">
							{dateTime(rollout.createdAt)}, {rollout.createdBy}
						</span>
					</div>
					{rollout.statusReason && rollout.status !== 'finished' && (
						<p class="verdict-line warn">
							<Icon name="alert" />
							<span>{rollout.statusReason}</span>
						</p>
					)}
					<Card class="overall">
						<Bar shares={sharesOf(rollout.totalTargetsPerStatus)} total={rollout.totalTargets} label={rollout.name} />
						<Legend shares={sharesOf(rollout.totalTargetsPerStatus)} total={rollout.totalTargets} />
					</Card>
					<ol class="groups">
						{data.groups.map((g, i) => (
							<GroupCard key={g.id} group={g} position={i + 1} />
						))}
					</ol>
				</>
			)}
		</>
	);
}
