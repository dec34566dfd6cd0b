import { useState } from 'preact/hooks';
import { ApiError, request } from '../lib/api';
import { t } from '../lib/i18n';
import { signIn } from '../lib/session';
import { Field } from '../parts/field';
import { Problem } from '../parts/notice';
import { PrefSwitches } from '../parts/prefs';

export function SignIn() {
	const [token, setToken] = useState('');
	const [error, setError] = useState<Error>();
	const [busy, setBusy] = useState(false);

	const submit = async (e: Event) => {
		e.preventDefault();
		setBusy(true);
		setError(undefined);
		try {
			const who = await request<{ username: string; tenant: string }>('GET', '/rest/v1/userinfo', undefined, token.trim());
			signIn({ token: token.trim(), user: who.username, tenant: who.tenant });
		} catch (e) {
			const refused = e instanceof ApiError && (e.status === 401 || e.status === 403);
			setError(refused ? new Error(t('signin.refused')) : (e as Error));
			setBusy(false);
		}
	};

	return (
		<main class="sign-in">
			<form class="card" onSubmit={submit}>
				<div class="brand large">
					<img src="/ui/icon.svg" alt="" width="40" height="40" />
					Mue
				</div>
				<h1>{t('signin.title')}</h1>
				<Field label={t('signin.token')} hint={t('signin.hint')}>
					<input
						type="password"
						name="token"
						autocomplete="current-password"
						required
						autofocus
						value={token}
						onInput={(e) => setToken(e.currentTarget.value)}
					/>
				</Field>
				<div class="sign-in-problem">
					<Problem error={error} />
				</div>
				<button class="button primary" type="submit" disabled={busy || !token.trim()}>
					{t('signin.go')}
				</button>
			</form>
			<PrefSwitches />
		</main>
	);
}
