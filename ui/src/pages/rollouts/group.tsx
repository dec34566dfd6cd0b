import { useState } from 'preact/hooks';
import { get } from '../../lib/api';
import { number, percent } from '../../lib/format';
import { t, word } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { Action, Group, Page } from '../../lib/types';
import { Badge } from '../../parts/badge';
import { Bar, Legend } from '../../parts/meter';
import { Problem, Waiting } from '../../parts/notice';
import { sharesOf } from './shares';

export function GroupCard({ group: g, position }: { group: Group; position: number }) {
	const [open, setOpen] = useState(false);
	const counts = g.totalTargetsPerStatus;
	const name = g.name.replace(/^\d+: /, '');
	const devices = t('group.devices', { n: g.totalTargets });
	const byCount = /^\d+$/.test(name); // a stage of so many devices: one name is enough
	return (
		<li class={`card group ${g.status}`}>
			<span class="group-number" aria-hidden="true">
				{position}
			</span>
			<div class="group-body">
				<div class="row-head">
					<h3>{byCount ? devices : name}</h3>
					{!byCount && <span class="muted">{devices}</span>}
					<span class="grow" />
					<strong class="group-percent">{percent(counts.finished, g.totalTargets)}</strong>
					<Badge state={g.status} text={word('group', g.status)} />
				</div>
				<Bar shares={sharesOf(counts)} total={g.totalTargets} label={g.name} />
				<Legend shares={sharesOf(counts)} total={g.totalTargets} />
				<p class="muted small">
					{t('group.success', { n: g.successCondition.expression })}
					{g.errorCondition && ` ${t(g.errorAction?.action === 'STOP' ? 'group.stop' : 'group.pause', { n: g.errorCondition.expression })}`}
				</p>
				{counts.error > 0 && (
					<button class="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
						{t('group.failed', { n: counts.error, shown: number(counts.error) })}
					</button>
				)}
				{open && counts.error > 0 && <Failed group={g.id} errors={counts.error} />}
			</div>
		</li>
	);
}

const SHOWN = 20;

function Failed({ group, errors }: { group: number; errors: number }) {
	const { data, error } = useLoad(
		() => get<Page<Action & { _links: { target?: { href: string } } }>>('/rest/v1/actions', { q: `rolloutgroup.id==${group};detailstatus==error`, limit: SHOWN, sort: 'id:DESC' }),
		[group, errors],
	);
	return (
		<>
			<Problem error={error} />
			{!data && !error && <Waiting rows={1} />}
			<ul class="failed">
				{data?.content.map((a) => {
					const id = decodeURIComponent(a._links.target?.href.split('/').pop() ?? '');
					return (
						<li key={a.id}>
							<a href={link(['targets', id])}>{id}</a>
						</li>
					);
				})}
			</ul>
		</>
	);
}
