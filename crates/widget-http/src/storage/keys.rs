//! API keys of organizations, and the keys that sign tickets and conversation tokens.

use secrecy::SecretSlice;
use time::OffsetDateTime;
use widget_core::id::OrganizationId;

use super::error::StoreError;
use widget_api::Scope;

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
    pub scopes: Vec<Scope>,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// From when on it is rejected.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
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
    /// Stores a new API key.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn insert_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// The API key named `id`, also when it is expired or revoked; nothing when it cannot be read.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError>;

    /// Every API key that can be read, or those of one organization, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_api_keys(
        &self,
        organization: Option<&OrganizationId>,
    ) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes an API key; `false` when there is none of that name. Revoking again keeps the first
    /// time.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn revoke_api_key(&self, id: &str, now: OffsetDateTime) -> Result<bool, StoreError>;

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
