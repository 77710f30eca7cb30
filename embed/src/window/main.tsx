/** Entry of the window, inside the iframe: reads the document, waits for the loader, draws. */
import { render } from 'preact';
import type { Context, InitMessage } from '../shared/messages';
import { isTouched } from '../shared/next-page';
import type { WindowData } from './config';
import { createOtherTabs } from './conversation/other-tabs';
import { Session } from './conversation/session';
import { createWindowLife } from './conversation/window-life';
import { isNewAnswer } from './conversation/window-state';
import { chooseLanguage, directionOf, ENGLISH, loadCatalog } from './i18n';
import { browserEnvironment, createLoaderPort } from './loader-port';
import { isMicrophoneGranted, openMicrophone } from './microphone';
import { createService } from './service/service';
import { createStorage } from './storage';
import { applyTheme } from './theme';
import { App } from './ui/App';
import { callInfo } from './ui/activity';
import './window.css';

function contextOf(value: unknown): Context {
  try {
    // An object too: a panel of an earlier build sends what is no JSON.
    const parsed = JSON.parse(typeof value === 'string' ? value : JSON.stringify(value ?? {}));
    return parsed && typeof parsed === 'object' && !Array.isArray(parsed)
      ? (parsed as Context)
      : {};
  } catch {
    console.warn('Web widget: data-context is not a JSON object');
    return {};
  }
}

/**
 * How long the first paint waits for an earlier conversation, so that it does not jump;
 * milliseconds.
 */
const FIRST_PAINT_DELAY = 300;
/** And for the visitor's language, which otherwise replaces English later; milliseconds. */
const LANGUAGE_DELAY = 2_000;

const wait = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay));

function start(root: HTMLElement, { widget_id, origin, config, preview }: WindowData) {
  /** What the page has said last, which is shown once the window is drawn. */
  let isOpen = false;
  let question: string | undefined;
  /** The visitor has tapped something outside of this frame. */
  let isPageTouched = true;
  let isShown = false;
  let redraw = () => {};
  const loader = createLoaderPort(
    origin,
    (message) => {
      switch (message.type) {
        case 'web-widget:init':
          draw(message);
          break;
        case 'web-widget:visibility':
          isOpen = message.open;
          question = isOpen ? (message.open_with ?? question) : undefined;
          // Before, it could start a conversation in place of the one that is to continue.
          if (isShown) show();
          break;
        case 'web-widget:context':
          session.hostPage.setContext(contextOf(message.context));
          break;
        case 'web-widget:page':
          session.hostPage.change(message.page);
          break;
        case 'web-widget:call-action':
          if (message.action === 'end') session.endCall();
          else session.setMuted(message.action === 'mute');
          break;
        case 'web-widget:config':
          if (!preview) return;
          Object.assign(config, message.config);
          redraw();
      }
    },
    browserEnvironment(),
  );
  const session = new Session({
    config,
    loader,
    service: createService(widget_id, (...request) => fetch(...request)),
    storage: createStorage(widget_id),
    tabStorage: createStorage(widget_id, () => window.sessionStorage),
    life: createWindowLife(),
    createTabs: (onClaimedElsewhere) => createOtherTabs(widget_id, onClaimedElsewhere),
    loadRoomModule: () => import('./livekit-room'),
    openMicrophone,
    waitForMicrophone: () => import('./extras').then((extras) => extras.waitForMicrophone()),
    isMicrophoneGranted,
    // False also where an extension has removed it.
    isWebRtcAvailable: () => typeof RTCPeerConnection === 'function',
    isTouched: () => isPageTouched || isTouched(),
    now: Date.now,
  });

  const close = () => loader.send({ type: 'web-widget:close' });

  async function draw(message: InitMessage) {
    const { context, page, options, returning = false, touched = true } = message;
    const { reopened = returning } = message;
    isOpen = message.open;
    question = message.open_with;
    isPageTouched = touched;
    session.hostPage.set(contextOf(context), page);
    let catalog = ENGLISH;
    const loading = loadCatalog(
      chooseLanguage([options.locale, config.locale, ...navigator.languages]),
    ).then((loaded) => {
      catalog = loaded;
      redraw();
    });
    const languageWait = Promise.race([loading, wait(LANGUAGE_DELAY)]);
    const canExpand = !message.full;
    session.subscribe(({ isExpanded }, before) => {
      if (canExpand && isExpanded !== before.isExpanded)
        loader.send({ type: 'web-widget:expand', isExpanded });
    });
    if (returning) await session.nextPage.waitForLeftPage();
    const isShownAgain = session.nextPage.restoreLeftPage(returning);
    const offered = isShownAgain ? undefined : session.offerSaved();
    await Promise.all([languageWait, Promise.race([offered, wait(FIRST_PAINT_DELAY)])]);
    redraw = () => {
      const { language, strings } = catalog;
      document.documentElement.lang = language;
      document.documentElement.dir = directionOf(language);
      applyTheme(config, options.theme);
      render(
        <App
          session={session}
          config={config}
          strings={strings}
          close={close}
          canExpand={canExpand}
        />,
        root,
      );
      sendCall();
    };
    let sentCall = JSON.stringify({ call: null });
    /** For the launcher, in the visitor's language, which may arrive during the call. */
    function sendCall() {
      const call = callInfo(session.state, catalog.strings);
      const text = JSON.stringify(call);
      if (text === sentCall) return;
      sentCall = text;
      loader.send({ type: 'web-widget:call', ...call });
    }
    session.subscribe((state, before) => {
      // In this order: whether there is a sound is read from storage.
      if (isNewAnswer(state, before) && session.hasSound)
        import('./extras').then((extras) => extras.playSound()).catch(() => {});
      sendCall();
    });
    redraw();
    loader.send({ type: 'web-widget:drawn' });
    isShown = true;
    session.nextPage.resumeHere();
    show(reopened);
  }

  function show(isReopened = false) {
    const tapped = question;
    question = undefined;
    session.setOpen(isOpen, isReopened);
    if (isOpen && tapped) session.sendMessage(tapped);
  }

  window.addEventListener('pagehide', () => {
    session.leavePage();
    session.nextPage.leave();
  });
  window.addEventListener('pageshow', async ({ persisted }) => {
    if (!persisted) return;
    // The browser had kept this page, and others may have followed in this tab.
    await session.nextPage.waitForLeftPage();
    session.nextPage.restoreLeftPage(true);
    session.nextPage.resumeHere();
  });
  // What is typed into a form is not part of the session's state.
  window.addEventListener('input', () => session.nextPage.keepSoon());
  // On a phone, often the last event of a page.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') session.leavePage();
  });
  window.addEventListener('online', () => session.retryNow(false));
  loader.send({ type: 'web-widget:ready', drawsLater: true });
}

const root = document.getElementById('app');
const data = document.getElementById('web-widget')?.textContent;
if (root && data) start(root, JSON.parse(data) as WindowData);
