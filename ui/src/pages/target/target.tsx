// One device: what runs there, what should, why not, and what happened.
import { useState } from 'preact/hooks';
import { get, segment } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { Action, DistributionSet, Page, Tag, Target, Why } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Icon } from '../../parts/icon';
import { Problem, Waiting } from '../../parts/notice';
import { Heading } from '../../parts/shell';
import { TagChip } from '../../parts/tag-chip';
import { AssignDialog } from '../targets/assign-dialog';
import { TagDialog } from '../targets/tag-dialog';
import { Attributes } from './attributes';
import { History } from './history';
import { Versions } from './versions';
import { WhyCard } from './why';

const EVERY_MS = 3000;

export interface TargetData {
	target: Target;
	why: Why;
	tags: Tag[];
	attributes: Record<string, string>;
	assigned: DistributionSet | null;
	actions: Page<Action>;
}

async function load(id: string): Promise<TargetData> {
	const base = `/rest/v1/targets/${segment(id)}`;
	const [target, tags, attributes, assigned, actions] = await Promise.all([
		get<Target>(base),
		get<Tag[]>(`${base}/tags`),
		get<Record<string, string> | null>(`${base}/attributes`),
		get<DistributionSet | null>(`${base}/assignedDS`),
		get<Page<Action>>(`${base}/actions`, { sort: 'id:DESC', limit: 20 }),
	]);
	// After a failure nothing is assigned any more: then the question is about what failed.
	const failed = target.updateStatus === 'error' ? actions.content.find((a) => a.detailStatus === 'error') : undefined;
	const set = failed?._links.distributionset?.href.split('/').pop();
	const why = await get<Why>(`/api/v1/targets/${segment(id)}/why`, { set });
	return { target, why, tags, attributes: attributes ?? {}, assigned, actions };
}

export function TargetPage({ id }: { id: string }) {
	const [open, setOpen] = useState<'' | 'tag' | 'assign'>('');
	const { data, error, reload } = useLoad(() => load(id), [id], EVERY_MS);
	const done = () => {
		setOpen('');
		reload();
	};
	return (
		<>
			<Heading title={data?.target.name ?? id} back={[link(['targets']), t('nav.targets')]}>
				<button class="button" onClick={() => setOpen('tag')}>
					<Icon name="tag" size={18} />
					{t('bulk.tag')}
				</button>
				<button class="button primary" onClick={() => setOpen('assign')}>
					<Icon name="releases" size={18} />
					{t('bulk.assign')}
				</button>
			</Heading>
			<Problem error={error} />
			<div class="subhead">
				{data && <Badge state={data.target.updateStatus} />}
				{data?.target.pollStatus?.overdue && <Badge state="paused" text={t('targets.overdue')} />}
				{data && data.target.name !== id && <code class="muted">{id}</code>}
				{data?.tags.map((tag) => <TagChip key={tag.id} tag={tag} />)}
			</div>
			{!data && !error && <Waiting rows={8} />}
			{data && (
				<div class="columns">
					<div class="column">
						<WhyCard why={data.why} />
						<History id={id} actions={data.actions} changed={reload} />
					</div>
					<div class="column narrow">
						<Versions data={data} />
						<Attributes attributes={data.attributes} />
					</div>
				</div>
			)}
			{open === 'tag' && <TagDialog ids={[id]} close={() => setOpen('')} done={done} />}
			{open === 'assign' && <AssignDialog ids={[id]} close={() => setOpen('')} done={done} />}
		</>
	);
}
