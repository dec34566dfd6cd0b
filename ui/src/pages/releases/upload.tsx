// A release from files that are dropped here: read, laid out, sent with progress, and the server's
// verdict in its own words.
import { useState } from 'preact/hooks';
import { readEnvelope, type Envelope } from '../../lib/envelope';
import { t } from '../../lib/i18n';
import { publish, stepsOf, type Plan, type Step } from '../../lib/publish';
import { go, link } from '../../lib/route';
import { Card } from '../../parts/card';
import { DropZone } from '../../parts/drop-zone';
import { Problem } from '../../parts/notice';
import { Heading } from '../../parts/shell';
import { say } from '../../parts/toast';
import { PlanForm } from './plan-form';
import { Steps } from './steps';

function split(name: string): [string, string] {
	const match = /^(.+?)-(\d[^-]*(?:-.+)?)$/.exec(name.replace(/\.suit$/, ''));
	return match ? [match[1], match[2]] : [name.replace(/\.\w+$/, ''), ''];
}

// With an envelope its components say which module a file belongs to; without one it is all one.
function planOf(files: File[], envelopeFile: File | undefined, envelope: Envelope | undefined): Plan {
	const [name, version] = split((envelopeFile ?? files[0]).name);
	const plan: Plan = {
		name: envelope?.name || name,
		version: envelope?.version || version,
		description: envelope?.notes ?? '',
		parts: [],
	};
	if (!envelope || !envelopeFile || !envelope.components.length) {
		plan.parts = [{ name: plan.name, kind: 'os', files: [...(envelopeFile ? [envelopeFile] : []), ...files.filter((f) => f !== envelopeFile)] }];
		return plan;
	}
	const payloads = files.filter((f) => f !== envelopeFile);
	plan.parts = envelope.components.map((c) => ({
		name: `${plan.name}.${c.name}`,
		kind: c.kind,
		files: [envelopeFile, ...payloads.filter((f) => c.files.includes(f.name))],
	}));
	return plan;
}

// What the envelope names and nobody dropped, and what was dropped and it does not name.
function mismatch(files: File[], envelope: Envelope | undefined): { missing: string[]; extra: string[] } {
	if (!envelope) return { missing: [], extra: [] };
	const named = envelope.components.flatMap((c) => c.files);
	const have = files.map((f) => f.name).filter((n) => !n.endsWith('.suit'));
	return { missing: named.filter((n) => !have.includes(n)), extra: have.filter((n) => !named.includes(n)) };
}

export function UploadPage() {
	const [files, setFiles] = useState<File[]>([]);
	const [plan, setPlan] = useState<Plan>();
	const [envelope, setEnvelope] = useState<Envelope>();
	const [steps, setSteps] = useState<Step[]>([]);
	const [error, setError] = useState<Error>();

	const drop = async (more: File[]) => {
		const all = [...files.filter((f) => !more.some((m) => m.name === f.name)), ...more];
		const suit = all.find((f) => f.name.endsWith('.suit'));
		let read: Envelope | undefined;
		setError(undefined);
		try {
			read = suit && readEnvelope(new Uint8Array(await suit.arrayBuffer()));
		} catch {
			setError(new Error(t('upload.unreadable', { file: suit?.name ?? '' })));
		}
		const next = all.length ? planOf(all, suit, read) : undefined;
		setFiles(all);
		setEnvelope(read);
		setPlan(next);
		setSteps(next ? stepsOf(next) : []);
	};
	const send = async () => {
		if (!plan) return;
		setError(undefined);
		try {
			const set = await publish(plan, setSteps);
			say(t('upload.done', { name: `${set.name} ${set.version}` }));
			go(['releases', set.id]);
		} catch (e) {
			setError(e as Error);
		}
	};
	const clear = () => {
		setFiles([]);
		setPlan(undefined);
		setSteps([]);
		setEnvelope(undefined);
		setError(undefined);
	};
	const { missing, extra } = mismatch(files, envelope);
	return (
		<>
			<Heading title={t('upload.title')} back={[link(['releases']), t('nav.releases')]} />
			<Card>
				<DropZone drop={(list) => void drop(list)} text={t('upload.drop')} hint={t('upload.hint')} />
			</Card>
			{error && (
				<Card title={steps.some((s) => s.state === 'refused') ? t('upload.refused') : undefined} class="refused">
					<Problem error={error} />
				</Card>
			)}
			{plan && (
				<Card title={t('upload.plan')}>
					{missing.length > 0 && <Problem error={new Error(t('upload.missing', { files: missing.join(', ') }))} />}
					{extra.length > 0 && <Problem error={new Error(t('upload.extra', { files: extra.join(', ') }))} />}
					<PlanForm plan={plan} fixed={!!envelope} change={setPlan} send={send} clear={clear} ready={missing.length === 0} />
					<Steps steps={steps} />
				</Card>
			)}
		</>
	);
}
