/** An application of a customer: strict TypeScript, React's StrictMode, the packed package. */
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { loadWebWidget, type WebWidgetEvents } from 'web-widget';
import { useWebWidget, WebWidget } from 'web-widget/react';

interface Said {
  text: string;
  role: 'visitor' | 'agent';
}

const service = document.body.dataset.service ?? '';
const id = document.body.dataset.id ?? '';

function Shop() {
  const [isShown, setShown] = useState(true);
  const [cart, setCart] = useState<string[]>([]);
  const [said, setSaid] = useState<Said[]>([]);
  return (
    <main>
      <button type="button" onClick={() => setShown(!isShown)}>
        Support
      </button>
      <button type="button" onClick={() => setCart([...cart, 'beans'])}>
        Add beans
      </button>
      {isShown && (
        <>
          <WebWidget
            service={service}
            id={id}
            context={{ cart }}
            theme="dark"
            onMessage={({ text, role }) => setSaid((before) => [...before, { text, role }])}
            onReady={(detail) => console.info('ready', detail.id)}
          />
          <OpenButton />
        </>
      )}
      <output>{said.map(({ role, text }) => `${role}: ${text}`).join('\n')}</output>
    </main>
  );
}

function OpenButton() {
  const widget = useWebWidget({ service, id });
  return (
    <button type="button" disabled={!widget} onClick={() => widget?.open()}>
      Chat with us
    </button>
  );
}

/** Uses the types beside React; what does not fit must not compile. */
export async function useTypes(): Promise<string> {
  const widget = await loadWebWidget({ service, id, locale: 'de' });
  const stop = widget.on('error', ({ code }) => console.error(code));
  stop();
  // @ts-expect-error there is no such event
  widget.on('opened', () => {});
  // @ts-expect-error a service is necessary
  loadWebWidget({ id });
  document.addEventListener('web-widget:conversation-start', ({ detail }) => {
    const started: WebWidgetEvents['conversation-start'] = detail;
    console.info(started.conversation_id);
  });
  (window.webWidgetQueue ||= []).push((each) => each.hide());
  window.webWidgetQueue.push([id, (each) => each.setContext({ a: 1 })]);
  return window.WebWidget?.get(id) === widget ? 'one' : 'two';
}

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <Shop />
    </StrictMode>,
  );
