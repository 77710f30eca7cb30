/** Ends the browsers of all workers after the last story. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { system, until } from './system';

export async function teardown() {
  if (!existsSync(system.browsers)) return;
  for (const name of readdirSync(system.browsers)) {
    const profile = join(system.browsers, name);
    // Closed by command: the process that was started may be a wrapper script.
    const file = join(profile, 'DevToolsActivePort');
    if (existsSync(file)) {
      const [port, path] = readFileSync(file, 'utf8').split('\n');
      await chromium
        .connectOverCDP(`ws://127.0.0.1:${port}${path}`)
        .then(async (browser) => {
          const devtools = await browser.newBrowserCDPSession();
          await devtools.send('Browser.close');
          await until('the browser to end', () => !browser.isConnected());
        })
        // It has crashed, or ends before it answers.
        .catch(() => {});
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
