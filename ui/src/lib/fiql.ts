// Pieces of the filter language. Values are always quoted: a name may hold any character.

export function quote(value: string): string {
	return `"${value.replace(/["\\*]/g, '\\$&')}"`;
}

export function any(field: string, values: (string | number)[]): string {
	return `${field}=in=(${values.map((v) => (typeof v === 'number' ? v : quote(v))).join(',')})`;
}

export function all(...terms: (string | undefined)[]): string {
	const used = terms.filter((t): t is string => !!t);
	return used.length > 1 ? used.map((t) => `(${t})`).join(';') : (used[0] ?? '');
}

// What a person types: a filter when it has an operator, else a part of a name.
export function fromInput(text: string): string {
	const trimmed = text.trim();
	if (!trimmed || /[=<>]/.test(trimmed)) return trimmed;
	const part = `"*${trimmed.replace(/["\\*]/g, '\\$&')}*"`;
	return `name==${part},controllerid==${part}`;
}

export const SILENT = 'lastcontrollerrequestat=lt=${OVERDUE_TS}';
// The time of the last call reaches the database only now and then; a device that has a state was seen.
export const NEVER_SEEN = 'lastcontrollerrequestat=="";updatestatus==unknown';
