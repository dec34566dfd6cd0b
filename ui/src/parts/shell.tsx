// The frame around every page: navigation at the side, on a phone at the bottom.
import type { ComponentChildren } from 'preact';
import { t, useLang, type Key } from '../lib/i18n';
import { link, route } from '../lib/route';
import { session, signOut } from '../lib/session';
import { useStore } from '../lib/store';
import { Icon, type IconName } from './icon';
import { PrefSwitches } from './prefs';

const places: [string, Key, IconName][] = [
	['fleet', 'nav.fleet', 'fleet'],
	['targets', 'nav.targets', 'targets'],
	['releases', 'nav.releases', 'releases'],
	['rollouts', 'nav.rollouts', 'rollouts'],
];

function Nav({ here }: { here: string }) {
	return (
		<nav class="nav" aria-label={t('nav.label')}>
			{places.map(([path, key, icon]) => (
				<a key={path} href={link([path])} aria-current={here === path ? 'page' : undefined}>
					<Icon name={icon} />
					<span>{t(key)}</span>
				</a>
			))}
		</nav>
	);
}

export function Shell({ children }: { children: ComponentChildren }) {
	useLang();
	const who = useStore(session);
	const here = useStore(route).path[0] ?? 'fleet';
	const skip = (e: Event) => {
		e.preventDefault();
		document.getElementById('main')?.focus();
	};
	return (
		<div class="shell">
			<a class="skip" href="#main" onClick={skip}>
				{t('nav.skip')}
			</a>
			<aside class="side">
				<a class="brand" href={link(['fleet'])}>
					<img src="/ui/icon.svg" alt="" width="28" height="28" />
					Mue
				</a>
				<Nav here={here} />
				<div class="side-end">
					<PrefSwitches />
					<button class="icon-button" onClick={signOut} aria-label={t('signout')} title={`${t('signout')} (${who?.user ?? ''})`}>
						<Icon name="out" />
					</button>
				</div>
			</aside>
			<main id="main" tabIndex={-1}>
				{children}
			</main>
		</div>
	);
}

export function Heading({ title, back, children }: { title: ComponentChildren; back?: [string, string]; children?: ComponentChildren }) {
	return (
		<header class="heading">
			<div>
				{back && (
					<a class="back" href={back[0]}>
						<Icon name="left" size={16} />
						{back[1]}
					</a>
				)}
				<h1>{title}</h1>
			</div>
			<div class="heading-end">{children}</div>
		</header>
	);
}
