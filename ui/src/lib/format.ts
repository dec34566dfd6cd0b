// Numbers and times as people of the page's language read them.
import { t } from './i18n';
import { lang } from './prefs';

// The browser's own region of the page's language: en-GB writes dates as en-US does not.
export function locale(): string {
	return navigator.languages.find((l) => l.startsWith(lang.get())) ?? lang.get();
}

export function number(value: number): string {
	return value.toLocaleString(locale());
}

export function percent(part: number, whole: number): string {
	const value = whole > 0 ? (100 * part) / whole : 0;
	// Never round to "all" or "none" what is not.
	const shown = value > 0 && value < 1 ? 1 : value > 99 && value < 100 ? 99 : Math.round(value);
	return `${shown}\u202f%`;
}

export function bytes(value: number): string {
	const units = lang.get() === 'fr' ? ['o', 'ko', 'Mo', 'Go'] : ['B', 'kB', 'MB', 'GB'];
	let step = 0;
	while (value >= 1000 && step < units.length - 1) {
		value /= 1000;
		step++;
	}
	return `${value.toLocaleString(locale(), { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
}

export function dateTime(ms: number): string {
	return new Date(ms).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' });
}

export function time(ms: number): string {
	return new Date(ms).toLocaleTimeString(locale());
}

// The server's sentences hold times of the whole world; people read those of their place.
export function localTimes(text: string): string {
	return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (iso) => dateTime(Date.parse(iso)));
}

export function ago(ms: number | undefined): string {
	if (!ms) return t('never');
	const seconds = Math.round((ms - Date.now()) / 1000);
	const steps: [number, Intl.RelativeTimeFormatUnit][] = [
		[60, 'second'],
		[3600, 'minute'],
		[86400, 'hour'],
		[30 * 86400, 'day'],
		[365 * 86400, 'month'],
		[Infinity, 'year'],
	];
	let unit = 1;
	for (const [limit, name] of steps) {
		if (Math.abs(seconds) < limit) {
			const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' });
			return name === 'second' && seconds > -10 ? t('now') : format.format(Math.round(seconds / unit), name);
		}
		unit = limit;
	}
	return '';
}
