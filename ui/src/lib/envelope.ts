// What an envelope says of itself, to lay a release out on the server (docs/FORMATS.md). Nothing is
// verified here: the server does that and has the last word.
import { cbor, type Cbor } from './cbor';

export interface Component {
	kind: string;
	name: string;
	files: string[]; // the payloads beside the envelope
}

export interface Envelope {
	name: string;
	version: string;
	notes: string;
	components: Component[];
}

const MANIFEST = 3;
const COMMON = 3;
const COMPONENTS = 2;
const TEXT = 23;
const SET_COMPONENT_INDEX = 12;
const TRY_EACH = 15;
const OVERRIDE_PARAMETERS = 20;
const RUN_SEQUENCE = 32;
const PARAMETER_URI = 21;
const PAYLOAD_FETCH = 16;
const INSTALL = 20;
const TEXT_DESCRIPTION = 2;
const TEXT_NAME = -257;
const TEXT_VERSION = -258;

const utf8 = new TextDecoder();

function map(value: Cbor | undefined): Map<Cbor, Cbor> {
	if (value instanceof Uint8Array) value = cbor(value);
	return value instanceof Map ? value : new Map();
}

function text(value: Cbor | undefined): string {
	return typeof value === 'string' ? value : value instanceof Uint8Array ? utf8.decode(value) : '';
}

// Notes which component fetches which file.
function walk(sequence: Cbor | undefined, components: Component[], at: { index: number }): void {
	const list = sequence instanceof Uint8Array ? cbor(sequence) : sequence;
	if (!Array.isArray(list)) return;
	for (let i = 0; i + 1 < list.length; i += 2) {
		const [command, argument] = [list[i], list[i + 1]];
		if (command === SET_COMPONENT_INDEX && typeof argument === 'number') at.index = argument;
		if (command === TRY_EACH && Array.isArray(argument)) for (const one of argument) walk(one, components, at);
		if (command === RUN_SEQUENCE) walk(argument, components, at);
		if (command === OVERRIDE_PARAMETERS && argument instanceof Map) {
			const uri = text(argument.get(PARAMETER_URI));
			if (uri && !uri.startsWith('#')) components[at.index]?.files.push(uri);
		}
	}
}

export function readEnvelope(bytes: Uint8Array): Envelope {
	const envelope = map(cbor(bytes));
	const manifest = map(envelope.get(MANIFEST));
	const ids = map(manifest.get(COMMON)).get(COMPONENTS);
	const components = (Array.isArray(ids) ? ids : []).map((id): Component => {
		const [kind, name] = Array.isArray(id) ? id.map(text) : [];
		return { kind: kind ?? '', name: name ?? '', files: [] };
	});
	// A severed sequence stands in the envelope under the same number.
	for (const key of [PAYLOAD_FETCH, INSTALL])
		for (const place of [manifest, envelope])
			if (place.get(key) instanceof Uint8Array) walk(place.get(key), components, { index: 0 });
	const texts = map([...map(envelope.get(TEXT)).values()][0]);
	return {
		name: text(texts.get(TEXT_NAME)),
		version: text(texts.get(TEXT_VERSION)),
		notes: text(texts.get(TEXT_DESCRIPTION)),
		components,
	};
}
