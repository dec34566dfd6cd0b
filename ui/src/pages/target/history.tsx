// Every action on the device, newest first; each opens to what the device said on the way.
import { useState } from 'preact/hooks';
import { call, get, segment } from '../../lib/api';
import { ago, dateTime, time } from '../../lib/format';
import { t, word } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { link } from '../../lib/route';
import type { Action, ActionStatus, DistributionSet, Page } from '../../lib/types';
import { Badge, toneOf } from '../../parts/badge';
import { BusyButton } from '../../parts/busy-button';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Empty, Problem, Waiting } from '../../parts/notice';

interface Props {
	id: string;
	actions: Page<Action>;
	changed: () => void;
}

export function History({ id, actions, changed }: Props) {
	return (
		<Card title={t('target.history')}>
			{actions.content.length === 0 && <Empty icon="clock" text={t('target.nohistory')} />}
			<ul class="history">
				{actions.content.map((a, i) => (
					<Entry key={a.id} id={id} action={a} first={i === 0} changed={changed} />
				))}
			</ul>
		</Card>
	);
}

function Entry({ id, action, first, changed }: { id: string; action: Action; first: boolean; changed: () => void }) {
	const [open, setOpen] = useState(first);
	const setId = Number(action._links.distributionset?.href.split('/').pop());
	const set = useLoad(() => get<DistributionSet>(`/rest/v1/distributionsets/${setId}`), [setId]).data;
	return (
		<li>
			<button class="history-head" aria-expanded={open} onClick={() => setOpen(!open)}>
				<span class={`chevron ${open ? 'open' : ''}`}>
					<Icon name="right" size={16} />
				</span>
				<strong>{set ? `${set.name} ${set.version}` : `#${setId}`}</strong>
				<Badge state={action.detailStatus} />
				<span class="muted small" title={dateTime(action.createdAt)}>
					{ago(action.createdAt)}
				</span>
			</button>
			{open && <Details id={id} action={action} changed={changed} />}
		</li>
	);
}

function Details({ id, action, changed }: { id: string; action: Action; changed: () => void }) {
	const path = `/rest/v1/targets/${segment(id)}/actions/${action.id}`;
	const { data, error } = useLoad(
		() => get<Page<ActionStatus>>(`${path}/status`, { sort: 'id:ASC', limit: 200 }),
		[action.id, action.lastModifiedAt],
	);
	const cancel = async () => {
		await call('DELETE', path);
		changed();
	};
	return (
		<div class="history-body">
			<p class="muted small">
				{t('history.by', { who: action.createdBy, type: word('force', action.forceType) })}
				{action.rollout && <a href={link(['rollouts', action.rollout])}> {action.rolloutName}</a>}
			</p>
			<Problem error={error} />
			{!data && !error && <Waiting rows={2} />}
			<ol class="reports">
				{data?.content.map((s) => (
					<li key={s.id} class={toneOf(s.type)}>
						<span class="report-time" title={dateTime(s.timestamp)}>
							{time(s.timestamp)}
						</span>
						<strong>{word('state', s.type)}</strong>
						<span class="report-words">
							{s.messages.map((m) => (
								<span key={m}>{m}</span>
							))}
							{s.code !== undefined && <code>{s.code}</code>}
						</span>
					</li>
				))}
			</ol>
			{action.status === 'pending' && action.detailStatus !== 'canceling' && (
				<BusyButton run={cancel} icon="stop" class="small">
					{t('history.cancel')}
				</BusyButton>
			)}
		</div>
	);
}
