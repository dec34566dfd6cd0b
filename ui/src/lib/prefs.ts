// What a person chose for this browser: colours and language.
import { Store } from './store';

export type Theme = 'auto' | 'light' | 'dark';
export type Lang = 'en' | 'fr';

function kept(key: string, allowed: readonly string[], otherwise: string): string {
	const value = localStorage.getItem(key) ?? '';
	return allowed.includes(value) ? value : otherwise;
}

const browser = navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';

export const theme = new Store<Theme>(kept('mue.theme', ['auto', 'light', 'dark'], 'auto') as Theme);
export const lang = new Store<Lang>(kept('mue.lang', ['en', 'fr'], browser) as Lang);

function apply(): void {
	const root = document.documentElement;
	root.lang = lang.get();
	root.dataset.theme = theme.get();
}

export function setTheme(value: Theme): void {
	localStorage.setItem('mue.theme', value);
	theme.set(value);
	apply();
}

export function setLang(value: Lang): void {
	localStorage.setItem('mue.lang', value);
	lang.set(value);
	apply();
}

// The system's choice, made concrete: what the switch shows and charts draw with.
export function isDark(): boolean {
	const chosen = theme.get();
	return chosen === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}

apply();
