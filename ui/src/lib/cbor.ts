// Reads CBOR (RFC 8949) as far as an envelope needs it: definite lengths, no floats.

export type Cbor = number | string | boolean | null | Uint8Array | Cbor[] | Map<Cbor, Cbor>;

class Reader {
	private at = 0;
	private view: DataView;

	constructor(private bytes: Uint8Array) {
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	private argument(info: number): number {
		if (info < 24) return info;
		const start = this.at;
		this.at += 1 << (info - 24);
		if (info === 24) return this.view.getUint8(start);
		if (info === 25) return this.view.getUint16(start);
		if (info === 26) return this.view.getUint32(start);
		if (info === 27) return Number(this.view.getBigUint64(start));
		throw new Error('not definite CBOR');
	}

	private take(length: number): Uint8Array {
		if (length > this.bytes.length - this.at) throw new Error('CBOR ends too early');
		this.at += length;
		return this.bytes.subarray(this.at - length, this.at);
	}

	private simple(value: number): Cbor {
		return value === 20 ? false : value === 21 ? true : null;
	}

	item(depth = 0): Cbor {
		if (depth > 16) throw new Error('CBOR is nested too deep');
		const head = this.view.getUint8(this.at++);
		const n = this.argument(head & 31);
		switch (head >> 5) {
			case 0:
				return n;
			case 1:
				return -1 - n;
			case 2:
				return this.take(n);
			case 3:
				return new TextDecoder().decode(this.take(n));
			case 4:
				return Array.from(this.counted(n), () => this.item(depth + 1));
			case 5:
				return new Map(Array.from(this.counted(n), () => [this.item(depth + 1), this.item(depth + 1)]));
			case 6:
				return this.item(depth + 1);
			default:
				return this.simple(n);
		}
	}

	// An announced length is no reason to take memory: each element needs a byte.
	private counted(n: number): { length: number } {
		if (n > this.bytes.length - this.at) throw new Error('CBOR ends too early');
		return { length: n };
	}
}

export function cbor(bytes: Uint8Array): Cbor {
	return new Reader(bytes).item();
}
