// One call of the public API. The browser's own credentials stay out of it: with them a refusal
// would raise the browser's password dialog.
import { session, signOut } from './session';
import type { Page } from './types';

export class ApiError extends Error {
	constructor(
		readonly status: number,
		message: string,
		readonly verdict = '',
	) {
		super(message);
	}
}

// The server's error body, or what can be said without one.
export function errorOf(status: number, text: string): ApiError {
	try {
		const body = JSON.parse(text) as { message?: string; info?: { verdict?: string } };
		return new ApiError(status, body.message ?? text, body.info?.verdict ?? '');
	} catch {
		return new ApiError(status, text || `HTTP ${status}`);
	}
}

export async function request<T>(method: string, path: string, body: unknown, token: string): Promise<T> {
	const headers: Record<string, string> = { Authorization: `Bearer ${token}`, Accept: 'application/json' };
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	let answer: Response;
	try {
		answer = await fetch(path, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: 'omit',
			cache: 'no-store',
		});
	} catch {
		throw new ApiError(0, '');
	}
	const text = await answer.text();
	if (!answer.ok) throw errorOf(answer.status, text);
	return (text ? JSON.parse(text) : null) as T;
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
	const token = session.get()?.token ?? '';
	try {
		return await request<T>(method, path, body, token);
	} catch (e) {
		if (e instanceof ApiError && e.status === 401) signOut();
		throw e;
	}
}

export function get<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(key, String(value));
	const text = search.toString();
	return call<T>('GET', text ? `${path}?${text}` : path);
}

export async function count(path: string, q?: string): Promise<number> {
	return (await get<Page<unknown>>(path, { limit: 1, q })).total;
}

export const segment = encodeURIComponent;
