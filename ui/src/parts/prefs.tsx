// The two switches: colours and language.
import { t, useLang } from '../lib/i18n';
import { isDark, lang, setLang, setTheme, theme } from '../lib/prefs';
import { useStore } from '../lib/store';
import { Icon } from './icon';

export function PrefSwitches() {
	useStore(theme);
	useLang();
	const dark = isDark();
	const other = lang.get() === 'fr' ? 'en' : 'fr';
	return (
		<div class="prefs">
			<button class="icon-button" onClick={() => setTheme(dark ? 'light' : 'dark')} aria-label={t(dark ? 'theme.light' : 'theme.dark')} title={t(dark ? 'theme.light' : 'theme.dark')}>
				<Icon name={dark ? 'sun' : 'moon'} />
			</button>
			<button class="icon-button lang" lang={other} onClick={() => setLang(other)} aria-label={other === 'fr' ? 'Français' : 'English'} title={other === 'fr' ? 'Français' : 'English'}>
				{other.toUpperCase()}
			</button>
		</div>
	);
}
