// Files by drag and drop, or by the keyboard through the file input that lies below the text.
import { useState } from 'preact/hooks';
import { Icon } from './icon';

interface Props {
	drop: (files: File[]) => void;
	text: string;
	hint: string;
}

export function DropZone({ drop, text, hint }: Props) {
	const [over, setOver] = useState(false);
	return (
		<label
			class={`drop-zone ${over ? 'over' : ''}`}
			onDragOver={(e) => {
				e.preventDefault();
				setOver(true);
			}}
			onDragLeave={() => setOver(false)}
			onDrop={(e) => {
				e.preventDefault();
				setOver(false);
				drop([...(e.dataTransfer?.files ?? [])]);
			}}
		>
			<Icon name="upload" size={36} />
			<strong>{text}</strong>
			<span class="muted">{hint}</span>
			<input
				type="file"
				name="files"
				multiple
				class="hidden-file"
				onChange={(e) => {
					const files = [...(e.currentTarget.files ?? [])];
					e.currentTarget.value = '';
					drop(files);
				}}
			/>
		</label>
	);
}
