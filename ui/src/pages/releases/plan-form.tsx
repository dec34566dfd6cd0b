import { get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import type { Plan } from '../../lib/publish';
import type { ModuleType, Page } from '../../lib/types';
import { BusyButton } from '../../parts/busy-button';
import { Field } from '../../parts/field';

interface Props {
	plan: Plan;
	fixed: boolean; // an envelope says the kinds
	ready: boolean;
	change: (plan: Plan) => void;
	send: () => Promise<void>;
	clear: () => void;
}

export function PlanForm({ plan, fixed, ready, change, send, clear }: Props) {
	const types = useLoad(() => get<Page<ModuleType>>('/rest/v1/softwaremoduletypes', { limit: 50 }), []).data?.content ?? [];
	const set = (part: Partial<Plan>) => change({ ...plan, ...part });
	return (
		<div class="form-grid">
			<Field label={t('upload.name')}>
				<input name="name" value={plan.name} maxLength={64} onInput={(e) => set({ name: e.currentTarget.value })} />
			</Field>
			<Field label={t('upload.version')}>
				<input name="version" value={plan.version} maxLength={64} onInput={(e) => set({ version: e.currentTarget.value })} />
			</Field>
			{!fixed && (
				<Field label={t('upload.kind')} hint={t('upload.unsigned')}>
					<select
						name="kind"
						value={plan.parts[0].kind}
						onChange={(e) => set({ parts: [{ ...plan.parts[0], kind: e.currentTarget.value }] })}
					>
						{types.map((type) => (
							<option key={type.key} value={type.key}>
								{type.name}
							</option>
						))}
					</select>
				</Field>
			)}
			<Field label={t('upload.notes')} whole>
				<input name="notes" value={plan.description} maxLength={512} onInput={(e) => set({ description: e.currentTarget.value })} />
			</Field>
			<div class="form-foot">
				<button type="button" class="button" onClick={clear}>
					{t('upload.clear')}
				</button>
				<BusyButton run={send} class="primary" icon="upload" disabled={!ready || !plan.name.trim() || !plan.version.trim()}>
					{t('upload.go')}
				</BusyButton>
			</div>
		</div>
	);
}
