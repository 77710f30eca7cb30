//! Errors of the visitor's side and what they mean over HTTP.

use http::{HeaderValue, StatusCode, header};
use widget_core::{
    conversation::{ConversationEnded, FeedbackError, ModeDisabled},
    id::WidgetId,
    origin::{Origin, OriginHeaderError},
    serve::{DispatchError, Refusal},
};

use super::{FieldError, Problem};
use crate::{
    livekit::MintError,
    storage::{CreateConversationError, ResumeError, SaveFeedbackError},
    visitors::signing::TokenError,
};

/// The one answer for a widget that is unknown, closed, or not for this page: a stranger learns
/// nothing more.
fn unavailable() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        Refusal::PUBLIC_CODE,
        "this widget is not available on this page; its owner learns why with `widget explain`",
    )
}

/// The answer for an id that names no widget.
#[must_use]
pub fn unknown_widget() -> Problem {
    unavailable().with_cause("there is no widget with this id")
}

/// The answer for a page that the widget does not serve; the log tells every reason.
#[must_use]
pub fn refused(id: WidgetId, origin: &Origin, refusal: &Refusal) -> Problem {
    unavailable().with_cause(format!(
        "widget `{id}` does not serve `{origin}`: {refusal}"
    ))
}

impl From<OriginHeaderError> for Problem {
    fn from(error: OriginHeaderError) -> Self {
        let status = match error {
            OriginHeaderError::Malformed => StatusCode::BAD_REQUEST,
            OriginHeaderError::Absent
            | OriginHeaderError::Opaque
            | OriginHeaderError::ForeignScheme => StatusCode::FORBIDDEN,
        };
        Self::new(status, error.code().as_str(), error.to_string())
    }
}

impl From<DispatchError> for Problem {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::OtherOrigin => origin_changed(),
            // The token names a conversation of the widget in the path.
            DispatchError::OtherWidget => Self::internal(error),
        }
    }
}

impl From<ConversationEnded> for Problem {
    fn from(ended: ConversationEnded) -> Self {
        Self::new(StatusCode::CONFLICT, ended.code(), ended.to_string())
    }
}

impl From<FeedbackError> for Problem {
    fn from(error: FeedbackError) -> Self {
        Self::new(StatusCode::CONFLICT, error.code(), error.to_string())
    }
}

impl From<ModeDisabled> for Problem {
    fn from(error: ModeDisabled) -> Self {
        let fault = FieldError::new("/mode", error.code(), error.to_string());
        Self::unprocessable(error.code(), error.to_string()).with_error(fault)
    }
}

impl From<CreateConversationError> for Problem {
    fn from(error: CreateConversationError) -> Self {
        match error {
            CreateConversationError::TicketReplayed => ticket_replayed(),
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
            ResumeError::Store(error) => error.into(),
        }
    }
}

impl From<SaveFeedbackError> for Problem {
    fn from(error: SaveFeedbackError) -> Self {
        match error {
            SaveFeedbackError::Refused(error) => error.into(),
            SaveFeedbackError::Missing => bad_pass(),
            SaveFeedbackError::Store(error) => error.into(),
        }
    }
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Self {
        Self::internal(error)
    }
}

/// A request without a token, or with one that is refused.
#[must_use]
pub fn unauthorized(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// A ticket that is refused for what it is.
#[must_use]
pub fn bad_ticket(error: TokenError) -> Problem {
    match error {
        TokenError::Invalid => unauthorized(
            "ticket_invalid",
            "the ticket is not one of this service; ask for a new one",
        ),
        TokenError::Expired => unauthorized(
            "ticket_expired",
            "the ticket has expired; ask for a new one",
        ),
        TokenError::Store(error) => error.into(),
        TokenError::Random(error) => error.into(),
    }
}

/// A conversation token that is forged, rotated, expired, or of another conversation: all the same.
#[must_use]
pub fn bad_pass() -> Problem {
    unauthorized(
        "conversation_token_invalid",
        "the conversation token is not valid (any more); it may have been renewed in another tab",
    )
}

/// No conversation token was sent.
#[must_use]
pub fn pass_required() -> Problem {
    unauthorized(
        "conversation_token_required",
        "send the conversation token as `Authorization: Bearer …`",
    )
}

/// The window has reported more than a conversation can be.
#[must_use]
pub fn transcript_full() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "transcript_full",
        "the window has reported as much as is kept of one conversation",
    )
}

/// The widget has no form of this id.
#[must_use]
pub fn no_such_form() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "form_not_found",
        "this widget has no form with this id",
    )
}

/// No ticket was sent.
#[must_use]
pub fn ticket_required() -> Problem {
    unauthorized(
        "ticket_required",
        "this needs an embed ticket, which the loader gets for its page",
    )
}

/// A good ticket, for something else.
#[must_use]
pub fn ticket_wrong_widget() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "ticket_wrong_widget",
        "the ticket is for another widget",
    )
}

/// A good ticket, used before.
fn ticket_replayed() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "ticket_replayed",
        "the ticket was used before; ask for a new one",
    )
}

/// A good ticket of another page than the one that started the conversation.
#[must_use]
pub fn origin_changed() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "origin_changed",
        "the conversation was started on a page of another origin; start a new one here",
    )
}

/// Two windows resumed at the same time, and the other one won.
fn resumed_elsewhere() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "conversation_resumed_elsewhere",
        "the conversation was resumed at the same time by somebody else",
    )
}

/// This service was started without a LiveKit.
#[must_use]
pub fn livekit_not_configured() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "livekit_not_configured",
        "conversations are not set up; the operator sets LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    )
}

/// This build carries no embed.
#[must_use]
pub fn embed_not_built() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "embed_not_built",
        "this debug build has no embed; run `npm --prefix embed ci && npm --prefix embed run build`",
    )
}
