// A value that components read and re-render on: for the few things that the whole page shares.
import { useEffect, useState } from 'preact/hooks';

export class Store<T> {
	private listeners = new Set<() => void>();

	constructor(private value: T) {}

	get(): T {
		return this.value;
	}

	set(value: T): void {
		this.value = value;
		for (const listener of [...this.listeners]) listener();
	}

	subscribe(listener: () => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}
}

export function useStore<T>(store: Store<T>): T {
	const [, again] = useState(0);
	useEffect(() => store.subscribe(() => again((n) => n + 1)), [store]);
	return store.get();
}
