// One release to the chosen devices at once. For many devices a rollout is the better way.
import { useState } from 'preact/hooks';
import { call } from '../../lib/api';
import { t, type Key } from '../../lib/i18n';
import { BusyButton } from '../../parts/busy-button';
import { Dialog } from '../../parts/dialog';
import { Field } from '../../parts/field';
import { Problem } from '../../parts/notice';
import { SetSelect } from '../../parts/set-select';
import { say } from '../../parts/toast';

const types: [string, Key][] = [
	['forced', 'assign.forced'],
	['soft', 'assign.soft'],
	['downloadonly', 'assign.downloadonly'],
];

interface Props {
	ids: string[];
	close: () => void;
	done: () => void;
}

interface Answer {
	assigned: number;
	alreadyAssigned: number;
}

export function AssignDialog({ ids, close, done }: Props) {
	const [set, setSet] = useState(0);
	const [type, setType] = useState('forced');
	const [error, setError] = useState<Error>();

	const assign = async () => {
		setError(undefined);
		try {
			const body = ids.map((id) => ({ id, type }));
			const a = await call<Answer>('POST', `/rest/v1/distributionsets/${set}/assignedTargets`, body);
			say(t('assign.done', { n: a.assigned, already: a.alreadyAssigned }));
			done();
		} catch (e) {
			setError(e as Error);
		}
	};
	return (
		<Dialog title={t('assign.title', { n: ids.length })} close={close}>
			<Field label={t('assign.release')}>
				<SetSelect value={set} set={setSet} />
			</Field>
			<Field label={t('assign.how')}>
				<select name="type" value={type} onChange={(e) => setType(e.currentTarget.value)}>
					{types.map(([value, key]) => (
						<option key={value} value={value}>
							{t(key)}
						</option>
					))}
				</select>
			</Field>
			{ids.length > 20 && <p class="muted small">{t('assign.many')}</p>}
			<Problem error={error} />
			<footer class="dialog-foot">
				<button class="button" onClick={close}>
					{t('cancel')}
				</button>
				<BusyButton run={assign} class="primary" disabled={!set}>
					{t('assign.go')}
				</BusyButton>
			</footer>
		</Dialog>
	);
}
