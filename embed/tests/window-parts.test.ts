/** Parts of the window as Preact draws them, in a document without a browser. */
import { type ComponentChild, h, options, render } from 'preact';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Message } from '../src/window/conversation/transcript';
import { initialState, type State, type Voice } from '../src/window/conversation/window-state';
import { en } from '../src/window/i18n/en';
import { type Surface, SurfaceContext } from '../src/window/ui/context';
import { Header } from '../src/window/ui/Header';
import { LazyForm } from '../src/window/ui/LazyForm';
import { QuickActions } from '../src/window/ui/QuickActions';
import { Transcript } from '../src/window/ui/Transcript';
import { Voice as VoicePart } from '../src/window/ui/Voice';
import { type FakeDocument, FakeNode, real, stubDocument } from './dom';
import { config, form } from './fixtures';

/** The code of forms, and what lets it arrive. */
const code = vi.hoisted(() => {
  let release = () => {};
  const arrives = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { arrives, release };
});
vi.mock('../src/window/forms/Form', async () => {
  await code.arrives;
  return { Form: () => 'the form' };
});

Object.assign(FakeNode.prototype, {
  querySelectorAll: () => [],
  querySelector: () => null,
  scrollTo() {},
});
Object.assign(options, { requestAnimationFrame: queueMicrotask });

/** Runs everything that waits for nothing external. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

let document: FakeDocument;
let root: FakeNode;

beforeEach(() => {
  document = Object.assign(stubDocument(), { hasFocus: () => true });
  root = document.createElement('div');
  vi.stubGlobal('requestAnimationFrame', () => 0);
  vi.stubGlobal('cancelAnimationFrame', () => {});
  vi.stubGlobal('navigator', {});
});
afterEach(async () => {
  render(null, real(root));
  await settle();
  vi.unstubAllGlobals();
});

async function draw(part: ComponentChild, session: object, changes = {}) {
  const surface = { session, config: config(changes), strings: en } as unknown as Surface;
  render(h(SurfaceContext.Provider, { value: surface, children: part }), real(root));
  await settle();
}

function findAll(matches: (node: FakeNode) => boolean, node = root): FakeNode[] {
  const below = node.childNodes.flatMap((child) => findAll(matches, child));
  return matches(node) ? [node, ...below] : below;
}

const named = (name: string) =>
  findAll(
    ({ localName, attributes, textContent }) =>
      /^(button|select)$/.test(localName) && (attributes['aria-label'] ?? textContent) === name,
  );

async function act(node: FakeNode | undefined, event: string, properties = {}) {
  Object.assign(node ?? {}, properties);
  node?.dispatchEvent(new Event(event));
  await settle();
}

const live = { name: 'live', agent: 'listening', isSilent: false } as const;

test('what was asked about a conversation that ended is not asked about the next one', async () => {
  const show = (changes: Partial<State>) =>
    draw(h(Header, { state: { ...initialState(), ...changes }, showNote() {} }), {});
  await show({ phase: live, conversationId: 'c1' });
  await act(named(en.menu)[0], 'click');
  await act(named(en.start_over)[0], 'click');
  expect(named(en.cancel)).toHaveLength(1);
  await show({ phase: { name: 'ended', feedback: 'none' }, conversationId: 'c1' });
  expect(named(en.cancel)).toHaveLength(0);
  await show({ phase: live, conversationId: 'c2' });
  expect(named(en.cancel)).toHaveLength(0);
});

test('Escape closes a question alone: neither the window nor the browser gets the key', async () => {
  const state = { ...initialState(), phase: live, conversationId: 'c1' };
  await draw(h(Header, { state, showNote() {} }), {});
  await act(named(en.menu)[0], 'click');
  await act(named(en.start_over)[0], 'click');
  const [question] = findAll(({ localName }) => localName === 'fieldset');
  const key = Object.assign(new Event('keydown', { cancelable: true }), { key: 'Escape' });
  const stop = vi.spyOn(key, 'stopPropagation');
  question?.dispatchEvent(key);
  await settle();
  expect(named(en.cancel)).toHaveLength(0);
  expect(stop).toHaveBeenCalledOnce();
  expect(key.defaultPrevented).toBe(true);
});

describe('a quick action that says something', () => {
  const text = 'Prices?';
  const action = { id: 'a', label: 'Prices', action: { type: 'send_message' as const, text } };
  const said = (state: Message['state']): Message => ({
    id: 'm1',
    role: 'visitor',
    text,
    created_at: '',
    state,
  });
  const answer: Message = { ...said('done'), id: 'm2', role: 'agent', text: '12 euros.' };

  test.each<[string, Partial<State>, 'sendMessage' | 'sendAgain']>([
    ['says it', {}, 'sendMessage'],
    ['waits to be sent', { messages: [said('waiting')], isAwaitingAnswer: true }, 'sendAgain'],
    ['was sent just now', { messages: [said('done')], isAwaitingAnswer: true }, 'sendAgain'],
    ['could not be sent', { messages: [said('waiting')] }, 'sendAgain'],
    ['was answered', { messages: [said('done'), answer] }, 'sendMessage'],
    ['will not be answered', { messages: [said('done')] }, 'sendMessage'],
  ])('%s', async (_, changes, expected) => {
    const calls: [string, string?][] = [];
    const session = {
      state: { ...initialState(), ...changes },
      sendMessage: (said: string) => calls.push(['sendMessage', said]),
      sendAgain: () => calls.push(['sendAgain']),
    };
    await draw(h(QuickActions, {}), session, { quick_actions: [action] });
    await act(named('Prices')[0], 'click');
    expect(calls).toEqual([expected === 'sendMessage' ? [expected, text] : [expected]]);
  });
});

test('each day has its name above its first turn, but for a conversation of today', async () => {
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  );
  Object.assign(document.documentElement, { lang: 'en' });
  const noon = new Date().setHours(12, 0, 0, 0);
  const said = (id: string, daysAgo: number): Message => ({
    id,
    role: 'visitor',
    text: id,
    created_at: new Date(noon - daysAgo * 86_400_000).toISOString(),
    state: 'done',
  });
  const days = async (...messages: Message[]) => {
    const state = { ...initialState(), phase: live, messages };
    await draw(h(Transcript, { state }), { state });
    return findAll((node) => node.attributes.class === 'day').map(({ textContent }) => textContent);
  };
  expect(await days(said('a', 0), said('b', 0))).toEqual([]);
  expect(await days(said('c', 1), said('d', 1), said('e', 0))).toEqual(['yesterday', 'today']);
});

test('a form whose code is on its way says so, and can be canceled', async () => {
  const dismiss = vi.fn();
  const definition = { ...form('f', []), title: 'Contact' };
  const props = { id: 'f', definition, strings: en, submitLabel: 'Send' };
  const part = h(LazyForm, { ...props, submit: async () => {}, dismiss, takesFocus: true });
  await draw(part, {});
  expect(findAll(({ attributes }) => attributes.role === 'status')).toHaveLength(1);
  const dots = findAll(({ attributes }) => attributes.role === 'img');
  expect(dots.map(({ attributes }) => attributes['aria-label'])).toEqual(['Contact']);
  await act(named(en.cancel)[0], 'click');
  expect(dismiss).toHaveBeenCalledOnce();
  code.release();
  await vi.waitFor(() => expect(root.textContent).toBe('the form'));
});

describe('the list of microphones', () => {
  const voice: Voice = { name: 'on', isMuted: false };

  async function choose(opens: boolean | (() => Promise<boolean>)) {
    const found = [
      { kind: 'audioinput', deviceId: 'communications', label: 'Headset' },
      { kind: 'audioinput', deviceId: 'built-in', label: 'Built-in' },
      { kind: 'audioinput', deviceId: 'headset', label: 'Headset' },
      { kind: 'videoinput', deviceId: 'camera', label: 'Camera' },
    ];
    const mediaDevices = { enumerateDevices: async () => found, addEventListener() {} };
    vi.stubGlobal('navigator', { mediaDevices });
    const session = {
      levels: () => ({ visitor: 0, agent: 0 }),
      microphoneId: 'built-in',
      chooseMicrophone: vi.fn(async (id: string) => {
        const isOpen = typeof opens === 'boolean' ? opens : await opens();
        if (isOpen) session.microphoneId = id;
        return isOpen;
      }),
    };
    const draws = (phase: State['phase']) =>
      draw(h(VoicePart, { state: { ...initialState(), phase, voice } }), session);
    await draws(live);
    await vi.waitFor(() => expect(named(en.choose_microphone)).toHaveLength(1));
    const [list] = named(en.choose_microphone);
    expect(list?.textContent).toBe('Built-inHeadset');
    await act(list, 'change', { value: 'headset' });
    expect(session.chooseMicrophone).toHaveBeenCalledWith('headset');
    const alerts = () => findAll(({ attributes }) => attributes.role === 'alert');
    return { list, alerts, draws };
  }

  test('shows the one that was chosen', async () => {
    const { list, alerts } = await choose(true);
    expect(list?.value).toBe('headset');
    expect(alerts()).toEqual([]);
  });

  test('shows the one that is still used when another one does not open, and says so', async () => {
    const { list, alerts } = await choose(false);
    expect(list?.value).toBe('built-in');
    expect(alerts().map(({ textContent }) => textContent)).toEqual([en.microphone_busy]);
    await act(list, 'blur');
    expect(alerts(), 'until the visitor continues').toEqual([]);
  });

  test('says so no longer than the call stays as it is, also without the focus', async () => {
    let fail = () => {};
    const { list, alerts, draws } = await choose(
      () =>
        new Promise((_, reject) => {
          fail = () => reject(new Error('not foreseen'));
        }),
    );
    await act(list, 'blur');
    expect(alerts()).toEqual([]);
    fail();
    await settle();
    expect(alerts()).toHaveLength(1);
    await draws({ ...live, agent: 'speaking' });
    expect(alerts()).toEqual([]);
  });
});
