/** What is drawn of a message, and when. */
import { h, render } from 'preact';
import { afterEach, expect, test, vi } from 'vitest';
import * as markdown from '../src/window/markdown';
import { Rich } from '../src/window/ui/Rich';
import { real, stubDocument } from './dom';

afterEach(() => void vi.unstubAllGlobals());

test('a message that has not changed is not drawn again', () => {
  const root = stubDocument().createElement('div');
  const blocks: markdown.Block[] = [{ type: 'paragraph', children: ['Hello'] }];
  const onRead = vi.fn();
  Object.defineProperty(blocks[0], 'type', { get: onRead.mockReturnValue('paragraph') });
  vi.spyOn(markdown, 'parseMarkdown').mockReturnValue(blocks);
  render(h(Rich, { text: 'Hello' }), real(root));
  expect(root.textContent).toBe('Hello');
  const reads = onRead.mock.calls.length;
  render(h(Rich, { text: 'Hello' }), real(root));
  expect(onRead).toHaveBeenCalledTimes(reads);
  render(h(Rich, { text: 'Hello again' }), real(root));
  expect(onRead.mock.calls.length).toBeGreaterThan(reads);
});
