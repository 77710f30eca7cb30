//! SQL of API keys and signing keys.

use secrecy::ExposeSecret;
use sqlx::{QueryBuilder, Row as _};
use time::{Date, OffsetDateTime, format_description::well_known::Iso8601};
use widget_core::{
    api_key::{self, MAX_ENDED_KEYS},
    id::OrganizationId,
};

use super::{Backend, Database, Row, Transaction, row::Columns};
use crate::storage::{
    driver::{Failure, micros},
    error::StoreError,
    keys::{ApiKey, CreateKeyError, KeyStore, ListedApiKey, SigningKey},
    list_page::{ListPage, Page},
    table::table,
    unreadable::Listed,
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
    created_by: name(),
    last_used_on: name(),
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
            created_by,
            // No reason to refuse a key.
            last_used_on: last_used_on.and_then(|day| Date::parse(&day, &Iso8601::DATE).ok()),
        })
    }
}

/// The name of the key that created one of the table with the alias `k`.
macro_rules! creator_name {
    () => {
        "(SELECT name FROM api_keys c WHERE c.id = k.created_by) AS creator_name"
    };
}

/// The columns that every database has, in place of `api_key_columns!()` and `creator_name!()`.
macro_rules! oldest_columns {
    () => {
        "id, organization_id, name, scopes, secret_hash, created_at, expires_at, revoked_at, \
         CAST(NULL AS TEXT) AS created_by, CAST(NULL AS TEXT) AS last_used_on, \
         CAST(NULL AS TEXT) AS creator_name"
    };
}

fn read_listed(row: &Row) -> Result<ListedApiKey, StoreError> {
    Ok(ListedApiKey {
        key: read_api_key(row)?,
        creator_name: Columns::new(row, "api_keys", "id").name("creator_name")?,
    })
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
        // Only columns that every database has: a command may be newer than its database.
        sqlx::query(
            "INSERT INTO api_keys (id, organization_id, name, scopes, secret_hash, created_at, expires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&key.id)
        .bind(key.organization_id.as_str())
        .bind(&key.name)
        .bind(key.scopes.join(" "))
        .bind(key.secret_hash.as_slice())
        .bind(micros(key.created_at))
        .bind(key.expires_at.map(micros))
        .bind(key.revoked_at.map(micros))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn create_api_key(&self, key: &ApiKey, creator: &str) -> Result<(), CreateKeyError> {
        let (organization, now) = (key.organization_id.as_str(), micros(key.created_at));
        let mut transaction = self.begin().await?;
        // Locks the creator: whoever revokes it waits, and then finds the key that it created.
        let creators = sqlx::query(
            "UPDATE api_keys SET name = name
             WHERE id = $1 AND organization_id = $2 AND revoked_at IS NULL
                 AND (expires_at IS NULL OR expires_at > $3)",
        )
        .bind(creator)
        .bind(organization)
        .bind(now)
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        if creators.rows_affected() == 0 {
            return Err(CreateKeyError::CreatorEnded);
        }
        let (valid, all): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(CASE WHEN revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) THEN 1 END),
                 COUNT(1)
             FROM api_keys WHERE organization_id = $1",
        )
        .bind(organization)
        .bind(now)
        .fetch_one(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        api_key::require_key_capacity(valid)?;
        forget_ended(
            &mut transaction,
            organization,
            now,
            all - valid - MAX_ENDED_KEYS,
        )
        .await?;
        sqlx::query(
            "INSERT INTO api_keys
                 (id, organization_id, name, scopes, secret_hash, created_at, expires_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&key.id)
        .bind(organization)
        .bind(&key.name)
        .bind(key.scopes.join(" "))
        .bind(key.secret_hash.as_slice())
        .bind(now)
        .bind(key.expires_at.map(micros))
        .bind(creator)
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        transaction.commit().await?;
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
    ) -> Result<Vec<ListedApiKey>, StoreError> {
        let organization = organization.map(OrganizationId::as_str);
        let select = async |select: &'static str| {
            let mut query = QueryBuilder::<Database>::new(select);
            if let Some(organization) = organization {
                query
                    .push(" WHERE organization_id = ")
                    .push_bind(organization);
            }
            query.push(" ORDER BY created_at, id");
            query.build().fetch_all(self.reader()).await
        };
        let newest = concat!(
            "SELECT ",
            api_key_columns!(),
            ", ",
            creator_name!(),
            " FROM api_keys k"
        );
        let rows = match select(newest).await {
            Err(error) if Failure::of(&error) == Failure::NoColumn => {
                select(concat!("SELECT ", oldest_columns!(), " FROM api_keys")).await?
            }
            rows => rows?,
        };
        self.unreadable().skip_all(rows.iter().map(read_listed))
    }

    async fn list_api_keys_of(
        &self,
        organization: &OrganizationId,
        page: ListPage<String>,
    ) -> Result<Page<Listed<Option<ListedApiKey>, String>>, StoreError> {
        let mut query = QueryBuilder::<Database>::new(concat!(
            "SELECT ",
            api_key_columns!(),
            ", ",
            creator_name!(),
            " FROM api_keys k WHERE organization_id = "
        ));
        query.push_bind(organization.as_str());
        if let Some((at, id)) = page.before {
            query.push(" AND (created_at, id) < (").push_bind(at);
            query.push(", ").push_bind(id).push(")");
        }
        query
            .push(" ORDER BY created_at DESC, id DESC LIMIT ")
            .push_bind(i64::from(page.limit) + 1);
        let rows = query.build().fetch_all(self.reader()).await?;
        let rows = Page::of_lookahead(rows, page.limit);
        let items: Result<_, StoreError> = rows
            .iter()
            .map(|row| {
                let micros: i64 = row.try_get("created_at").unwrap_or_default();
                Ok(Listed {
                    position: (micros, row.try_get("id")?),
                    item: self.unreadable().skip(read_listed(row))?,
                })
            })
            .collect();
        Ok(Page {
            items: items?,
            has_more: rows.has_more,
        })
    }

    async fn revoke_api_key(
        &self,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, StoreError> {
        let now = micros(now);
        let knows_creators = self.knows_creators().await?;
        let mut transaction = self.begin().await?;
        let done =
            sqlx::query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(&mut transaction)
                .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let mut created = 0;
        // From creators to what they created, so that two who revoke never wait for each other. A
        // creator that is locked here creates nothing more.
        let mut creators = vec![id.to_owned()];
        while knows_creators && !creators.is_empty() {
            let mut query = QueryBuilder::<Database>::new("UPDATE api_keys SET revoked_at = ");
            query
                .push_bind(now)
                .push(" WHERE revoked_at IS NULL AND created_by IN (");
            let mut ids = query.separated(", ");
            for id in &creators {
                ids.push_bind(id.as_str());
            }
            query.push(") RETURNING id");
            creators = query
                .build_query_scalar::<String>()
                .fetch_all(&mut transaction)
                .await?;
            created += u64::try_from(creators.len()).unwrap_or(u64::MAX);
        }
        transaction.commit().await?;
        Ok(Some(created))
    }

    async fn note_key_use(&self, id: &str, day: Date) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE api_keys SET last_used_on = $2
             WHERE id = $1 AND (last_used_on IS NULL OR last_used_on < $2)",
        )
        .bind(id)
        .bind(day.to_string())
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

impl Backend {
    /// Whether the database says which key created another: it may be older than this program.
    async fn knows_creators(&self) -> Result<bool, StoreError> {
        let found = sqlx::query("SELECT created_by FROM api_keys LIMIT 1")
            .fetch_optional(self.reader())
            .await;
        match found {
            Err(error) if Failure::of(&error) == Failure::NoColumn => Ok(false),
            found => Ok(found.map(|_| true)?),
        }
    }
}

/// Forgets so many expired and revoked keys, those that ended first.
async fn forget_ended(
    transaction: &mut Transaction,
    organization: &str,
    now: i64,
    count: i64,
) -> Result<(), StoreError> {
    if count <= 0 {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM api_keys WHERE id IN (
             SELECT id FROM api_keys
             WHERE organization_id = $1 AND (revoked_at IS NOT NULL OR expires_at <= $2)
             ORDER BY COALESCE(revoked_at, expires_at), id LIMIT $3)",
    )
    .bind(organization)
    .bind(now)
    .bind(count)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
