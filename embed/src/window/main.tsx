/** Entry of the window, inside the iframe. */
import { render } from 'preact';
import './window.css';

const root = document.getElementById('app');
if (root) render(<p>…</p>, root);
