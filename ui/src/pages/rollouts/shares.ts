import { t } from '../../lib/i18n';
import type { PerStatus } from '../../lib/types';
import type { Share } from '../../parts/meter';

export function sharesOf(counts: PerStatus | undefined): Share[] {
	const c = counts ?? { notstarted: 0, scheduled: 0, running: 0, finished: 0, error: 0, cancelled: 0 };
	return [
		{ label: t('count.finished'), value: c.finished, tone: 'good' },
		{ label: t('count.error'), value: c.error, tone: 'bad' },
		{ label: t('count.running'), value: c.running, tone: 'busy' },
		{ label: t('count.cancelled'), value: c.cancelled, tone: 'warn' },
		{ label: t('count.waiting'), value: c.notstarted + c.scheduled, tone: 'idle' },
	];
}
