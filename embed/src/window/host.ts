/** The page around the iframe, reached only through the loader and only at the origin we were given. */
import {
  type EventName,
  type FromLoader,
  type FromWindow,
  isMessage,
  type TicketProblem,
} from '../shared/messages';
import { newId } from './identifier';
import { ServiceProblem } from './problem';

/** How long the loader may take to fetch a ticket, in milliseconds. */
const TICKET_PATIENCE = 15_000;

export interface Host {
  send(message: FromWindow): void;
  emit(name: EventName, detail?: object): void;
  /** A fresh single-use ticket; asked for right before each start and resume. */
  ticket(): Promise<string>;
}

type Post = (message: FromWindow, origin: string) => void;

export function createHost(
  origin: string,
  receive: (message: FromLoader) => void,
  environment: { parent: unknown; post: Post; listen: (take: (e: MessageEvent) => void) => void },
): Host {
  const waiting = new Map<string, (answer: string | TicketProblem) => void>();
  const send = (message: FromWindow) => environment.post(message, origin);

  environment.listen(({ source, origin: sender, data }) => {
    if (source !== environment.parent || sender !== origin || !isMessage(data)) return;
    const message = data as FromLoader;
    if (message.type === 'web-widget:ticket') {
      waiting.get(message.request_id)?.('ticket' in message ? message.ticket : message.problem);
      waiting.delete(message.request_id);
    } else {
      receive(message);
    }
  });

  return {
    send,
    emit: (name, detail = {}) => send({ type: 'web-widget:event', name, detail }),
    ticket: () =>
      new Promise((resolve, reject) => {
        const request_id = newId();
        const timer = setTimeout(() => {
          waiting.delete(request_id);
          reject(new ServiceProblem('network'));
        }, TICKET_PATIENCE);
        waiting.set(request_id, (answer) => {
          clearTimeout(timer);
          if (typeof answer === 'string') resolve(answer);
          else reject(new ServiceProblem(answer?.code ?? 'network', answer?.status ?? 0));
        });
        send({ type: 'web-widget:ticket-request', request_id });
      }),
  };
}

/** The real surroundings of the window. */
export function browserEnvironment(): Parameters<typeof createHost>[2] {
  return {
    parent: window.parent,
    post: (message, origin) => window.parent.postMessage(message, origin),
    listen: (take) => window.addEventListener('message', take),
  };
}
