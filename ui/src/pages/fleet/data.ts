// The numbers of the first page, each a count of the API.
import { count, get } from '../../lib/api';
import { NEVER_SEEN, SILENT } from '../../lib/fiql';
import type { DistributionSet, Page, UpdateStatus } from '../../lib/types';

const TARGETS = '/rest/v1/targets';
const NEWEST = 8;

export const STATES: UpdateStatus[] = ['in_sync', 'pending', 'error', 'registered', 'unknown'];

export interface VersionCount {
	set: DistributionSet;
	value: number;
}

export interface Numbers {
	total: number;
	states: Record<UpdateStatus, number>;
	silent: number;
	neverSeen: number;
	versions: VersionCount[];
	without: number;
}

export async function loadNumbers(): Promise<Numbers> {
	const sets = get<Page<DistributionSet>>('/rest/v1/distributionsets', { limit: NEWEST, sort: 'id:DESC' });
	const [total, silent, neverSeen, without, states, versions] = await Promise.all([
		count(TARGETS),
		count(TARGETS, SILENT),
		count(TARGETS, NEVER_SEEN),
		count(TARGETS, 'installedds.id==""'),
		Promise.all(STATES.map((s) => count(TARGETS, `updatestatus==${s}`))),
		sets.then((page) =>
			Promise.all(page.content.map(async (set) => ({ set, value: await count(TARGETS, `installedds.id==${set.id}`) }))),
		),
	]);
	return {
		total,
		silent,
		neverSeen,
		without,
		states: Object.fromEntries(STATES.map((s, i) => [s, states[i]])) as Record<UpdateStatus, number>,
		versions: versions.filter((v) => v.value > 0),
	};
}
