/**
 * Finds out why the service says nothing about a widget: browsers do not say why a request failed.
 */
import type { ProblemCode } from '../shared/codes';

/** How long the report of a blocked request may follow its failure, in milliseconds. */
const REPORT_TIME = 100;

/** What the search needs of the browser; tests bring their own. */
export interface Browser {
  fetch: typeof fetch;
  document: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
}

/** The code of a service that does not show the widget on this page. */
const NOT_SHOWN: ProblemCode = 'widget_unavailable';

/**
 * Explains a refusal; where no answer has arrived, asks once more, and says what happens. The panel
 * script itself came from the service, which therefore can be reached. Ends with the command that
 * makes the decision of the service once more, in the words of the loader.
 */
export async function findReason(
  service: string,
  id: string,
  code?: string,
  browser: Browser = { fetch: (...request) => fetch(...request), document },
): Promise<string> {
  const reason = code ? explainRefusal(code) : await explainSilence(service, id, browser);
  return `${reason}; run: widget explain ${id} --page ${location.origin}`;
}

async function explainSilence(service: string, id: string, browser: Browser): Promise<string> {
  const { origin } = new URL(service);
  const address = `${service}/core/public/web-widgets/${id}`;
  let directive = '';
  const onViolation = (event: Event) => {
    const { blockedURI, effectiveDirective } = event as SecurityPolicyViolationEvent;
    if (blockedURI.startsWith(origin)) directive = effectiveDirective;
  };
  browser.document.addEventListener('securitypolicyviolation', onViolation);
  let answers = false;
  try {
    const answer = await browser.fetch(address).catch(() => null);
    if (answer) return await explainAnswer(answer);
    answers = await browser.fetch(address, { mode: 'no-cors' }).then(
      () => true,
      () => false,
    );
    // Browsers report what a policy has blocked in a task that follows the failure.
    await new Promise((resolve) => setTimeout(resolve, REPORT_TIME));
  } finally {
    browser.document.removeEventListener('securitypolicyviolation', onViolation);
  }
  if (directive)
    return `the Content-Security-Policy of this page blocks the request; add ${directive} ${origin}`;
  if (answers)
    return isWrapped()
      ? "a script of this page changes fetch, for example to credentials: 'include', and the browser refuses the request (CORS)"
      : 'the browser refuses the answer of the service (CORS)';
  return 'the network or an extension of the browser blocks the request';
}

/** The first request has failed, or its answer was not that of the service. */
async function explainAnswer(answer: Response): Promise<string> {
  const { ok, status } = answer;
  const body: unknown = await answer.json().catch(() => undefined);
  if (body === undefined)
    return `the service answered with status ${status} and without JSON; look at the proxy`;
  if (ok) return 'only the first request failed; load the page again';
  return explainRefusal((body as { code?: string } | null)?.code ?? `${status}`);
}

function explainRefusal(code: string): string {
  return code === NOT_SHOWN
    ? `the service does not show this widget on ${location.origin} (${code}): unknown id, not published, or the site is not on its list`
    : `the service refuses with the code ${code}`;
}

/** Monitoring scripts replace `fetch`, and may add headers or credentials. */
function isWrapped(): boolean {
  return !String(fetch).includes('[native code]');
}
