import { render } from 'preact';
import { App } from './app';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/fleet.css';
import './styles/targets.css';
import './styles/target.css';
import './styles/releases.css';
import './styles/rollouts.css';
import './styles/narrow.css';

const root = document.getElementById('app');
if (root) render(<App />, root);
