// What stands where there is nothing to show: an error in the server's words, or a hint.
import type { ComponentChildren } from 'preact';
import { ApiError } from '../lib/api';
import { t } from '../lib/i18n';
import { Icon, type IconName } from './icon';

export function errorText(error: Error): string {
	return error instanceof ApiError && error.status === 0 ? t('error.unreachable') : error.message;
}

export function Problem({ error }: { error: Error | undefined }) {
	if (!error) return null;
	return (
		<div class="problem" role="alert">
			<Icon name="alert" />
			<span>
				{errorText(error)}
				{error instanceof ApiError && error.verdict && <code class="verdict">{error.verdict}</code>}
			</span>
		</div>
	);
}

export function Empty({ icon, text, children }: { icon: IconName; text: string; children?: ComponentChildren }) {
	return (
		<div class="empty">
			<Icon name={icon} size={32} />
			<p>{text}</p>
			{children}
		</div>
	);
}

// Holds the place of what is being loaded, so that nothing moves when it comes.
export function Waiting({ rows = 3 }: { rows?: number }) {
	return (
		<div class="waiting" aria-busy="true" aria-label={t('loading')}>
			{Array.from({ length: rows }, (_, i) => (
				<div key={i} class="waiting-row" />
			))}
		</div>
	);
}
