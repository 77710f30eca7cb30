//! API keys of organizations, and the keys that sign tickets and conversation tokens.

use secrecy::SecretSlice;
use time::{Date, OffsetDateTime};
use widget_api::Scopes;
use widget_core::{
    api_key::{KeyStatus, KeysFull},
    id::OrganizationId,
};

use super::{
    error::StoreError,
    list_page::{ListPage, Page},
    unreadable::Listed,
};

/// An API key as it is stored: the secret itself is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Public part of the key.
    pub id: String,
    /// The one organization it speaks for.
    pub organization_id: OrganizationId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// From when on it is rejected.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// The key that created it; none for a key of the command line.
    pub created_by: Option<String>,
    /// The day of its last use, in UTC.
    pub last_used_on: Option<Date>,
}

impl ApiKey {
    /// Whether it is accepted at this time.
    #[must_use]
    pub fn status(&self, now: OffsetDateTime) -> KeyStatus {
        KeyStatus::at(now, self.expires_at, self.revoked_at)
    }
}

/// An API key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedApiKey {
    /// The key.
    pub key: ApiKey,
    /// The name of the key that created it, if that has one and is still kept.
    pub creator_name: Option<String>,
}

/// Why a key was not created by another one.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The key that was to create it has expired, or was revoked, in the meantime.
    #[error("the key that creates it is not valid anymore")]
    CreatorEnded,
    /// There are as many as there may be.
    #[error(transparent)]
    Full(#[from] KeysFull),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key that signs tickets and conversation tokens, shared by all services on the database.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Its name, which is part of what it signs.
    pub id: String,
    /// The secret.
    pub secret: SecretSlice<u8>,
    /// When it was created; the newest one signs.
    pub created_at: OffsetDateTime,
    /// Since when it only verifies.
    pub retired_at: Option<OffsetDateTime>,
}

/// Keys of both kinds.
#[async_trait::async_trait]
pub trait KeyStore {
    /// Stores a new API key of the command line.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn insert_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// Stores a new API key that the key `creator` of its organization creates, which must be
    /// valid, and forgets the oldest ended keys beyond [`MAX_ENDED_KEYS`]. Of several at once a few
    /// more than allowed may be stored.
    ///
    /// [`MAX_ENDED_KEYS`]: widget_core::api_key::MAX_ENDED_KEYS
    ///
    /// # Errors
    /// [`CreateKeyError`]
    async fn create_api_key(&self, key: &ApiKey, creator: &str) -> Result<(), CreateKeyError>;

    /// The API key named `id`, also when it is expired or revoked; nothing when it cannot be read.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError>;

    /// Every API key that can be read, or those of one organization, oldest first. Works on a
    /// database that lacks the newest migrations, too.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_api_keys(
        &self,
        organization: Option<&OrganizationId>,
    ) -> Result<Vec<ListedApiKey>, StoreError>;

    /// API keys of the organization, newest first; `None` for one that cannot be read.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_api_keys_of(
        &self,
        organization: &OrganizationId,
        page: ListPage<String>,
    ) -> Result<Page<Listed<Option<ListedApiKey>, String>>, StoreError>;

    /// Revokes an API key, and with it all that it created, and what those did; returns how many
    /// these were, nothing when there is no key of that name. Revoking again keeps the first time.
    /// Works on a database that lacks the newest migrations, too.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn revoke_api_key(
        &self,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, StoreError>;

    /// Notes that a key was used on a day; `false` when this or a later day is noted already.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn note_key_use(&self, id: &str, day: Date) -> Result<bool, StoreError>;

    /// The keys that sign (`retired_at` absent, newest first) and then those that only verify;
    /// those that cannot be read are left out.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// Stores `key` unless there is a signing key that is not retired; of two services that start
    /// at once, one wins.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn ensure_signing_key(&self, key: &SigningKey) -> Result<(), StoreError>;

    /// Makes `key` the one that signs and retires the others as of its time of creation; forgets
    /// those that were retired before `forget_before`.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn rotate_signing_key(
        &self,
        key: &SigningKey,
        forget_before: OffsetDateTime,
    ) -> Result<(), StoreError>;
}
