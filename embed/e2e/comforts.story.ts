/** What visitors know from other chats: times, copying, the transcript, a sound, room, and Back. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { until } from './system';
import type { Visitor, VisitorOptions } from './visitor';

declare global {
  interface Window {
    storyTones: number;
    storyClosed?: boolean;
  }
}

const COUNT_TONES = `
  window.storyTones = 0;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...at) {
    window.storyTones += 1;
    return start.apply(this, at);
  };
`;

const RECORD_CLOSE = `
  document.addEventListener('web-widget:close', () => {
    window.storyClosed = true;
  });
`;

describe('a visitor', { timeout: 60_000 }, () => {
  const here = story();

  async function ask(question: string, options: VisitorOptions = {}): Promise<Visitor> {
    const visitor = await here.arrive(options);
    await visitor.open();
    await visitor.sendMessage(question);
    return visitor;
  }

  /** What the clipboard has, as a visitor finds out. */
  async function paste(visitor: Visitor): Promise<string> {
    const input = visitor.frame.locator('.composer textarea');
    await input.fill('');
    await input.press('ControlOrMeta+v');
    return input.inputValue();
  }

  test('sees when something was said, and copies an answer and its code', async () => {
    const visitor = await ask('How do I brew it?', { scripts: [OPEN_ROOTS] });
    await visitor.frame.getByRole('link', { name: 'Picture of the grind' }).waitFor();
    const turn = visitor.frame.locator('.turn.agent').last();
    const time = turn.locator('time');
    expect(await time.locator('[aria-hidden]').innerText()).toMatch(/^\d{1,2}:\d\d( [ap]m)?$/i);
    expect(await time.getAttribute('title')).toMatch(/\d{4}.*\d:\d\d/);
    await turn.hover();
    await visitor.screenshot('times-and-copy');
    expect(await violations(visitor.frame, '#app')).toEqual([]);

    await turn.locator('.code').getByRole('button', { name: 'Copy' }).click();
    await turn.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await paste(visitor)).toMatch(/^bloom 0:40 \|.*hot$/);
    await turn.hover();
    await turn.locator('.meta').getByRole('button', { name: 'Copy' }).click();
    await turn.locator('.meta').getByRole('button', { name: 'Copied' }).waitFor();
    expect(await paste(visitor)).toContain('| Bloom | 60 ml | 0:40 |');
  });

  test('keeps the transcript as a file', async () => {
    const visitor = await ask('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    const download = visitor.page.waitForEvent('download');
    await visitor.choose('Download transcript');
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^Harbour Coffee-\d{4}-\d\d-\d\d\.txt$/);
    const text = readFileSync(await file.path(), 'utf8');
    expect(text).toMatch(/You:\nWhat are your opening hours\?\n/);
    expect(text).toMatch(/Agent:\nHello, and welcome .* We are open from/);
  });

  test('hears a sound for a new message only after switching it on, which is kept', async () => {
    const visitor = await ask('What are your opening hours?', {
      scripts: [OPEN_ROOTS, COUNT_TONES],
    });
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    const tones = () => visitor.frame.evaluate(() => window.storyTones);
    expect(await tones()).toBe(0);
    await visitor.button('Menu').click();
    const item = visitor.frame.getByRole('menuitemcheckbox', { name: 'Sound for new messages' });
    expect(await item.getAttribute('aria-checked')).toBe('false');
    await item.click();
    await until('the sound to be played once', async () => (await tones()) === 2);
    await visitor.button('Menu').click();
    expect(await item.getAttribute('aria-checked')).toBe('true');
    await visitor.screenshot('menu-with-sound');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.page.keyboard.press('Escape');
    await visitor.sendMessage('How much is a bag?');
    await visitor.waitForTurn('agent', /12 euros/);
    await until('a sound for the answer', async () => (await tones()) === 4);

    const later = await here.openTab(visitor);
    await later.open();
    await later.button('Menu').click();
    const kept = later.frame.getByRole('menuitemcheckbox', { name: 'Sound for new messages' });
    expect(await kept.getAttribute('aria-checked')).toBe('true');
  });

  test('makes the window larger on a wide screen, and as it was', async () => {
    const visitor = await here.arrive({ size: { width: 1440, height: 900 } });
    await visitor.open();
    const width = () => visitor.frame.evaluate(() => innerWidth);
    const before = await width();
    await visitor.button('Enlarge window').click();
    await until('a larger window', async () => (await width()) > before + 200);
    await visitor.screenshot('expanded');
    await visitor.reload();
    await visitor.waitForWindow();
    await until('a larger window after a reload', async () => (await width()) > before + 200);
    await visitor.button('Enlarge window').click();
    await until('the window as it was', async () => (await width()) === before);
    await visitor.page.setViewportSize({ width: 320, height: 640 });
    await visitor.reload();
    await visitor.waitForWindow();
    await visitor.button('Close').waitFor();
    expect(await visitor.button('Enlarge window').count(), 'with the whole page').toBe(0);
  });

  test('closes the window with Back on a phone, and stays on the page', async () => {
    const visitor = await here.arrive({
      size: { width: 390, height: 844 },
      phone: true,
      // Browsers that have it offer no way to press the phone's Back.
      scripts: ['delete window.CloseWatcher;', RECORD_CLOSE],
    });
    const address = visitor.page.url();
    await visitor.open();
    expect(await visitor.button('Enlarge window').count(), 'no room to grow').toBe(0);
    await visitor.button('Menu').waitFor();
    // It loads nothing, which would be waited for.
    await visitor.page.evaluate(() => history.back());
    await until('the window to be closed', () => visitor.page.evaluate(() => window.storyClosed));
    expect(visitor.page.url()).toBe(address);
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });
});
