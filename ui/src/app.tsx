// Which page stands where.
import type { ComponentChildren } from 'preact';
import { t, useLang } from './lib/i18n';
import { route, type Route } from './lib/route';
import { session } from './lib/session';
import { useStore } from './lib/store';
import { FleetPage } from './pages/fleet/fleet';
import { ReleasePage } from './pages/releases/release';
import { ReleasesPage } from './pages/releases/releases';
import { UploadPage } from './pages/releases/upload';
import { NewRolloutPage } from './pages/rollouts/new';
import { RolloutPage } from './pages/rollouts/rollout';
import { RolloutsPage } from './pages/rollouts/rollouts';
import { SignIn } from './pages/sign-in';
import { TargetPage } from './pages/target/target';
import { TargetsPage } from './pages/targets/targets';
import { Empty } from './parts/notice';
import { Shell } from './parts/shell';
import { Toasts } from './parts/toast';

function page({ path, query }: Route): ComponentChildren {
	const [place = 'fleet', id] = path;
	if (place === 'fleet') return <FleetPage />;
	if (place === 'targets') return id ? <TargetPage key={id} id={id} /> : <TargetsPage query={query} />;
	if (place === 'releases') {
		if (id === 'new') return <UploadPage />;
		return id ? <ReleasePage key={id} id={id} /> : <ReleasesPage query={query} />;
	}
	if (place === 'rollouts') {
		if (id === 'new') return <NewRolloutPage query={query} />;
		return id ? <RolloutPage key={id} id={id} /> : <RolloutsPage query={query} />;
	}
	return <Empty icon="question" text={t('notfound')} />;
}

export function App() {
	useLang();
	const who = useStore(session);
	const where = useStore(route);
	return (
		<>
			{who ? <Shell>{page(where)}</Shell> : <SignIn />}
			<Toasts />
		</>
	);
}
