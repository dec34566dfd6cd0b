import { word } from '../lib/i18n';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle';

const tones: Record<string, Tone> = {
	in_sync: 'good',
	finished: 'good',
	running: 'busy',
	starting: 'busy',
	pending: 'busy',
	retrieved: 'busy',
	download: 'busy',
	downloaded: 'busy',
	proceeding: 'busy',
	canceling: 'warn',
	cancel_rejected: 'warn',
	paused: 'warn',
	warning: 'warn',
	stopping: 'warn',
	wait_for_confirmation: 'warn',
	waiting_for_approval: 'warn',
	error: 'bad',
	stopped: 'bad',
	approval_denied: 'bad',
};

export function toneOf(state: string): Tone {
	return tones[state.toLowerCase()] ?? 'idle';
}

export function Badge({ state, text }: { state: string; text?: string }) {
	return (
		<span class={`badge ${toneOf(state)}`}>
			<span class="dot" aria-hidden="true" />
			{text ?? word('state', state)}
		</span>
	);
}
