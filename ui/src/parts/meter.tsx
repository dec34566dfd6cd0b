// One bar in several parts, with the legend that says the same in words.
import { number, percent } from '../lib/format';
import type { Tone } from './badge';

export interface Share {
	label: string;
	value: number;
	tone: Tone;
	href?: string;
}

export function Bar({ shares, total, label }: { shares: Share[]; total: number; label: string }) {
	const present = shares.filter((s) => s.value > 0);
	const said = present.map((s) => `${s.label} ${s.value}`);
	return (
		<div class="bar" role="img" aria-label={`${label}: ${said.join(', ') || 0}`}>
			{present.map((s) => (
				<span key={s.label} class={`bar-part ${s.tone}`} style={{ width: `${total ? (100 * s.value) / total : 0}%` }} />
			))}
		</div>
	);
}

export function Legend({ shares, total }: { shares: Share[]; total: number }) {
	return (
		<ul class="legend">
			{shares.map((s) => (
				<li key={s.label} class={s.value ? '' : 'zero'}>
					<span class={`dot ${s.tone}`} aria-hidden="true" />
					{s.href ? <a href={s.href}>{s.label}</a> : <span>{s.label}</span>}
					<strong>{number(s.value)}</strong>
					<span class="muted">{percent(s.value, total)}</span>
				</li>
			))}
		</ul>
	);
}
