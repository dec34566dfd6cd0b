// A rollout in three steps: what, to whom, in which stages.
import { useState } from 'preact/hooks';
import { call } from '../../lib/api';
import { fromInput } from '../../lib/fiql';
import { t, type Key } from '../../lib/i18n';
import { go, link } from '../../lib/route';
import { DEFAULT_GATES, DEFAULT_STAGES, groupsOf, stagesOk, type Gates, type Stage } from '../../lib/stages';
import type { DistributionSet, Rollout } from '../../lib/types';
import { BusyButton } from '../../parts/busy-button';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Problem } from '../../parts/notice';
import { Heading } from '../../parts/shell';
import { StageEditor } from './stage-editor';
import { WhatStep } from './what-step';
import { WhomStep } from './whom-step';

const steps: Key[] = ['new.what', 'new.whom', 'new.how'];

export interface Draft {
	name: string;
	set?: DistributionSet;
	setId: number;
	filter: string;
	matching?: number;
	stages: Stage[];
	gates: Gates;
}

function ready(step: number, d: Draft): boolean {
	if (step === 0) return !!d.set && d.name.trim() !== '';
	if (step === 1) return (d.matching ?? 0) > 0;
	return stagesOk(d.stages);
}

export function NewRolloutPage({ query }: { query: URLSearchParams }) {
	const [step, setStep] = useState(0);
	const [error, setError] = useState<Error>();
	const [draft, setDraft] = useState<Draft>({
		name: '',
		setId: Number(query.get('set') ?? 0) || 0,
		filter: query.get('q') ?? '',
		stages: DEFAULT_STAGES,
		gates: DEFAULT_GATES,
	});
	const change = (part: Partial<Draft>) => setDraft((d) => ({ ...d, ...part }));
	const create = async () => {
		setError(undefined);
		try {
			const rollout = await call<Rollout>('POST', '/rest/v1/rollouts', {
				name: draft.name.trim(),
				distributionSetId: draft.setId,
				targetFilterQuery: fromInput(draft.filter) || 'controllerid==*',
				type: 'forced',
				groups: groupsOf(draft.stages, draft.gates),
			});
			go(['rollouts', rollout.id]);
		} catch (e) {
			setError(e as Error);
		}
	};
	return (
		<>
			<Heading title={t('rollouts.new')} back={[link(['rollouts']), t('nav.rollouts')]} />
			<ol class="stepper">
				{steps.map((key, i) => (
					<li key={key} class={i < step ? 'done' : ''} aria-current={i === step ? 'step' : undefined}>
						<span class="step-number">{i < step ? <Icon name="check" size={16} /> : i + 1}</span>
						{t(key)}
					</li>
				))}
			</ol>
			<Card class="step-card">
				{step === 0 && <WhatStep draft={draft} change={change} />}
				{step === 1 && <WhomStep draft={draft} change={change} />}
				{step === 2 && <StageEditor draft={draft} change={change} />}
				<Problem error={error} />
				<footer class="dialog-foot">
					<button class="button" disabled={step === 0} onClick={() => setStep(step - 1)}>
						{t('back')}
					</button>
					{step < 2 && (
						<button class="button primary" disabled={!ready(step, draft)} onClick={() => setStep(step + 1)}>
							{t('next')}
						</button>
					)}
					{step === 2 && (
						<BusyButton run={create} class="primary" disabled={!ready(2, draft)}>
							{t('new.create')}
						</BusyButton>
					)}
				</footer>
			</Card>
		</>
	);
}
