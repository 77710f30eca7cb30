/**
 * What the embed sends to the service and gets from it.
 *
 * Generated from the bodies of `widget-api`; change those and run
 * `cargo xtask gen`.
 */
import type { Code as FieldCode } from './codes';

/** What a visitor brings to a conversation. */
export interface ConversationStart {
  /** Values of the form before the conversation, by field id. */
  form?: Record<string, unknown> | null;
  /** What the page says about itself and its visitor: at most 4 KiB of JSON. */
  custom_metadata?: Record<string, unknown> | null;
  /** Whether the visitor types or speaks; the default is in the config. */
  mode?: 'text' | 'voice';
}

/** What a window sends to resume a conversation. */
export interface ConversationResume {
  /** A new embed ticket of the same page. */
  ticket?: string | null;
  /** Whether the visitor types or speaks; the default is what it was. */
  mode?: 'text' | 'voice';
  /**
   * Whether the visitor only went to another page of the site, which the agent's worker reads with
   * the transcript.
   */
  page_changed: boolean;
  /**
   * Whether the visitor has written something that waits for the agent, which the agent's worker
   * reads with the transcript.
   */
  message_waiting?: boolean;
}

/** Proof of the page on which a widget runs. */
export interface EmbedTicket {
  /** The ticket: for this widget on this page, once. */
  ticket: string;
  /** When the ticket expires. */
  expires_at: string;
  /** The address of the window for this page. */
  window_url: string;
}

/**
 * Everything that a window needs to join, with the names that LiveKit's clients expect from a
 * token server.
 */
export interface Joining {
  /** The conversation with what was said so far. */
  conversation: VisitorConversation;
  /** Lets the window continue this conversation; a resume replaces it. */
  conversation_token: string;
  /** The address of LiveKit. */
  server_url: string;
  /** Lets the visitor join the room. */
  participant_token: string;
  /** The room; each resume has another one. */
  room_name: string;
  /** When the conversation token expires. */
  expires_at: string;
}

/** A conversation as its own visitor sees it. */
export interface VisitorConversation {
  /** Identifies the conversation. */
  id: string;
  /** The state of the conversation. */
  status: 'token_created' | 'in_progress' | 'completed' | 'failed';
  /** Whether it has not ended: decide by this, not by the status. */
  is_open: boolean;
  /** Whether the visitor types or speaks. */
  mode: 'text' | 'voice';
  /** When it was created. */
  created_at: string;
  /** What was said so far, the oldest first. */
  messages: VisitorMessage[];
}

/** A turn as the visitor sees it. */
export interface VisitorMessage {
  /** Identifies the message within its conversation. */
  id: string;
  /** Who said it. */
  role: 'visitor' | 'agent';
  /** What was said. */
  text: string;
  /** When it was said. */
  created_at: string;
}

/** Turns that a window saw. */
export interface TurnReport {
  /** The turns. */
  messages: ReportedTurn[];
}

/** A turn that a window saw. */
export interface ReportedTurn {
  /** Identifies the turn within the conversation. */
  id: string;
  /** Who said it. */
  role: 'visitor' | 'agent';
  /** What was said. */
  text: string;
  /** When it was said; the default is now. */
  created_at?: string | null;
}

/** The values of a form or of the feedback. */
export interface FormSubmission {
  /** Values by field id. */
  data: Record<string, unknown>;
}

/** What an open page of a preview asks for again and again. */
export interface PreviewState {
  /** Counts the drafts of the preview from 1. */
  revision: number;
}

/** A refusal or a failure (RFC 9457). */
export interface Problem {
  /** Always `about:blank`: `code` says what happened. */
  type: string;
  /** The name of the status. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** One sentence that says what to do. */
  detail: string;
  /** The stable machine code. */
  code: ProblemCode;
  /** The faults of the request, each with its place. */
  errors?: ProblemError[];
  /** How many faults there are, when `errors` holds only the first of them. */
  errors_total?: number;
  /** Names the request in the service's log; also in the header `X-Request-Id`. */
  request_id: string;
}

/** The stable machine code of an error answer. A client decides by it, never by the text. */
export type ProblemCode =
  | 'agent_directory_configured'
  | 'agent_in_use'
  | 'agent_not_found'
  | 'agent_version_not_found'
  | 'answer_timeout'
  | 'api_key_invalid'
  | 'api_key_required'
  | 'api_keys_full'
  | 'body_invalid'
  | 'body_timeout'
  | 'body_too_large'
  | 'body_unreadable'
  | 'brand_not_found'
  | 'budget_used_up'
  | 'config_invalid'
  | 'config_too_deep'
  | 'config_too_large'
  | 'config_too_new'
  | 'config_unversioned'
  | 'conflict'
  | 'content_type'
  | 'conversation_active'
  | 'conversation_ended'
  | 'conversation_erased'
  | 'conversation_resumed_elsewhere'
  | 'conversation_token_invalid'
  | 'conversation_token_required'
  | 'custom_metadata_too_large'
  | 'domain_invalid'
  | 'domains_invalid'
  | 'embed_not_built'
  | 'event_id_invalid'
  | 'event_streams_exhausted'
  | 'event_streams_full'
  | 'feedback_already_submitted'
  | 'feedback_closed'
  | 'feedback_disabled'
  | 'fetch_metadata'
  | 'form_invalid'
  | 'form_not_expected'
  | 'form_not_found'
  | 'head_too_large'
  | 'idempotency_key_invalid'
  | 'idempotency_key_reused'
  | 'insufficient_scope'
  | 'internal_error'
  | 'json_invalid'
  | 'livekit_not_configured'
  | 'method_not_allowed'
  | 'mode_disabled'
  | 'not_found'
  | 'origin_changed'
  | 'origin_malformed'
  | 'origin_not_own'
  | 'origin_opaque'
  | 'origin_required'
  | 'origin_scheme'
  | 'path_unknown'
  | 'precondition_failed'
  | 'previews_full'
  | 'query_invalid'
  | 'rate_limited'
  | 'record_unreadable'
  | 'registry_full'
  | 'retention_too_long'
  | 'selection_invalid'
  | 'storage_busy'
  | 'storage_full'
  | 'storage_read_only'
  | 'storage_unavailable'
  | 'ticket_expired'
  | 'ticket_invalid'
  | 'ticket_replayed'
  | 'ticket_required'
  | 'ticket_wrong_widget'
  | 'transcript_full'
  | 'voice_budget_used_up'
  | 'webhook_signature_invalid'
  | 'widget_busy'
  | 'widget_unavailable';

/** One fault of a request, at a place in its body. */
export interface ProblemError {
  /** JSON Pointer (RFC 6901) into the body; query parameters count as members of an object. */
  pointer: string;
  /** The stable machine code. */
  code: FieldCode;
  /** One sentence that says what is allowed. */
  detail: string;
  /** What to do instead, where that is known. */
  hint?: string;
}
