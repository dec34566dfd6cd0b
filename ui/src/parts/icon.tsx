// Line drawings of 24 by 24, in the colour of the text around them.
const paths = {
	fleet: 'M4 20V10m5 10V4m5 16v-7m5 7V8',
	targets: 'M5 7h14v10H5zM9 21h6M12 17v4M9 3v1m6-1v1',
	releases: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
	rollouts: 'M4 18l5-5 4 4 7-8m0 0v5m0-5h-5',
	out: 'M14 4h5v16h-5M10 8l-4 4 4 4m-4-4h10',
	sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4m11.2 11.2L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
	moon: 'M20 14.5A8 8 0 019.5 4a8 8 0 1010.5 10.5z',
	check: 'M5 12.5l4.5 4.5L19 7.5',
	cross: 'M6 6l12 12M18 6L6 18',
	dots: 'M6 12h.01M12 12h.01M18 12h.01',
	search: 'M11 5a6 6 0 100 12 6 6 0 000-12zM15.5 15.5L20 20',
	tag: 'M4 4h7l9 9-7 7-9-9zM8 8h.01',
	upload: 'M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M4 16v4h16v-4',
	file: 'M6 3h8l4 4v14H6zM14 3v4h4',
	plus: 'M12 5v14M5 12h14',
	play: 'M8 5l11 7-11 7z',
	pause: 'M9 5v14M15 5v14',
	stop: 'M6 6h12v12H6z',
	skip: 'M6 5l9 7-9 7zM18 5v14',
	clock: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4l3 2',
	left: 'M15 5l-7 7 7 7',
	right: 'M9 5l7 7-7 7',
	alert: 'M12 4l9 16H3zM12 10v4m0 3h.01',
	question: 'M9 9a3 3 0 114.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18h.01',
};

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
	return (
		<svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
			<path d={paths[name]} />
		</svg>
	);
}
