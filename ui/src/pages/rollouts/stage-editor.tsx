// In which stages: each takes its share of the devices that those before it left.
import { t, type Key } from '../../lib/i18n';
import { stageOk, stagesOk, type Gates, type Stage, type StageKind } from '../../lib/stages';
import { Field } from '../../parts/field';
import { Icon } from '../../parts/icon';
import type { Draft } from './new';

const kinds: [StageKind, Key][] = [
	['tag', 'stage.tag'],
	['count', 'stage.count'],
	['percent', 'stage.percent'],
];

interface Props {
	draft: Draft;
	change: (part: Partial<Draft>) => void;
}

export function StageEditor({ draft, change }: Props) {
	const { stages } = draft;
	const put = (i: number, stage: Stage) => change({ stages: stages.map((s, k) => (k === i ? stage : s)) });
	const add = () => change({ stages: [...stages.slice(0, -1), { kind: 'percent', value: '50' }, ...stages.slice(-1)] });
	const remove = (i: number) => change({ stages: stages.filter((_, k) => k !== i) });
	return (
		<div class="step-body">
			<ol class="stages">
				{stages.map((stage, i) => (
					<Row key={i} stage={stage} position={i + 1} put={(s) => put(i, s)} remove={stages.length > 1 ? () => remove(i) : undefined} />
				))}
			</ol>
			<div>
				<button class="button small" onClick={add}>
					<Icon name="plus" size={16} />
					{t('stage.add')}
				</button>
			</div>
			{!stagesOk(stages) && <p class="small bad-text">{t('stage.last')}</p>}
			<GateFields gates={draft.gates} change={(gates) => change({ gates })} />
		</div>
	);
}

interface RowProps {
	stage: Stage;
	position: number;
	put: (stage: Stage) => void;
	remove?: () => void;
}

function Row({ stage, position, put, remove }: RowProps) {
	return (
		<li>
			<span class="group-number" aria-hidden="true">
				{position}
			</span>
			<select
				value={stage.kind}
				aria-label={t('stage.kind', { n: position })}
				onChange={(e) => put({ kind: e.currentTarget.value as StageKind, value: e.currentTarget.value === 'tag' ? 'bench' : '10' })}
			>
				{kinds.map(([kind, key]) => (
					<option key={kind} value={kind}>
						{t(key)}
					</option>
				))}
			</select>
			<input
				value={stage.value}
				aria-label={t('stage.value', { n: position })}
				aria-invalid={!stageOk(stage)}
				inputMode={stage.kind === 'tag' ? 'text' : 'numeric'}
				onInput={(e) => put({ ...stage, value: e.currentTarget.value })}
			/>
			<button class="icon-button" disabled={!remove} onClick={remove} aria-label={t('stage.remove', { n: position })}>
				<Icon name="cross" size={16} />
			</button>
		</li>
	);
}

function GateFields({ gates, change }: { gates: Gates; change: (gates: Gates) => void }) {
	const number = (text: string, otherwise: number) => (/^\d{1,3}$/.test(text) ? Math.min(100, Number(text)) : otherwise);
	return (
		<div class="form-grid">
			<Field label={t('gate.success')}>
				<input type="number" name="success" min="1" max="100" value={gates.success} onChange={(e) => change({ ...gates, success: number(e.currentTarget.value, gates.success) })} />
			</Field>
			<Field label={t('gate.error')}>
				<input type="number" name="error" min="0" max="100" value={gates.error} onChange={(e) => change({ ...gates, error: number(e.currentTarget.value, gates.error) })} />
			</Field>
			<Field label={t('gate.action')}>
				<select name="action" value={gates.action} onChange={(e) => change({ ...gates, action: e.currentTarget.value as Gates['action'] })}>
					<option value="PAUSE">{t('gate.pause')}</option>
					<option value="STOP">{t('gate.stop')}</option>
				</select>
			</Field>
		</div>
	);
}
