import { t } from '../../lib/i18n';
import { Card } from '../../parts/card';
import { Empty } from '../../parts/notice';

export function Attributes({ attributes }: { attributes: Record<string, string> }) {
	const list = Object.entries(attributes);
	return (
		<Card title={t('target.attributes')}>
			{list.length === 0 && <Empty icon="question" text={t('target.noattributes')} />}
			<dl class="facts">
				{list.map(([key, value]) => (
					<>
						<dt key={key}>{key}</dt>
						<dd key={`${key}=`} class={value.length > 40 ? 'long' : ''}>
							{value}
						</dd>
					</>
				))}
			</dl>
		</Card>
	);
}
