/** A room that cannot be joined: the window says why and what else there is, the page learns it. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { createWidget, until } from './system';

/** Runs in the page: records the codes of `error` events. */
const LISTEN = `window.codes = [];
  document.addEventListener('web-widget:error', ({ detail }) => codes.push(detail.code));`;

describe('a network that refuses WebSockets', { timeout: 90_000 }, () => {
  const here = story();

  test('is named in the window, on the console and to the page, with another way', async () => {
    const url = 'https://shop.example/contact';
    const widgetId = await createWidget({ fallback: { url } });
    const visitor = await here.arrive({ widgetId, scripts: [LISTEN] });
    // As a proxy does that lets HTTP through.
    await visitor.page.routeWebSocket(/\/rtc/, (socket) => socket.close());
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.frame.getByText('refuses the connection to the chat').waitFor();
    const link = visitor.frame.getByRole('link', { name: 'Other ways to reach us' });
    expect(await link.getAttribute('href')).toBe(url);
    const codes = () =>
      visitor.page.evaluate(() => (window as unknown as { codes: string[] }).codes);
    await until('the event', async () => (await codes()).length > 0);
    expect(await codes()).toEqual(['signal_refused']);
    const lines = visitor.console.filter((line) => line.includes('signal_refused'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('check that proxies and firewalls let WebSockets through');
    await visitor.screenshot('signal-refused');

    // Once the network allows it, the same message is sent.
    await visitor.page.routeWebSocket(/\/rtc/, (socket) => socket.connectToServer());
    await visitor.button('Try now').click();
    await visitor.waitForTurn('agent', /We are open from/);
  });
});
