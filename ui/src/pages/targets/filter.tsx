// What to show: words or FIQL, and the questions that are asked most.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../lib/api';
import { fromInput, NEVER_SEEN, quote, SILENT } from '../../lib/fiql';
import { t, type Key } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import type { Page, Tag } from '../../lib/types';
import { Icon } from '../../parts/icon';
import { Problem } from '../../parts/notice';

const questions: [Key, string][] = [
	['filter.all', ''],
	['filter.error', 'updatestatus==error'],
	['filter.pending', 'updatestatus==pending'],
	['filter.silent', SILENT],
	['filter.never', NEVER_SEEN],
];

interface Props {
	q: string;
	set: (q: string) => void;
	error: Error | undefined;
}

export function Filter({ q, set, error }: Props) {
	const [text, setText] = useState(q);
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => setText(q), [q]);
	useEffect(() => {
		const focus = (e: KeyboardEvent) => {
			if (e.key !== '/' || /^(INPUT|TEXTAREA|SELECT)$/.test((e.target as Element).tagName)) return;
			e.preventDefault();
			input.current?.focus();
		};
		addEventListener('keydown', focus);
		return () => removeEventListener('keydown', focus);
	}, []);
	const submit = (e: Event) => {
		e.preventDefault();
		set(fromInput(text));
	};
	return (
		<form class="filter" role="search" onSubmit={submit}>
			<div class="search">
				<Icon name="search" />
				<input
					ref={input}
					type="search"
					name="q"
					value={text}
					placeholder={t('filter.placeholder')}
					aria-label={t('filter.label')}
					spellcheck={false}
					onInput={(e) => setText(e.currentTarget.value)}
				/>
				<button class="button" type="submit">
					{t('filter.go')}
				</button>
			</div>
			<div class="chips">
				{questions.map(([key, filter]) => (
					<button key={key} type="button" class="chip pick" aria-pressed={q === filter} onClick={() => set(filter)}>
						{t(key)}
					</button>
				))}
				<TagFilters q={q} set={set} />
			</div>
			{q && <Problem error={error} />}
		</form>
	);
}

function TagFilters({ q, set }: { q: string; set: (q: string) => void }) {
	const { data } = useLoad(() => get<Page<Tag>>('/rest/v1/targettags', { limit: 12, sort: 'name:ASC' }), [], 30000);
	return (
		<>
			{data?.content.map((tag) => {
				const filter = `tag==${quote(tag.name)}`;
				return (
					<button key={tag.id} type="button" class="chip pick" aria-pressed={q === filter} onClick={() => set(filter)}>
						<Icon name="tag" size={14} />
						{tag.name}
					</button>
				);
			})}
		</>
	);
}
