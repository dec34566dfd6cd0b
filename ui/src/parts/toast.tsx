// A sentence at the bottom that says what was just done, read out by screen readers, gone by itself.
import { Store, useStore } from '../lib/store';
import { Icon } from './icon';
import { errorText } from './notice';

interface Message {
	id: number;
	text: string;
	bad: boolean;
}

const SHOWN_MS = 6000;
const messages = new Store<Message[]>([]);
let next = 1;

function show(text: string, bad: boolean): void {
	const id = next++;
	messages.set([...messages.get(), { id, text, bad }]);
	setTimeout(() => messages.set(messages.get().filter((m) => m.id !== id)), SHOWN_MS);
}

export const say = (text: string): void => show(text, false);
export const complain = (error: unknown): void => show(errorText(error as Error), true);

export function Toasts() {
	const list = useStore(messages);
	return (
		<div class="toasts" role="status" aria-live="polite">
			{list.map((m) => (
				<div key={m.id} class={`toast ${m.bad ? 'bad' : 'good'}`}>
					<Icon name={m.bad ? 'alert' : 'check'} />
					{m.text}
				</div>
			))}
		</div>
	);
}
