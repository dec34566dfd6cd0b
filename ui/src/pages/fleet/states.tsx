import { t, word } from '../../lib/i18n';
import { link } from '../../lib/route';
import { toneOf } from '../../parts/badge';
import { Card } from '../../parts/card';
import { Bar, Legend, type Share } from '../../parts/meter';
import { Waiting } from '../../parts/notice';
import { STATES, type Numbers } from './data';

function shares(numbers: Numbers): Share[] {
	return STATES.map((s) => ({
		label: word('state', s),
		value: numbers.states[s],
		tone: toneOf(s),
		href: link(['targets'], { q: `updatestatus==${s}` }),
	}));
}

export function States({ numbers }: { numbers: Numbers | undefined }) {
	return (
		<Card title={t('fleet.states')} class="states-card">
			{numbers ? (
				<>
					<Bar shares={shares(numbers)} total={numbers.total} label={t('fleet.states')} />
					<Legend shares={shares(numbers)} total={numbers.total} />
				</>
			) : (
				<Waiting rows={4} />
			)}
		</Card>
	);
}
