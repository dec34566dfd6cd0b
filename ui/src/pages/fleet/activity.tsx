// Updates over time: the newest actions that ended, added up.
import { useMemo } from 'preact/hooks';
import { get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import type { Action, Page } from '../../lib/types';
import { Card } from '../../parts/card';
import { Chart, type Line } from '../../parts/chart';
import { Empty, Problem, Waiting } from '../../parts/notice';

const NEWEST = 500;
const HEIGHT = 200;

interface Series {
	times: number[];
	done: number[];
	failed: number[];
}

export function addUp(actions: Action[]): Series {
	const ended = actions
		.filter((a) => a.detailStatus === 'finished' || a.detailStatus === 'error')
		.sort((a, b) => (a.lastModifiedAt ?? 0) - (b.lastModifiedAt ?? 0));
	const series: Series = { times: [], done: [], failed: [] };
	let [done, failed] = [0, 0];
	const begin = (second: number) => {
		series.times.push(second);
		series.done.push(0);
		series.failed.push(0);
	};
	for (const action of ended) {
		const second = Math.floor((action.lastModifiedAt ?? 0) / 1000);
		if (!series.times.length) begin(second - 1); // the lines rise from nothing
		if (action.detailStatus === 'finished') done++;
		else failed++;
		if (series.times[series.times.length - 1] !== second) series.times.push(second);
		series.done[series.times.length - 1] = done;
		series.failed[series.times.length - 1] = failed;
	}
	return series;
}

export function Activity() {
	const { data, error } = useLoad(
		() => get<Page<Action>>('/rest/v1/actions', { q: 'active==false', sort: 'id:DESC', limit: NEWEST }),
		[],
		10000,
	);
	const series = useMemo(() => data && addUp(data.content), [data]);
	const lines = useMemo<Line[]>(
		() =>
			series
				? [
						{ label: t('activity.done'), colour: '--good', values: series.done },
						{ label: t('activity.failed'), colour: '--bad', values: series.failed },
					]
				: [],
		[series],
	);
	return (
		<Card title={t('fleet.activity')} class="activity-card">
			<Problem error={error} />
			{!series && !error && <Waiting rows={5} />}
			{series && series.times.length < 2 && <Empty icon="fleet" text={t('fleet.noactivity')} />}
			{series && series.times.length >= 2 && (
				<Chart times={series.times} lines={lines} height={HEIGHT} label={t('fleet.activity')} />
			)}
		</Card>
	);
}
