import type { Tag } from '../lib/types';

// Colours come from people: only what is a colour becomes one.
export function TagChip({ tag }: { tag: Tag }) {
	const colour = /^#[0-9a-f]{6}$/i.test(tag.colour ?? '') ? tag.colour : undefined;
	return (
		<span class="chip">
			<span class="dot" style={colour ? { background: colour } : undefined} aria-hidden="true" />
			{tag.name}
		</span>
	);
}
