// Texts in the language of the page. Keys are those of en.ts; {name} is replaced; "one|other" by the
// number n, by each language's own rule.
import { en } from '../i18n/en';
import { fr } from '../i18n/fr';
import { lang } from './prefs';
import { useStore } from './store';

export type Key = keyof typeof en;
type Params = Record<string, string | number>;

const texts: Record<string, Record<Key, string>> = { en, fr };

export function t(key: Key, params: Params = {}): string {
	let text = texts[lang.get()][key];
	if ('n' in params && text.includes('|')) {
		const rule = new Intl.PluralRules(lang.get()).select(Number(params.n));
		text = text.split('|')[rule === 'one' ? 0 : 1];
	}
	return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
		const value = params[name];
		return value === undefined ? whole : typeof value === 'number' ? value.toLocaleString(lang.get()) : value;
	});
}

// A word of the API (a state, a condition) in the language of the page; as it is when unknown.
export function word(prefix: string, value: string): string {
	const key = `${prefix}.${value.toLowerCase().replace(/[ -]/g, '_')}`;
	return key in en ? t(key as Key) : value;
}

// Re-renders the caller when the language changes.
export function useLang(): string {
	return useStore(lang);
}
