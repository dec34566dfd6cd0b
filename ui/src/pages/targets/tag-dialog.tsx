import { useState } from 'preact/hooks';
import { call, get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import type { Page, Tag } from '../../lib/types';
import { BusyButton } from '../../parts/busy-button';
import { Dialog } from '../../parts/dialog';
import { Field } from '../../parts/field';
import { Problem } from '../../parts/notice';
import { say } from '../../parts/toast';

const COLOURS = ['#0f766e', '#2563eb', '#b45309', '#7c3aed', '#be123c', '#15803d'];

interface Props {
	ids: string[];
	close: () => void;
	done: () => void;
}

async function tagOf(name: string, tags: Tag[]): Promise<Tag> {
	const known = tags.find((tag) => tag.name.toLowerCase() === name.toLowerCase());
	if (known) return known;
	const colour = COLOURS[tags.length % COLOURS.length];
	return (await call<Tag[]>('POST', '/rest/v1/targettags', [{ name, colour }]))[0];
}

export function TagDialog({ ids, close, done }: Props) {
	const [name, setName] = useState('');
	const { data, error } = useLoad(() => get<Page<Tag>>('/rest/v1/targettags', { limit: 500, sort: 'name:ASC' }), []);
	const tags = data?.content ?? [];
	const known = tags.find((tag) => tag.name === name.trim());

	const add = async () => {
		const tag = await tagOf(name.trim(), tags);
		await call('PUT', `/rest/v1/targettags/${tag.id}/assigned`, ids);
		say(t('tag.added', { n: ids.length, tag: tag.name }));
		done();
	};
	const remove = async () => {
		await call('DELETE', `/rest/v1/targettags/${known?.id ?? 0}/assigned`, ids);
		say(t('tag.removed', { n: ids.length, tag: name.trim() }));
		done();
	};
	return (
		<Dialog title={t('tag.title', { n: ids.length })} close={close}>
			<Problem error={error} />
			<Field label={t('tag.name')} hint={t('tag.hint')}>
				<input list="tags" name="tag" value={name} maxLength={64} autofocus onInput={(e) => setName(e.currentTarget.value)} />
			</Field>
			<datalist id="tags">
				{tags.map((tag) => (
					<option key={tag.id} value={tag.name} />
				))}
			</datalist>
			<footer class="dialog-foot">
				<BusyButton run={remove} disabled={!known}>
					{t('tag.remove')}
				</BusyButton>
				<BusyButton run={add} class="primary" disabled={!name.trim()}>
					{t('tag.add')}
				</BusyButton>
			</footer>
		</Dialog>
	);
}
