//! Opens the database that a URL names.

use std::sync::Arc;

use widget_core::origin::SuffixList;

use super::{
    error::StoreError,
    interface::Storage,
    location::{Kind, Location},
    migrations::MigrationError,
    postgres::PostgresStorage,
    sqlite::SqliteStorage,
};

/// Opens a database: `sqlite:PATH`, a file that is made when it is missing, or `postgres://…`;
/// applies no migration. `suffixes` is the list with which records are read.
///
/// # Errors
/// [`StoreError`]; the message names the schemes that are known. [`StoreError::Incompatible`] when
/// this program is too old for the database.
pub async fn open<'a>(
    location: impl Into<Location<'a>>,
    suffixes: SuffixList,
) -> Result<Arc<dyn Storage>, StoreError> {
    let location = location.into();
    let storage: Arc<dyn Storage> = match location.kind()? {
        Kind::Sqlite => Arc::new(SqliteStorage::open(location.url, suffixes).await?),
        Kind::PostgreSql => Arc::new(PostgresStorage::open(location, suffixes).await?),
    };
    storage.require_compatible().await?;
    Ok(storage)
}

/// Names of the migrations that the database lacks; writes nothing, not even a missing file.
///
/// # Errors
/// [`MigrationError`]
pub async fn pending_migrations(location: Location<'_>) -> Result<Vec<String>, MigrationError> {
    match location.kind()? {
        Kind::Sqlite => SqliteStorage::pending_migrations_of(location.url).await,
        Kind::PostgreSql => {
            let suffixes = SuffixList::builtin().clone();
            let storage = PostgresStorage::open(location, suffixes).await?;
            let pending = storage.pending_migrations().await;
            storage.close().await;
            Ok(pending?)
        }
    }
}
