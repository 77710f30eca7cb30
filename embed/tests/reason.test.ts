/** The console says what stands between the page and the service. */
import { expect, test } from 'vitest';
import { findReason } from '../src/panel/reason';

const SERVICE = 'https://widgets.example/chat';

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
  expect(await findReason(SERVICE, 'a', browser('fails', violation))).toContain(
    'add connect-src https://widgets.example',
  );
});

test('a policy that blocks something else is not the reason', async () => {
  const violation = { uri: 'https://ads.example/', directive: 'connect-src' };
  expect(await findReason(SERVICE, 'a', browser('fails', violation))).toContain('extension');
});

test('an answer that the page may not read', async () => {
  expect(await findReason(SERVICE, 'a', browser('answers'))).toContain('(CORS)');
});

test('nothing arrives', async () => {
  expect(await findReason(SERVICE, 'a', browser('fails'))).toContain('extension');
});

test('an answer that is not of this service', async () => {
  const fetch = async () => new Response('<html>', { status: 502 });
  const reason = await findReason(SERVICE, 'a', { document: new EventTarget(), fetch });
  expect(reason).toContain('status 502');
});
