import type { ComponentChildren } from 'preact';

interface Props {
	title?: string;
	aside?: ComponentChildren;
	children: ComponentChildren;
	class?: string;
}

export function Card({ title, aside, children, class: extra = '' }: Props) {
	return (
		<section class={`card ${extra}`}>
			{title && (
				<header class="card-head">
					<h2>{title}</h2>
					{aside}
				</header>
			)}
			{children}
		</section>
	);
}
