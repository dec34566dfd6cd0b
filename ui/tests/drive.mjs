// Goes every path of the page in a real browser against a real server; one line a path:
// "ok NAME" or "not ok NAME: why". tests/e2e/test_ui.py starts it and says where the server is.
import { join } from 'node:path';
import { Page } from './page.mjs';
import { paths } from './paths.mjs';

const { MUE_UI_URL: url, MUE_UI_TOKEN: token, MUE_UI_SHOTS: shots, MUE_UI_FILES: files, MUE_UI_CHROMIUM: chromium } = process.env;
const page = new Page({ url, token, shots, files, chromium });

await page.open();
for (const [name, go] of Object.entries(paths)) {
	page.complaints.length = 0;
	const begin = Date.now();
	try {
		await go(page);
		if (page.complaints.length) throw new Error(`the browser complains: ${page.complaints.join(' / ')}`);
		console.log(`ok ${name} (${Date.now() - begin} ms)`);
	} catch (e) {
		await page.page.screenshot({ path: join(shots, `failed-${name}.png`) }).catch(() => {});
		console.log(`not ok ${name}: ${String(e.message).replace(/\s+/g, ' ').slice(0, 600)}`);
	}
}
await page.close();
