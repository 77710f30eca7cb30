//! The conversation token: proof that a window speaks for a conversation.
//!
//! Each resume renews it, so that of two windows only one continues. The token before may repeat
//! the resume once within a minute, when an answer was lost.

use axum::extract::FromRequestParts;
use http::{HeaderMap, Method, request::Parts};
use widget_core::conversation::token::TokenValidity;

use super::page::PublicPath;
use crate::{
    state::AppState,
    storage::ConversationRecord,
    visitors::{refusals, signing::TokenError},
    web::{
        auth::bearer,
        cors::{OwnWindow, OwnWindowOrAbsent},
        problem::Problem,
    },
};

/// What the guard of the route has found.
#[derive(Debug, Clone)]
struct Shown {
    conversation: ConversationRecord,
    validity: TokenValidity,
}

/// The conversation whose newest token was shown.
#[derive(Debug)]
pub(super) struct OwnConversation(pub(super) ConversationRecord);

impl<S: Sync> FromRequestParts<S> for OwnConversation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match shown(parts)? {
            Shown {
                conversation,
                validity: TokenValidity::Current,
            } => Ok(Self(conversation)),
            Shown { .. } => Err(refusals::conversation_token_invalid()),
        }
    }
}

/// The same for a resume, which the token before may repeat.
#[derive(Debug)]
pub(super) struct ResumableConversation {
    pub(super) conversation: ConversationRecord,
    /// Whether the token before repeats its resume.
    pub(super) repeat: bool,
}

impl<S: Sync> FromRequestParts<S> for ResumableConversation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Shown {
            conversation,
            validity,
        } = shown(parts)?;
        Ok(Self {
            conversation,
            repeat: validity == TokenValidity::MayRepeat,
        })
    }
}

fn shown(parts: &mut Parts) -> Result<Shown, Problem> {
    parts
        .extensions
        .remove()
        .ok_or_else(|| Problem::internal("the route names no conversation token as its credential"))
}

/// Refuses a request that is not made by the service's own window with a good token.
pub(in crate::routes) async fn check(state: &AppState, parts: &mut Parts) -> Result<(), Problem> {
    // Browsers send no `Origin` with a `GET` that stays on one origin.
    if parts.method == Method::GET {
        OwnWindowOrAbsent::from_request_parts(parts, state).await?;
    } else {
        OwnWindow::from_request_parts(parts, state).await?;
    }
    let Ok(path) = PublicPath::from_request_parts(parts, state).await;
    let shown = read(state, &path, &parts.headers).await?;
    parts.extensions.insert(shown);
    Ok(())
}

async fn read(state: &AppState, path: &PublicPath, headers: &HeaderMap) -> Result<Shown, Problem> {
    let token = bearer(headers).ok_or_else(refusals::conversation_token_required)?;
    let claims =
        state
            .signer
            .read_conversation_token(token)
            .await
            .map_err(|error| match error {
                TokenError::Invalid | TokenError::Expired => refusals::conversation_token_invalid(),
                TokenError::Store(error) => error.into(),
                TokenError::Random(error) => error.into(),
            })?;
    if path.conversation != Some(claims.conversation_id) {
        return Err(refusals::conversation_token_invalid());
    }
    let limit = &state.rate_limits.window_requests;
    limit.check(&claims.conversation_id)?;
    let found = state
        .storage
        .find_conversation(claims.conversation_id)
        .await?;
    let conversation = found
        .filter(|found| path.widget == Some(found.web_widget_id))
        .ok_or_else(refusals::conversation_token_invalid)?;
    let (token, newest) = (claims.generation, conversation.newest());
    match conversation
        .lifecycle
        .token_validity(token, newest, state.now())
    {
        TokenValidity::Replaced => Err(refusals::conversation_token_invalid()),
        validity => Ok(Shown {
            conversation,
            validity,
        }),
    }
}
