//! Errors of the visitor's side and what they mean over HTTP.

use http::{HeaderValue, StatusCode, header};
use widget_core::{
    conversation::{ConversationEnded, FeedbackError},
    id::WidgetId,
    origin::{Origin, OriginRefusal},
    serve::Refusal,
};

use super::Problem;
use crate::{livekit::MintError, signing::TokenError};

/// The one answer for a widget that is unknown, closed, or not for this page: a stranger learns nothing more.
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

impl From<OriginRefusal> for Problem {
    fn from(refusal: OriginRefusal) -> Self {
        let status = match refusal {
            OriginRefusal::Malformed => StatusCode::BAD_REQUEST,
            OriginRefusal::Absent | OriginRefusal::Opaque | OriginRefusal::ForeignScheme => {
                StatusCode::FORBIDDEN
            }
        };
        Self::new(status, refusal.code(), refusal.to_string())
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
#[must_use]
pub fn ticket_replayed() -> Problem {
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
#[must_use]
pub fn resumed_elsewhere() -> Problem {
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
