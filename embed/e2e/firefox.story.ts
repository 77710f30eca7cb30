/**
 * The same visitor in Firefox: writes, talks, and sees everything in its place. Playwright drives
 * only a Firefox of its own; this is the one that people have, over WebDriver BiDi.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer, { type Browser, type Frame, type Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { system, until } from './system';

const QUESTION = 'What are your opening hours?';

const PREFERENCES = {
  // A microphone that hears a tone, and is allowed without a question.
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  // LiveKit is on this machine, and so may be its address.
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
};

declare global {
  interface Window {
    storyConnections: RTCPeerConnection[];
  }
}

/** Runs in every document before its own scripts. */
function keepConnections() {
  window.storyConnections = [];
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      window.storyConnections.push(this);
    }
  };
}

/** Runs in the window: the bytes of the visitor's voice, and the energy of the agent's. */
async function measureSound(): Promise<{ sent: number; heard: number }> {
  const sound = { sent: 0, heard: 0 };
  for (const connection of window.storyConnections)
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'outbound-rtp' && report.kind === 'audio') sound.sent += report.bytesSent;
      if (report.type === 'inbound-rtp' && report.kind === 'audio')
        sound.heard += report.totalAudioEnergy ?? 0;
    }
  return sound;
}

describe('a visitor with Firefox', { timeout: 120_000 }, () => {
  let browser: Browser;
  let page: Page;
  let lines: string[];

  beforeAll(async () => {
    browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: system.firefox,
      headless: true,
      timeout: 120_000,
      extraPrefsFirefox: PREFERENCES,
    });
  }, 150_000);
  afterAll(async () => browser?.close());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') {
      await picture(`failed-${task.name.replace(/\W+/g, '-')}`).catch(() => {});
      console.log(lines.join('\n'));
    }
    // A closed context says no good-bye, and the agent waits on.
    await page.goto('about:blank');
    await page.browserContext().close();
  });

  async function picture(name: string) {
    mkdirSync(system.output, { recursive: true });
    await page.screenshot({ path: join(system.output, `${name}.png`) });
  }

  async function arrive(width = 1280, height = 800): Promise<void> {
    const context = await browser.createBrowserContext();
    page = await context.newPage();
    lines = [];
    page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => lines.push(`error: ${error}`));
    await page.evaluateOnNewDocument(keepConnections);
    await page.setViewport({ width, height });
    await page.goto(system.site);
    await page.waitForFunction(() => window.WebWidget?.get());
  }

  async function open(): Promise<Frame> {
    await page.evaluate(() => window.WebWidget?.get()?.open());
    const frame = await until('the window', () =>
      page.frames().find((each) => each.url().startsWith(`${system.service}/public/widget/`)),
    );
    await frame.waitForSelector('[role=dialog]');
    return frame;
  }

  async function send(frame: Frame, text: string) {
    await (await frame.waitForSelector('.composer textarea'))?.type(text);
    await page.keyboard.press('Enter');
  }

  const turns = (frame: Frame) =>
    frame.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.turn .bubble')].map((each) => each.innerText),
    );

  const waitForTurn = (frame: Frame, pattern: RegExp) =>
    until(
      `a turn that matches ${pattern}`,
      async () => (await turns(frame)).find((text) => pattern.test(text)),
      60_000,
    );

  const button = (frame: Frame, name: string) => frame.waitForSelector(`[aria-label="${name}"]`);

  test('writes, is answered, and continues after another page', async () => {
    await arrive();
    let frame = await open();
    await send(frame, QUESTION);
    await waitForTurn(frame, /We are open from/);
    await page.reload();
    frame = await until('the window', () =>
      page.frames().find((each) => each.url().startsWith(`${system.service}/public/widget/`)),
    );
    await waitForTurn(frame, /We are open from/);
    await send(frame, 'What did I ask before?');
    await waitForTurn(frame, /Before this you asked: “What are your opening hours\?”/);
    expect(lines.filter((line) => /Web widget|^error/.test(line))).toEqual([]);
  });

  test('talks, and hears the agent', async () => {
    await arrive();
    const frame = await open();
    await (await button(frame, 'Talk'))?.click();
    await button(frame, 'End call');
    await waitForTurn(frame, /Hello, and welcome/);
    await until('sound in both directions', async () => {
      const { sent, heard } = await frame.evaluate(measureSound);
      return sent > 2_000 && heard > 0;
    });
    await (await button(frame, 'Mute'))?.click();
    await (await button(frame, 'End call'))?.click();
    await button(frame, 'Talk');
    await send(frame, QUESTION);
    await waitForTurn(frame, /We are open from/);
    expect(lines.filter((line) => /Web widget|^error/.test(line))).toEqual([]);
  });

  test.each([
    [1280, 800],
    [390, 844],
    [320, 640],
  ])('sees everything in its place, %i px wide', async (width, height) => {
    await arrive(width, height);
    const frame = await open();
    await send(frame, 'How do I brew it?');
    await waitForTurn(frame, /Pour 500 ml/);
    const outside = await frame.evaluate(() =>
      [...document.querySelectorAll('.window > *, .window button, .window textarea')]
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.width && (box.left < -1 || box.right > innerWidth + 1))
        .map(({ element }) => element.outerHTML.slice(0, 100)),
    );
    expect(outside).toEqual([]);
    expect(await frame.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    if (system.savesPictures) await picture(`firefox-${width}`);
  });
});
