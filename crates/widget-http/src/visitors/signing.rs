//! The two credentials that this service signs for browsers: embed tickets and conversation tokens.
//!
//! A ticket says "a page of this origin may start or resume once"; the host page's loader gets it
//! and passes it to the window. A conversation token says "this window may use this
//! conversation". The keys live in the database, so that every service on it trusts the same tokens
//! and nothing has to be configured.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use widget_core::{
    conversation::token::TOKEN_LIFETIME,
    id::{ConversationId, PreviewId, WidgetId},
    serve::{Dispatch, EmbedTicket, TicketClaims},
};

use crate::{
    storage::{PlaceHash, SigningKey, StartPlace, Storage, StoreError},
    system::{Clock, RandomError, RandomSource},
    web::{
        caller::AddressPrefix,
        jwt::{self, Envelope, Untrusted},
    },
};

/// How long a ticket can be used: the window asks for one right before each use, so this is network
/// time only.
pub const TICKET_LIFETIME: Duration = Duration::seconds(60);

/// How long a retired key is still read: as long as the longest token signed with it, and a clock's
/// difference.
pub const RETIRED_KEY_LIFETIME: Duration = TOKEN_LIFETIME.saturating_add(Duration::HOUR);

/// How often a token that names an unknown key may make this node read the keys again.
const RELOAD_INTERVAL: Duration = Duration::seconds(1);

const TICKET: Kind = Kind {
    token_type: "ticket+jwt",
    audience: "web-widget-ticket",
};
const CONVERSATION: Kind = Kind {
    token_type: "conversation+jwt",
    audience: "web-widget-conversation",
};

#[derive(Debug, Clone, Copy)]
struct Kind {
    token_type: &'static str,
    audience: &'static str,
}

/// A ticket that this service signed; only [`TokenSigner::read_ticket`] makes one.
///
/// It names the page that got it. That page may have been refused since, so this does not become an
/// [`EmbedTicket`], and it may have been used: storage uses it up together with what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedTicket(TicketClaims);

impl VerifiedTicket {
    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &TicketClaims {
        &self.0
    }
}

/// What a valid conversation token proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationToken {
    /// The conversation that its bearer may use.
    pub conversation_id: ConversationId,
    /// Counts the resumes: only the newest generation is valid (the one before may repeat its
    /// resume).
    pub generation: i64,
}

/// Why a token of ours is refused.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Malformed, forged, of another kind, or signed with a key that is gone.
    #[error("this service did not issue the token")]
    Invalid,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
    /// The keys could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for the first key.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<Untrusted> for TokenError {
    fn from(_: Untrusted) -> Self {
        Self::Invalid
    }
}

/// Signs and reads the tokens; keeps the keys in memory and reads them again when a token names a
/// new one.
pub struct TokenSigner {
    storage: Arc<dyn Storage>,
    random: Arc<dyn RandomSource>,
    clock: Arc<dyn Clock>,
    keys: RwLock<Option<Loaded>>,
}

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TokenSigner")
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
struct Loaded {
    keys: Arc<Keys>,
    at: OffsetDateTime,
}

#[derive(Debug)]
struct Keys {
    newest: String,
    secrets: HashMap<String, SecretSlice<u8>>,
}

#[derive(Serialize, Deserialize)]
struct TicketPayload {
    aud: String,
    jti: Uuid,
    wid: Uuid,
    org: String,
    /// The preview that it is for; an earlier release never writes one, and refuses its tickets by
    /// the gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pre: Option<Uuid>,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize)]
struct ConversationPayload {
    aud: String,
    sub: Uuid,
    #[serde(rename = "gen")]
    generation: i64,
    iat: i64,
    exp: i64,
}

impl TokenSigner {
    /// A signer that reads its keys from `storage` when it first needs them.
    #[must_use]
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        Self {
            storage,
            random,
            clock,
            keys: RwLock::default(),
        }
    }

    /// Writes a ticket.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn sign_ticket(&self, ticket: &EmbedTicket) -> Result<String, TokenError> {
        let claims = ticket.claims();
        let payload = TicketPayload {
            pre: claims.preview_id.map(PreviewId::as_uuid),
            aud: TICKET.audience.to_owned(),
            jti: claims.id,
            wid: claims.widget_id.as_uuid(),
            org: claims.origin.as_str().to_owned(),
            iat: self.clock.now().unix_timestamp(),
            exp: claims.expires_at.unix_timestamp(),
        };
        self.sign(TICKET, &payload).await
    }

    /// Reads a ticket.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] or [`TokenError::Expired`]; storage errors when the keys cannot be
    /// read.
    pub async fn read_ticket(&self, token: &str) -> Result<VerifiedTicket, TokenError> {
        let payload: TicketPayload = self.read(TICKET, token).await?;
        Ok(VerifiedTicket(TicketClaims {
            id: payload.jti,
            widget_id: WidgetId::from_uuid(payload.wid),
            preview_id: payload.pre.map(PreviewId::from_uuid),
            origin: payload.org.parse().map_err(|_| TokenError::Invalid)?,
            expires_at: alive(payload.exp, self.clock.now())?,
        }))
    }

    /// Writes the conversation token for `generation` of the conversation that the dispatch admits,
    /// and returns when it expires.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn sign_conversation_token(
        &self,
        dispatch: &Dispatch,
        generation: i64,
    ) -> Result<(String, OffsetDateTime), TokenError> {
        let now = self.clock.now();
        let expires_at = now + TOKEN_LIFETIME;
        let payload = ConversationPayload {
            aud: CONVERSATION.audience.to_owned(),
            sub: dispatch.conversation_id().as_uuid(),
            generation,
            iat: now.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
        };
        let text = self.sign(CONVERSATION, &payload).await?;
        Ok((text, expires_at.replace_nanosecond(0).unwrap_or(expires_at)))
    }

    /// Reads a conversation token; its generation is still to be compared with the conversation's.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] or [`TokenError::Expired`]; storage errors when the keys cannot be
    /// read.
    pub async fn read_conversation_token(
        &self,
        token: &str,
    ) -> Result<ConversationToken, TokenError> {
        let payload: ConversationPayload = self.read(CONVERSATION, token).await?;
        alive(payload.exp, self.clock.now())?;
        Ok(ConversationToken {
            conversation_id: ConversationId::from_uuid(payload.sub),
            generation: payload.generation,
        })
    }

    /// Hashes where a conversation is started, with the key that signs: whoever has only the hash
    /// does not learn the address.
    ///
    /// After a rotation the same place has another hash; what waits there is forgotten in minutes.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn hash_place(&self, address: AddressPrefix) -> Result<StartPlace, TokenError> {
        let keys = self.keys().await?;
        let secret = keys.secrets.get(&keys.newest).ok_or(TokenError::Invalid)?;
        let hash = |range: &str, prefix: AddressPrefix| -> Result<PlaceHash, TokenError> {
            let hash = jwt::keyed_hash(secret.expose_secret(), &format!("{range} {prefix}"))?;
            // It is base64 of the kind that URLs have.
            hash.parse().map_err(|_| TokenError::Invalid)
        };
        Ok(StartPlace {
            address: hash("start address", address)?,
            network: address
                .network()
                .map(|network| hash("start network", network))
                .transpose()?,
        })
    }

    async fn sign(&self, kind: Kind, claims: &impl Serialize) -> Result<String, TokenError> {
        let keys = self.keys().await?;
        let secret = keys.secrets.get(&keys.newest).ok_or(TokenError::Invalid)?;
        let envelope = Envelope {
            key_id: Some(&keys.newest),
            token_type: kind.token_type,
        };
        Ok(jwt::sign(envelope, secret.expose_secret(), claims)?)
    }

    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        kind: Kind,
        token: &str,
    ) -> Result<T, TokenError> {
        let key_id = jwt::key_id(token)?;
        let mut keys = self.keys().await?;
        if !keys.secrets.contains_key(&key_id) {
            keys = self.newer_keys().await?;
        }
        let secret = keys.secrets.get(&key_id).ok_or(TokenError::Invalid)?;
        Ok(jwt::verify(
            token,
            Some(kind.token_type),
            Some(kind.audience),
            secret.expose_secret(),
        )?)
    }

    /// The keys known to this node; read again every minute, so that a rotation elsewhere is
    /// followed.
    async fn keys(&self) -> Result<Arc<Keys>, TokenError> {
        match self.loaded() {
            Some(loaded) if (self.clock.now() - loaded.at).abs() < Duration::MINUTE => {
                Ok(loaded.keys)
            }
            _ => self.load().await,
        }
    }

    async fn newer_keys(&self) -> Result<Arc<Keys>, TokenError> {
        match self.loaded() {
            Some(loaded) if (self.clock.now() - loaded.at).abs() < RELOAD_INTERVAL => {
                Ok(loaded.keys)
            }
            _ => self.load().await,
        }
    }

    fn loaded(&self) -> Option<Loaded> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn load(&self) -> Result<Arc<Keys>, TokenError> {
        let now = self.clock.now();
        let keys = Arc::new(self.stored_keys(now).await?);
        let loaded = Loaded {
            keys: Arc::clone(&keys),
            at: now,
        };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
        Ok(keys)
    }

    /// The stored keys; the first service on a new database creates the first one.
    async fn stored_keys(&self, now: OffsetDateTime) -> Result<Keys, TokenError> {
        let stored = self.storage.list_signing_keys().await?;
        if let Some(keys) = Keys::of(stored, now) {
            return Ok(keys);
        }
        self.storage
            .ensure_signing_key(&new_key(self.random.as_ref(), now)?)
            .await?;
        Keys::of(self.storage.list_signing_keys().await?, now).ok_or(TokenError::Invalid)
    }
}

/// A new signing key: 256 random bits, as many as the hash in HS256 has.
///
/// # Errors
/// When there is no randomness.
pub fn new_key(random: &dyn RandomSource, now: OffsetDateTime) -> Result<SigningKey, RandomError> {
    let mut name = [0; 8];
    random.fill(&mut name)?;
    let mut secret = vec![0; 32];
    random.fill(&mut secret)?;
    Ok(SigningKey {
        id: format!("{:016x}", u64::from_be_bytes(name)),
        secret: secret.into(),
        created_at: now,
        retired_at: None,
    })
}

impl Keys {
    /// `None` when there is no key that signs.
    fn of(stored: Vec<SigningKey>, now: OffsetDateTime) -> Option<Self> {
        let newest = stored
            .iter()
            .find(|key| key.retired_at.is_none())?
            .id
            .clone();
        let secrets = stored
            .into_iter()
            .filter(|key| {
                key.retired_at
                    .is_none_or(|at| now - at < RETIRED_KEY_LIFETIME)
            })
            .map(|key| (key.id, key.secret))
            .collect();
        Some(Self { newest, secrets })
    }
}

/// The end of a life that is not over yet.
fn alive(expires: i64, now: OffsetDateTime) -> Result<OffsetDateTime, TokenError> {
    let expires_at =
        OffsetDateTime::from_unix_timestamp(expires).map_err(|_| TokenError::Invalid)?;
    if now < expires_at {
        Ok(expires_at)
    } else {
        Err(TokenError::Expired)
    }
}
