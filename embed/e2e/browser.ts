/**
 * Chromium as visitors have it. It runs as a process of its own, because Playwright's way of
 * starting it switches off storage partitioning, and with it storage in a cross-site frame.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { system } from './system';

export interface Chromium {
  browser: Browser;
  close(): Promise<void>;
}

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

export async function startChromium(microphone: Microphone = 'speaks'): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'web-widgets-chromium-'));
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
      '--disable-features=LocalNetworkAccessChecks',
      '--mute-audio',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      ...DEVICES[microphone],
      'about:blank',
    ],
    // No sound, whatever the machine has.
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PULSE_SERVER: 'none' } },
  );
  const browser = await chromium.connectOverCDP(await debuggingAddress(child));
  return {
    browser,
    async close() {
      // Closed by command: killing the process may leave Chromium behind, if it is a wrapper
      // script.
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const devtools = await browser.newBrowserCDPSession();
      await devtools.send('Browser.close').catch(() => {});
      if (child.exitCode === null) await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
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
