/** What is copied and saved. */
import { afterEach, expect, test, vi } from 'vitest';
import { copyText, transcriptText } from '../src/window/extras';
import { stubDocument } from './dom';

afterEach(() => void vi.unstubAllGlobals());

/** A page whose browser copies in these ways. */
function stubPage(writeText: () => Promise<void>, execCommand: () => boolean) {
  const document = stubDocument();
  const body = document.createElement('body');
  const before = document.createElement('button');
  before.focus();
  const onSelect = vi.fn();
  const createElement = (name: string) =>
    Object.assign(document.createElement(name), { select: onSelect });
  vi.stubGlobal('document', {
    activeElement: before,
    body,
    createElement,
    execCommand: vi.fn(execCommand),
  });
  vi.stubGlobal('navigator', { clipboard: { writeText: vi.fn(writeText) } });
  return { document, body, before, onSelect };
}

const refuse = () => Promise.reject(new DOMException('no permission', 'NotAllowedError'));

test('the clipboard is enough', async () => {
  const { onSelect } = stubPage(
    async () => {},
    () => false,
  );
  await copyText('12 euros');
  expect(navigator.clipboard.writeText).toHaveBeenCalledWith('12 euros');
  expect(onSelect).not.toHaveBeenCalled();
});

test.each([
  ['copies', true],
  ['says so if that copies nothing', false],
])('without the clipboard, a selection %s, and the focus returns', async (_, isCopied) => {
  const { document, body, before, onSelect } = stubPage(refuse, () => isCopied);
  const copied = copyText('12 euros');
  if (isCopied) await copied;
  else await expect(copied).rejects.toThrow('the browser rejected the copy');
  expect(onSelect).toHaveBeenCalledOnce();
  expect(body.childNodes).toEqual([]);
  expect(document.activeElement).toBe(before);
});

test('a transcript has the text as it was written, with the addresses of links', () => {
  const text = 'See [our **prices**](https://shop.example/prices).';
  const message = { id: 'a', role: 'agent', text, created_at: '', state: 'done' } as const;
  const created_at = '2026-01-01T12:00:00Z';
  const words = { you: 'You', agent: 'Agent', unsent: 'Not sent.' };
  expect(transcriptText('Shop', [{ ...message, created_at }], words, 'en')).toContain(
    `Agent:\n${text}\n`,
  );
});

test('a transcript says which messages the agent has not got', () => {
  const message = { role: 'visitor', created_at: '2026-01-01T12:00:00Z' } as const;
  const text = transcriptText(
    'Shop',
    [
      { ...message, id: 'a', text: 'Hello', state: 'done' },
      { ...message, id: 'b', text: 'Anybody?', state: 'waiting' },
    ],
    { you: 'You', agent: 'Agent', unsent: 'Not sent.' },
    'en',
  );
  expect(text).toContain('You:\nHello\n\n');
  expect(text).toContain('You:\nAnybody?\n[Not sent.]\n');
});
