//! SQL of the builds of the embed.

use bytes::Bytes;
use time::OffsetDateTime;

use super::{Backend, Row, row::Columns};
use crate::storage::{
    driver::micros,
    embed_builds::{BuildKind, BuildName, EmbedBuild, EmbedBuildStore, StoredBuild},
    error::StoreError,
    table::table,
};

table! {
    build_columns, read_build from "embed_builds" by "hash";
    kind: parsed(str::parse),
    hash: get(),
    bytes: get(),
    last_seen_at: time(),
    => |row| -> StoredBuild {
        let (kind, hash, bytes): (BuildKind, String, Vec<u8>) = (kind, hash, bytes);
        let build = EmbedBuild::new(kind, Bytes::from(bytes));
        if build.name().hash() != hash {
            return Err(row.corrupt("bytes", &format!("they are those of `{}`", build.name().hash())));
        }
        Ok(StoredBuild { build, last_seen_at })
    }
}

table! {
    name_columns, read_name from "embed_builds" by "hash";
    kind: parsed(str::parse),
    hash: get(),
    => |row| -> BuildName {
        let (kind, hash): (BuildKind, String) = (kind, hash);
        BuildName::parse(kind, &hash).ok_or_else(|| row.corrupt("hash", &"it is not a name"))
    }
}

#[async_trait::async_trait]
impl EmbedBuildStore for Backend {
    async fn keep_embed_build(
        &self,
        build: &EmbedBuild,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let name = build.name();
        // Nearly every start finds it; then its bytes are not sent.
        let seen = sqlx::query(
            "UPDATE embed_builds SET last_seen_at = CASE WHEN last_seen_at < $3 THEN $3
                 ELSE last_seen_at END WHERE kind = $1 AND hash = $2",
        )
        .bind(name.kind().as_str())
        .bind(name.hash())
        .bind(micros(now))
        .execute(self.writer())
        .await?;
        if seen.rows_affected() > 0 {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO embed_builds (kind, hash, bytes, first_seen_at, last_seen_at)
             VALUES ($1, $2, $3, $4, $4) ON CONFLICT (kind, hash) DO NOTHING",
        )
        .bind(name.kind().as_str())
        .bind(name.hash())
        .bind(build.bytes().as_ref())
        .bind(micros(now))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn list_embed_builds(&self) -> Result<Vec<BuildName>, StoreError> {
        let rows = sqlx::query(concat!("SELECT ", name_columns!(), " FROM embed_builds"))
            .fetch_all(self.reader())
            .await?;
        self.unreadable().skip_all(rows.iter().map(read_name))
    }

    async fn find_embed_build(&self, name: &BuildName) -> Result<Option<StoredBuild>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            build_columns!(),
            " FROM embed_builds WHERE kind = $1 AND hash = $2"
        ))
        .bind(name.kind().as_str())
        .bind(name.hash())
        .fetch_optional(self.reader())
        .await?;
        self.unreadable()
            .noted(row.as_ref().map(read_build).transpose())
    }

    async fn mark_embed_build(
        &self,
        name: &BuildName,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE embed_builds SET last_seen_at = $3
             WHERE kind = $1 AND hash = $2 AND last_seen_at < $3",
        )
        .bind(name.kind().as_str())
        .bind(name.hash())
        .bind(micros(now))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn forget_embed_builds(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM embed_builds WHERE last_seen_at < $1")
            .bind(micros(before))
            .execute(self.writer())
            .await?;
        Ok(done.rows_affected())
    }
}
