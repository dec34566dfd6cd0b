import type { ComponentChildren } from 'preact';

export function Field({ label, hint, children }: { label: string; hint?: string; children: ComponentChildren }) {
	return (
		<label class="field">
			<span class="field-label">{label}</span>
			{children}
			{hint && <span class="muted small">{hint}</span>}
		</label>
	);
}
