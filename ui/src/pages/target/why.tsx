// Why is it not updated: the chain of conditions, the failing one named first and marked.
import { localTimes } from '../../lib/format';
import { t, word } from '../../lib/i18n';
import type { Condition, Why } from '../../lib/types';
import type { Tone } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Icon, type IconName } from '../../parts/icon';

// What only needs time; everything else needs a person.
const passing = ['released', 'confirmed', 'maintenance window', 'read by the device', 'installed'];

function toneOfCondition(c: Condition | undefined): Tone {
	if (!c || c.holds) return 'good';
	if (c.condition === 'assigned') return 'idle';
	return passing.includes(c.condition) ? 'warn' : 'bad';
}

const marks: Record<Tone, IconName> = { good: 'check', busy: 'clock', warn: 'clock', bad: 'cross', idle: 'dots' };

function Link({ condition }: { condition: Condition }) {
	const tone = toneOfCondition(condition);
	return (
		<li class={`link ${tone} ${condition.holds ? '' : 'fails'}`} aria-current={condition.holds ? undefined : 'step'}>
			<span class="link-mark">
				<Icon name={marks[tone]} size={16} />
			</span>
			<span class="link-text">
				<strong>{word(condition.holds ? 'why' : 'not', condition.condition)}</strong>
				{condition.detail && <span class="muted">{localTimes(condition.detail)}</span>}
			</span>
		</li>
	);
}

export function WhyCard({ why }: { why: Why }) {
	const failing = why.conditions.find((c) => !c.holds);
	const wanted = why.wanted ? `${why.wanted.name} ${why.wanted.version}` : '';
	const tone = toneOfCondition(failing);
	return (
		<Card title={why.reached ? t('why.reached.title') : t('why.title')} class="why-card">
			<p class={`verdict-line ${tone}`}>
				<Icon name={why.reached ? 'check' : tone === 'bad' ? 'alert' : marks[tone]} />
				<span>
					{why.reached && t('why.reached', { version: wanted })}
					{!why.reached && (
						<>
							<strong>{failing ? word('not', failing.condition) : t('why.title')}</strong>: {localTimes(why.why)}
						</>
					)}
				</span>
			</p>
			{wanted && !why.reached && <p class="muted small">{t('why.wanted', { version: wanted })}</p>}
			<ol class="chain">
				{why.conditions.map((c) => (
					<Link key={c.condition} condition={c} />
				))}
			</ol>
		</Card>
	);
}
