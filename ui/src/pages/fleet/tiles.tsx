import { SILENT } from '../../lib/fiql';
import { number, percent } from '../../lib/format';
import { t, type Key } from '../../lib/i18n';
import { link } from '../../lib/route';
import type { Tone } from '../../parts/badge';
import type { Numbers } from './data';

interface Tile {
	key: Key;
	tone: Tone;
	q?: string;
	value: (n: Numbers) => number;
}

const tiles: Tile[] = [
	{ key: 'tile.devices', tone: 'idle', value: (n) => n.total },
	{ key: 'tile.insync', tone: 'good', q: 'updatestatus==in_sync', value: (n) => n.states.in_sync },
	{ key: 'tile.pending', tone: 'busy', q: 'updatestatus==pending', value: (n) => n.states.pending },
	{ key: 'tile.error', tone: 'bad', q: 'updatestatus==error', value: (n) => n.states.error },
	{ key: 'tile.silent', tone: 'warn', q: SILENT, value: (n) => n.silent },
];

export function Tiles({ numbers }: { numbers: Numbers | undefined }) {
	return (
		<div class="tiles">
			{tiles.map(({ key, tone, q, value }) => (
				<a key={key} class={`card tile ${tone}`} href={link(['targets'], { q })}>
					<span class="tile-label">{t(key)}</span>
					<strong class="tile-value">{numbers ? number(value(numbers)) : '\u2007'}</strong>
					<span class="muted small">{numbers && q ? percent(value(numbers), numbers.total) : '\u00a0'}</span>
				</a>
			))}
		</div>
	);
}
