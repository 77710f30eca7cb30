/**
 * What the loader (on the host page) and the window (inside the iframe) say to each other.
 * Both sides import these types, so neither can drift; both sides also check the sender's window
 * and origin before they look at a message, and always post to an exact target origin.
 */
import type { Problem } from '../generated/api';

/** Names of the events that a host page can listen to, on `document` as `web-widget:<name>`. */
export type EventName =
  | 'ready'
  | 'open'
  | 'close'
  | 'conversation-start'
  | 'conversation-end'
  | 'message'
  | 'error';

/** Data that the host page hands to the agent; has to survive structured cloning and JSON. */
export type Context = Record<string, unknown>;

/** Why a ticket was refused, as far as the window acts upon it; `code` is `network` when no answer arrived. */
export type TicketProblem = Pick<Problem, 'code'> & {
  [part in 'detail' | 'status']?: Problem[part] | undefined;
};

/** Choices of the embedding page that override the widget's configuration. */
export interface FrameOptions {
  locale?: string | undefined;
  theme?: string | undefined;
}

export interface InitMessage {
  type: 'web-widget:init';
  /** An object, or the text of the tag's `data-context`, which the window parses. */
  context?: Context | string | undefined;
  page: { url: string; title: string };
  options: FrameOptions;
  /** A suggested question that the visitor tapped: sent as soon as the conversation starts. */
  open_with?: string | undefined;
  /** Whether the window is still wanted; the visitor may have closed it while it loaded. */
  open: boolean;
}

export type FromLoader =
  | InitMessage
  | { type: 'web-widget:ticket'; request_id: string; ticket: string }
  | { type: 'web-widget:ticket'; request_id: string; problem: TicketProblem }
  | { type: 'web-widget:visibility'; open: boolean }
  | { type: 'web-widget:context'; context: Context };

export type FromWindow =
  | { type: 'web-widget:ready' }
  | { type: 'web-widget:ticket-request'; request_id: string }
  | { type: 'web-widget:close' }
  | { type: 'web-widget:unread'; count: number }
  | { type: 'web-widget:event'; name: EventName; detail: unknown };

/** True for anything shaped like a message of this protocol; unknown types are then ignored. */
export function isMessage(data: unknown): data is { type: string } {
  return (
    typeof data === 'object' &&
    data !== null &&
    typeof (data as { type?: unknown }).type === 'string'
  );
}
