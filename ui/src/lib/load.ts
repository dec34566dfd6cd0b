// Data of a component: loaded when it appears or its inputs change, and again every `every`
// milliseconds while the tab is seen. What was shown stays until the new is there: nothing jumps.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Loaded<T> {
	data: T | undefined;
	error: Error | undefined;
	reload: () => void;
}

export function useLoad<T>(load: () => Promise<T>, inputs: unknown[], every = 0): Loaded<T> {
	const [state, setState] = useState<{ data?: T; error?: Error }>({});
	const turn = useRef(0);
	const loader = useRef(load);
	loader.current = load;

	const run = useCallback(async () => {
		const mine = ++turn.current; // an answer that was overtaken is dropped
		try {
			const data = await loader.current();
			if (mine === turn.current) setState({ data });
		} catch (e) {
			if (mine === turn.current) setState((s) => ({ ...s, error: e as Error }));
		}
	}, []);

	useEffect(() => {
		void run();
		const timer = every > 0 ? setInterval(() => document.hidden || void run(), every) : undefined;
		return () => {
			clearInterval(timer);
			turn.current++;
		};
	}, [...inputs, every]);

	return { data: state.data, error: state.error, reload: () => void run() };
}
