// What may be done with a rollout in its state. The server decides; this only spares refusals.
import { useState } from 'preact/hooks';
import { call } from '../../lib/api';
import { t, type Key } from '../../lib/i18n';
import { go } from '../../lib/route';
import type { Rollout } from '../../lib/types';
import { BusyButton } from '../../parts/busy-button';
import { Dialog } from '../../parts/dialog';
import type { IconName } from '../../parts/icon';

type Verb = 'start' | 'pause' | 'resume' | 'stop' | 'approve' | 'deny' | 'triggerNextGroup' | 'delete' | 'retry';

const offered: Record<string, Verb[]> = {
	waiting_for_approval: ['deny', 'approve'],
	approval_denied: ['delete'],
	ready: ['delete', 'start'],
	running: ['stop', 'triggerNextGroup', 'pause'],
	paused: ['stop', 'resume'],
	stopped: ['delete'],
	finished: ['delete'],
};

const icons: Partial<Record<Verb, IconName>> = {
	start: 'play',
	pause: 'pause',
	resume: 'play',
	stop: 'stop',
	approve: 'check',
	deny: 'cross',
	triggerNextGroup: 'skip',
	retry: 'play',
};
const main: Verb[] = ['start', 'resume', 'approve', 'pause', 'retry'];
const asked: Verb[] = ['stop', 'delete', 'triggerNextGroup'];

// Once it has ended, those that failed can have another try: a rollout of its own.
function verbsOf(rollout: Rollout): Verb[] {
	const ended = rollout.status === 'finished' || rollout.status === 'stopped';
	const retry = ended && (rollout.totalTargetsPerStatus?.error ?? 0) > 0;
	return [...(offered[rollout.status] ?? []), ...(retry ? (['retry'] as const) : [])];
}

export function Controls({ rollout, changed }: { rollout: Rollout; changed: () => void }) {
	const [asking, setAsking] = useState<Verb>();
	const path = `/rest/v1/rollouts/${rollout.id}`;
	const run = async (verb: Verb) => {
		setAsking(undefined);
		if (verb === 'delete') {
			await call('DELETE', path);
			go(['rollouts']);
		} else if (verb === 'retry') {
			go(['rollouts', (await call<Rollout>('POST', `${path}/retry`)).id]);
		} else {
			await call('POST', `${path}/${verb}`);
			changed();
		}
	};
	return (
		<>
			{verbsOf(rollout).map((verb) => (
				<BusyButton
					key={verb}
					icon={icons[verb]}
					class={main.includes(verb) ? 'primary' : verb === 'stop' ? 'danger' : ''}
					run={async () => (asked.includes(verb) ? setAsking(verb) : run(verb))}
				>
					{t(`verb.${verb}` as Key)}
				</BusyButton>
			))}
			{asking && (
				<Dialog title={t(`verb.${asking}` as Key)} close={() => setAsking(undefined)}>
					<p>{t(`ask.${asking}` as Key, { name: rollout.name })}</p>
					<footer class="dialog-foot">
						<button class="button" onClick={() => setAsking(undefined)}>
							{t('cancel')}
						</button>
						<BusyButton class="danger" run={() => run(asking)}>
							{t(`verb.${asking}` as Key)}
						</BusyButton>
					</footer>
				</Dialog>
			)}
		</>
	);
}
