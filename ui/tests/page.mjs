// The browser and the few things that every path needs.
import { chromium } from 'playwright-core';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server'];
export const WIDE = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

export function check(holds, text) {
	if (!holds) throw new Error(text);
}

export class Page {
	constructor(site) {
		Object.assign(this, site); // url, token, shots, files
		this.complaints = [];
	}

	async open() {
		mkdirSync(this.shots, { recursive: true });
		this.profile = mkdtempSync(join(tmpdir(), 'mue-ui-'));
		this.context = await chromium.launchPersistentContext(this.profile, {
			executablePath: this.chromium,
			headless: true,
			args: FLAGS,
			viewport: WIDE,
			locale: 'en-GB',
		});
		this.context.setDefaultTimeout(8000);
		this.page = this.context.pages()[0];
		// An error, or a thing that the policy forbids, anywhere fails the path during which it came.
		this.page.on('pageerror', (e) => this.complaints.push(e.message));
		this.page.on('console', (m) => {
			if (m.type() === 'error' && !/status of 4\d\d/.test(m.text())) this.complaints.push(m.text());
		});
		await this.page.addInitScript(() => {
			window.shifted = 0;
			new PerformanceObserver((list) => {
				for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
			}).observe({ type: 'layout-shift', buffered: true });
		});
	}

	async close() {
		await this.context?.close();
		rmSync(this.profile, { recursive: true, force: true });
	}

	async go(hash) {
		await this.page.goto(`${this.url}/#/${hash}`);
		await this.page.waitForSelector('h1');
	}

	async see(selector, text) {
		await this.page.locator(selector, { hasText: text }).first().waitFor();
	}

	button(name) {
		return this.page.getByRole('button', { name, exact: true });
	}

	async shot(name) {
		await this.page.evaluate(() => document.fonts.ready);
		await this.page.screenshot({ path: join(this.shots, `${name}.png`), animations: 'disabled' });
	}

	async api(method, path, body) {
		const answer = await fetch(this.url + path, {
			method,
			headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
			body: body && JSON.stringify(body),
		});
		const text = await answer.text();
		check(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
		return text ? JSON.parse(text) : null;
	}

	async total(path) {
		return (await this.api('GET', path)).total;
	}

	// How many updates the devices may end in all (tests/e2e/ui_rig.py).
	allow(answers) {
		writeFileSync(join(this.files, 'answers.new'), String(answers));
		renameSync(join(this.files, 'answers.new'), join(this.files, 'answers'));
	}

	async until(what, holds) {
		for (const end = Date.now() + 8000; !(await holds()); await new Promise((r) => setTimeout(r, 100)))
			check(Date.now() < end, `waited in vain: ${what}`);
	}

	// Real files, dropped with a real drop event.
	async drop(selector, names) {
		const files = names.map((name) => ({ name: basename(name), data: readFileSync(join(this.files, name)).toString('base64') }));
		const transfer = await this.page.evaluateHandle((list) => {
			const data = new DataTransfer();
			for (const f of list) data.items.add(new File([Uint8Array.from(atob(f.data), (c) => c.charCodeAt(0))], f.name));
			return data;
		}, files);
		await this.page.dispatchEvent(selector, 'dragover', { dataTransfer: transfer });
		await this.page.dispatchEvent(selector, 'drop', { dataTransfer: transfer });
	}
}
