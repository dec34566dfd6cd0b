// Chooses a release among those that can be rolled out.
import { useEffect } from 'preact/hooks';
import { get } from '../lib/api';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import type { DistributionSet, Page } from '../lib/types';
import { Problem } from './notice';

export function SetSelect({ value, set }: { value: number; set: (id: number, chosen?: DistributionSet) => void }) {
	const { data, error } = useLoad(
		() => get<Page<DistributionSet>>('/rest/v1/distributionsets', { q: 'valid==true', sort: 'id:DESC', limit: 200 }),
		[],
	);
	const list = data?.content.filter((s) => s.complete) ?? [];
	useEffect(() => {
		const chosen = list.find((s) => s.id === value);
		if (chosen) set(value, chosen);
	}, [data]);
	return (
		<>
			<select
				name="set"
				value={value}
				onChange={(e) => {
					const id = Number(e.currentTarget.value);
					set(id, list.find((s) => s.id === id));
				}}
			>
				<option value={0}>{t('choose')}</option>
				{list.map((s) => (
					<option key={s.id} value={s.id}>
						{s.name} {s.version}
					</option>
				))}
			</select>
			<Problem error={error} />
		</>
	);
}
