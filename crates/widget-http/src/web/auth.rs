//! API keys: their form, and who the caller is that shows one.

use std::{fmt, time::Duration};

use axum::extract::FromRequestParts;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Date, OffsetDateTime};
use tokio::time::Instant;
use widget_api::{ProblemCode, Scope, Scopes};
use widget_core::{api_key::KeyStatus, id::OrganizationId};

use crate::{
    storage::{ApiKey, Storage},
    system::{RandomError, RandomSource},
    web::problem::Problem,
};

/// A key as its owner holds it: `ak_<id>.<secret>`.
pub struct ApiKeySecret {
    id: String,
    secret: String,
}

impl ApiKeySecret {
    /// Random bytes of the secret: no guess succeeds, so that a plain SHA-256 is enough to keep it.
    const SECRET_BYTES: usize = 32;
    /// Random bytes of the id.
    const ID_BYTES: usize = 9;

    /// A new key.
    ///
    /// # Errors
    /// When `random` has nothing to give.
    pub fn generate(random: &dyn RandomSource) -> Result<Self, RandomError> {
        let mut id = [0; Self::ID_BYTES];
        let mut secret = [0; Self::SECRET_BYTES];
        random.fill(&mut id)?;
        random.fill(&mut secret)?;
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(id),
            secret: URL_SAFE_NO_PAD.encode(secret),
        })
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is kept of the secret.
    #[must_use]
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// The whole key, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("ak_{}.{}", self.id, self.secret)
    }

    fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("ak_")?.split_once('.')?;
        (is_plain(id) && is_plain(secret)).then(|| Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
        })
    }
}

/// Whether a text can be the public part of a key, or its secret.
pub(crate) fn is_plain(part: &str) -> bool {
    (1..=64).contains(&part.len())
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKeySecret")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The caller of a management route: who it is and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Public part of its key.
    pub key_id: String,
    /// What the owner calls the key.
    pub key_name: String,
    /// Its organization: everything it touches belongs to this one.
    pub organization_id: OrganizationId,
    /// From when on the key is rejected.
    pub expires_at: Option<OffsetDateTime>,
    /// The day of the key's last use before this, in UTC.
    pub last_used_on: Option<Date>,
    /// What the key may do.
    pub scopes: Scopes,
}

impl Caller {
    /// Whether the key has a scope that allows `needed`.
    #[must_use]
    pub fn may(&self, needed: Scope) -> bool {
        self.scopes.allows(needed)
    }

    /// Refuses a caller whose key has no scope that allows `needed`.
    ///
    /// # Errors
    /// 403 `insufficient_scope`.
    pub fn require(&self, needed: Scope) -> Result<(), Problem> {
        if self.may(needed) {
            return Ok(());
        }
        let detail = format!("this needs a key with the scope `{needed}`");
        Err(insufficient_scope(detail, needed.as_str()))
    }
}

/// The caller's key lacks `scopes`, which are separated by spaces.
pub(crate) fn insufficient_scope(detail: String, scopes: &str) -> Problem {
    let problem = Problem::new(ProblemCode::InsufficientScope, detail);
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\"");
    match HeaderValue::from_str(&challenge) {
        Ok(challenge) => problem.with_header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}

/// What the guard of the route has found.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(|| Problem::internal("the route names no API key as its credential"))
    }
}

/// Finds out who makes a request by the API key in its headers.
///
/// # Errors
/// 401 `api_key_required` or `api_key_invalid`; storage errors.
pub async fn authenticate(
    headers: &HeaderMap,
    keys: &dyn Storage,
    now: OffsetDateTime,
) -> Result<Caller, Problem> {
    let text = bearer(headers).ok_or_else(|| unauthorized(ProblemCode::ApiKeyRequired, None))?;
    let presented =
        ApiKeySecret::parse(text).ok_or_else(|| unauthorized(ProblemCode::ApiKeyInvalid, None))?;
    let stored = keys.find_api_key(&presented.id).await?;
    check(&presented, stored, now)
}

/// The token of the only `Authorization: Bearer …` header.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A key that is unknown, wrong, expired or revoked looks the same to its holder; the log has
/// which.
fn check(
    presented: &ApiKeySecret,
    stored: Option<ApiKey>,
    now: OffsetDateTime,
) -> Result<Caller, Problem> {
    let hash = presented.secret_hash();
    let kept = stored.as_ref().map_or([0; 32], |key| key.secret_hash);
    let equal = bool::from(hash.ct_eq(&kept));
    let refuse = |reason| Err(unauthorized(ProblemCode::ApiKeyInvalid, Some(reason)));
    let Some(key) = stored else {
        return refuse("unknown key");
    };
    if !equal {
        return refuse("wrong secret");
    }
    match key.status(now) {
        KeyStatus::Revoked => refuse("revoked key"),
        KeyStatus::Expired => refuse("expired key"),
        KeyStatus::Valid => Ok(Caller {
            key_id: key.id,
            key_name: key.name,
            organization_id: key.organization_id,
            expires_at: key.expires_at,
            last_used_on: key.last_used_on,
            scopes: key.scopes,
        }),
    }
}

/// How often the key of an answer that is sent for long is checked again.
const KEY_INTERVAL: Duration = Duration::from_secs(3);

/// The key of an answer that is sent for long, which must be valid until the end of it.
pub(crate) struct WatchedKey {
    caller: Caller,
    /// The credential alone, to be checked again.
    credential: HeaderMap,
    needed: Scope,
    checked_at: Instant,
}

impl WatchedKey {
    /// A key that was checked just now.
    pub(crate) fn new(caller: Caller, headers: &HeaderMap, needed: Scope) -> Self {
        let key = headers.get(header::AUTHORIZATION).cloned();
        let credential = key.map(|key| (header::AUTHORIZATION, key)).into_iter();
        Self {
            caller,
            credential: credential.collect(),
            needed,
            checked_at: Instant::now(),
        }
    }

    /// Whose key it is, and what it may do as far as is known.
    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether the answer may continue; the key is looked up from time to time.
    pub(crate) async fn may_continue(&mut self, keys: &dyn Storage, now: OffsetDateTime) -> bool {
        if self.caller.expires_at.is_some_and(|at| at <= now) {
            return false;
        }
        self.checked_at.elapsed() < KEY_INTERVAL || self.is_valid(keys, now).await
    }

    /// Whether the key is still valid; a database that does not answer says nothing about it.
    pub(crate) async fn is_valid(&mut self, keys: &dyn Storage, now: OffsetDateTime) -> bool {
        match authenticate(&self.credential, keys, now).await {
            Ok(caller) => {
                self.checked_at = Instant::now();
                self.caller = caller;
                self.caller.may(self.needed)
            }
            Err(problem) => problem.status() != StatusCode::UNAUTHORIZED,
        }
    }
}

/// The caller's key ended after the request began.
pub(crate) fn key_ended() -> Problem {
    unauthorized(ProblemCode::ApiKeyInvalid, Some("the key ended meanwhile"))
}

fn unauthorized(code: ProblemCode, reason: Option<&'static str>) -> Problem {
    let problem = Problem::new(
        code,
        "send a valid API key as `Authorization: Bearer ak_<id>.<secret>`",
    )
    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    match reason {
        Some(reason) => problem.with_cause(reason),
        None => problem,
    }
}
