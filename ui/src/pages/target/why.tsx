// Why is it not updated: the chain of conditions, the failing one named first and marked.
import { t, word } from '../../lib/i18n';
import type { Condition, Why } from '../../lib/types';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';

function Link({ condition, last }: { condition: Condition; last: boolean }) {
	const state = condition.holds ? 'holds' : 'fails';
	return (
		<li class={`link ${state}`} aria-current={!condition.holds && last ? 'step' : undefined}>
			<span class="link-mark">
				<Icon name={condition.holds ? 'check' : 'cross'} size={16} />
			</span>
			<span class="link-text">
				<strong>{word('why', condition.condition)}</strong>
				{condition.detail && <span class="muted">{condition.detail}</span>}
			</span>
		</li>
	);
}

export function WhyCard({ why }: { why: Why }) {
	const failing = why.conditions.find((c) => !c.holds);
	const wanted = why.wanted ? `${why.wanted.name} ${why.wanted.version}` : '';
	return (
		<Card title={why.reached ? t('why.reached.title') : t('why.title')} class="why-card">
			<p class={`verdict-line ${why.reached ? 'good' : 'bad'}`}>
				<Icon name={why.reached ? 'check' : 'alert'} />
				<span>
					{why.reached && t('why.reached', { version: wanted })}
					{!why.reached && (
						<>
							<strong>{failing ? word('why', failing.condition) : t('why.title')}</strong>: {why.why}
						</>
					)}
				</span>
			</p>
			{wanted && !why.reached && <p class="muted small">{t('why.wanted', { version: wanted })}</p>}
			<ol class="chain">
				{why.conditions.map((c, i) => (
					<Link key={c.condition} condition={c} last={i === why.conditions.length - 1} />
				))}
			</ol>
		</Card>
	);
}
