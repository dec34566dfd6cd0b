// A button that cannot be pressed twice while its work is under way.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';
import { complain } from './toast';

interface Props {
	run: () => Promise<unknown>;
	children: ComponentChildren;
	icon?: IconName;
	class?: string;
	disabled?: boolean;
}

export function BusyButton({ run, children, icon, class: extra = '', disabled }: Props) {
	const [busy, setBusy] = useState(false);
	const press = async () => {
		setBusy(true);
		try {
			await run();
		} catch (e) {
			complain(e);
		} finally {
			setBusy(false);
		}
	};
	return (
		<button type="button" class={`button ${extra}`} disabled={disabled || busy} aria-busy={busy} onClick={press}>
			{icon && <Icon name={icon} size={18} />}
			{children}
		</button>
	);
}
