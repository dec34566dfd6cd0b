import { number } from '../lib/format';
import { t } from '../lib/i18n';
import { Icon } from './icon';

interface Props {
	offset: number;
	size: number;
	total: number;
	go: (offset: number) => void;
}

export function Pager({ offset, size, total, go }: Props) {
	const last = Math.min(offset + size, total);
	return (
		<nav class="pager" aria-label={t('pager.label')}>
			<span class="muted">
				{total ? t('pager.range', { from: number(offset + 1), to: number(last), total: number(total) }) : t('pager.none')}
			</span>
			<button class="icon-button" disabled={offset <= 0} onClick={() => go(Math.max(0, offset - size))} aria-label={t('pager.previous')}>
				<Icon name="left" />
			</button>
			<button class="icon-button" disabled={last >= total} onClick={() => go(offset + size)} aria-label={t('pager.next')}>
				<Icon name="right" />
			</button>
		</nav>
	);
}
