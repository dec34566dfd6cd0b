// What the API answers, as far as the page reads it. Times are milliseconds since 1970.

export interface Page<T> {
	content: T[];
	total: number;
}

export interface Tracked {
	createdBy: string;
	createdAt: number;
	lastModifiedBy?: string;
	lastModifiedAt?: number;
}

export type UpdateStatus = 'in_sync' | 'pending' | 'error' | 'registered' | 'unknown';

export interface Target extends Tracked {
	controllerId: string;
	name: string;
	description?: string;
	updateStatus: UpdateStatus;
	installedAt?: number;
	address?: string;
	lastControllerRequestAt?: number;
	pollStatus?: { lastRequestAt: number; nextExpectedRequestAt: number; overdue: boolean };
}

export interface Tag {
	id: number;
	name: string;
	colour?: string;
}

export interface Module extends Tracked {
	id: number;
	name: string;
	version: string;
	type: string;
	typeName: string;
	description?: string;
}

export interface DistributionSet extends Tracked {
	id: number;
	name: string;
	version: string;
	description?: string;
	complete: boolean;
	locked: boolean;
	valid: boolean;
	modules: Module[];
}

export interface Artifact {
	id: number;
	providedFilename: string;
	size: number;
	createdAt: number;
	hashes: { sha256: string };
}

export interface Link {
	href: string;
}

export interface Action extends Tracked {
	id: number;
	type: string;
	status: 'pending' | 'finished';
	detailStatus: string;
	forceType: string;
	rollout?: number;
	rolloutName?: string;
	_links: { distributionset?: Link };
}

export interface ActionStatus {
	id: number;
	type: string;
	timestamp: number;
	code?: number;
	messages: string[];
}

export interface Condition {
	condition: string;
	holds: boolean;
	detail: string;
}

export interface Why {
	wanted: { id: number; name: string; version: string } | null;
	installed: { id: number; name: string; version: string } | null;
	reached: boolean;
	why: string;
	conditions: Condition[];
}

export interface PerStatus {
	notstarted: number;
	scheduled: number;
	running: number;
	finished: number;
	error: number;
	cancelled: number;
}

export interface Rollout extends Tracked {
	id: number;
	name: string;
	description?: string;
	targetFilterQuery: string;
	distributionSetId: number;
	status: string;
	statusReason?: string;
	totalTargets: number;
	totalGroups: number;
	totalTargetsPerStatus?: PerStatus;
}

export interface Threshold {
	condition: 'THRESHOLD';
	expression: string;
}

export interface Group {
	id: number;
	name: string;
	status: string;
	targetFilterQuery: string;
	totalTargets: number;
	openedAt?: number;
	successCondition: Threshold;
	errorCondition?: Threshold;
	errorAction?: { action: string };
	totalTargetsPerStatus: PerStatus;
}

export interface ModuleType {
	id: number;
	key: string;
	name: string;
}
