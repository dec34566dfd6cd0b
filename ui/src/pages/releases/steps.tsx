import { bytes, percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { Step } from '../../lib/publish';
import { Icon, type IconName } from '../../parts/icon';

const icons: Record<Step['state'], IconName> = { waiting: 'file', sending: 'upload', done: 'check', refused: 'cross' };

export function Steps({ steps }: { steps: Step[] }) {
	return (
		<ul class="steps">
			{steps.map((s, i) => (
				<li key={`${i} ${s.file}`} class={`step-${s.state}`}>
					<Icon name={icons[s.state]} />
					<span class="artifact-name">{s.file}</span>
					<span class="muted">{s.state === 'refused' ? t('upload.step.refused') : s.state === 'sending' ? percent(s.sent, s.total) : bytes(s.total)}</span>
					<progress max={s.total || 1} value={s.sent} aria-label={s.file} />
				</li>
			))}
		</ul>
	);
}
