// Lines over time, drawn by uPlot in the page's colours.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { locale, number } from '../lib/format';
import { lang, theme } from '../lib/prefs';
import { useStore } from '../lib/store';

export interface Line {
	label: string;
	colour: string; // a custom property of the style sheet: "--good"
	values: number[];
}

interface Props {
	times: number[]; // seconds
	lines: Line[];
	height: number;
	label: string;
}

function options(width: number, height: number, lines: Line[], style: CSSStyleDeclaration): uPlot.Options {
	const colour = (name: string) => style.getPropertyValue(name).trim();
	const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
	return {
		width,
		height,
		padding: [8, 8, 0, 0],
		cursor: { y: false, points: { size: 7 } },
		legend: { live: true },
		scales: { y: { range: (_u, _min, max) => [0, Math.max(4, Math.ceil(max * 1.1))] } },
		axes: [
			{ ...axis, values: (_u, splits) => splits.map(clock), space: 80 },
			{ ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000], values: (_u, splits) => splits.map(number) },
		],
		series: [
			{ value: (_u, v) => (v ? new Date(v * 1000).toLocaleString(locale(), { dateStyle: 'short', timeStyle: 'short' }) : '–') },
			...lines.map((line) => ({
				label: line.label,
				stroke: colour(line.colour),
				fill: `${colour(line.colour)}22`,
				width: 2,
				points: { show: false },
				value: (_u: uPlot, v: number | null) => (v === null ? '–' : number(v)),
			})),
		],
	};
}

function clock(seconds: number): string {
	const date = new Date(seconds * 1000);
	const day = date.getHours() === 0 && date.getMinutes() === 0;
	return date.toLocaleString(locale(), day ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' });
}

export function Chart({ times, lines, height, label }: Props) {
	const box = useRef<HTMLDivElement>(null);
	const [colours, language] = [useStore(theme), useStore(lang)];
	useEffect(() => {
		const element = box.current;
		if (!element) return;
		const data: uPlot.AlignedData = [times, ...lines.map((l) => l.values)];
		const plot = new uPlot(options(element.clientWidth, height, lines, getComputedStyle(element)), data, element);
		const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
		watch.observe(element);
		return () => {
			watch.disconnect();
			plot.destroy();
		};
	}, [times, lines, height, colours, language]);
	return <div ref={box} class="chart" role="img" aria-label={label} style={{ minHeight: `${height + 30}px` }} />;
}
