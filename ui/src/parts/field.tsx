import type { ComponentChildren } from 'preact';

interface Props {
	label: string;
	hint?: string;
	whole?: boolean; // the whole width of a form
	children: ComponentChildren;
}

export function Field({ label, hint, whole, children }: Props) {
	return (
		<label class={`field ${whole ? 'whole' : ''}`}>
			<span class="field-label">{label}</span>
			{children}
			{hint && <span class="muted small">{hint}</span>}
		</label>
	);
}
