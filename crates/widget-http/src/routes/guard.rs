//! Checks the credentials that routes name, before their handlers see the request.

use http::request::Parts;

use super::public::token;
use crate::{
    state::AppState,
    telemetry,
    web::{
        api::{Credential, Guard},
        auth::{self, Caller},
        problem::Problem,
    },
};

impl Guard for AppState {
    async fn check(&self, credential: Credential, parts: &mut Parts) -> Result<(), Problem> {
        match credential {
            Credential::ApiKey(scope) => {
                let caller = authenticate(self, parts).await?;
                caller.require(scope)?;
                parts.extensions.insert(caller);
                Ok(())
            }
            Credential::AnyApiKey => {
                let caller = authenticate(self, parts).await?;
                parts.extensions.insert(caller);
                Ok(())
            }
            Credential::ConversationToken => token::check(self, parts).await,
            // Their handlers check them.
            Credential::EmbedTicket | Credential::LiveKitSignature | Credential::None => Ok(()),
        }
    }
}

/// Who calls, and that its key is used.
async fn authenticate(state: &AppState, parts: &Parts) -> Result<Caller, Problem> {
    let now = state.now();
    let caller = auth::authenticate(&parts.headers, state.storage.as_ref(), now).await?;
    telemetry::note_organization(&caller.organization_id);
    state.key_uses.note(&caller, now);
    Ok(caller)
}
