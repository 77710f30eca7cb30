//! SQL of API keys and signing keys.

use secrecy::ExposeSecret;
use time::OffsetDateTime;
use widget_core::id::OrganizationId;

use super::{Backend, Row, row::Columns};
use crate::storage::{
    driver::micros,
    error::StoreError,
    keys::{ApiKey, KeyStore, SigningKey},
    table::table,
};

table! {
    api_key_columns, read_api_key from "api_keys" by "id";
    id: get(),
    organization_id: parsed(str::parse),
    name: get(),
    scopes: get(),
    secret_hash: get(),
    created_at: time(),
    expires_at: optional_time(),
    revoked_at: optional_time(),
    => |row| -> ApiKey {
        let (scopes, secret_hash): (String, Vec<u8>) = (scopes, secret_hash);
        Ok(ApiKey {
            id,
            organization_id,
            name,
            // A scope of a newer build allows nothing here.
            scopes: scopes.split_whitespace().filter_map(|scope| scope.parse().ok()).collect(),
            secret_hash: secret_hash
                .try_into()
                .map_err(|_| row.corrupt("secret_hash", &"a SHA-256 has 32 bytes"))?,
            created_at,
            expires_at,
            revoked_at,
        })
    }
}

table! {
    signing_key_columns, read_signing_key from "signing_keys" by "id";
    id: get(),
    secret: get(),
    created_at: time(),
    retired_at: optional_time(),
    => |row| -> SigningKey {
        let secret: Vec<u8> = secret;
        Ok(SigningKey { id, secret: secret.into(), created_at, retired_at })
    }
}

#[async_trait::async_trait]
impl KeyStore for Backend {
    async fn insert_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        sqlx::query(
            "INSERT INTO api_keys (id, organization_id, name, scopes, secret_hash, created_at, expires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&key.id)
        .bind(key.organization_id.as_str())
        .bind(&key.name)
        .bind(scopes.join(" "))
        .bind(key.secret_hash.as_slice())
        .bind(micros(key.created_at))
        .bind(key.expires_at.map(micros))
        .bind(key.revoked_at.map(micros))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn find_api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            api_key_columns!(),
            " FROM api_keys WHERE id = $1"
        ))
        .bind(id)
        .fetch_optional(self.reader())
        .await?;
        let read = row.as_ref().map(read_api_key).transpose();
        Ok(self.unreadable().skip(read)?.flatten())
    }

    async fn list_api_keys(
        &self,
        organization: Option<&OrganizationId>,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let rows = match organization {
            None => {
                sqlx::query(concat!(
                    "SELECT ",
                    api_key_columns!(),
                    " FROM api_keys ORDER BY created_at, id"
                ))
                .fetch_all(self.reader())
                .await?
            }
            Some(organization) => {
                sqlx::query(concat!(
                    "SELECT ",
                    api_key_columns!(),
                    " FROM api_keys WHERE organization_id = $1 ORDER BY created_at, id"
                ))
                .bind(organization.as_str())
                .fetch_all(self.reader())
                .await?
            }
        };
        self.unreadable().skip_all(rows.iter().map(read_api_key))
    }

    async fn revoke_api_key(&self, id: &str, now: OffsetDateTime) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id)
                .bind(micros(now))
                .execute(self.writer())
                .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn list_signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            signing_key_columns!(),
            " FROM signing_keys
             ORDER BY CASE WHEN retired_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id DESC"
        ))
        .fetch_all(self.reader())
        .await?;
        self.unreadable()
            .skip_all(rows.iter().map(read_signing_key))
    }

    async fn ensure_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        // Of two services that start at once both may insert; the newest one signs and both verify.
        sqlx::query(
            "INSERT INTO signing_keys (id, secret, created_at)
             SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE retired_at IS NULL)",
        )
        .bind(&key.id)
        .bind(key.secret.expose_secret())
        .bind(micros(key.created_at))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn rotate_signing_key(
        &self,
        key: &SigningKey,
        forget_before: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM signing_keys WHERE retired_at < $1")
            .bind(micros(forget_before))
            .execute(&mut transaction)
            .await?;
        sqlx::query("UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL")
            .bind(micros(key.created_at))
            .execute(&mut transaction)
            .await?;
        sqlx::query("INSERT INTO signing_keys (id, secret, created_at) VALUES ($1, $2, $3)")
            .bind(&key.id)
            .bind(key.secret.expose_secret())
            .bind(micros(key.created_at))
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
