//! The conversation token: proof that a window speaks for a conversation.
//!
//! Each resume renews it, so that of two windows only one goes on. The token before may repeat the
//! resume once within a minute, for an answer that was lost on its way.

use http::HeaderMap;
use time::{Duration, OffsetDateTime};

use super::PublicPath;
use crate::{
    state::AppState,
    storage::ConversationRecord,
    visitors::signing::{ConversationPass, TokenError},
    web::{
        auth::bearer,
        problem::{Problem, visitor},
    },
};

/// How long the token before may repeat a resume whose answer was lost.
const REPEAT_WITHIN: Duration = Duration::seconds(60);

/// How a token stands to its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is the newest.
    Current,
    /// It is the one before, and may repeat its resume.
    MayRepeat,
    /// It was renewed.
    Renewed,
}

/// The conversation for which the request speaks.
pub(super) async fn require(
    state: &AppState,
    path: &PublicPath,
    headers: &HeaderMap,
) -> Result<ConversationRecord, Problem> {
    match read(state, path, headers).await? {
        (conversation, Standing::Current) => Ok(conversation),
        (_, Standing::MayRepeat | Standing::Renewed) => Err(visitor::bad_pass()),
    }
}

/// The same for a resume, which the token before may repeat; tells whether it does.
pub(super) async fn require_for_resume(
    state: &AppState,
    path: &PublicPath,
    headers: &HeaderMap,
) -> Result<(ConversationRecord, bool), Problem> {
    match read(state, path, headers).await? {
        (conversation, Standing::Current) => Ok((conversation, false)),
        (conversation, Standing::MayRepeat) => Ok((conversation, true)),
        (_, Standing::Renewed) => Err(visitor::bad_pass()),
    }
}

async fn read(
    state: &AppState,
    path: &PublicPath,
    headers: &HeaderMap,
) -> Result<(ConversationRecord, Standing), Problem> {
    let token = bearer(headers).ok_or_else(visitor::pass_required)?;
    let read = state.visitor.signer.read_pass(state.signing(), token).await;
    let pass = read.map_err(|error| match error {
        TokenError::Invalid | TokenError::Expired => visitor::bad_pass(),
        TokenError::Store(error) => error.into(),
        TokenError::Random(error) => error.into(),
    })?;
    if path.conversation != Some(pass.conversation_id) {
        return Err(visitor::bad_pass());
    }
    let found = state
        .storage
        .find_conversation(pass.conversation_id)
        .await?;
    let conversation = found.filter(|found| path.widget == Some(found.web_widget_id));
    let conversation = conversation.ok_or_else(visitor::bad_pass)?;
    let standing = standing(pass, &conversation, state.now());
    Ok((conversation, standing))
}

fn standing(
    pass: ConversationPass,
    conversation: &ConversationRecord,
    now: OffsetDateTime,
) -> Standing {
    let is_before = pass.generation + 1 == conversation.generation;
    let is_recent = now - conversation.lifecycle.token_at() <= REPEAT_WITHIN;
    if pass.generation == conversation.generation {
        Standing::Current
    } else if is_before && is_recent && !conversation.repeat_used {
        Standing::MayRepeat
    } else {
        Standing::Renewed
    }
}
