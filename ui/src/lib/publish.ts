// A release goes to the server as `mue publish` lays it out: a module for each component with the
// envelope and the payload in it, and one distribution set over them. The envelope goes first: what
// the server refuses, it refuses before the long part.
import { ApiError, call, errorOf, segment } from './api';
import { session, signOut } from './session';
import type { DistributionSet, Module } from './types';

export interface Part {
	name: string;
	kind: string;
	files: File[]; // the envelope first, where there is one
}

export interface Plan {
	name: string;
	version: string;
	description: string;
	parts: Part[];
}

export interface Step {
	file: string;
	sent: number;
	total: number;
	state: 'waiting' | 'sending' | 'done' | 'refused';
}

function upload(module: number, file: File, progress: (sent: number) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		const xhr = new XMLHttpRequest();
		xhr.open('POST', `/rest/v1/softwaremodules/${module}/artifacts?filename=${segment(file.name)}`);
		xhr.setRequestHeader('Authorization', `Bearer ${session.get()?.token ?? ''}`);
		xhr.setRequestHeader('Content-Type', 'application/octet-stream');
		xhr.upload.onprogress = (e) => progress(e.loaded);
		xhr.onerror = () => reject(new ApiError(0, ''));
		xhr.onload = () => {
			if (xhr.status < 300) return resolve();
			if (xhr.status === 401) signOut();
			reject(errorOf(xhr.status, xhr.responseText));
		};
		xhr.send(file);
	});
}

export function stepsOf(plan: Plan): Step[] {
	return plan.parts.flatMap((part) =>
		part.files.map((file): Step => ({ file: file.name, sent: 0, total: file.size, state: 'waiting' })),
	);
}

async function send(module: number, part: Part, steps: Step[], first: number, show: (steps: Step[]) => void) {
	for (const [i, file] of part.files.entries()) {
		const step = steps[first + i];
		const update = (change: Partial<Step>) => {
			Object.assign(step, change);
			show([...steps]);
		};
		update({ state: 'sending' });
		try {
			await upload(module, file, (sent) => update({ sent }));
		} catch (e) {
			update({ state: 'refused' });
			throw e;
		}
		update({ state: 'done', sent: step.total });
	}
}

// Gives the new set. When a file is refused, the modules that were made for it are taken back.
export async function publish(plan: Plan, show: (steps: Step[]) => void): Promise<DistributionSet> {
	const steps = stepsOf(plan);
	const made: number[] = [];
	let first = 0;
	try {
		for (const part of plan.parts) {
			const entity = { name: part.name, version: plan.version, type: part.kind, description: plan.description || undefined };
			const [module] = await call<Module[]>('POST', '/rest/v1/softwaremodules', [entity]);
			made.push(module.id);
			await send(module.id, part, steps, first, show);
			first += part.files.length;
		}
		const set = {
			name: plan.name,
			version: plan.version,
			description: plan.description || undefined,
			type: 'mue',
			modules: made.map((id) => ({ id })),
		};
		const [created] = await call<DistributionSet[]>('POST', '/rest/v1/distributionsets', [set]);
		return created;
	} catch (e) {
		await Promise.allSettled(made.map((id) => call('DELETE', `/rest/v1/softwaremodules/${id}`)));
		throw e;
	}
}
