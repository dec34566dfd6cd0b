// The fleet at a glance.
import { useLoad } from '../../lib/load';
import { t } from '../../lib/i18n';
import { link } from '../../lib/route';
import { Icon } from '../../parts/icon';
import { Problem } from '../../parts/notice';
import { Heading } from '../../parts/shell';
import { Activity } from './activity';
import { loadNumbers } from './data';
import { States } from './states';
import { Running } from './running';
import { Silent } from './silent';
import { Tiles } from './tiles';
import { Versions } from './versions';

const EVERY_MS = 5000;

export function FleetPage() {
	const { data, error } = useLoad(loadNumbers, [], EVERY_MS);
	return (
		<>
			<Heading title={t('fleet.title')}>
				<a class="button primary" href={link(['rollouts', 'new'])}>
					<Icon name="plus" size={18} />
					{t('rollouts.new')}
				</a>
			</Heading>
			<Problem error={error} />
			<Tiles numbers={data} />
			<div class="columns even">
				<div class="column">
					<States numbers={data} />
					<Versions numbers={data} />
				</div>
				<div class="column">
					<Running />
					<Silent numbers={data} />
				</div>
			</div>
			<Activity />
		</>
	);
}
