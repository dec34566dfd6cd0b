// Where we are: #/targets/dev1?q=... The part behind # never reaches the server.
import { Store } from './store';

export interface Route {
	path: string[];
	query: URLSearchParams;
}

function read(): Route {
	const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
	return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

export const route = new Store<Route>(read());
addEventListener('hashchange', () => route.set(read()));

export function link(path: (string | number)[], query: Record<string, string | undefined> = {}): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) if (value) search.set(key, value);
	const text = search.toString();
	return `#/${path.map((p) => encodeURIComponent(p)).join('/')}${text ? `?${text}` : ''}`;
}

export function go(path: (string | number)[], query: Record<string, string | undefined> = {}): void {
	location.hash = link(path, query);
}
