/**
 * What the embed sends to the service and gets from it.
 *
 * Generated from the bodies of `widget-http`; change those and run
 * `cargo run -p widget-schema -- write`.
 */

/** What a visitor brings to a conversation. */
export interface ConversationStart {
  /** Values of the form before the conversation, by field id. */
  form?: Record<string, unknown> | null;
  /** What the page tells about itself and its visitor: at most 4 KiB of JSON. */
  custom_metadata?: Record<string, unknown> | null;
  /** Whether the visitor types or speaks; as configured, when not told. */
  mode?: 'text' | 'voice';
}

/** Proof of where a widget runs. */
export interface EmbedTicket {
  /** The ticket: for this widget on this page, once. */
  ticket: string;
  /** Until when it is good. */
  expires_at: string;
  /** The address of the window for this page. */
  window_url: string;
}

/**
 * Everything that a window needs to join: named as LiveKit's clients expect it of a token server.
 */
export interface Joining {
  /** The conversation with what was said so far. */
  conversation: VisitorConversation;
  /** Lets the window go on with this conversation; a resume replaces it. */
  conversation_token: string;
  /** Where LiveKit is. */
  server_url: string;
  /** Lets the visitor join the room. */
  participant_token: string;
  /** The room; each resume has another one. */
  room_name: string;
  /** The end of the conversation token's life. */
  expires_at: string;
}

/** A conversation as its own visitor sees it. */
export interface VisitorConversation {
  /** Names the conversation. */
  id: string;
  /** Where it stands. */
  status: 'token_created' | 'in_progress' | 'completed' | 'failed';
  /** Whether the visitor types or speaks. */
  mode: 'text' | 'voice';
  /** When it was created. */
  created_at: string;
  /** What was said so far, the oldest first. */
  messages: VisitorMessage[];
}

/** A turn as the visitor sees it. */
export interface VisitorMessage {
  /** Names the message within its conversation. */
  id: string;
  /** Who said it. */
  role: 'visitor' | 'agent';
  /** What was said. */
  text: string;
  /** When it was said. */
  created_at: string;
}

/** A refusal or a failure (RFC 9457). */
export interface Problem {
  /** Always `about:blank`: what happened is told by `code`. */
  type: string;
  /** The name of the status. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** One sentence that says what to do. */
  detail: string;
  /** Stable machine code. */
  code: string;
  /** Every fault of the request with its place. */
  errors?: ProblemError[];
  /** Names the request in the service's log; also in the header `X-Request-Id`. */
  request_id: string;
}

/** One fault of a request, at a place in its body. */
export interface ProblemError {
  /** JSON Pointer (RFC 6901) into the body; query parameters count as members of an object. */
  pointer: string;
  /** Stable machine code. */
  code: string;
  /** One sentence that says what is allowed. */
  detail: string;
  /** What to do instead, where that is known. */
  hint?: string;
}
