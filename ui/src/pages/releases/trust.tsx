// The release keys that the server trusts: an envelope that none of them signed is refused.
import { call, get } from '../../lib/api';
import { t } from '../../lib/i18n';
import { useLoad } from '../../lib/load';
import { Card } from '../../parts/card';
import { Icon } from '../../parts/icon';
import { Empty, Problem } from '../../parts/notice';
import { complain, say } from '../../parts/toast';

interface Key {
	name: string;
	kid: string;
	algorithm?: string;
}

export function Trust() {
	const { data, error, reload } = useLoad(() => get<Key[]>('/api/v1/trust'), []);
	const add = async (file: File | undefined) => {
		if (!file) return;
		const name = file.name.replace(/\.(key\.)?(pub|pem)$/, '').replace(/[^\w-]/g, '-');
		try {
			await call('POST', '/api/v1/trust', { name, pem: await file.text() });
			say(t('trust.added', { name }));
			reload();
		} catch (e) {
			complain(e);
		}
	};
	return (
		<Card
			title={t('trust.title')}
			class="trust-card"
			aside={
				<label class="button small">
					<Icon name="plus" size={16} />
					{t('trust.add')}
					<input
						type="file"
						name="pub"
						accept=".pub,.pem"
						class="hidden-file"
						onChange={(e) => {
							void add(e.currentTarget.files?.[0]);
							e.currentTarget.value = '';
						}}
					/>
				</label>
			}
		>
			<Problem error={error} />
			{data?.length === 0 && <Empty icon="alert" text={t('trust.none')} />}
			<ul class="rows plain">
				{data?.map((k) => (
					<li key={k.kid} class="row-head">
						<span>
							<strong>{k.name}</strong> <span class="muted">{k.algorithm}</span>
						</span>
						<code class="muted">{k.kid}</code>
					</li>
				))}
			</ul>
		</Card>
	);
}
