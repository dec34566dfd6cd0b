import { defineConfig } from 'vite';

// The server hands the page out at / and everything else below /ui/, under the policy
// default-src 'self': nothing may be inlined, neither scripts nor small files as data: URLs.
// `npx vite` serves the page while one writes it; MUE_SERVER names the server that answers its calls.
const server = process.env.MUE_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
	base: '/ui/',
	server: { proxy: { '/rest': server, '/api': server } },
	esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
	build: {
		target: 'es2021',
		assetsDir: '',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
	},
});
