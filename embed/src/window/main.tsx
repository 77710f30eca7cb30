/** Entry of the window, inside the iframe: reads the document, waits for the loader's word, draws. */
import { render } from 'preact';
import type { Context, InitMessage } from '../shared/messages';
import type { Boot } from './config';
import { browserEnvironment, createHost } from './host';
import { chooseLanguage, directionOf, loadStrings } from './i18n';
import { openMicrophone } from './microphone';
import { createService } from './service';
import { Session } from './session';
import { createMemory } from './storage';
import { createTabs } from './tabs';
import { applyTheme } from './theme';
import { App } from './ui/App';
import './window.css';

function contextOf(value: unknown): Context {
  try {
    const parsed = typeof value === 'string' ? JSON.parse(value) : value;
    return parsed && typeof parsed === 'object' && !Array.isArray(parsed)
      ? (parsed as Context)
      : {};
  } catch {
    console.warn('web widget: data-context is not a JSON object');
    return {};
  }
}

/** How long the first paint waits for an earlier conversation, so that it need not jump; milliseconds. */
const RECALL_PATIENCE = 300;

function start(root: HTMLElement, { widget_id, origin, config }: Boot) {
  let isOpen: boolean | undefined;
  const host = createHost(
    origin,
    (message) => {
      switch (message.type) {
        case 'web-widget:init':
          draw(message);
          break;
        case 'web-widget:visibility':
          isOpen = message.open;
          session.show(message.open);
          break;
        case 'web-widget:context':
          session.setContext(contextOf(message.context));
      }
    },
    browserEnvironment(),
  );
  const session = new Session({
    config,
    host,
    service: createService(widget_id, (...request) => fetch(...request)),
    memory: createMemory(widget_id),
    createTabs: (onTaken) => createTabs(widget_id, onTaken),
    loadLive: () => import('./live'),
    openMicrophone,
    now: Date.now,
  });

  async function draw({ context, page, options, open, open_with }: InitMessage) {
    const language = chooseLanguage([options.locale, config.locale, ...navigator.languages]);
    const recalled = session.recall();
    const patience = new Promise((resolve) => setTimeout(resolve, RECALL_PATIENCE));
    const [strings] = await Promise.all([
      loadStrings(language),
      Promise.race([recalled, patience]),
    ]);
    document.documentElement.lang = language;
    document.documentElement.dir = directionOf(language);
    applyTheme(config, options.theme);
    session.init(contextOf(context), page);
    render(
      <App
        session={session}
        config={config}
        strings={strings}
        close={() => host.send({ type: 'web-widget:close' })}
      />,
      root,
    );
    await recalled;
    session.show(isOpen ?? open);
    if (open_with) session.say(open_with);
  }

  window.addEventListener('online', () => session.retryNow());
  host.send({ type: 'web-widget:ready' });
}

const root = document.getElementById('app');
const boot = document.getElementById('web-widget')?.textContent;
if (root && boot) start(root, JSON.parse(boot) as Boot);
