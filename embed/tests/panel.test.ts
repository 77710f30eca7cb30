/** The panel as the loader uses it, in a document without a browser. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPanel, styleText } from '../src/panel/panel';
import type { Launcher } from '../src/shared/panel';
import type { Config } from '../src/window/config';
import { type FakeDocument, type FakeNode, fake, stubDocument } from './dom';
import { config } from './fixtures';

const ORIGIN = 'https://widgets.example';

let document: FakeDocument;
let page: EventTarget;
let storage: Record<string, unknown>;
let stop: AbortController;

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
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
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
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A panel, and what the window in its newest frame says and gets. */
function setUp(changes: Partial<Config> = {}) {
  const box = document.createElement('div');
  const launcher = {
    service: ORIGIN,
    id: 'w1',
    config: config(changes),
    words: ['Failed.', 'Try again', 'Close'],
    host: document.createElement('web-widget'),
    root: { adoptedStyleSheets: [] },
    box,
    button: document.createElement('button'),
    options: {},
    signal: stop.signal,
    call: vi.fn(),
    show: vi.fn(),
    emit: vi.fn(),
    warn: vi.fn(),
    dismiss: vi.fn(),
  };
  const panel = createPanel(launcher as unknown as Launcher);
  const find = (node: FakeNode, name = 'iframe'): FakeNode | undefined =>
    node.localName === name
      ? node
      : node.childNodes.map((child) => find(child, name)).find(Boolean);
  const found = (name: string) => find(box, name);
  const post = vi.fn();
  const say = (data: object) => {
    const source = { postMessage: post };
    Object.assign(fake(find(box)), { contentWindow: source });
    page.dispatchEvent(Object.assign(new Event('message'), { source, origin: ORIGIN, data }));
  };
  return { panel, box, say, post, found, launcher };
}

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
  expect(css).toContain(`.b{order:${order}}`);
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

  test('is loaded again when the visitor asks for it', () => {
    const { found } = wait({ text: null, url: null });
    const before = found('iframe');
    const [, button] = found('p')?.childNodes ?? [];
    (button as FakeNode & { onclick(): void }).onclick();
    expect(found('iframe')).not.toBe(before);
    expect(found('p')?.textContent).toBe('');
  });

  test('is closed by Escape wherever the focus is, until it is there', () => {
    const { launcher, say } = wait({ text: null, url: null });
    const pressEscape = () =>
      document.dispatchEvent(Object.assign(new Event('keydown'), { key: 'Escape' }));
    pressEscape();
    expect(launcher.show).toHaveBeenLastCalledWith(false);
    say({ type: 'web-widget:ready' });
    launcher.show.mockClear();
    // The window has the key from then on.
    pressEscape();
    expect(launcher.show).not.toHaveBeenCalled();
  });
});
