/**
 * Chromium as visitors have it. It runs as a process of its own, because Playwright's way of
 * starting it switches off storage partitioning, and with it storage in a cross-site frame.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { system } from './system';

/** The browser's microphone: one that repeats the recording, or none. */
export type Microphone = 'speaks' | 'none';

const DEVICES: Record<Microphone, string[]> = {
  speaks: [
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${system.speech}`,
  ],
  // Despite its name, it removes the microphones as well.
  none: ['--disable-audio-output'],
};

/** The browsers of this process, which all its files share: starting one takes a second or two. */
const browsers: Map<Microphone, Promise<Browser>> = new Map();

/** The browser with that microphone, started at first use. `stopBrowsers` ends it. */
export async function sharedChromium(microphone: Microphone): Promise<Browser> {
  const running = await browsers.get(microphone)?.catch(() => undefined);
  if (running?.isConnected()) return running;
  const starting = startChromium(microphone);
  browsers.set(microphone, starting);
  return starting;
}

async function startChromium(microphone: Microphone): Promise<Browser> {
  mkdirSync(system.browsers, { recursive: true });
  const profile = mkdtempSync(join(system.browsers, 'chromium-'));
  const root = process.getuid?.() === 0;
  const child = spawn(
    system.chromium,
    [
      '--headless',
      ...(root ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      '--no-first-run',
      // To the browser, pages that a story answers itself are not on this machine, but the service
      // is.
      // Nor does it start a renderer for a page that nobody has opened yet.
      '--disable-features=LocalNetworkAccessChecks,SpareRendererForSitePerProcess',
      '--mute-audio',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      ...DEVICES[microphone],
      'about:blank',
    ],
    // No sound, whatever the machine has.
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PULSE_SERVER: 'none' } },
  );
  return chromium.connectOverCDP(await debuggingAddress(child));
}

function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stderr?.on('data', (chunk) => {
      output += chunk;
      const address = output.match(/DevTools listening on (ws:\S+)/)?.[1];
      if (address) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}:\n${output}`)));
  });
}
