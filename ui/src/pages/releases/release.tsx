import { count, get } from '../../lib/api';
import { bytes, dateTime, number } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { Artifact, DistributionSet, Module } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Empty, Problem, Waiting } from '../../parts/notice';
import { Heading } from '../../parts/shell';
import { stateOfSet } from './releases';

interface ReleaseData {
	set: DistributionSet;
	modules: [Module, Artifact[]][];
	installed: number;
	assigned: number;
}

async function load(id: string): Promise<ReleaseData> {
	const set = await get<DistributionSet>(`/rest/v1/distributionsets/${Number(id)}`);
	const [modules, installed, assigned] = await Promise.all([
		Promise.all(
			set.modules.map(
				async (m): Promise<[Module, Artifact[]]> => [m, await get<Artifact[]>(`/rest/v1/softwaremodules/${m.id}/artifacts`)],
			),
		),
		count('/rest/v1/targets', `installedds.id==${set.id}`),
		count('/rest/v1/targets', `assignedds.id==${set.id}`),
	]);
	return { set, modules, installed, assigned };
}

export function ReleasePage({ id }: { id: string }) {
	const { data, error } = useLoad(() => load(id), [id], 10000);
	const set = data?.set;
	const [state, text] = set ? stateOfSet(set) : ['', ''];
	return (
		<>
			<Heading title={set ? `${set.name} ${set.version}` : '\u00a0'} back={[link(['releases']), t('nav.releases')]}>
				<a class="button primary" href={link(['rollouts', 'new'], { set: id })}>
					<Icon name="rollouts" size={18} />
					{t('release.rollout')}
				</a>
			</Heading>
			<Problem error={error} />
			{!data && !error && <Waiting rows={6} />}
			{data && set && (
				<>
					<div class="subhead">
						<Badge state={state} text={text} />
						<span class="muted">
							{dateTime(set.createdAt)}, {set.createdBy}
						</span>
					</div>
					{set.description && <p class="notes">{set.description}</p>}
					<div class="tiles two">
						<Tile label={t('release.installed')} value={data.installed} q={`installedds.id==${set.id}`} />
						<Tile label={t('release.assigned')} value={data.assigned} q={`assignedds.id==${set.id}`} />
					</div>
					{data.modules.map(([m, artifacts]) => (
						<ModuleCard key={m.id} module={m} artifacts={artifacts} />
					))}
				</>
			)}
		</>
	);
}

function Tile({ label, value, q }: { label: string; value: number; q: string }) {
	return (
		<a class="card tile" href={link(['targets'], { q })}>
			<span class="tile-label">{label}</span>
			<strong class="tile-value">{number(value)}</strong>
		</a>
	);
}

function ModuleCard({ module, artifacts }: { module: Module; artifacts: Artifact[] }) {
	return (
		<Card title={`${module.name} ${module.version}`} aside={<span class="chip">{module.typeName}</span>}>
			{artifacts.length === 0 && <Empty icon="file" text={t('release.noartifacts')} />}
			<ul class="artifacts">
				{artifacts.map((a) => (
					<li key={a.id}>
						<Icon name="file" />
						<span class="artifact-name">
							{a.providedFilename}
							{a.providedFilename.endsWith('.suit') && <Badge state="finished" text={t('release.verified')} />}
						</span>
						<span class="muted">{bytes(a.size)}</span>
						<code class="muted digest" title={a.hashes.sha256}>
							sha256 {a.hashes.sha256.slice(0, 16)}…
						</code>
					</li>
				))}
			</ul>
		</Card>
	);
}
