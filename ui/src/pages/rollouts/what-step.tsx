import { t } from '../../lib/i18n';
import { Field } from '../../parts/field';
import { SetSelect } from '../../parts/set-select';
import type { Draft } from './new';

interface Props {
	draft: Draft;
	change: (part: Partial<Draft>) => void;
}

export function WhatStep({ draft, change }: Props) {
	// The name follows the release until a person gives another one.
	const proposed = draft.set ? `${draft.set.name} ${draft.set.version}` : '';
	return (
		<div class="step-body">
			<Field label={t('assign.release')}>
				<SetSelect
					value={draft.setId}
					set={(id, set) => {
						const named = draft.name && draft.name !== proposed;
						change({ setId: id, set, name: named ? draft.name : set ? `${set.name} ${set.version}` : '' });
					}}
				/>
			</Field>
			<Field label={t('new.name')} hint={t('new.namehint')}>
				<input name="name" value={draft.name} maxLength={64} onInput={(e) => change({ name: e.currentTarget.value })} />
			</Field>
			{draft.set?.description && <p class="notes">{draft.set.description}</p>}
		</div>
	);
}
