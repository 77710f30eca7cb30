//! Checks the credentials that routes name, before their handlers see the request.

use http::request::Parts;

use super::public::token;
use crate::{
    state::AppState,
    web::{
        api::{Credential, Guard},
        auth,
        problem::Problem,
    },
};

impl Guard for AppState {
    async fn check(&self, credential: Credential, parts: &mut Parts) -> Result<(), Problem> {
        match credential {
            Credential::ApiKey(scope) => {
                let storage = self.storage.as_ref();
                let caller = auth::authenticate(&parts.headers, storage, self.now()).await?;
                caller.require(scope)?;
                parts.extensions.insert(caller);
                Ok(())
            }
            Credential::ConversationToken => token::check(self, parts).await,
            // A ticket is used up by what is written with it, and LiveKit signs the whole body.
            Credential::EmbedTicket | Credential::LiveKitSignature | Credential::None => Ok(()),
        }
    }
}
