/**
 * A page that React owns as a whole. It hydrates when the story says so, and records what React
 * had to repair.
 */
import { createElement, useEffect, useState } from 'react';
import { hydrateRoot } from 'react-dom/client';

window.repaired = [];
/** Hydrates the document; with other words than the server sent, React draws it again. */
window.hydrate = (words) => {
  hydrateRoot(document, createElement(Page, { words }), {
    onRecoverableError: (error) => window.repaired.push(String(error)),
  });
};

function Page({ words }) {
  const [isHydrated, setHydrated] = useState(false);
  useEffect(() => setHydrated(true), []);
  return createElement(
    'html',
    { lang: 'en' },
    createElement('head', null, createElement('title', null, 'Shop')),
    createElement('body', null, createElement('main', { id: isHydrated ? 'done' : 'main' }, words)),
  );
}
