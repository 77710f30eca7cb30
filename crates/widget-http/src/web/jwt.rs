//! JSON Web Tokens with everything fixed that an attacker could choose: one algorithm, one type,
//! one audience each.
//!
//! LiveKit's own tokens and ours go through here. Times are compared with the service's clock, not
//! the machine's.

use std::sync::Once;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Serialize, de::DeserializeOwned};

/// The only algorithm that is written or read: both sides are the same operator, so a shared secret
/// is enough.
const ALGORITHM: Algorithm = Algorithm::HS256;

/// Bytes above which nothing is even decoded; the longest token we write has under 1 KiB.
const TOKEN_LIMIT: usize = 4096;

/// A token cannot be trusted: malformed, forged, or made for something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token is not one that this service trusts: {0}")]
pub(crate) struct Untrusted(String);

impl Untrusted {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<jsonwebtoken::errors::Error> for Untrusted {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self(error.to_string())
    }
}

/// What surrounds the claims: who signs, and what kind of token it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'a> {
    /// Name of the signing key, when there are several.
    pub(crate) key_id: Option<&'a str>,
    /// Type in the header (`JWT` for LiveKit's); a token of another type is refused.
    pub(crate) token_type: &'a str,
}

/// Signs `claims`.
pub(crate) fn sign(
    envelope: Envelope<'_>,
    secret: &[u8],
    claims: &impl Serialize,
) -> Result<String, Untrusted> {
    install_provider();
    let header = Header {
        typ: Some(envelope.token_type.to_owned()),
        kid: envelope.key_id.map(str::to_owned),
        ..Header::new(ALGORITHM)
    };
    Ok(jsonwebtoken::encode(
        &header,
        claims,
        &EncodingKey::from_secret(secret),
    )?)
}

/// A hash of the text that only holders of the secret can make, as base64 for URLs.
///
/// A text with a space cannot be what is signed in a token.
pub(crate) fn keyed_hash(secret: &[u8], text: &str) -> Result<String, Untrusted> {
    install_provider();
    let key = EncodingKey::from_secret(secret);
    Ok(jsonwebtoken::crypto::sign(
        text.as_bytes(),
        &key,
        ALGORITHM,
    )?)
}

/// The name of the key that a token says it was signed with; nothing is verified yet.
pub(crate) fn key_id(token: &str) -> Result<String, Untrusted> {
    check_length(token)?;
    jsonwebtoken::decode_header(token)?
        .kid
        .ok_or_else(|| Untrusted::because("it names no key"))
}

/// Reads the claims of a token with a good signature, of this type, for `audience`.
///
/// Its times are not checked: the caller compares them with the service's clock.
pub(crate) fn verify<T: DeserializeOwned>(
    token: &str,
    token_type: Option<&str>,
    audience: Option<&str>,
    secret: &[u8],
) -> Result<T, Untrusted> {
    check_length(token)?;
    install_provider();
    let mut validation = Validation::new(ALGORITHM);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    if let Some(audience) = audience {
        validation.set_audience(&[audience]);
        validation.required_spec_claims.insert("aud".to_owned());
    }
    let data = jsonwebtoken::decode::<T>(token, &DecodingKey::from_secret(secret), &validation)?;
    match token_type {
        Some(wanted) if data.header.typ.as_deref() != Some(wanted) => {
            Err(Untrusted::because("it is of another type"))
        }
        _ => Ok(data.claims),
    }
}

fn check_length(token: &str) -> Result<(), Untrusted> {
    if token.len() > TOKEN_LIMIT {
        Err(Untrusted::because("it is too long"))
    } else {
        Ok(())
    }
}

/// `jsonwebtoken` uses the cryptography provider of the process, and livekit-api installs one (HMAC
/// only) when it is first used; so it is used once, on an empty token.
fn install_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let _ = livekit_api::access_token::Claims::from_unverified("");
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &[u8] = b"a secret of thirty-two characters";
    const ENVELOPE: Envelope<'_> = Envelope {
        key_id: Some("k1"),
        token_type: "ticket+jwt",
    };

    fn token() -> String {
        sign(ENVELOPE, SECRET, &json!({"aud": "tickets", "n": 1})).expect("signs")
    }

    #[test]
    fn reads_back_what_it_signed() {
        assert_eq!(key_id(&token()), Ok("k1".to_owned()));
        let claims: Value =
            verify(&token(), Some("ticket+jwt"), Some("tickets"), SECRET).expect("trusted");
        assert_eq!(claims["n"], 1);
    }

    #[test]
    fn refuses_what_was_made_for_something_else() {
        for (token_type, audience, secret) in [
            ("conversation+jwt", "tickets", SECRET),
            ("ticket+jwt", "conversations", SECRET),
            (
                "ticket+jwt",
                "tickets",
                b"another secret of thirty-two char".as_slice(),
            ),
        ] {
            let read = verify::<Value>(&token(), Some(token_type), Some(audience), secret);
            assert!(read.is_err(), "{token_type} {audience}");
        }
        let without = sign(ENVELOPE, SECRET, &json!({"n": 1})).expect("signs");
        assert!(verify::<Value>(&without, Some("ticket+jwt"), Some("tickets"), SECRET).is_err());
    }

    #[test]
    fn refuses_another_algorithm_and_noise() {
        // {"alg":"none","typ":"ticket+jwt"}.{"aud":"tickets"}.
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoidGlja2V0K2p3dCJ9.eyJhdWQiOiJ0aWNrZXRzIn0.";
        let long = "a".repeat(TOKEN_LIMIT + 1);
        for noise in [unsigned, "", ".", "..", "a.b.c", "é.é.é", &long] {
            assert!(
                verify::<Value>(noise, None, None, SECRET).is_err(),
                "{noise:.20}"
            );
            assert!(key_id(noise).is_err(), "{noise:.20}");
        }
    }
}
