import { ago, dateTime } from '../../lib/format';
import { t } from '../../lib/i18n';
import { link } from '../../lib/route';
import { Card } from '../../parts/card';
import type { TargetData } from './target';

function SetLink({ set }: { set: { id: number; name: string; version: string } | null }) {
	return set ? (
		<a href={link(['releases', set.id])}>
			{set.name} {set.version}
		</a>
	) : (
		<span class="muted">–</span>
	);
}

export function Versions({ data: { target, why, assigned, attributes } }: { data: TargetData }) {
	return (
		<Card title={t('target.versions')}>
			<dl class="facts">
				<dt>{t('target.installed')}</dt>
				<dd>
					<SetLink set={why.installed} />
					{target.installedAt && <span class="muted small">{ago(target.installedAt)}</span>}
				</dd>
				<dt>{t('target.assigned')}</dt>
				<dd>
					<SetLink set={assigned} />
				</dd>
				{attributes['mue.slot'] && (
					<>
						<dt>{t('target.slot')}</dt>
						<dd>{attributes['mue.slot']}</dd>
					</>
				)}
				{attributes['mue.boot'] && (
					<>
						<dt>{t('target.boot')}</dt>
						<dd>{attributes['mue.boot']}</dd>
					</>
				)}
				<dt>{t('targets.seen')}</dt>
				<dd title={target.lastControllerRequestAt ? dateTime(target.lastControllerRequestAt) : ''}>
					{ago(target.lastControllerRequestAt)}
				</dd>
				<dt>{t('target.address')}</dt>
				<dd>{target.address ?? <span class="muted">–</span>}</dd>
				<dt>{t('target.created')}</dt>
				<dd>{dateTime(target.createdAt)}</dd>
			</dl>
		</Card>
	);
}
