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

test('an answer is read once, and again as it grows', () => {
  const parse = vi.spyOn(markdown, 'parseMarkdown');
  const document = stubDocument();
  Object.assign(document.documentElement, { lang: 'en' });
  const root = document.createElement('div');
  const surface = { config: config(), strings: { agent: 'Agent' } } as unknown as Surface;
  const draw = (text: string, state: 'streaming' | 'done') => {
    const answer = { id: 'a', role: 'agent', text, state, created_at: '' } as const;
    const shown: State = { ...initialState(), messages: [answer] };
    const spoken = h(Spoken, { state: shown });
    render(h(SurfaceContext.Provider, { value: surface, children: spoken }), real(root));
    return root.textContent;
  };
  expect(draw('We are open. Come', 'streaming')).toBe('Agent: We are open.');
  draw('We are open. Come', 'streaming');
  expect(parse).toHaveBeenCalledOnce();
  expect(draw('We are open. Come', 'done')).toBe('Agent: We are open.Come');
  expect(draw('We are open. Come in!', 'done')).toBe('Agent: We are open.Come in!');
  expect(parse).toHaveBeenCalledTimes(3);
});
