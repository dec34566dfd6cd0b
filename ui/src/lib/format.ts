// Numbers and times as people of the page's language read them.
import { t } from './i18n';
import { lang } from './prefs';

export function number(value: number): string {
	return value.toLocaleString(lang.get());
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
	return `${value.toLocaleString(lang.get(), { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
}

export function dateTime(ms: number): string {
	return new Date(ms).toLocaleString(lang.get(), { dateStyle: 'medium', timeStyle: 'short' });
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
			const format = new Intl.RelativeTimeFormat(lang.get(), { numeric: 'auto', style: 'short' });
			return name === 'second' && seconds > -10 ? t('now') : format.format(Math.round(seconds / unit), name);
		}
		unit = limit;
	}
	return '';
}
