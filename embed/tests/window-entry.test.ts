/** The entry of the window: what the page says before and after the window is drawn. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromLoader, InitMessage } from '../src/shared/messages';
import { config } from './fixtures';

const { session, ready } = vi.hoisted(() => ({
  session: {
    hasSound: false,
    hostPage: { set: vi.fn(), setContext: vi.fn(), change: vi.fn() },
    nextPage: {
      waitForLeftPage: async () => {},
      restoreLeftPage: () => false,
      resumeHere: vi.fn(),
    },
    offerSaved: async () => {},
    setOpen: vi.fn(),
    sendMessage: vi.fn(),
    subscribe: vi.fn(),
  },
  ready: { send: (_: FromLoader) => {} },
}));

// As a class, which the entry calls with `new`.
vi.mock('../src/window/conversation/session', () => ({
  Session: class {
    constructor() {
      // biome-ignore lint/correctness/noConstructorReturn: one session for all tests
      return session;
    }
  },
}));
vi.mock('../src/window/loader-port', () => ({
  browserEnvironment: () => ({}),
  createLoaderPort: (_: string, receive: (message: FromLoader) => void) => {
    ready.send = receive;
    return { send() {}, emit() {}, requestTicket: async () => '' };
  },
}));
vi.mock('../src/window/theme', () => ({ applyTheme() {} }));
vi.mock('../src/window/ui/App', () => ({ App: () => null }));
vi.mock('preact', async (importOriginal) => ({
  ...(await importOriginal<typeof import('preact')>()),
  render() {},
}));

beforeEach(async () => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  vi.resetModules();
  const data = { widget_id: 'w1', origin: 'https://shop.example', config: config() };
  vi.stubGlobal(
    'document',
    Object.assign(new EventTarget(), {
      documentElement: {},
      getElementById: () => ({ textContent: JSON.stringify(data) }),
    }),
  );
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', { languages: ['en'] });
  await import('../src/window/main');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const QUESTION = 'Where is my order?';

const init = (changes: Partial<InitMessage>) =>
  ready.send({
    type: 'web-widget:init',
    page: { url: 'https://shop.example/', title: 'Shop' },
    options: {},
    open: true,
    ...changes,
  });
const setOpen = (open: boolean, open_with?: string) =>
  ready.send({ type: 'web-widget:visibility', open, open_with });
/** Lets the window be drawn. */
const draw = () => vi.advanceTimersByTimeAsync(1_000);
const sent = () => session.sendMessage.mock.calls.flat();

test('a tapped question is sent once the window is drawn', async () => {
  init({ open_with: QUESTION });
  expect(sent()).toEqual([]);
  await draw();
  expect(sent()).toEqual([QUESTION]);
});

test('a question that is tapped later is sent at once', async () => {
  init({ open: false });
  await draw();
  setOpen(true, QUESTION);
  setOpen(false);
  setOpen(true);
  expect(sent()).toEqual([QUESTION]);
});

test.each([
  ['closed', false],
  ['closed and opened again', true],
])('before it is drawn %s, the window sends no question', async (_, isOpenAgain) => {
  init({ open_with: QUESTION });
  setOpen(false);
  if (isOpenAgain) setOpen(true);
  await draw();
  setOpen(true);
  expect(sent()).toEqual([]);
});

test('a question from the panel of an earlier build is not sent by a closed window', async () => {
  init({ open: false, open_with: QUESTION });
  await draw();
  setOpen(true);
  expect(sent()).toEqual([]);
});

test('a window that the page before had is not opened by the visitor until it is tapped', async () => {
  init({ returning: true });
  await draw();
  setOpen(false);
  setOpen(true);
  expect(session.setOpen.mock.calls).toEqual([
    [true, true],
    [false, false],
    [true, false],
  ]);
});
