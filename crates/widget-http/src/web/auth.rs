//! API keys of the management side: their form, their scopes, and the extractor that checks them.

use std::{fmt, str::FromStr};

use axum::extract::FromRequestParts;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use widget_core::id::OrganizationId;

use crate::{
    state::{AppState, RandomError, RandomSource},
    storage::ApiKey,
    web::problem::Problem,
};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read widgets.
    WebWidgetsRead,
    /// Write widgets; implies reading them.
    WebWidgetsManage,
    /// Read agents and versions.
    AgentsRead,
    /// Write agents and versions; implies reading them.
    AgentsManage,
    /// Read conversations without what was said.
    ConversationsRead,
    /// Read conversations with transcript and custom metadata; implies reading them.
    ConversationsReadSensitive,
    /// Append messages, end conversations.
    ConversationsWrite,
}

impl Scope {
    /// All scopes, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::WebWidgetsRead,
        Self::WebWidgetsManage,
        Self::AgentsRead,
        Self::AgentsManage,
        Self::ConversationsRead,
        Self::ConversationsReadSensitive,
        Self::ConversationsWrite,
    ];

    /// The scope as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebWidgetsRead => "web_widgets:read",
            Self::WebWidgetsManage => "web_widgets:manage",
            Self::AgentsRead => "agents:read",
            Self::AgentsManage => "agents:manage",
            Self::ConversationsRead => "conversations:read",
            Self::ConversationsReadSensitive => "conversations:read_sensitive",
            Self::ConversationsWrite => "conversations:write",
        }
    }

    /// Whether a key with this scope may do what `needed` allows.
    #[must_use]
    pub fn allows(self, needed: Self) -> bool {
        self == needed
            || matches!(
                (self, needed),
                (Self::WebWidgetsManage, Self::WebWidgetsRead)
                    | (Self::AgentsManage, Self::AgentsRead)
                    | (Self::ConversationsReadSensitive, Self::ConversationsRead)
            )
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; the scopes are {list}", list = Scope::ALL.map(Scope::as_str).join(", "))]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A key as its owner holds it: `ak_<id>.<secret>`.
pub struct Credential {
    id: String,
    secret: String,
}

impl Credential {
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
        let plain = |part: &str| {
            (1..=64).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        (plain(id) && plain(secret)).then(|| Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The caller of a management route: who it is and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Public part of its key.
    pub key_id: String,
    /// Its organization: everything it touches belongs to this one.
    pub organization_id: OrganizationId,
    scopes: Vec<Scope>,
}

impl Caller {
    /// Whether the key has a scope that allows `needed`.
    #[must_use]
    pub fn may(&self, needed: Scope) -> bool {
        self.scopes.iter().any(|scope| scope.allows(needed))
    }

    /// Refuses a caller whose key has no scope that allows `needed`.
    ///
    /// # Errors
    /// 403 `insufficient_scope`.
    pub fn require(&self, needed: Scope) -> Result<(), Problem> {
        if self.may(needed) {
            return Ok(());
        }
        let problem = Problem::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            format!("this needs a key with the scope `{needed}`"),
        );
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"");
        Err(match HeaderValue::from_str(&challenge) {
            Ok(challenge) => problem.with_header(header::WWW_AUTHENTICATE, challenge),
            Err(_) => problem,
        })
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let text = bearer(&parts.headers).ok_or_else(|| unauthorized("api_key_required", None))?;
        let credential =
            Credential::parse(text).ok_or_else(|| unauthorized("api_key_invalid", None))?;
        let stored = state.storage.find_api_key(&credential.id).await?;
        check(&credential, stored, state.now())
    }
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

/// A key that is unknown, wrong, expired or revoked looks the same to its holder; the log tells
/// which.
fn check(
    credential: &Credential,
    stored: Option<ApiKey>,
    now: OffsetDateTime,
) -> Result<Caller, Problem> {
    let presented = credential.secret_hash();
    let kept = stored.as_ref().map_or([0; 32], |key| key.secret_hash);
    let equal = bool::from(presented.ct_eq(&kept));
    let refuse = |reason| Err(unauthorized("api_key_invalid", Some(reason)));
    match stored {
        None => refuse("unknown key"),
        Some(_) if !equal => refuse("wrong secret"),
        Some(key) if key.revoked_at.is_some() => refuse("revoked key"),
        Some(key) if key.expires_at.is_some_and(|expiry| expiry <= now) => refuse("expired key"),
        Some(key) => Ok(Caller {
            key_id: key.id,
            organization_id: key.organization_id,
            scopes: key.scopes,
        }),
    }
}

fn unauthorized(code: &'static str, reason: Option<&'static str>) -> Problem {
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        code,
        "send a valid API key as `Authorization: Bearer ak_<id>.<secret>`",
    )
    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    match reason {
        Some(reason) => problem.with_cause(reason),
        None => problem,
    }
}
