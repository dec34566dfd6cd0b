import { ago, dateTime } from '../../lib/format';
import { t } from '../../lib/i18n';
import { link } from '../../lib/route';
import type { Target } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Icon } from '../../parts/icon';
import { useInstalled } from './installed';

interface Props {
	targets: Target[];
	chosen: ReadonlySet<string>;
	setChosen: (chosen: ReadonlySet<string>) => void;
}

function toggled(chosen: ReadonlySet<string>, ids: string[], on: boolean): ReadonlySet<string> {
	const next = new Set(chosen);
	for (const id of ids) {
		if (on) next.add(id);
		else next.delete(id);
	}
	return next;
}

export function TargetTable({ targets, chosen, setChosen }: Props) {
	const ids = targets.map((d) => d.controllerId);
	const installed = useInstalled(targets);
	const whole = ids.every((id) => chosen.has(id));
	return (
		<table class="table targets">
			<thead>
				<tr>
					<th class="pick-cell">
						<input type="checkbox" checked={whole} aria-label={t('targets.page')} onChange={() => setChosen(toggled(chosen, ids, !whole))} />
					</th>
					<th>{t('targets.device')}</th>
					<th>{t('targets.state')}</th>
					<th>{t('targets.version')}</th>
					<th>{t('targets.seen')}</th>
				</tr>
			</thead>
			<tbody>
				{targets.map((d) => (
					<tr key={d.controllerId} class={chosen.has(d.controllerId) ? 'chosen' : ''}>
						<td class="pick-cell">
							<input
								type="checkbox"
								checked={chosen.has(d.controllerId)}
								aria-label={d.name}
								onChange={(e) => setChosen(toggled(chosen, [d.controllerId], e.currentTarget.checked))}
							/>
						</td>
						<td class="main-cell">
							<a href={link(['targets', d.controllerId])}>{d.name}</a>
							{d.name !== d.controllerId && <span class="muted small">{d.controllerId}</span>}
						</td>
						<td>
							<Badge state={d.updateStatus} />
						</td>
						<td class="version-cell">{installed.get(d.controllerId) ?? <span class="muted">–</span>}</td>
						<td class="seen-cell" title={d.lastControllerRequestAt ? dateTime(d.lastControllerRequestAt) : ''}>
							{ago(d.lastControllerRequestAt)}
							{d.pollStatus?.overdue && (
								<span class="overdue" title={t('targets.overdue')}>
									<Icon name="clock" size={16} />
								</span>
							)}
						</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}
