/**
 * The messages between the loader (on the host page) and the window (inside the iframe). Both sides
 * import these types, check the sender's window and origin before they read a message, and always
 * post to an exact target origin.
 */
import type {
  WebWidgetContext,
  WebWidgetEventName,
  WebWidgetEvents,
} from '../../packages/web-widget/src/types';
import type { Config } from '../window/config';
import type { EventCode, FailureCode } from './codes';

/** Names of the events that a host page can listen to, on `document` as `web-widget:<name>`. */
export type EventName = WebWidgetEventName;

/** What an event says beside the id of the widget, which the loader adds. */
export type EventDetail<Name extends EventName> = Name extends 'error'
  ? { code: EventCode }
  : Omit<WebWidgetEvents[Name], 'id'>;

/** Reports an event; the detail may be left out where all of it is optional. */
export type Emit = <Name extends EventName>(
  name: Name,
  ...detail: object extends EventDetail<Name> ? [EventDetail<Name>?] : [EventDetail<Name>]
) => void;

/** What the host page says to the agent; has to survive JSON. */
export type Context = WebWidgetContext;

/**
 * Why there is no embed ticket: parts of the service's problem, or nothing when no answer arrived.
 */
export interface TicketProblem {
  code?: FailureCode | undefined;
  status?: number | undefined;
}

/** Choices of the host page that override the widget's configuration. */
export interface FrameOptions {
  locale?: string | undefined;
  theme?: string | undefined;
}

/** The page as it is now: a single-page site changes it without loading anything. */
export interface PageState {
  url: string;
  title: string;
}

export interface InitMessage {
  type: 'web-widget:init';
  /** An object, or the text of the tag's `data-context`, which the window then parses. */
  context?: Context | string | undefined;
  page: PageState;
  options: FrameOptions;
  /** A suggested question that the visitor tapped, to be sent at once. */
  open_with?: string | undefined;
  /** False when the visitor closed the window while it loaded. */
  open: boolean;
  /** The page before in this tab had the window, which leaves for this one what it had. */
  returning?: boolean;
  /** The window opens by itself, as it was open before; an earlier panel does not say. */
  reopened?: boolean;
  /** The window takes the whole page, and cannot be enlarged. */
  full?: boolean;
  /** Whether the visitor has tapped or typed anything on the page or on the one before. */
  touched?: boolean;
}

/** A running call, in the visitor's language, for the launcher of a closed window. */
export interface CallInfo {
  /** What the agent or the visitor is doing. */
  status: string;
  isMuted: boolean;
  /** Labels of the two buttons. */
  mute: string;
  end_call: string;
}

/** A call that the visitor has to continue: nobody is heard, and it can be ended. */
export type PausedCallInfo = Pick<CallInfo, 'status' | 'end_call'>;

/** What there is of a call. A panel of an earlier build knows no `paused`, and sees no call. */
export type CallState = { call: CallInfo } | { call: null; paused?: PausedCallInfo };

/** Messages that arrived while the window is closed. */
export interface UnreadInfo {
  count: number;
  /** The beginning of the newest one as plain text; empty while there is none to show. */
  preview: string;
}

export type FromLoader =
  | InitMessage
  | { type: 'web-widget:ticket'; request_id: string; ticket: string; page?: PageState }
  | { type: 'web-widget:ticket'; request_id: string; problem: TicketProblem }
  | { type: 'web-widget:page'; page: PageState }
  /** `open_with`: a suggested question that the visitor tapped, to be sent at once. */
  | { type: 'web-widget:visibility'; open: boolean; open_with?: string | undefined }
  | { type: 'web-widget:context'; context: Context }
  /** A button of a closed window's call. */
  | { type: 'web-widget:call-action'; action: 'mute' | 'unmute' | 'end' };

/** Another draft, from a page of the service itself that shows a preview. */
export interface FromPreviewPage {
  type: 'web-widget:config';
  config: Config;
}

export type FromWindow =
  /** `drawsLater`: `drawn` follows. A window of an earlier build does not say when it is drawn. */
  | { type: 'web-widget:ready'; drawsLater?: boolean }
  /** There is something to see, with a way out. */
  | { type: 'web-widget:drawn' }
  | { type: 'web-widget:ticket-request'; request_id: string }
  | { type: 'web-widget:close' }
  | ({ type: 'web-widget:unread' } & UnreadInfo)
  /** The visitor wants a larger window, or the usual one. */
  | { type: 'web-widget:expand'; isExpanded: boolean }
  /** The state of the call has changed. */
  | ({ type: 'web-widget:call' } & CallState)
  | { type: 'web-widget:event'; name: EventName; detail: EventDetail<EventName> };

/** True for anything shaped like a message of this protocol; unknown types are ignored later. */
export function isMessage(data: unknown): data is { type: string } {
  return (
    typeof data === 'object' &&
    data !== null &&
    typeof (data as { type?: unknown }).type === 'string'
  );
}
