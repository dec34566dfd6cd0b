import { defineConfig } from 'vite';

// The server hands the page out at / and everything else below /ui/, under the policy
// default-src 'self': nothing may be inlined, neither scripts nor small files as data: URLs.
export default defineConfig({
	base: '/ui/',
	esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
	build: {
		target: 'es2021',
		assetsDir: '',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
	},
});
