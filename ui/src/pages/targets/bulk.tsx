// What can be done with the chosen devices. The line keeps its height when nothing is chosen.
import { useState } from 'preact/hooks';
import { get } from '../../lib/api';
import { t } from '../../lib/i18n';
import type { Page, Target } from '../../lib/types';
import { BusyButton } from '../../parts/busy-button';
import { Icon } from '../../parts/icon';
import { AssignDialog } from './assign-dialog';
import { TagDialog } from './tag-dialog';

const CHUNK = 500;

interface Props {
	chosen: ReadonlySet<string>;
	setChosen: (chosen: ReadonlySet<string>) => void;
	q: string;
	total: number;
	done: () => void;
}

async function allIds(q: string): Promise<Set<string>> {
	const ids = new Set<string>();
	for (let offset = 0; ; offset += CHUNK) {
		const page = await get<Page<Target>>('/rest/v1/targets', { q, offset, limit: CHUNK, sort: 'id:ASC' });
		for (const d of page.content) ids.add(d.controllerId);
		if (page.content.length < CHUNK) return ids;
	}
}

export function Bulk({ chosen, setChosen, q, total, done }: Props) {
	const [open, setOpen] = useState<'' | 'tag' | 'assign'>('');
	const ids = [...chosen];
	const finish = () => {
		setOpen('');
		setChosen(new Set());
		done();
	};
	return (
		<div class="bulk" aria-live="polite">
			<span class={ids.length ? '' : 'muted'}>{ids.length ? t('bulk.chosen', { n: ids.length }) : t('bulk.none')}</span>
			{ids.length < total && (
				<BusyButton class="quiet" run={async () => setChosen(await allIds(q))}>
					{t('bulk.all', { n: total })}
				</BusyButton>
			)}
			<span class="grow" />
			<button class="button" disabled={!ids.length} onClick={() => setOpen('tag')}>
				<Icon name="tag" size={18} />
				{t('bulk.tag')}
			</button>
			<button class="button primary" disabled={!ids.length} onClick={() => setOpen('assign')}>
				<Icon name="releases" size={18} />
				{t('bulk.assign')}
			</button>
			{open === 'tag' && <TagDialog ids={ids} close={() => setOpen('')} done={finish} />}
			{open === 'assign' && <AssignDialog ids={ids} close={() => setOpen('')} done={finish} />}
		</div>
	);
}
