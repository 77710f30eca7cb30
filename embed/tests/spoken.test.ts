/** What screen readers announce is read out of an answer only when the answer has changed. */
import { h, render } from 'preact';
import { afterEach, expect, test, vi } from 'vitest';
import type { State } from '../src/window/conversation/window-state';
import { initialState } from '../src/window/conversation/window-state';
import * as markdown from '../src/window/markdown';
import { type Surface, SurfaceContext } from '../src/window/ui/context';
import { Spoken } from '../src/window/ui/Spoken';
import { real, stubDocument } from './dom';
import { config } from './fixtures';

afterEach(() => void vi.unstubAllGlobals());

function setUp() {
  const document = stubDocument();
  Object.assign(document.documentElement, { lang: 'en' });
  const root = document.createElement('div');
  const surface = { config: config(), strings: { agent: 'Agent' } } as unknown as Surface;
  const draw = (text: string, state: 'streaming' | 'done', more: Partial<State> = {}) => {
    const answer = { id: 'a', role: 'agent', text, state, created_at: '' } as const;
    const shown: State = { ...initialState(), messages: [answer], ...more };
    const spoken = h(Spoken, { state: shown });
    render(h(SurfaceContext.Provider, { value: surface, children: spoken }), real(root));
    return root.textContent;
  };
  return { root, draw };
}

test('an answer is read once, and again as it grows', () => {
  const parse = vi.spyOn(markdown, 'parseMarkdown');
  const { draw } = setUp();
  expect(draw('We are open. Come', 'streaming')).toBe('Agent: We are open.');
  draw('We are open. Come', 'streaming');
  expect(parse).toHaveBeenCalledOnce();
  expect(draw('We are open. Come', 'done')).toBe('Agent: We are open.Come');
  expect(draw('We are open. Come in!', 'done')).toBe('Agent: We are open.Come in!');
  expect(parse).toHaveBeenCalledTimes(3);
});

test.each([
  '| Step | Water |\n|---|---|\n| One. | 2 l |\n\nThat is all. Bye.',
  'This is **very. Important.** See [our shop. Now](https://a.example). Bye.',
  '- Use `a. b` here. \n- ~~Not this. Or that.~~ This.\n\n*Good. Bye.* Now.',
])('what may still become Markdown is not announced: %j', (text) => {
  const { draw } = setUp();
  const whole = setUp().draw(text, 'done');
  for (let end = 1; end < text.length; end++) {
    const announced = draw(text.slice(0, end), 'streaming');
    expect(whole.startsWith(announced), `${text.slice(0, end)} → ${announced}`).toBe(true);
  }
  expect(draw(text, 'done')).toBe(whole);
});

test('in a call, the agent is heard, and not announced as well', () => {
  const { root, draw } = setUp();
  const voice = { name: 'on', isMuted: false } as const;
  const liveness = () => root.firstChild?.childNodes[1]?.attributes['aria-live'];
  draw('We are open.', 'done');
  expect(liveness()).toBe('polite');
  draw('We are open.', 'done', { voice });
  expect(liveness()).toBe('off');
  draw('We are open.', 'done', { voice, isSoundBlocked: true });
  expect(liveness()).toBe('polite');
});
