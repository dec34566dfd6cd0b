// Who is signed in. The token lives as long as the tab: sessionStorage, never a cookie, so that no
// other site can make the browser use it.
import { Store } from './store';

export interface Session {
	token: string;
	user: string;
	tenant: string;
}

const KEY = 'mue.session';

function stored(): Session | null {
	try {
		return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Session | null;
	} catch {
		return null;
	}
}

export const session = new Store<Session | null>(stored());

export function signIn(value: Session): void {
	sessionStorage.setItem(KEY, JSON.stringify(value));
	session.set(value);
}

export function signOut(): void {
	sessionStorage.removeItem(KEY);
	session.set(null);
}
