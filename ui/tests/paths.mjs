// The paths, in their order: each may lean on what those before it left. The fleet is that of
// tests/e2e/ui_rig.py.
import { check, PHONE, WIDE } from './page.mjs';

async function signIn(p) {
	await p.page.goto(p.url);
	await p.page.fill('input[name=token]', 'no such token');
	await p.page.keyboard.press('Enter');
	await p.see('.problem', 'does not know this token');
	await p.shot('sign-in-refused');
	await p.page.fill('input[name=token]', p.token);
	await p.button('Sign in').click();
	await p.see('h1', 'The fleet at a glance');
	const kept = await p.page.evaluate((token) => [JSON.stringify(sessionStorage).includes(token), JSON.stringify(localStorage).includes(token), document.cookie], p.token);
	check(kept[0] && !kept[1] && kept[2] === '', `the token stays in the tab only: ${kept}`);
}

async function fleet(p) {
	await p.go('fleet');
	const tile = (label) => p.page.locator('.tile', { hasText: label }).locator('.tile-value').innerText();
	await p.see('.tile', '36');
	check((await tile('Devices')) === '36' && (await tile('Failed')) === '2', 'the tiles count the fleet');
	await p.see('.versions li', 'gateway 2.1.0');
	await p.see('.versions li', 'gateway 2.0.4');
	await p.see('.running-card li', '2.1.0 for the west');
	await p.page.waitForSelector('.chart canvas');
	await p.page.waitForTimeout(500);
	await p.shot('fleet');
	const shifted = await p.page.evaluate(() => window.shifted);
	check(shifted < 0.1, `nothing jumps: layout shift ${shifted}`);
}

async function filter(p) {
	await p.go('targets');
	await p.see('.pager', '1–25 of 36');
	await p.page.getByLabel('Next page').click();
	await p.see('.pager', '26–36 of 36');
	await p.page.keyboard.press('/');
	await p.page.keyboard.type('mill');
	await p.page.keyboard.press('Enter');
	await p.see('.pager', '1–6 of 6');
	await p.page.fill('input[name=q]', 'attribute.mue.version==2.0*;tag==bench');
	await p.button('Filter').click();
	await p.see('.pager', '1–3 of 3');
	await p.page.fill('input[name=q]', 'colour==blue');
	await p.button('Filter').click();
	await p.see('.problem', "no field is named 'colour'");
	await p.button('Failed').click();
	await p.see('.pager', '1–2 of 2');
	await p.see('.targets td', 'gateway 2.0.4');
	await p.go('targets');
	await p.see('.targets td', 'gateway 2.1.0');
	await p.shot('targets');
}

async function bulk(p) {
	await p.go('targets?q=tag==bench');
	await p.see('.pager', '1–3 of 3');
	await p.page.getByLabel('Choose every device of this page').check();
	await p.see('.bulk', '3 devices chosen');
	await p.button('Tag').click();
	await p.page.fill('dialog input[name=tag]', 'canary');
	await p.shot('tag-dialog');
	await p.button('Add tag').click();
	await p.see('.toast', '3 devices tagged canary');
	check((await p.total('/rest/v1/targets?q=tag==canary')) === 3, 'the three have the tag');
	await p.page.getByLabel('Choose every device of this page').check();
	await p.button('Update').click();
	await p.page.selectOption('dialog select[name=set]', { label: 'gateway 2.0.4' });
	await p.shot('assign-dialog');
	await p.page.locator('dialog').getByRole('button', { name: 'Update', exact: true }).click();
	await p.see('.toast', '3 devices get the release');
	check((await p.total('/rest/v1/targets?q=tag==canary;assignedds.version==2.0.4')) === 3, 'the three are assigned');
}

async function why(p) {
	await p.go('targets/gw-harbour-03');
	await p.see('.verdict-line.bad', 'The update failed: the device reported a failure: slot b: digest differs');
	await p.see('.reports', 'digest differs');
	await p.see('.facts', '<img src=x');
	check((await p.page.title()) === 'Mue', 'what a device says does not run');
	await p.shot('device-failed');
	await p.go('targets/gw-tower-03');
	await p.see('.verdict-line', 'Not yet read by the device');
	await p.see('.chain .fails', 'Not yet read by the device');
	await p.shot('device-waiting');
	await p.go('targets/gw-depot-06');
	await p.see('.verdict-line', 'no version was ever assigned');
}

async function refused(p) {
	const before = await p.total('/rest/v1/softwaremodules');
	await p.go('releases/new');
	await p.drop('.drop-zone', ['out/gateway-2.3.0.suit', 'out/gateway-2.3.0.rootfs.img', 'out/gateway-2.3.0.shell.tar']);
	await p.see('.steps', 'gateway-2.3.0.shell.tar');
	await p.button('Publish').click();
	await p.see('.refused.card', 'MUE_ESIGNATURE');
	await p.shot('upload-refused');
	await p.button('Start over').click();
	await p.drop('.drop-zone', ['out/broken-1.0.suit']);
	await p.see('.problem', 'cannot be read as an envelope');
	await p.button('Publish').click();
	await p.see('.refused.card', 'MUE_E');
	check((await p.total('/rest/v1/softwaremodules')) === before, 'nothing is left of it');
}

async function upload(p) {
	await p.go('releases');
	await p.page.setInputFiles('input[name=pub]', `${p.files}/release.key.pub`);
	await p.see('.trust-card', 'release');
	await p.button('Upload a release').or(p.page.getByRole('link', { name: 'Upload a release' })).click();
	await p.drop('.drop-zone', ['out/gateway-2.2.0.suit', 'out/gateway-2.2.0.rootfs.img']);
	await p.see('.problem', 'gateway-2.2.0.shell.tar');
	check(await p.button('Publish').isDisabled(), 'a release that lacks a file is not sent');
	await p.drop('.drop-zone', ['out/gateway-2.2.0.shell.tar']);
	await p.see('.steps', 'gateway-2.2.0.shell.tar');
	await p.shot('upload');
	await p.button('Publish').click();
	await p.see('h1', 'gateway 2.2.0');
	await p.see('.artifacts', 'signature verified');
	check((await p.page.locator('.artifacts').count()) === 2, 'a part for each component');
	await p.shot('release');
	await p.go('releases');
	await p.see('.sets', '2.2.0');
	await p.shot('releases');
}

async function rollout(p) {
	await p.until('the three of before are done', async () => (await p.total('/rest/v1/targets?q=tag==canary;updatestatus==pending')) === 0);
	const { content } = await p.api('GET', '/rest/v1/distributionsets?q=version==2.1.0');
	await p.go(`rollouts/new?set=${content[0].id}`);
	await p.page.waitForFunction(() => document.querySelector('input[name=name]')?.value === 'gateway 2.1.0');
	await p.page.fill('input[name=name]', 'Autumn update');
	await p.button('Next').click();
	await p.page.fill('input[name=filter]', 'tag==pilot');
	await p.see('.matching', '21');
	await p.shot('rollout-whom');
	await p.button('Next').click();
	check((await p.page.locator('.stages li').count()) === 4, 'bench, 1, 30 %, 100 %');
	await p.shot('rollout-stages');
	await p.button('Create').click();
	await p.see('h1', 'Autumn update');
	await p.see('.group', '3 devices');
	p.allow(3 + 4); // bench and the first one; the third stage opens and waits
	await p.button('Start').click();
	await p.see('.group.finished', 'bench');
	await p.see('.group.running', '30%');
	await p.button('Pause').click();
	await p.see('.subhead', 'paused');
	await p.see('.verdict-line', 'paused by admin');
	await p.shot('rollout-paused');
	p.allow(3 + 4 + 3);
	await p.button('Resume').click();
	await p.see('.group.running .group-percent', '60'); // it fills while one looks on
	await p.shot('rollout-running');
	p.allow(100);
	await p.see('.subhead .badge', 'done');
	check((await p.page.locator('.group.finished').count()) === 4, 'all groups filled');
	await p.shot('rollout-done');
}

async function stop(p) {
	await p.go('rollouts');
	await p.page.getByRole('link', { name: '2.1.0 for the west' }).click();
	await p.see('.group.error, .group', 'Show the 2 devices that failed');
	await p.page.locator('.link-button').click();
	await p.see('.failed', 'gw-harbour-03');
	await p.shot('rollout-tripped');
	await p.button('Stop').click();
	await p.see('dialog', 'Stop 2.1.0 for the west for good?');
	await p.page.locator('dialog').getByRole('button', { name: 'Stop', exact: true }).click();
	await p.see('.subhead .badge', 'stopped');
	await p.button('Retry what failed').click();
	await p.see('h1', '2.1.0 for the west_retry');
	await p.see('.group', '2 devices');
	await p.go('rollouts');
	await p.see('.rollout-list', 'Autumn update');
	await p.shot('rollouts');
}

async function keyboard(p) {
	await p.go('fleet');
	await p.page.reload();
	await p.page.waitForSelector('.tile');
	await p.page.keyboard.press('Tab');
	check((await p.page.evaluate(() => document.activeElement.className)) === 'skip', 'the first stop leads to the content');
	await p.page.keyboard.press('Enter');
	check((await p.page.evaluate(() => document.activeElement.id)) === 'main', 'and it does');
	await p.page.getByRole('link', { name: 'Devices', exact: true }).first().focus();
	await p.page.keyboard.press('Enter');
	await p.see('h1', 'Devices');
	await p.page.locator('tbody input').first().focus();
	await p.page.keyboard.press('Space');
	await p.button('Tag').focus();
	await p.page.keyboard.press('Enter');
	await p.page.waitForSelector('dialog[open]');
	await p.page.keyboard.press('Escape');
	await p.page.waitForSelector('dialog', { state: 'detached' });
}

async function looks(p) {
	const places = ['fleet', 'targets', 'targets/gw-harbour-03', 'releases', 'releases/new', 'rollouts', 'rollouts/2', 'rollouts/new'];
	await p.go('fleet');
	await p.page.emulateMedia({ colorScheme: 'dark' });
	check((await p.page.evaluate(() => getComputedStyle(document.body).color)) === 'rgb(228, 235, 239)', 'dark when the system is');
	await p.page.emulateMedia({ colorScheme: 'light' });
	await p.page.getByLabel('Dark colours').click();
	await p.page.getByLabel('Français').click();
	await p.see('h1', 'Le parc en un coup d’œil');
	check((await p.page.evaluate(() => document.documentElement.lang)) === 'fr', 'the language is said');
	await p.page.waitForTimeout(300);
	await p.shot('fleet-dark-fr');
	await p.page.setViewportSize(PHONE);
	await p.page.waitForTimeout(600); // what follows a press within half a second does not count as a jump
	await p.page.evaluate(() => {
		window.shifted = 0;
		const block = document.createElement('div');
		block.style.height = '300px';
		document.body.prepend(block);
		setTimeout(() => block.remove(), 100);
	});
	// Answers take their time, so that what holds their places is really seen.
	await p.page.route(/\/(rest|api)\//, async (call) => {
		await new Promise((r) => setTimeout(r, 120));
		await call.continue().catch(() => {});
	});
	await p.until('the gauge of jumps sees one', () => p.page.evaluate(() => window.shifted > 0.1));
	await p.page.waitForTimeout(200);
	for (const place of places) {
		await p.page.evaluate(() => (window.shifted = 0));
		await p.go(place);
		await p.page.waitForTimeout(450);
		const shifted = await p.page.evaluate(() => window.shifted);
		console.log(`# ${place}: layout shift ${shifted.toFixed(3)}`);
		check(shifted < 0.1, `nothing jumps on ${place}: layout shift ${shifted}`);
		const wide = await p.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		check(wide <= 0, `${place} fits a phone: ${wide} pixels too wide`);
		await p.shot(`phone-${place.replace(/\W+/g, '-')}`);
	}
	await p.page.unrouteAll({ behavior: 'ignoreErrors' });
	await p.page.getByLabel('English').click();
	await p.page.getByLabel('Light colours').click();
	await p.page.setViewportSize(WIDE);
}

async function signOut(p) {
	await p.go('fleet');
	await p.page.getByLabel('Sign out').click();
	await p.page.waitForSelector('input[name=token]');
	check((await p.page.evaluate(() => sessionStorage.length)) === 0, 'the token is gone');
	await p.shot('sign-in');
}

export const paths = { signIn, fleet, filter, bulk, why, refused, upload, rollout, stop, keyboard, looks, signOut };
