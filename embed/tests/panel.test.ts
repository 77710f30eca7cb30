/** The panel as the loader uses it, in a document without a browser. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPanel } from '../src/panel/panel';
import type { Launcher } from '../src/shared/panel';
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
function setUp() {
  const box = document.createElement('div');
  const launcher = {
    service: ORIGIN,
    id: 'w1',
    config: config(),
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
  const find = (node: FakeNode): FakeNode | undefined =>
    node.localName === 'iframe' ? node : node.childNodes.map(find).find(Boolean);
  const post = vi.fn();
  const say = (data: object) => {
    const source = { postMessage: post };
    Object.assign(fake(find(box)), { contentWindow: source });
    page.dispatchEvent(Object.assign(new Event('message'), { source, origin: ORIGIN, data }));
  };
  return { panel, box, say, post };
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
