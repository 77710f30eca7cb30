/** The launcher: what a page can do with it, and what a visitor finds while nothing is loaded. */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { importPanelScript } from '../src/loader/panel-script';
import type { Options } from '../src/loader/tag';
import { createWidget } from '../src/loader/widget';
import { LAST_WORD_TIME, NEXT_PAGE_TIME } from '../src/shared/next-page';
import type { Launcher, PanelScript } from '../src/shared/panel';
import type { Config } from '../src/window/config';
import { type FakeDocument, type FakeNode, type FakeRoot, stubDocument } from './dom';
import { config } from './fixtures';

vi.mock('../src/loader/panel-script', () => ({ importPanelScript: vi.fn() }));

const QUESTIONS = ['Where is my order?', 'How much is a bag?'];

let document: FakeDocument;
/** The page's window, which a page empties with its document. */
let page: EventTarget;
let location: { origin: string; pathname: string };
let observed: { disconnect: ReturnType<typeof vi.fn> }[];
/** Lets the launcher notice that the page has changed. */
let noticeChange: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  document = stubDocument();
  page = new EventTarget();
  observed = [];
  class Observer {
    observe = vi.fn();
    disconnect = vi.fn();
    constructor() {
      observed.push(this);
    }
  }
  class ChangeObserver extends Observer {
    constructor(callback: () => void) {
      super();
      noticeChange = callback;
    }
  }
  class Sheet {
    replaceSync() {}
  }
  location = { origin: 'https://shop.example', pathname: '/' };
  vi.stubGlobal('location', location);
  vi.stubGlobal('window', {});
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('localStorage', {});
  vi.stubGlobal('sessionStorage', {});
  vi.stubGlobal('IntersectionObserver', Observer);
  vi.stubGlobal('MutationObserver', ChangeObserver);
  vi.stubGlobal('CSSStyleSheet', Sheet);
  for (const method of ['addEventListener', 'removeEventListener'] as const)
    vi.stubGlobal(method, (event: string, listener: () => void, options?: object) =>
      page[method](event, listener, options),
    );
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.mocked(importPanelScript)
    .mockReset()
    .mockReturnValue(new Promise(() => {}));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const create = (options: Options = {}) =>
  createWidget({ service: 'https://widgets.example', id: 'w1', options }, () => {});

/** Lets everything happen that needs no time. */
const settle = () => vi.advanceTimersByTimeAsync(0);

/** A drawn launcher. */
async function draw(changes: Partial<Config> = {}, options: Options = {}) {
  const words = { en: ['Failed.', 'Try again', 'Close'] };
  const body = { config: config({ suggested_questions: QUESTIONS, ...changes }), words };
  vi.stubGlobal('fetch', async () => Response.json(body));
  const widget = create(options);
  await settle();
  return { widget, ...drawn() };
}

function drawn() {
  const host = document.body.childNodes[0] as FakeNode;
  const root = host.shadowRoot as FakeRoot;
  const box = root.childNodes[0] as FakeNode;
  const all = (node: FakeNode): FakeNode[] => [node, ...node.childNodes.flatMap(all)];
  const buttons = () => all(box).filter(({ localName }) => localName === 'button');
  const find = (text: string) =>
    buttons().find((node) => [node.textContent, node.ariaLabel].includes(text)) as FakeNode;
  const tap = (text: string) => (box.onclick as (event: object) => void)({ target: find(text) });
  const press = (key: string) => (box.onkeydown as (event: object) => unknown)({ key });
  const alerts = () => box.childNodes.filter(({ role }) => role === 'alert');
  return { host, root, box, buttons, find, tap, press, alerts, launcher: find('Shop') };
}

/** A panel script that is there when the test says so. */
function holdPanelScript() {
  let resolve: (script: PanelScript) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<PanelScript>((onArrived, onFailed) => {
    resolve = onArrived;
    reject = onFailed;
  });
  const panel = {
    parent: () => document.body,
    restore: vi.fn(),
    show: vi.fn(),
    setContext: vi.fn(),
    back: vi.fn(),
  };
  const createPanel = vi.fn((_: Launcher) => panel);
  vi.mocked(importPanelScript).mockReturnValueOnce(promise);
  const arrive = async () => {
    resolve({ createPanel, findReason: vi.fn() } as unknown as PanelScript);
    await settle();
    return createPanel.mock.calls[0]?.[0] as Launcher;
  };
  const fail = async () => {
    reject(new TypeError('Failed to fetch'));
    await settle();
  };
  return { panel, arrive, fail };
}

/** What listened to the document and to the window of the page is gone, as is what they had. */
function openDocument() {
  document = stubDocument();
  page = new EventTarget();
}

describe('the callbacks of a page', () => {
  async function open() {
    const script = holdPanelScript();
    const { widget } = await draw();
    widget.open();
    return { widget, launcher: await script.arrive() };
  }

  test('get the events of the widget until they are stopped', async () => {
    const { widget, launcher } = await open();
    const callback = vi.fn();
    const stop = widget.on('message', callback);
    launcher.emit('message', { role: 'agent', text: 'Hello' });
    launcher.emit('open');
    expect(callback.mock.calls).toEqual([[{ id: 'w1', role: 'agent', text: 'Hello' }]]);
    stop();
    launcher.emit('message', { role: 'agent', text: 'Hello' });
    expect(callback).toHaveBeenCalledOnce();
  });

  test('get none of a destroyed widget', async () => {
    const { widget, launcher } = await open();
    const callback = vi.fn();
    widget.on('message', callback);
    widget.destroy();
    launcher.emit('message', { role: 'agent', text: 'Hello' });
    expect(callback).not.toHaveBeenCalled();
  });

  test('get those after document.open, too, and the document gets them', async () => {
    const { widget, launcher } = await open();
    const callback = vi.fn();
    const listener = vi.fn();
    widget.on('close', callback);
    openDocument();
    document.addEventListener('web-widget:close', listener);
    launcher.emit('close');
    expect(callback).toHaveBeenCalledOnce();
    expect(listener).toHaveBeenCalledOnce();
  });

  test('are named to the panel script, which knows the events', async () => {
    const script = holdPanelScript();
    const { widget } = await draw();
    for (let times = 0; times < 3; times++) widget.on('opened' as 'open', () => {});
    widget.open();
    expect([...((await script.arrive()).eventNames ?? [])]).toEqual(['opened']);
  });

  test('leave nothing behind once they are stopped', async () => {
    const { widget, launcher } = await open();
    const listeners = (event: string) => getEventListeners(launcher.signal, event).length;
    const before = listeners('abort');
    widget.on('message', () => {})();
    expect(listeners('web-widget:message')).toBe(0);
    expect(listeners('abort')).toBe(before);
  });
});

describe('without an answer of the service', () => {
  beforeEach(() => void vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed'))));

  test.each([
    [true, 0],
    [false, 1],
  ])('destroyed: %s, the reason is asked for %i times', async (isDestroyed, times) => {
    const findReason = vi.fn(async () => 'the reason');
    vi.mocked(importPanelScript).mockResolvedValue({ findReason } as never);
    const widget = create();
    if (isDestroyed) widget.destroy();
    await settle();
    expect(importPanelScript).toHaveBeenCalledTimes(times);
    expect(console.warn).toHaveBeenCalledTimes(times);
  });

  test('and without the panel script, the line has the command that explains more', async () => {
    vi.mocked(importPanelScript).mockRejectedValue(new TypeError('Failed'));
    create();
    await settle();
    expect(vi.mocked(console.warn).mock.calls).toEqual([
      ['Web widget:', 'service unreachable; run: widget explain w1 --page https://shop.example'],
    ]);
  });
});

describe('while the panel script loads', () => {
  test.each([
    ['tap', 'ask'],
    ['open', 'ask'],
    ['ask', 'open'],
    ['ask', 'tap', 'ask'],
  ])('%s, %s: the question is asked', async (...actions) => {
    const script = holdPanelScript();
    const { widget, tap } = await draw();
    for (const action of actions)
      if (action === 'open') widget.open();
      else tap(action === 'tap' ? 'Shop' : 'Where is my order?');
    await script.arrive();
    expect(script.panel.show.mock.calls).toEqual([[true, 'Where is my order?']]);
  });

  test.each([
    ['closed', ['tap'], false],
    ['closed and opened again', ['tap', 'tap'], true],
    ['closed by the page', ['close', 'open'], true],
  ] as const)('%s, the window asks no question', async (_, actions, isOpen) => {
    const script = holdPanelScript();
    const { widget, tap } = await draw();
    tap('Where is my order?');
    for (const action of actions)
      if (action === 'tap') tap('Shop');
      else widget[action]();
    await script.arrive();
    expect(script.panel.show.mock.calls).toEqual([[isOpen, undefined]]);
  });

  test('Escape closes what has not come yet, and other keys do nothing', async () => {
    const script = holdPanelScript();
    const { tap, press, launcher } = await draw();
    tap('Shop');
    expect(press('Tab'), 'a browser would ignore the key').not.toBe(false);
    expect(launcher.ariaBusy).toBe(true);
    press('Escape');
    expect(launcher.ariaBusy).toBeNull();
    await script.arrive();
    expect(script.panel.show.mock.calls).toEqual([[false, undefined]]);
  });

  test('the page opens the window by its tag: a question is asked, too', async () => {
    const script = holdPanelScript();
    const { tap } = await draw({}, { open: '' });
    tap('Where is my order?');
    await script.arrive();
    expect(script.panel.show.mock.calls).toEqual([[true, 'Where is my order?']]);
  });

  test('the launcher closes what has not come yet', async () => {
    const script = holdPanelScript();
    const { tap, launcher, alerts } = await draw();
    tap('Shop');
    expect(launcher.ariaBusy).toBe(true);
    tap('Shop');
    expect(launcher.ariaBusy).toBeNull();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(alerts()).toEqual([]);
    await script.arrive();
    expect(script.panel.show.mock.calls).toEqual([[false, undefined]]);
  });

  test('ten seconds later a sentence says so, and the launcher removes it', async () => {
    const { tap, alerts, launcher } = await draw({ fallback: { text: 'Write', url: 'https://a' } });
    tap('Shop');
    await vi.advanceTimersByTimeAsync(9_999);
    expect(alerts()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(alerts().map(({ textContent }) => textContent)).toEqual(['Failed. Try againWrite']);
    tap('Shop');
    expect(alerts()).toEqual([]);
    expect(launcher.ariaBusy).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('one that arrives after the sentence opens the window all the same', async () => {
    const script = holdPanelScript();
    const { tap, alerts } = await draw();
    tap('Shop');
    await vi.advanceTimersByTimeAsync(10_000);
    await script.arrive();
    expect(alerts()).toEqual([]);
    expect(script.panel.show.mock.calls).toEqual([[true, undefined]]);
  });
});

describe('when the panel script fails', () => {
  async function fail() {
    const script = holdPanelScript();
    const parts = await draw();
    const onError = vi.fn();
    document.addEventListener('web-widget:error', onError);
    parts.tap('Shop');
    await script.fail();
    return { ...parts, onError };
  }

  test('it is said once, and stays while the visitor is there', async () => {
    const { find, alerts, onError } = await fail();
    const [alert] = alerts();
    const tryAgain = find('Failed. Try again');
    tryAgain.focus();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(alerts()).toEqual([alert]);
    expect(document.activeElement).toBe(tryAgain);
    expect(onError).toHaveBeenCalledOnce();
    expect(console.warn).toHaveBeenCalledOnce();
  });

  test('another try gives the focus to the launcher, and may fail again', async () => {
    const { find, tap, alerts, launcher, onError } = await fail();
    find('Failed. Try again').focus();
    const again = holdPanelScript();
    tap('Failed. Try again');
    expect(document.activeElement).toBe(launcher);
    expect(alerts()).toEqual([]);
    await again.fail();
    expect(alerts()).toHaveLength(1);
    expect(onError).toHaveBeenCalledTimes(2);
  });

  test('Escape removes the sentence', async () => {
    const { press, alerts } = await fail();
    press('Escape');
    expect(alerts()).toEqual([]);
  });

  test('a try that fails late leaves the newest one alone', async () => {
    const first = holdPanelScript();
    const second = holdPanelScript();
    const { tap, alerts, launcher } = await draw();
    tap('Shop');
    tap('Where is my order?');
    await first.fail();
    expect(alerts()).toEqual([]);
    expect(launcher.ariaBusy).toBe(true);
    await second.fail();
    expect(alerts()).toHaveLength(1);
    expect(console.warn).toHaveBeenCalledOnce();
  });
});

describe('suggested questions', () => {
  test('are removed for good, and the focus goes to the launcher', async () => {
    const { find, tap, launcher } = await draw();
    find('Close').focus();
    tap('Close');
    expect(document.activeElement).toBe(launcher);
    expect(find('Where is my order?')).toBeUndefined();
    expect(localStorage['web-widget:w1']).toBe(1);
    document.body.replaceChildren();
    await draw();
    expect(drawn().find('Where is my order?')).toBeUndefined();
  });

  test.each([
    ['bottom-right', ['Shop', ...QUESTIONS, 'Close']],
    ['top-left', ['Shop', 'Close', ...QUESTIONS]],
  ] as const)('are in the order of the screen for the keyboard: %s', async (position, order) => {
    const { trigger } = config();
    const { buttons } = await draw({ trigger: { ...trigger, position } });
    expect(buttons().map((node) => node.ariaLabel ?? node.textContent)).toEqual(order);
  });

  test('leave the focus of the page where it is', async () => {
    const { tap } = await draw();
    const field = document.createElement('input');
    field.focus();
    tap('Close');
    expect(document.activeElement).toBe(field);
  });

  test('need no storage, neither to be shown nor to be removed', async () => {
    const get = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    Object.defineProperty(globalThis, 'localStorage', { get, configurable: true });
    const { find, tap } = await draw();
    expect(find('Where is my order?')).toBeDefined();
    tap('Close');
    expect(find('Where is my order?')).toBeUndefined();
    expect(console.warn).not.toHaveBeenCalled();
  });

  test('that are none have no button to close them', async () => {
    const { find } = await draw({ suggested_questions: [] });
    expect(find('Close')).toBeUndefined();
  });
});

describe('a page that hides the launcher', () => {
  test('may do so before it is drawn', async () => {
    const words = { en: ['Failed.', 'Try again', 'Close'] };
    vi.stubGlobal('fetch', async () => Response.json({ config: config(), words }));
    const widget = create();
    widget.hide();
    await settle();
    const { box } = drawn();
    expect(box.classes).toContain('h');
    widget.show();
    expect(box.classes).not.toContain('h');
  });

  test('by its path finds it followed after document.open, too', async () => {
    const { host } = await draw({}, { hiddenOn: '^/checkout' });
    const box = (host.shadowRoot as FakeRoot).childNodes[0] as FakeNode;
    const go = (path: string) => {
      location.pathname = path;
      page.dispatchEvent(new Event('popstate'));
      return box.classes.has('h');
    };
    expect(go('/checkout')).toBe(true);
    expect(go('/')).toBe(false);
    host.remove();
    openDocument();
    noticeChange();
    expect(go('/checkout')).toBe(true);
  });

  test('by a pattern that is none has it drawn, and no error later', async () => {
    const { box } = await draw({}, { hiddenOn: '(' });
    expect(String(vi.mocked(console.warn).mock.calls[0]?.[1])).toMatch(/^SyntaxError/);
    const onError = vi.fn();
    process.once('uncaughtException', onError);
    page.dispatchEvent(new Event('popstate'));
    await settle();
    process.off('uncaughtException', onError);
    expect(onError).not.toHaveBeenCalled();
    expect(box.classes).not.toContain('h');
  });
});

test('what a page does once the launcher is there comes after what the page before left', async () => {
  sessionStorage['web-widget:w1'] = Date.now();
  const words = { en: ['Failed.', 'Try again', 'Close'] };
  vi.stubGlobal('fetch', async () => Response.json({ config: config(), words }));
  const widget = create();
  widget.on('ready', () => widget.close());
  await settle();
  expect(importPanelScript).not.toHaveBeenCalled();
});

describe('a page that the browser had kept', () => {
  const comeBack = (persisted = true) =>
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }));

  test.each([
    ['opens the window that the page after it had', 0, true, 1],
    ['leaves closed what was left long ago', NEXT_PAGE_TIME, true, 0],
    ['is another than one that was loaded', 0, false, 0],
  ])('%s', async (_, age, persisted, times) => {
    await draw();
    comeBack(persisted);
    // The page after it ends in another process.
    sessionStorage['web-widget:w1'] = Date.now() - age;
    vi.advanceTimersByTime(LAST_WORD_TIME);
    expect(importPanelScript).toHaveBeenCalledTimes(times);
  });

  test('leaves to a panel what the page after it had', async () => {
    const script = holdPanelScript();
    const { tap } = await draw();
    tap('Shop');
    await script.arrive();
    tap('Shop');
    script.panel.show.mockClear();
    comeBack();
    sessionStorage['web-widget:w1'] = Date.now();
    vi.advanceTimersByTime(LAST_WORD_TIME);
    expect(script.panel.show).not.toHaveBeenCalled();
    expect(script.panel.back).toHaveBeenCalledOnce();
  });

  test('is left alone where the visitor was faster', async () => {
    const script = holdPanelScript();
    const { tap } = await draw();
    tap('Shop');
    await script.arrive();
    comeBack();
    sessionStorage['web-widget:w1'] = -Date.now();
    tap('Shop');
    vi.advanceTimersByTime(LAST_WORD_TIME);
    expect(script.panel.back).not.toHaveBeenCalled();
  });

  test('finds a widget that was destroyed as it was', async () => {
    const { widget } = await draw();
    widget.destroy();
    comeBack();
    sessionStorage['web-widget:w1'] = Date.now();
    vi.advanceTimersByTime(LAST_WORD_TIME);
    expect(importPanelScript).not.toHaveBeenCalled();
    expect(getEventListeners(page, 'pageshow')).toEqual([]);
  });
});

test('a page that always removes the launcher gets it back 20 times in five seconds', async () => {
  const script = holdPanelScript();
  const { host, tap } = await draw();
  tap('Shop');
  const { signal } = await script.arrive();
  const listeners = getEventListeners(signal, 'abort').length;
  const remove = () => {
    let times = 0;
    while (host.isConnected) {
      host.remove();
      noticeChange();
      times += 1;
    }
    return times;
  };
  expect(remove(), 'the last one stays').toBe(21);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(host.isConnected).toBe(true);
  expect(remove()).toBe(20);
  expect(getEventListeners(signal, 'abort')).toHaveLength(listeners);
});

test('a destroyed widget listens to nothing, and stays away', async () => {
  const { widget, host, tap } = await draw();
  host.remove();
  noticeChange();
  tap('Shop');
  widget.destroy();
  vi.advanceTimersByTime(60_000);
  noticeChange();
  expect(console.warn).not.toHaveBeenCalled();
  expect(host.isConnected).toBe(false);
  expect(getEventListeners(page, 'popstate')).toEqual([]);
});
