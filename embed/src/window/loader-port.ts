/**
 * Messages with the loader on the host page: one sender is accepted, at the origin we were given.
 */
import {
  type Emit,
  type FromLoader,
  type FromPreviewPage,
  type FromWindow,
  isMessage,
  type TicketProblem,
} from '../shared/messages';
import { newId } from './new-id';
import { ServiceProblem } from './service/problem';

/** How long the loader may take to fetch an embed ticket, in milliseconds. */
const TICKET_TIMEOUT = 15_000;

export interface LoaderPort {
  send(message: FromWindow): void;
  readonly emit: Emit;
  /** A new embed ticket, good for one start or resume. */
  requestTicket(): Promise<string>;
}

/** What a port needs of the browser; tests bring their own. */
export interface PortEnvironment {
  parent: unknown;
  post(message: FromWindow, origin: string): void;
  listen(onMessage: (event: MessageEvent) => void): void;
}

export function createLoaderPort(
  origin: string,
  receive: (message: FromLoader | FromPreviewPage) => void,
  environment: PortEnvironment,
): LoaderPort {
  const waiting = new Map<string, (answer: string | TicketProblem) => void>();
  const send = (message: FromWindow) => environment.post(message, origin);

  environment.listen(({ source, origin: sender, data }) => {
    if (source !== environment.parent || sender !== origin || !isMessage(data)) return;
    const message = data as FromLoader | FromPreviewPage;
    if (message.type === 'web-widget:ticket') {
      // The page as it is now, for the start or resume that has asked.
      if ('page' in message && message.page)
        receive({ type: 'web-widget:page', page: message.page });
      waiting.get(message.request_id)?.('ticket' in message ? message.ticket : message.problem);
      waiting.delete(message.request_id);
    } else {
      receive(message);
    }
  });

  return {
    send,
    emit: (name, ...[detail = {}]) => send({ type: 'web-widget:event', name, detail }),
    requestTicket: () =>
      new Promise((resolve, reject) => {
        const request_id = newId();
        const timer = setTimeout(() => {
          waiting.delete(request_id);
          reject(new ServiceProblem('network'));
        }, TICKET_TIMEOUT);
        waiting.set(request_id, (answer) => {
          clearTimeout(timer);
          if (typeof answer === 'string') resolve(answer);
          else reject(new ServiceProblem(answer?.code ?? 'network', answer?.status ?? 0));
        });
        send({ type: 'web-widget:ticket-request', request_id });
      }),
  };
}

export function browserEnvironment(): PortEnvironment {
  return {
    parent: window.parent,
    post: (message, origin) => window.parent.postMessage(message, origin),
    listen: (onMessage) => window.addEventListener('message', onMessage),
  };
}
