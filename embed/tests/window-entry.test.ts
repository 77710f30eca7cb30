/** The entry of the window: what the page says before and after the window is drawn. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromLoader, FromWindow, InitMessage } from '../src/shared/messages';
import type { Strings } from '../src/window/i18n';
import { config } from './fixtures';

const { session, ready } = vi.hoisted(() => ({
  session: {
    hasSound: false,
    state: { voice: { name: 'off' } as object },
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
  ready: {
    send: (_: FromLoader) => {},
    said: [] as string[],
    messages: [] as FromWindow[],
    drawn: [] as string[],
  },
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
    return {
      send(message: FromWindow) {
        ready.said.push(message.type);
        ready.messages.push(message);
      },
      emit() {},
      requestTicket: async () => '',
    };
  },
}));
vi.mock('../src/window/theme', () => ({ applyTheme() {} }));
vi.mock('../src/window/ui/App', () => ({ App: () => null }));
vi.mock('preact', async (importOriginal) => ({
  ...(await importOriginal<typeof import('preact')>()),
  render: ({ props }: { props: { strings: Strings } }) =>
    void ready.drawn.push(props.strings.cancel),
}));

beforeEach(async () => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  ready.said = [];
  ready.messages = [];
  session.state.voice = { name: 'off' };
  ready.drawn = [];
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
  vi.doUnmock(GERMAN);
});

const QUESTION = 'Where is my order?';
const GERMAN = '../src/window/i18n/de';

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

test.each([
  ['as the page before left it', { reopened: true, returning: true }, true],
  ['as the panel of an earlier build says less exactly', { returning: true }, true],
  ['which the page before left closed', { reopened: false, returning: true }, false],
  ['for the first time', { reopened: false }, false],
])('whether the visitor opens the window, %s', async (_, said, isReopened) => {
  init(said);
  await draw();
  setOpen(false);
  setOpen(true);
  expect(session.setOpen.mock.calls).toEqual([
    [true, isReopened],
    [false, false],
    [true, false],
  ]);
});

test.each([
  ['the text of the tag', '{"cart": 2}', { cart: 2 }],
  ['an object', { cart: 2 }, { cart: 2 }],
  ['nothing', undefined, {}],
  ['a list', '[2]', {}],
  ['text that is no JSON', '{', {}],
  ['what an earlier panel sends and JSON does not know', { cart: 2n }, {}],
])('the context is an object: %s', async (_, context, expected) => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  init({ context: context as InitMessage['context'] });
  await draw();
  expect(session.hostPage.set.mock.calls[0]?.[0]).toEqual(expected);
});

const isGerman = () => {
  const { lang, dir } = document.documentElement;
  expect(dir).toBe('ltr');
  return lang === 'de';
};

test('the page knows when the window is drawn', async () => {
  expect(ready.said).toEqual(['web-widget:ready']);
  init({});
  expect(ready.drawn).toEqual([]);
  await draw();
  expect(ready.drawn).toEqual(['Cancel']);
  expect(ready.said).toEqual(['web-widget:ready', 'web-widget:drawn']);
});

test('a language that is long on its way replaces English', async () => {
  const { strings } = await import('../src/window/i18n/de');
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  vi.doMock(GERMAN, () => arrived.then(() => ({ strings })));
  init({ options: { locale: 'de' } });
  await draw();
  expect(ready.drawn, 'it usually arrives soon').toEqual([]);
  await draw();
  expect(ready.drawn).toEqual(['Cancel']);
  expect(isGerman()).toBe(false);
  arrive();
  await vi.waitFor(() => expect(ready.drawn).toEqual(['Cancel', 'Abbrechen']));
  expect(isGerman()).toBe(true);
  expect(ready.said.filter((type) => type === 'web-widget:drawn')).toHaveLength(1);
});

test('a call has its words in the language that arrives during it', async () => {
  const { strings } = await import('../src/window/i18n/de');
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  vi.doMock(GERMAN, () => arrived.then(() => ({ strings })));
  session.state.voice = { name: 'paused', isMuted: false };
  init({ options: { locale: 'de' } });
  await draw();
  await draw();
  arrive();
  await vi.waitFor(() => expect(ready.drawn).toEqual(['Cancel', 'Abbrechen']));
  const calls = ready.messages.filter(({ type }) => type === 'web-widget:call');
  expect(calls).toMatchObject([
    { paused: { end_call: 'End call' } },
    { paused: { end_call: strings.end_call } },
  ]);
});

test('a language that cannot be loaded is English, and marked as such', async () => {
  vi.doMock(GERMAN, () => Promise.reject(new TypeError('Failed to fetch')));
  init({ options: { locale: 'de' } });
  await vi.waitFor(() => expect(ready.drawn).toEqual(['Cancel']));
  expect(isGerman()).toBe(false);
});
