/** The console says what stands between the page and the service. */
import { afterEach, expect, test, vi } from 'vitest';
import { findReason } from '../src/panel/reason';

const SERVICE = 'https://widgets.example/chat';

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

test('an answer that the page may not read', async () => {
  expect(await findReason(SERVICE, 'a', undefined, browser('answers'))).toContain('(CORS)');
});

test('nothing arrives', async () => {
  expect(await findReason(SERVICE, 'a', undefined, browser('fails'))).toContain('extension');
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

test('a widget that is not shown on this page, with a command for its owner', async () => {
  vi.stubGlobal('location', { origin: 'https://shop.example' });
  const reason = await findReason(SERVICE, 'a', 'widget_unavailable', browser('fails'));
  expect(reason).toContain('does not show this widget on https://shop.example');
  expect(reason).toContain(
    'curl -H "Authorization: Bearer $KEY" https://widgets.example/chat/core/web-widgets/a | ' +
      'widget explain - --page https://shop.example',
  );
});

test('another refusal keeps its code, and asks for nothing more', async () => {
  const reason = await findReason(SERVICE, 'a', 'rate_limited', browser('fails'));
  expect(reason).toBe('the service refuses with the code rate_limited');
});
