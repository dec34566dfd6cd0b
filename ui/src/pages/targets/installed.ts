// The version on each device of one page. A target of the API does not name its installed set, so
// it is asked for by device; again only when the device says it installed something.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, segment } from '../../lib/api';
import type { DistributionSet, Target } from '../../lib/types';

type Known = Map<string, { at: number; text: string }>;

async function ask(d: Target): Promise<string> {
	const set = await get<DistributionSet | null>(`/rest/v1/targets/${segment(d.controllerId)}/installedDS`);
	return set ? `${set.name} ${set.version}` : '';
}

export function useInstalled(targets: Target[]): Map<string, string> {
	const known = useRef<Known>(new Map());
	const [, again] = useState(0);
	useEffect(() => {
		let current = true;
		const stale = targets.filter((d) => d.installedAt && known.current.get(d.controllerId)?.at !== d.installedAt);
		const jobs = stale.map(async (d) => {
			known.current.set(d.controllerId, { at: d.installedAt ?? 0, text: await ask(d) });
		});
		void Promise.allSettled(jobs).then(() => {
			if (current && jobs.length) again((n) => n + 1);
		});
		return () => {
			current = false;
		};
	}, [targets]);
	return new Map([...known.current].filter(([, v]) => v.text).map(([id, v]) => [id, v.text]));
}
