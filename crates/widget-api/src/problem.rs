//! Error answers (RFC 9457) and the codes that they can have.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use widget_core::finding::{Code, Finding};

use crate::{Received, words::words};

words! {
    /// The stable machine code of an error answer. A client decides by it, never by the text.
    pub enum ProblemCode {
        /// Agents are kept in the agent directory, not in the registry of this service.
        AgentDirectoryConfigured = "agent_directory_configured",
        /// A widget points at the agent, so that it cannot be deleted.
        AgentInUse = "agent_in_use",
        /// The widget points at an agent that the organization does not have.
        AgentNotFound = "agent_not_found",
        /// The widget points at an agent version that the organization does not have.
        AgentVersionNotFound = "agent_version_not_found",
        /// The service did not answer in time.
        AnswerTimeout = "answer_timeout",
        /// The API key is unknown, wrong, expired or revoked.
        ApiKeyInvalid = "api_key_invalid",
        /// No API key was sent.
        ApiKeyRequired = "api_key_required",
        /// The organization has as many valid API keys as it may have.
        ApiKeysFull = "api_keys_full",
        /// The body has another shape, or a value that is not allowed.
        BodyInvalid = "body_invalid",
        /// The body did not arrive in time.
        BodyTimeout = "body_timeout",
        /// The body is too long.
        BodyTooLarge = "body_too_large",
        /// The body ended before it was complete.
        BodyUnreadable = "body_unreadable",
        /// The website shows no brand.
        BrandNotFound = "brand_not_found",
        /// The organization or the widget has used up the conversations of this day.
        BudgetUsedUp = "budget_used_up",
        /// The config has faults.
        ConfigInvalid = "config_invalid",
        /// The config is nested too deep.
        ConfigTooDeep = "config_too_deep",
        /// The config is too long.
        ConfigTooLarge = "config_too_large",
        /// The config has a version that this service does not know.
        ConfigTooNew = "config_too_new",
        /// The config names no version.
        ConfigUnversioned = "config_unversioned",
        /// Another request changed the same record at the same time.
        Conflict = "conflict",
        /// The body is not declared as JSON.
        ContentType = "content_type",
        /// Feedback was sent before the conversation ended.
        ConversationActive = "conversation_active",
        /// The conversation is over.
        ConversationEnded = "conversation_ended",
        /// The conversation was erased.
        ConversationErased = "conversation_erased",
        /// Another window resumed the conversation at the same time.
        ConversationResumedElsewhere = "conversation_resumed_elsewhere",
        /// The conversation token is not valid or has been replaced.
        ConversationTokenInvalid = "conversation_token_invalid",
        /// No conversation token was sent.
        ConversationTokenRequired = "conversation_token_required",
        /// The page sent too much custom metadata, or its forms are too much together.
        CustomMetadataTooLarge = "custom_metadata_too_large",
        /// The text is not a domain.
        DomainInvalid = "domain_invalid",
        /// The list of domains has faults.
        DomainsInvalid = "domains_invalid",
        /// This build has no embed.
        EmbedNotBuilt = "embed_not_built",
        /// The `Last-Event-ID` is not one of this conversation's events.
        EventIdInvalid = "event_id_invalid",
        /// The node has as many event streams as it may.
        EventStreamsExhausted = "event_streams_exhausted",
        /// The API key or the organization has as many event streams as it may.
        EventStreamsFull = "event_streams_full",
        /// The conversation already has feedback.
        FeedbackAlreadySubmitted = "feedback_already_submitted",
        /// The conversation ended too long ago for feedback.
        FeedbackClosed = "feedback_closed",
        /// Feedback is disabled for the widget.
        FeedbackDisabled = "feedback_disabled",
        /// The browser says that the request was made for something else.
        FetchMetadata = "fetch_metadata",
        /// The values of a form have faults.
        FormInvalid = "form_invalid",
        /// The widget has no form before a conversation.
        FormNotExpected = "form_not_expected",
        /// The widget has no such form.
        FormNotFound = "form_not_found",
        /// The first line and the headers of the request are too long.
        HeadTooLarge = "head_too_large",
        /// The `Idempotency-Key` is malformed.
        IdempotencyKeyInvalid = "idempotency_key_invalid",
        /// The `Idempotency-Key` was used for another request.
        IdempotencyKeyReused = "idempotency_key_reused",
        /// The API key lacks the scope of the operation.
        InsufficientScope = "insufficient_scope",
        /// The service failed.
        InternalError = "internal_error",
        /// The body is not JSON.
        JsonInvalid = "json_invalid",
        /// The service has no LiveKit, so that there are no conversations.
        LivekitNotConfigured = "livekit_not_configured",
        /// The path does not accept the method.
        MethodNotAllowed = "method_not_allowed",
        /// The widget does not offer the mode.
        ModeDisabled = "mode_disabled",
        /// The organization has nothing with this id.
        NotFound = "not_found",
        /// The page is of another origin than the one on which the conversation began.
        OriginChanged = "origin_changed",
        /// The `Origin` is not one origin as browsers write it.
        OriginMalformed = "origin_malformed",
        /// Only the widget's own window may send this request.
        OriginNotOwn = "origin_not_own",
        /// The page has no origin of its own.
        OriginOpaque = "origin_opaque",
        /// No `Origin` was sent.
        OriginRequired = "origin_required",
        /// The page is neither on `https` nor on `http`.
        OriginScheme = "origin_scheme",
        /// The service has nothing at this path.
        PathUnknown = "path_unknown",
        /// The record changed since the caller read it.
        PreconditionFailed = "precondition_failed",
        /// The widget has as many previews as it may have.
        PreviewsFull = "previews_full",
        /// A query parameter is unknown or has a value that is not allowed.
        QueryInvalid = "query_invalid",
        /// Too many requests.
        RateLimited = "rate_limited",
        /// What is stored cannot be read by this version of the service.
        RecordUnreadable = "record_unreadable",
        /// The organization has as many agents or widgets, or the agent as many versions, as there
        /// may be.
        RegistryFull = "registry_full",
        /// The content would be kept longer than the service allows.
        RetentionTooLong = "retention_too_long",
        /// What selects conversations has faults, or selects by nothing.
        SelectionInvalid = "selection_invalid",
        /// Another process or request keeps the database from writing.
        StorageBusy = "storage_busy",
        /// The disk of the database is full.
        StorageFull = "storage_full",
        /// The database can be read and not written.
        StorageReadOnly = "storage_read_only",
        /// The database does not answer.
        StorageUnavailable = "storage_unavailable",
        /// The embed ticket has expired.
        TicketExpired = "ticket_expired",
        /// The embed ticket is not one of this service.
        TicketInvalid = "ticket_invalid",
        /// The embed ticket was used before.
        TicketReplayed = "ticket_replayed",
        /// No embed ticket was sent.
        TicketRequired = "ticket_required",
        /// The embed ticket is for another widget.
        TicketWrongWidget = "ticket_wrong_widget",
        /// The reporter has reported as much as is kept of one conversation.
        TranscriptFull = "transcript_full",
        /// The organization or the widget has used up the minutes of voice of this day.
        VoiceBudgetUsedUp = "voice_budget_used_up",
        /// The event is not signed by the service's LiveKit.
        WebhookSignatureInvalid = "webhook_signature_invalid",
        /// The widget or its organization has as many open conversations as it may.
        WidgetBusy = "widget_busy",
        /// The widget is not available on this page.
        WidgetUnavailable = "widget_unavailable",
    }
}

/// A refusal or a failure (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Always `about:blank`: `code` says what happened.
    pub r#type: Cow<'static, str>,
    /// The name of the status.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// One sentence that says what to do.
    pub detail: String,
    /// The stable machine code.
    pub code: Received<ProblemCode>,
    /// The faults of the request, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// How many faults there are, when `errors` holds only the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "u64"))]
    pub errors_total: Option<u64>,
    /// Names the request in the service's log; also in the header `X-Request-Id`.
    pub request_id: String,
}

/// One fault of a request, at a place in its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "ProblemError")
)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body; query parameters count as members of an object.
    pub pointer: String,
    /// The stable machine code.
    #[cfg_attr(feature = "schemars", schemars(with = "crate::schema::FieldCode"))]
    pub code: Received<Code>,
    /// One sentence that says what is allowed.
    pub detail: String,
    /// What to do instead, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub hint: Option<String>,
}

impl FieldError {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
            hint: None,
        }
    }
}

impl From<Finding> for FieldError {
    fn from(finding: Finding) -> Self {
        Self {
            pointer: finding.pointer.unwrap_or_default(),
            code: finding.code.into(),
            detail: finding.detail,
            hint: finding.hint,
        }
    }
}
