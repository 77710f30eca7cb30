/** The public HTTP API as the window uses it. Same origin, JSON only, no cookies. */
import type {
  ConversationResume,
  ConversationStart,
  FormSubmission,
  Joining,
  Problem,
  ReportedTurn,
  TurnReport,
  VisitorConversation,
} from '../../generated/api';
import { ServiceProblem } from './problem';

export type FormValues = FormSubmission['data'];

/** In milliseconds; the service usually answers within a few. */
const REQUEST_TIMEOUT = 15_000;
/** What browsers send for a page that is gone is 64 KiB at most, for all requests together. */
const MAX_KEEPALIVE_BYTES = 60_000;

export interface Service {
  start(embedTicket: string, body: ConversationStart): Promise<Joining>;
  resume(id: string, token: string, body: ConversationResume): Promise<Joining>;
  read(id: string, token: string): Promise<VisitorConversation>;
  /** Asks whether the visitor may speak now. */
  reserveVoice(id: string, token: string): Promise<void>;
  end(id: string, token: string): Promise<void>;
  report(id: string, token: string, messages: ReportedTurn[]): Promise<void>;
  submitForm(id: string, token: string, formId: string, values: FormValues): Promise<void>;
  submitFeedback(id: string, token: string, values: FormValues): Promise<void>;
}

export function createService(widgetId: string, send: typeof fetch = fetch): Service {
  const base = `/core/public/web-widgets/${widgetId}/conversations`;

  /** `outlives`: the request is completed also when the page is closed meanwhile. */
  async function call<T>(
    path: string,
    bearer: string,
    body?: object,
    outlives = false,
  ): Promise<T> {
    const text = body ? JSON.stringify(body) : null;
    const headers: Record<string, string> = { Authorization: `Bearer ${bearer}` };
    if (body) headers['Content-Type'] = 'application/json';
    let response: Response;
    let answer: unknown = null;
    try {
      response = await send(base + path, {
        method: body ? 'POST' : 'GET',
        headers,
        body: text,
        keepalive: outlives && new Blob([text ?? '']).size <= MAX_KEEPALIVE_BYTES,
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT),
      });
      const received = await response.text();
      answer = received ? JSON.parse(received) : null;
    } catch {
      throw new ServiceProblem('network');
    }
    if (response.ok) return answer as T;
    const { code, errors } = (answer ?? {}) as Partial<Problem>;
    throw new ServiceProblem(code ?? 'unknown', response.status, errors);
  }

  return {
    start: (ticket, body) => call('', ticket, body),
    resume: (id, token, body) => call(`/${id}/resume`, token, body),
    read: (id, token) => call(`/${id}`, token),
    reserveVoice: (id, token) => call(`/${id}/voice`, token, {}),
    end: (id, token) => call(`/${id}/end`, token, {}, true),
    report: (id, token, messages) =>
      call(`/${id}/messages`, token, { messages } satisfies TurnReport, true),
    submitForm: (id, token, formId, data) =>
      call(`/${id}/forms/${formId}`, token, { data } satisfies FormSubmission),
    submitFeedback: (id, token, data) =>
      call(`/${id}/feedback`, token, { data } satisfies FormSubmission),
  };
}
