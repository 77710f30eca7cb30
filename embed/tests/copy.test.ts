/** The buttons that copy say how it went. */
import { h, render } from 'preact';
import { afterEach, expect, test, vi } from 'vitest';
import { en } from '../src/window/i18n/en';
import { CopyButton } from '../src/window/ui/CopyButton';
import { type Surface, SurfaceContext } from '../src/window/ui/context';
import { copy } from '../src/window/ui/copy';
import { real, stubDocument } from './dom';

const copyText = vi.hoisted(() => vi.fn());
vi.mock('../src/window/extras', () => ({ copyText }));

afterEach(() => void vi.unstubAllGlobals());

test('the button says it, and so does a region that screen readers follow', async () => {
  copyText.mockResolvedValueOnce(undefined);
  const root = stubDocument().createElement('div');
  const value = { strings: en } as Surface;
  const button = h(CopyButton, { text: '12 euros' });
  render(h(SurfaceContext.Provider, { value, children: button }), real(root));
  const [shown, spoken] = root.childNodes;
  expect(shown?.textContent).toBe(en.copy);
  expect(spoken?.attributes.role).toBe('status');
  expect(spoken?.textContent).toBe('');
  shown?.dispatchEvent(new Event('click'));
  await vi.waitFor(() => expect(spoken?.textContent).toBe(en.copied));
  expect(shown?.textContent).toBe(en.copied);
});

test.each([
  ['copied', () => copyText.mockResolvedValueOnce(undefined)],
  // As where its code cannot be loaded.
  ['failed', () => copyText.mockRejectedValueOnce(new TypeError('Failed to fetch'))],
] as const)('%s', async (state, prepare) => {
  prepare();
  const onDone = vi.fn();
  await copy('12 euros', onDone);
  expect(copyText).toHaveBeenLastCalledWith('12 euros');
  expect(onDone.mock.calls).toEqual([[state]]);
});
