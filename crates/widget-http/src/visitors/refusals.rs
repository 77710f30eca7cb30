//! The problems with which the service refuses visitors.

use http::{HeaderValue, header};
use widget_api::ProblemCode;
use widget_core::{
    finding::Findings,
    id::WidgetId,
    origin::Origin,
    serve::{DispatchError, Refusal},
};

use crate::{
    storage::{
        AppendError, CreateConversationError, ReserveVoiceError, ResumeError, SaveFeedbackError,
        SaveFormError,
    },
    visitors::signing::TokenError,
    web::problem::Problem,
};

/// The one answer for a widget that is unknown, closed, or not for this page: only the log has
/// the reason.
fn unavailable() -> Problem {
    Problem::new(
        ProblemCode::WidgetUnavailable,
        "this widget is not available on this page; its owner learns why with `widget explain`",
    )
}

/// The answer for an id that names no widget.
#[must_use]
pub fn unknown_widget() -> Problem {
    unavailable().with_cause("there is no widget with this id that can be read")
}

/// The answer for what is asked of a preview that has ended or never was.
#[must_use]
pub fn unknown_preview() -> Problem {
    unavailable().with_cause("there is no such preview, or it has ended")
}

/// The answer for a page that the widget does not serve; the log has every reason.
#[must_use]
pub fn refused(id: WidgetId, origin: &Origin, refusal: &Refusal) -> Problem {
    unavailable().with_cause(format!(
        "widget `{id}` does not serve `{origin}`: {refusal}"
    ))
}

impl From<DispatchError> for Problem {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::OtherOrigin => origin_changed(),
            DispatchError::OtherPreview => conversation_token_invalid(),
            // The token names a conversation of the widget in the path.
            DispatchError::OtherWidget => Self::internal(error),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full(full) => Self::new(ProblemCode::TranscriptFull, full.to_string()),
            AppendError::Store(error) => error.into(),
        }
    }
}

impl From<CreateConversationError> for Problem {
    fn from(error: CreateConversationError) -> Self {
        match error {
            CreateConversationError::TicketReplayed => ticket_replayed(),
            CreateConversationError::OverBudget(error) => error.into(),
            CreateConversationError::PreviewEnded => unknown_preview(),
            CreateConversationError::Store(error) => error.into(),
        }
    }
}

impl From<ResumeError> for Problem {
    fn from(error: ResumeError) -> Self {
        match error {
            ResumeError::TicketReplayed => ticket_replayed(),
            ResumeError::Ended(ended) => ended.into(),
            ResumeError::Stale => resumed_elsewhere(),
            ResumeError::OverBudget(error) => error.into(),
            ResumeError::Store(error) => error.into(),
        }
    }
}

impl From<ReserveVoiceError> for Problem {
    fn from(error: ReserveVoiceError) -> Self {
        match error {
            ReserveVoiceError::OverBudget(error) => error.into(),
            ReserveVoiceError::Ended(ended) => ended.into(),
            ReserveVoiceError::Missing => conversation_token_invalid(),
            ReserveVoiceError::Store(error) => error.into(),
        }
    }
}

impl From<SaveFormError> for Problem {
    fn from(error: SaveFormError) -> Self {
        match error {
            SaveFormError::Full(full) => {
                Self::new(ProblemCode::CustomMetadataTooLarge, full.to_string())
            }
            SaveFormError::Store(error) => error.into(),
        }
    }
}

impl From<SaveFeedbackError> for Problem {
    fn from(error: SaveFeedbackError) -> Self {
        match error {
            SaveFeedbackError::Refused(error) => error.into(),
            SaveFeedbackError::Missing => conversation_token_invalid(),
            SaveFeedbackError::Store(error) => error.into(),
        }
    }
}

/// A request without a token, or with one that is refused.
#[must_use]
pub fn unauthorized(code: ProblemCode, detail: &str) -> Problem {
    Problem::new(code, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// A ticket that is refused for what it is.
#[must_use]
pub fn token_refused(error: TokenError) -> Problem {
    match error {
        TokenError::Invalid => unauthorized(
            ProblemCode::TicketInvalid,
            "the ticket is not one of this service; ask for a new one",
        ),
        TokenError::Expired => unauthorized(
            ProblemCode::TicketExpired,
            "the ticket has expired; ask for a new one",
        ),
        TokenError::Store(error) => error.into(),
        TokenError::Random(error) => error.into(),
    }
}

/// A conversation token that is forged, rotated, expired, or of another conversation: all the same.
#[must_use]
pub fn conversation_token_invalid() -> Problem {
    unauthorized(
        ProblemCode::ConversationTokenInvalid,
        "the conversation token is not valid; it may have been renewed in another tab",
    )
}

/// No conversation token was sent.
#[must_use]
pub fn conversation_token_required() -> Problem {
    unauthorized(
        ProblemCode::ConversationTokenRequired,
        "send the conversation token as `Authorization: Bearer …`",
    )
}

/// Turns that are not accepted, with every fault.
#[must_use]
pub fn turns_invalid(findings: Findings) -> Problem {
    Problem::new(
        ProblemCode::BodyInvalid,
        "the messages were rejected; see `errors`",
    )
    .with_findings(findings)
}

/// The widget has no form of this id.
#[must_use]
pub fn no_such_form() -> Problem {
    Problem::new(
        ProblemCode::FormNotFound,
        "this widget has no form with this id",
    )
}

/// No ticket was sent.
#[must_use]
pub fn ticket_required() -> Problem {
    unauthorized(
        ProblemCode::TicketRequired,
        "send an embed ticket; the loader requests one for its page",
    )
}

/// A valid ticket, but of another widget.
#[must_use]
pub fn ticket_wrong_widget() -> Problem {
    Problem::new(
        ProblemCode::TicketWrongWidget,
        "the ticket is for another widget",
    )
}

/// A valid ticket that was used before.
fn ticket_replayed() -> Problem {
    Problem::new(
        ProblemCode::TicketReplayed,
        "the ticket was used before; ask for a new one",
    )
}

/// A valid ticket of a page with another origin than the one that started the conversation.
#[must_use]
pub fn origin_changed() -> Problem {
    Problem::new(
        ProblemCode::OriginChanged,
        "the conversation was started on a page of another origin; start a new one here",
    )
}

/// Two windows resumed at the same time, and the other one was first.
fn resumed_elsewhere() -> Problem {
    Problem::new(
        ProblemCode::ConversationResumedElsewhere,
        "the conversation was resumed at the same time in another window",
    )
}

/// This service was started without a LiveKit.
#[must_use]
pub fn livekit_not_configured() -> Problem {
    Problem::new(
        ProblemCode::LivekitNotConfigured,
        "conversations are not set up; the operator sets LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    )
}

/// This build carries no embed.
#[must_use]
pub fn embed_not_built() -> Problem {
    Problem::new(
        ProblemCode::EmbedNotBuilt,
        "this debug build has no embed; run `npm --prefix embed ci && npm --prefix embed run build`",
    )
}
