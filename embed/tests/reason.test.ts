/** The console says what stands between the page and the service. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findReason } from '../src/panel/reason';

const SERVICE = 'https://widgets.example/chat';

/** The command that ends every line. */
const COMMAND = '; run: widget explain a --page https://shop.example';

beforeEach(() => void vi.stubGlobal('location', { origin: 'https://shop.example' }));
afterEach(() => void vi.unstubAllGlobals());

/**
 * A browser in which the first request fails as a network error, and the second as given. As in
 * Chromium, the report of a violation follows the failure of its request.
 */
function browser(second: 'answers' | 'fails', violation?: { uri: string; directive: string }) {
  const document = new EventTarget();
  let requests = 0;
  const fetch = async () => {
    requests += 1;
    if (violation) {
      const event = new Event('securitypolicyviolation');
      Object.assign(event, {
        blockedURI: violation.uri,
        effectiveDirective: violation.directive,
      });
      setTimeout(() => document.dispatchEvent(event));
    }
    if (requests === 1 || second === 'fails') throw new TypeError('Failed to fetch');
    return new Response();
  };
  return { document, fetch };
}

test('a policy of the page', async () => {
  const violation = { uri: `${SERVICE}/core`, directive: 'connect-src' };
  expect(await findReason(SERVICE, 'a', undefined, browser('fails', violation))).toContain(
    'add connect-src https://widgets.example',
  );
});

test('a policy that blocks something else is not the reason', async () => {
  const violation = { uri: 'https://ads.example/', directive: 'connect-src' };
  expect(await findReason(SERVICE, 'a', undefined, browser('fails', violation))).toContain(
    'extension',
  );
});

test.each([
  // As browsers show their own functions.
  ['the browser refuses the answer of the service (CORS)', Math.max],
  [
    "a script of this page changes fetch, for example to credentials: 'include', and the browser refuses the request (CORS)",
    () => {},
  ],
])('%s', async (reason, fetch) => {
  vi.stubGlobal('fetch', fetch);
  expect(await findReason(SERVICE, 'a', undefined, browser('answers'))).toBe(reason + COMMAND);
});

test('nothing arrives', async () => {
  expect(await findReason(SERVICE, 'a', undefined, browser('fails'))).toBe(
    `the network or an extension of the browser blocks the request${COMMAND}`,
  );
});

test.each([
  [200, {}, 'only the first request failed; load the page again'],
  [429, { code: 'rate_limited' }, 'the service refuses with the code rate_limited'],
  [403, { code: 'widget_unavailable' }, 'the service does not show this widget on https://shop.ex'],
  [500, null, 'the service refuses with the code 500'],
])('a second request that is answered: %i %j', async (status, body, reason) => {
  const fetch = async () => Response.json(body, { status });
  const found = await findReason(SERVICE, 'a', undefined, { document: new EventTarget(), fetch });
  expect(found.startsWith(reason)).toBe(true);
  expect(found.endsWith(COMMAND)).toBe(true);
});

test('an answer that is not of this service', async () => {
  const fetch = async () => new Response('<html>', { status: 502 });
  const document = new EventTarget();
  const add = vi.spyOn(document, 'addEventListener');
  const remove = vi.spyOn(document, 'removeEventListener');
  const reason = await findReason(SERVICE, 'a', undefined, { document, fetch });
  expect(reason).toContain('status 502');
  expect(remove.mock.calls, 'nothing listens on').toEqual(add.mock.calls);
});

test('a widget that is not shown on this page', async () => {
  const reason = await findReason(SERVICE, 'a', 'widget_unavailable', browser('fails'));
  expect(reason).toMatch(
    /^the service does not show this widget on https:\/\/shop\.example \(widget_unavailable\): /,
  );
  expect(reason.endsWith(COMMAND)).toBe(true);
});

test('another refusal keeps its code, and asks for nothing more', async () => {
  const reason = await findReason(SERVICE, 'a', 'rate_limited', browser('fails'));
  expect(reason).toBe(`the service refuses with the code rate_limited${COMMAND}`);
});
