/** The panel as the loader uses it, in a document without a browser. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { styleText } from '../src/loader/view';
import { takeLeft, writeLeft } from '../src/panel/left-window';
import { createPanel } from '../src/panel/panel';
import type { EventName, InitMessage } from '../src/shared/messages';
import type { Launcher } from '../src/shared/panel';
import type { Config } from '../src/window/config';
import { type FakeDocument, type FakeNode, FakeRoot, fake, stubDocument } from './dom';
import { config } from './fixtures';

const ORIGIN = 'https://widgets.example';

let document: FakeDocument;
let page: EventTarget;
let storage: Record<string, unknown>;
let stop: AbortController;
/** Of the panel, as the style sheet has it for the size of the screen. */
let position: string;

beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
  document = stubDocument();
  page = new EventTarget();
  storage = {};
  const removeItem = (key: string) => void delete storage[key];
  vi.stubGlobal('sessionStorage', Object.assign(storage, { removeItem }));
  vi.stubGlobal('window', page);
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('visualViewport', new EventTarget());
  position = 'absolute';
  vi.stubGlobal('getComputedStyle', () => ({ position }));
  vi.stubGlobal('location', { origin: 'https://shop.example', href: 'https://shop.example/' });
  vi.stubGlobal(
    'CSSStyleSheet',
    class {
      replaceSync() {}
    },
  );
});
afterEach(() => {
  stop.abort();
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Own = Partial<Pick<Launcher, 'eventNames' | 'options' | 'words'>>;

/** A panel, and what the window in its newest frame says and gets. */
function setUp(changes: Partial<Config> = {}, own: Own = {}) {
  const box = document.createElement('div');
  const button = Object.assign(document.createElement('button'), { ariaLabel: 'Shop' });
  const root = Object.assign(new FakeRoot('#shadow-root', document), { adoptedStyleSheets: [] });
  root.append(box);
  box.append(button);
  const launcher = {
    service: ORIGIN,
    id: 'w1',
    config: config(changes),
    words: ['Failed.', 'Try again', 'Close', 'New messages:'],
    host: document.createElement('web-widget'),
    root,
    box,
    button,
    options: {},
    signal: stop.signal,
    call: vi.fn(),
    show: vi.fn(),
    emit: vi.fn(),
    warn: vi.fn(),
    dismiss: vi.fn(),
    ...own,
  };
  const panel = createPanel(launcher as unknown as Launcher);
  const find = (node: FakeNode, name = 'iframe'): FakeNode | undefined =>
    node.localName === name
      ? node
      : node.childNodes.map((child) => find(child, name)).find(Boolean);
  const found = (name: string) => find(box, name);
  // As browsers do: what cannot be cloned throws.
  const post = vi.fn((message: Partial<InitMessage>, _origin: string) => {
    structuredClone(message);
  });
  const say = (data: object) => {
    const source = { postMessage: post };
    Object.assign(fake(find(box)), { contentWindow: source });
    page.dispatchEvent(Object.assign(new Event('message'), { source, origin: ORIGIN, data }));
  };
  return { panel, box, button, say, post, found, launcher };
}

const tap = (node?: FakeNode) => (node?.tap as undefined | (() => void))?.();

test('a window that is loaded again is as large as it believes', () => {
  const { panel, box, say } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  say({ type: 'web-widget:expand', isExpanded: true });
  expect(box.classes).toContain('e');
  panel.restore();
  expect(box.classes).not.toContain('e');
});

test.each([
  ['nobody has tapped anything', { hasBeenActive: false }, false],
  ['the visitor has tapped something', { hasBeenActive: true }, true],
  ['the browser does not say', undefined, true],
])('a page with an open window leaves a mark: %s', (_, userActivation, isLeft) => {
  vi.stubGlobal('navigator', { userActivation });
  const { panel, say, post } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ touched: isLeft, returning: false });
  page.dispatchEvent(new Event('pagehide'));
  expect('web-widget:w1' in storage).toBe(isLeft);
});

test.each([
  ['open', true, true],
  ['call', false, true],
  ['closed', false, true],
  [undefined, false, false],
] as const)(
  'a window opens by itself where the page before left it open, or it is there again: %s',
  (left, reopened, returning) => {
    if (left) writeLeft('web-widget:w1', left);
    const { panel, say, post, launcher } = setUp();
    launcher.show.mockImplementation(panel.show);
    panel.show(true);
    say({ type: 'web-widget:ready', drawsLater: true });
    const init = () => post.mock.calls.findLast(([{ type }]) => type === 'web-widget:init')?.[0];
    expect(init()).toMatchObject({ reopened, returning });
    // It comes again, but nobody has seen the one before.
    panel.restore();
    say({ type: 'web-widget:ready', drawsLater: true });
    expect(init()).toMatchObject({ reopened, returning: true });
    say({ type: 'web-widget:drawn' });
    panel.restore();
    say({ type: 'web-widget:ready', drawsLater: true });
    expect(init()).toMatchObject({ reopened: true, returning: true });
  },
);

/** zone.js, which Angular pages have, replaced `addEventListener` so for some releases. */
test('where a page writes into the options of listeners, the window opens', () => {
  const { addEventListener } = EventTarget.prototype;
  vi.spyOn(EventTarget.prototype, 'addEventListener').mockImplementation(function (
    this: EventTarget,
    event,
    listener,
    options,
  ) {
    if (typeof options === 'object') Object.assign(options, { signal: options.signal });
    addEventListener.call(this, event, listener, options);
  });
  const { panel, box, say } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect([...box.classes].sort()).toEqual(['k', 'o']);
});

test('what was touched on the page before stays so', () => {
  vi.stubGlobal('navigator', { userActivation: { hasBeenActive: false } });
  storage['web-widget:w1'] = Math.floor(Date.now());
  const { panel, say, post } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ touched: true, returning: true });
  page.dispatchEvent(new Event('pagehide'));
  expect('web-widget:w1' in storage).toBe(true);
});

test.each([
  ['top-left', -1],
  ['bottom-right', 1],
] as const)('the launcher stays next to the edge: %s', (position, order) => {
  const { trigger } = config();
  const css = styleText(config({ trigger: { ...trigger, position } }));
  expect(css).toContain(`.b{order:${order};`);
});

test('a context that cannot be cloned reaches the window as JSON', () => {
  const cart = ['beans'];
  const { panel, say, post } = setUp({}, { options: { context: new Proxy({ cart }, {}) } });
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0].context).toEqual({ cart });
  panel.setContext(new Proxy({ cart, total: undefined }, {}));
  expect(post).toHaveBeenLastCalledWith({ type: 'web-widget:context', context: { cart } }, ORIGIN);
});

const circular: Record<string, unknown> = {};
circular.self = circular;

test.each([
  ['a BigInt', { total: 1n }],
  ['a circle', circular],
])('a context that is not JSON is left out, with a line on the console: %s', (_, context) => {
  const { panel, say, post, launcher } = setUp({}, { options: { context } });
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ type: 'web-widget:init', context: {} });
  panel.setContext(context);
  expect(post).toHaveBeenLastCalledWith({ type: 'web-widget:context', context: {} }, ORIGIN);
  expect(launcher.warn.mock.calls).toEqual([
    [expect.stringMatching(/^context: TypeError/)],
    [expect.stringMatching(/^context: TypeError/)],
  ]);
});

test('the text of the tag reaches the window as it is', () => {
  const { panel, say, post } = setUp({}, { options: { context: '{"cart": []}' } });
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0].context).toBe('{"cart": []}');
});

test('a question that is tapped beside a window that is there reaches it, once', () => {
  const { panel, say, post } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  panel.show(false);
  panel.show(true, 'Where is my order?');
  expect(post).toHaveBeenLastCalledWith(
    { type: 'web-widget:visibility', open: true, open_with: 'Where is my order?' },
    ORIGIN,
  );
  panel.restore();
  post.mockClear();
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ open: true });
  expect(post.mock.calls[0]?.[0].open_with).toBeUndefined();
});

test('a question that is tapped while the window loads waits for it', () => {
  const { panel, say, post } = setUp();
  panel.show(true);
  panel.show(false);
  panel.show(true, 'Where is my order?');
  expect(post).not.toHaveBeenCalled();
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ open_with: 'Where is my order?' });
});

test('a question that is tapped while the window loads is not asked once it is closed', () => {
  const { panel, say, post } = setUp();
  panel.show(true, 'Where is my order?');
  panel.show(false);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ open: false });
  expect(post.mock.calls[0]?.[0].open_with).toBeUndefined();
  panel.show(true);
  expect(post.mock.lastCall?.[0]).toMatchObject({ open: true });
  expect(post.mock.lastCall?.[0]?.open_with).toBeUndefined();
});

test('a question that is tapped while a call of the page before returns opens the window', () => {
  writeLeft('web-widget:w1', 'call');
  const { panel, say, post, launcher } = setUp();
  panel.show(true, 'Where is my order?');
  say({ type: 'web-widget:ready' });
  expect(launcher.show).not.toHaveBeenCalled();
  expect(post.mock.calls[0]?.[0]).toMatchObject({
    open: true,
    open_with: 'Where is my order?',
    returning: true,
  });
});

test('who closes the window before the panel is there has the focus in it later', () => {
  writeLeft('web-widget:w1', 'open');
  const { panel, say, found } = setUp();
  panel.show(false);
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(document.activeElement).toBe(found('iframe'));
});

test('a page that changes its address says so, also where the browser has no navigation API', () => {
  const { panel, say, post } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  const url = 'https://shop.example/beans';
  vi.stubGlobal('location', { origin: 'https://shop.example', href: url });
  document.title = 'Beans';
  page.dispatchEvent(new Event('popstate'));
  vi.advanceTimersByTime(1_000);
  expect(post).toHaveBeenLastCalledWith(
    { type: 'web-widget:page', page: { url, title: 'Beans' } },
    ORIGIN,
  );
});

test('a window that comes late, or by itself, leaves the focus to who writes on the page', () => {
  const field = document.createElement('textarea');
  const { panel, say, button, found } = setUp();
  panel.show(true);
  expect(document.activeElement).toBe(button);
  field.focus();
  say({ type: 'web-widget:ready', drawsLater: true });
  say({ type: 'web-widget:drawn' });
  expect(document.activeElement).toBe(field);
  panel.show(false);
  panel.show(true);
  expect(document.activeElement, 'also a tap in Safari, which takes no focus').toBe(field);
  document.createElement('button').focus();
  panel.show(false);
  panel.show(true);
  expect(document.activeElement).toBe(found('iframe'));
});

test.each([
  ['absolute', false],
  ['fixed', true],
])('the window knows whether it takes the whole page: %s', (now, full) => {
  position = now;
  const { panel, say, post } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0]).toMatchObject({ full });
});

test('launcher and panel agree on what is a small screen', () => {
  const [launcher, panel] = ['src/loader/launcher.css', 'src/panel/panel.css'].map(
    (file) => readFileSync(file, 'utf8').match(/@media \(width.*/g) ?? [],
  );
  expect(launcher).toHaveLength(1);
  expect(panel).toEqual(launcher);
});

test('after document.open the page leaves a mark, and Escape closes what loads', () => {
  const { panel, say, launcher } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  // All listeners are gone.
  document = stubDocument();
  page = new EventTarget();
  vi.stubGlobal('window', page);
  panel.restore();
  document.dispatchEvent(Object.assign(new Event('keydown'), { key: 'Escape' }));
  expect(launcher.show).toHaveBeenLastCalledWith(false);
  page.dispatchEvent(new Event('pagehide'));
  expect('web-widget:w1' in storage).toBe(true);
});

test.each([
  ['open', true],
  ['call', false],
  ['closed', false],
] as const)(
  'a page that the browser had kept has what the page after it left: %s',
  (left, isOpen) => {
    const field = document.createElement('input');
    const { panel, say, found, launcher } = setUp();
    launcher.show.mockImplementation(panel.show);
    panel.show(true);
    say({ type: 'web-widget:ready' });
    if (isOpen) panel.show(false);
    const frame = found('iframe');
    launcher.emit.mockClear();
    field.focus();
    writeLeft('web-widget:w1', left);
    panel.back?.();
    expect(launcher.emit.mock.calls).toEqual([[isOpen ? 'open' : 'close']]);
    expect(found('iframe'), 'it continues itself').toBe(frame);
    expect(document.activeElement).toBe(field);
  },
);

test('a destroyed panel listens to nothing', () => {
  const { panel, say } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  stop.abort();
  page.dispatchEvent(new Event('pagehide'));
  expect('web-widget:w1' in storage).toBe(false);
});

test.each([
  ['running', { call: { status: 'Listening', isMuted: false, mute: 'Mute', end_call: 'End' } }],
  ['paused', { call: null, paused: { status: 'Paused', end_call: 'End' } }],
])('a call behind the closed window is left to the next page: %s', (_, state) => {
  const leave = () => {
    page.dispatchEvent(new Event('pagehide'));
    return takeLeft('web-widget:w1');
  };
  const { panel, say } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  panel.show(false);
  say({ type: 'web-widget:call', ...state });
  expect(leave()).toBe('call');
  say({ type: 'web-widget:call', call: null });
  expect(leave()).toBe('closed');
});

test('the launcher says in words how many messages are new', () => {
  const { panel, say, button } = setUp();
  panel.show(true);
  say({ type: 'web-widget:ready' });
  panel.show(false);
  expect(button.ariaLabel).toBe('Shop');
  say({ type: 'web-widget:unread', count: 2, preview: 'Hello' });
  expect(button.ariaLabel).toBe('Shop, New messages: 2');
  panel.show(true);
  expect(button.ariaLabel).toBe('Shop');
});

test('with the words of a service of an earlier build it says the number alone', () => {
  const { panel, say, button } = setUp({}, { words: ['Failed.', 'Try again', 'Close'] });
  panel.show(true);
  say({ type: 'web-widget:unread', count: 2, preview: 'Hello' });
  expect(button.ariaLabel).toMatch(/^Shop,\s+2$/);
});

test.each([
  ['with', { titleBadge: '' }, '(2) Shop'],
  ['without', {}, 'Shop'],
])('the agent gets the title of the page, %s the number in front of it', (_, options, shown) => {
  document.title = 'Shop';
  const { panel, say, post } = setUp({}, { options });
  panel.show(true);
  say({ type: 'web-widget:unread', count: 2, preview: '' });
  expect(document.title).toBe(shown);
  say({ type: 'web-widget:ready' });
  expect(post.mock.calls[0]?.[0].page?.title).toBe('Shop');
  say({ type: 'web-widget:unread', count: 0, preview: '' });
  expect(document.title).toBe('Shop');
});

test('a page that listens to an event that there is not finds its name on the console', () => {
  const eventNames = new Set(['open', 'opened']);
  const { panel, launcher } = setUp({}, { eventNames });
  expect(launcher.warn).not.toHaveBeenCalled();
  panel.show(true);
  eventNames.add('conversation-end').add('closed');
  panel.show(false);
  panel.show(true);
  const all: Record<EventName, 1> = {
    ready: 1,
    open: 1,
    close: 1,
    'conversation-start': 1,
    'conversation-end': 1,
    message: 1,
    error: 1,
  };
  const events = Object.keys(all).join(', ');
  expect(launcher.warn.mock.calls).toEqual([
    [`\`opened\` is not an event; use one of ${events}`],
    [`\`closed\` is not an event; use one of ${events}`],
  ]);
});

describe('a launcher that the page hides', () => {
  /** Closed, with the focus on what stands beside the launcher. */
  function focusBeside(found: (parts: ReturnType<typeof setUp>) => FakeNode | undefined) {
    const field = document.createElement('input');
    field.focus();
    const parts = setUp();
    parts.panel.show(true);
    parts.say({ type: 'web-widget:ready' });
    parts.panel.show(false);
    parts.button.hide();
    const { say } = parts;
    say({ type: 'web-widget:unread', count: 1, preview: 'Hello' });
    const call = { status: 'Listening', isMuted: false, mute: 'Mute', end_call: 'End' };
    say({ type: 'web-widget:call', call });
    const node = found(parts);
    node?.focus();
    expect(document.activeElement).toBe(node);
    return { ...parts, node, field };
  }

  test('gets no focus of a call that ends: the page does', () => {
    const { say, field } = focusBeside(({ found }) => found('footer')?.childNodes[2]);
    say({ type: 'web-widget:call', call: null });
    expect(document.activeElement).toBe(field);
  });

  test('gets no focus of a preview that is closed: the page does', () => {
    const { node, field } = focusBeside(({ found }) => found('aside')?.childNodes[0]);
    tap(node);
    expect(document.activeElement).toBe(field);
  });
});

test('Escape on the launcher closes a window that is there, and elsewhere it is not ours', () => {
  const { panel, say, button, launcher } = setUp();
  const pressEscape = () =>
    document.dispatchEvent(Object.assign(new Event('keydown'), { key: 'Escape' }));
  panel.show(true);
  say({ type: 'web-widget:ready' });
  document.activeElement = null;
  pressEscape();
  expect(launcher.show).not.toHaveBeenCalled();
  button.focus();
  pressEscape();
  expect(launcher.show.mock.calls).toEqual([[false]]);
});

describe('a window that does not come', () => {
  const url = 'https://shop.example/contact';

  function wait(fallback: Config['fallback']) {
    const parts = setUp({ fallback });
    parts.panel.show(true);
    vi.advanceTimersByTime(9_999);
    expect(parts.found('p')?.textContent, 'it may still come').toBe('');
    vi.advanceTimersByTime(1);
    return parts;
  }

  test.each([
    [{ text: null, url }, url],
    [{ text: 'Write to us', url }, 'Write to us'],
    [{ text: 'Write to us', url: null }, undefined],
  ])('is said after ten seconds, with another try and %j', (fallback, link) => {
    const { found, launcher } = wait(fallback);
    expect(found('p')?.textContent).toBe(`Failed.Try again${link ?? ''}`);
    expect(found('a')?.textContent).toBe(link);
    expect(found('a')?.href).toBe(link && url);
    expect(launcher.emit).toHaveBeenLastCalledWith('error', { code: 'window_blocked' });
    expect(launcher.warn).toHaveBeenCalledOnce();
  });

  test('is shown when it comes late', () => {
    const { box, say } = wait({ text: null, url: null });
    expect(box.classes).not.toContain('k');
    say({ type: 'web-widget:ready' });
    expect(box.classes).toContain('k');
  });

  test('keeps launcher, Escape and the sentence until it is drawn', () => {
    const parts = setUp({ fallback: { text: null, url: null } });
    const { panel, box, say, found, launcher, button } = parts;
    panel.show(true);
    say({ type: 'web-widget:ready', drawsLater: true });
    expect(box.classes).not.toContain('k');
    expect(document.activeElement).toBe(button);
    document.activeElement = null;
    document.dispatchEvent(Object.assign(new Event('keydown'), { key: 'Escape' }));
    expect(launcher.show).toHaveBeenLastCalledWith(false);
    vi.advanceTimersByTime(10_000);
    expect(found('p')?.textContent).toBe('Failed.Try again');
    say({ type: 'web-widget:drawn' });
    expect(box.classes).toContain('k');
    expect(document.activeElement).toBe(found('iframe'));
  });

  test('asks a question once that was tapped before it was drawn', () => {
    const { panel, say, post } = setUp();
    panel.show(true);
    say({ type: 'web-widget:ready', drawsLater: true });
    panel.show(false);
    panel.show(true, 'Where is my order?');
    expect(post.mock.lastCall?.[0]).toMatchObject({ open_with: 'Where is my order?' });
    say({ type: 'web-widget:drawn' });
    panel.show(false);
    panel.show(true);
    expect(post.mock.lastCall?.[0]).toEqual({ type: 'web-widget:visibility', open: true });
  });

  test('gets what the page before has left again when it is replaced before it was drawn', () => {
    writeLeft('web-widget:w1', 'open');
    const { panel, say, post } = setUp();
    panel.show(true);
    for (const time of [1, 2]) {
      say({ type: 'web-widget:ready', drawsLater: true });
      expect(post.mock.lastCall?.[0], `${time}`).toMatchObject({ returning: true });
      panel.restore();
    }
  });

  test('is loaded again when the visitor asks for it', () => {
    const { found } = wait({ text: null, url: null });
    const before = found('iframe');
    const [, button] = found('p')?.childNodes ?? [];
    (button as FakeNode & { onclick(): void }).onclick();
    expect(found('iframe')).not.toBe(before);
    expect(found('p')?.textContent).toBe('');
  });

  test('gives the focus of that button to the launcher, also where it opened by itself', () => {
    writeLeft('web-widget:w1', 'open');
    const { found, button: launcher, say } = wait({ text: null, url: null });
    expect(document.activeElement, 'nobody has tapped anything').toBeNull();
    const [, button] = found('p')?.childNodes ?? [];
    button?.focus();
    (button as FakeNode & { onclick(): void }).onclick();
    expect(document.activeElement).toBe(launcher);
    say({ type: 'web-widget:ready' });
    expect(document.activeElement).toBe(found('iframe'));
  });

  test('gives the focus of that button to the page where it hides the launcher', () => {
    const field = document.createElement('input');
    field.focus();
    const { found, button: launcher } = wait({ text: null, url: null });
    launcher.hide();
    const [, button] = found('p')?.childNodes ?? [];
    button?.focus();
    (button as FakeNode & { onclick(): void }).onclick();
    expect(document.activeElement).toBe(field);
  });

  test('is closed by Escape wherever the focus is, until it is there', () => {
    const { launcher, say } = wait({ text: null, url: null });
    const pressEscape = () =>
      document.dispatchEvent(Object.assign(new Event('keydown'), { key: 'Escape' }));
    pressEscape();
    expect(launcher.show).toHaveBeenLastCalledWith(false);
    say({ type: 'web-widget:ready' });
    launcher.show.mockClear();
    // The window has the key from then on, as it has the focus.
    document.activeElement = null;
    pressEscape();
    expect(launcher.show).not.toHaveBeenCalled();
  });
});
