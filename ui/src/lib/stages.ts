// The stages of a rollout and the groups of the API that stand for them, as `mue rollout create`
// makes them: a tag, a number of devices, or a share of those that are left.
import { quote } from './fiql';

export type StageKind = 'tag' | 'count' | 'percent';

export interface Stage {
	kind: StageKind;
	value: string;
}

export interface Gates {
	success: number; // percent of a group that must succeed before the next one opens
	error: number; // percent of a group whose failure trips the rollout
	action: 'PAUSE' | 'STOP';
}

export const DEFAULT_STAGES: Stage[] = [
	{ kind: 'tag', value: 'bench' },
	{ kind: 'count', value: '1' },
	{ kind: 'percent', value: '30' },
	{ kind: 'percent', value: '100' },
];

export const DEFAULT_GATES: Gates = { success: 90, error: 10, action: 'PAUSE' };

export function stageOk(stage: Stage): boolean {
	const n = Number(stage.value);
	if (stage.kind === 'tag') return stage.value.trim() !== '';
	if (!Number.isInteger(n) || n < 1) return false;
	return stage.kind === 'count' || n <= 100;
}

// The last one takes everybody who is left, or devices would be left out unseen.
export function stagesOk(stages: Stage[]): boolean {
	const last = stages[stages.length - 1];
	return stages.every(stageOk) && last?.kind === 'percent' && last.value === '100';
}

export function stageText(stage: Stage): string {
	return stage.kind === 'percent' ? `${stage.value}%` : stage.value;
}

export function groupsOf(stages: Stage[], gates: Gates): object[] {
	return stages.map((stage, i) => ({
		name: `${i + 1}: ${stageText(stage)}`,
		targetPercentage: stage.kind === 'percent' ? Number(stage.value) : 100,
		...(stage.kind === 'tag' ? { targetFilterQuery: `tag==${quote(stage.value)}` } : {}),
		...(stage.kind === 'count' ? { targetCount: Number(stage.value) } : {}),
		successCondition: { condition: 'THRESHOLD', expression: String(gates.success) },
		successAction: { action: 'NEXTGROUP', expression: '' },
		errorCondition: { condition: 'THRESHOLD', expression: String(gates.error) },
		errorAction: { action: gates.action, expression: '' },
	}));
}
