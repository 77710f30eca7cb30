//! Webhooks: the proof that an event comes from this service's LiveKit.

use base64::{Engine, engine::general_purpose};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

use super::{client::LiveKit, tokens::ParticipantTokens};
use crate::web::jwt::{self, Untrusted};

/// How much LiveKit's clock may differ from ours where a webhook's token is concerned.
const CLOCK_DIFFERENCE: Duration = Duration::seconds(60);

#[derive(Deserialize)]
struct WebhookClaims {
    iss: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    sha256: String,
}

impl LiveKit {
    /// Verifies that a webhook with this `Authorization` field and body comes from LiveKit.
    ///
    /// # Errors
    /// [`Untrusted`] when it does not, or when its body was changed.
    pub(crate) fn verify_webhook(
        &self,
        token: &str,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), Untrusted> {
        let ParticipantTokens {
            api_key,
            api_secret,
        } = &self.tokens;
        let claims: WebhookClaims =
            jwt::verify(token, None, None, api_secret.expose_secret().as_bytes())?;
        if claims.iss != *api_key {
            return Err(Untrusted::because("it is signed with another key"));
        }
        let seconds = |value| {
            OffsetDateTime::from_unix_timestamp(value).unwrap_or(OffsetDateTime::UNIX_EPOCH)
        };
        if now - CLOCK_DIFFERENCE >= seconds(claims.exp)
            || now + CLOCK_DIFFERENCE < seconds(claims.nbf)
        {
            return Err(Untrusted::because("it is not valid at this time"));
        }
        let stated = general_purpose::STANDARD
            .decode(claims.sha256)
            .map_err(|_| Untrusted::because("it has no hash of the body"))?;
        let is_same: bool = Sha256::digest(body).as_slice().ct_eq(&stated).into();
        if is_same {
            Ok(())
        } else {
            Err(Untrusted::because("it was made for another body"))
        }
    }
}
