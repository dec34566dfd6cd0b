// The browser's own dialog: it keeps the keyboard inside, closes with Escape, gives the focus back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../lib/i18n';
import { Icon } from './icon';

interface Props {
	title: string;
	close: () => void;
	children: ComponentChildren;
	wide?: boolean;
}

export function Dialog({ title, close, children, wide }: Props) {
	const element = useRef<HTMLDialogElement>(null);
	useEffect(() => {
		const dialog = element.current;
		dialog?.showModal();
		return () => dialog?.close();
	}, []);
	return (
		<dialog ref={element} class={wide ? 'wide' : ''} aria-label={title} onClose={close}>
			<header class="card-head">
				<h2>{title}</h2>
				<button type="button" class="icon-button" onClick={close} aria-label={t('close')}>
					<Icon name="cross" />
				</button>
			</header>
			{children}
		</dialog>
	);
}
