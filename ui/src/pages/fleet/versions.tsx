import { number, percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import { link } from '../../lib/route';
import { Card } from '../../parts/card';
import { Empty, Waiting } from '../../parts/notice';
import type { Numbers } from './data';

interface Row {
	label: string;
	value: number;
	q: string;
}

function rows(n: Numbers): Row[] {
	const list: Row[] = n.versions.map(({ set, value }) => ({
		label: `${set.name} ${set.version}`,
		value,
		q: `installedds.id==${set.id}`,
	}));
	const older = n.total - n.without - list.reduce((sum, r) => sum + r.value, 0);
	const oldest = n.versions[n.versions.length - 1];
	if (older > 0)
		list.push({ label: t('fleet.older'), value: older, q: oldest ? `installedds.id=lt=${oldest.set.id}` : 'installedds.id=gt=0' });
	if (n.without > 0) list.push({ label: t('fleet.noversion'), value: n.without, q: 'installedds.id==""' });
	return list;
}

export function Versions({ numbers }: { numbers: Numbers | undefined }) {
	const list = numbers && rows(numbers);
	return (
		<Card title={t('fleet.versions')} class="versions-card">
			{!list && <Waiting rows={4} />}
			{list?.length === 0 && <Empty icon="targets" text={t('fleet.nodevices')} />}
			{list && numbers && (
				<ul class="versions">
					{list.map((r) => (
						<li key={r.q}>
							<a href={link(['targets'], { q: r.q })}>{r.label}</a>
							<strong>{number(r.value)}</strong>
							<span class="muted small">{percent(r.value, numbers.total)}</span>
							<span class="track">
								<span class="fill" style={{ width: `${(100 * r.value) / numbers.total}%` }} />
							</span>
						</li>
					))}
				</ul>
			)}
		</Card>
	);
}
