// To whom: a filter, and at once how many devices it means.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../lib/api';
import { fromInput } from '../../lib/fiql';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import type { Page, Target } from '../../lib/types';
import { Field } from '../../parts/field';
import { Problem } from '../../parts/notice';
import type { Draft } from './new';

const PAUSE_MS = 300;
const SAMPLE = 5;

export function WhomStep({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
	const [asked, setAsked] = useState(draft.filter);
	useEffect(() => {
		const timer = setTimeout(() => setAsked(draft.filter), PAUSE_MS);
		return () => clearTimeout(timer);
	}, [draft.filter]);
	const { data, error } = useLoad(
		() => get<Page<Target>>('/rest/v1/targets', { q: fromInput(asked), limit: SAMPLE, sort: 'name:ASC' }),
		[asked],
	);
	useEffect(() => change({ matching: error || asked !== draft.filter ? undefined : data?.total }), [data, error, asked, draft.filter]);
	return (
		<div class="step-body">
			<Field label={t('new.filter')} hint={t('new.filterhint')}>
				<input
					name="filter"
					value={draft.filter}
					placeholder={t('new.everybody')}
					spellcheck={false}
					onInput={(e) => change({ filter: e.currentTarget.value })}
				/>
			</Field>
			<div class="matching" aria-live="polite">
				<strong class="tile-value">{draft.matching ?? '…'}</strong>
				<span>{t('new.matching', { n: draft.matching ?? 0 })}</span>
				<span class="muted">
					{!error && data?.content.map((d) => d.name).join(', ')}
					{!error && data && data.total > SAMPLE && ', …'}
				</span>
			</div>
			<Problem error={error} />
		</div>
	);
}
