// What may be done with a rollout in its state. The server decides; this only spares refusals.
import { useState } from 'preact/hooks';
import { call } from '../../lib/api';
import { t, type Key } from '../../lib/i18n';
import { go } from '../../lib/route';
import type { Rollout } from '../../lib/types';
import { BusyButton } from '../../parts/busy-button';
import { Dialog } from '../../parts/dialog';
import type { IconName } from '../../parts/icon';

type Verb = 'start' | 'pause' | 'resume' | 'stop' | 'approve' | 'deny' | 'triggerNextGroup' | 'delete';

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
};
const main: Verb[] = ['start', 'resume', 'approve', 'pause'];
const asked: Verb[] = ['stop', 'delete', 'triggerNextGroup'];

export function Controls({ rollout, changed }: { rollout: Rollout; changed: () => void }) {
	const [asking, setAsking] = useState<Verb>();
	const path = `/rest/v1/rollouts/${rollout.id}`;
	const run = async (verb: Verb) => {
		setAsking(undefined);
		if (verb === 'delete') {
			await call('DELETE', path);
			go(['rollouts']);
		} else {
			await call('POST', `${path}/${verb}`);
			changed();
		}
	};
	return (
		<>
			{(offered[rollout.status] ?? []).map((verb) => (
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
