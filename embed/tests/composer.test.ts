/** The input shows what the session has as the draft, and only the input changes with it. */
import { h, render } from 'preact';
import { afterEach, expect, test, vi } from 'vitest';
import type { Session } from '../src/window/conversation/session';
import { Store } from '../src/window/conversation/store';
import { initialState } from '../src/window/conversation/window-state';
import { en } from '../src/window/i18n/en';
import { App } from '../src/window/ui/App';
import { Composer } from '../src/window/ui/Composer';
import { type Surface, SurfaceContext } from '../src/window/ui/context';
import { type FakeNode, real, stubDocument } from './dom';
import { config } from './fixtures';

const drawTranscript = vi.hoisted(() => vi.fn(() => null));
vi.mock('../src/window/ui/Transcript', () => ({ Transcript: drawTranscript }));

afterEach(() => void vi.unstubAllGlobals());

const find = (node: FakeNode, name: string): FakeNode | undefined =>
  node.localName === name
    ? node
    : node.childNodes.map((child) => find(child, name)).find((found) => found !== undefined);

test('a draft that the next page has left is shown, and not replaced by the one before', () => {
  const root = stubDocument().createElement('div');
  const session = { draft: '', sendMessage: vi.fn() } as unknown as Session;
  const surface: Surface = {
    session,
    config: config({ modes: { text: true, voice: false } }),
    strings: en,
    close: () => {},
    canExpand: true,
  };
  const draw = (draft: string) => {
    const composer = h(Composer, { state: { ...initialState(), draft } });
    render(h(SurfaceContext.Provider, { value: surface, children: composer }), real(root));
    return find(root, 'textarea')?.attributes.value;
  };
  expect(draw('And on Sun')).toBe('And on Sun');
  expect(draw('Something else')).toBe('Something else');
  expect(session.draft, 'which nothing but typing changes').toBe('');
});

test('what the visitor types draws no turn again', async () => {
  const document = Object.assign(stubDocument(), { hasFocus: () => false });
  const root = document.createElement('div');
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
  const store = new Store();
  const session = {
    get state() {
      return store.state;
    },
    subscribe: (listener: () => void) => store.subscribe(listener),
    set draft(text: string) {
      store.dispatch({ type: 'draft', text });
    },
  } as unknown as Session;
  const app = h(App, {
    session,
    config: config({ modes: { text: true, voice: false } }),
    strings: en,
    close: () => {},
    canExpand: false,
  });
  store.dispatch({ type: 'consented' });
  render(app, real(root));
  const area = find(root, 'textarea');
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  for (const value of ['H', 'He', 'Hey']) {
    session.draft = value;
    await settle();
    expect(area?.attributes.value).toBe(value);
  }
  expect(drawTranscript).toHaveBeenCalledOnce();
  store.dispatch({ type: 'typed', id: 'm1', text: 'Hey', now: '2026-01-01T00:00:00Z' });
  await settle();
  expect(drawTranscript).toHaveBeenCalledTimes(2);
  render(null, real(root));
});
