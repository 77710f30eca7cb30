//! Which database a URL names.

use std::sync::Arc;

use widget_core::origin::SuffixList;

use super::{
    error::StoreError, interface::Storage, postgres::PostgresStorage, sqlite::SqliteStorage,
};

/// Opens the database at `url`: `sqlite:PATH`, a file that is made when it is missing, or
/// `postgres://…`; applies no migration. `suffixes` is the list with which records are read.
///
/// # Errors
/// [`StoreError`]; the message names the schemes that are known.
pub async fn open(url: &str, suffixes: SuffixList) -> Result<Arc<dyn Storage>, StoreError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Arc::new(SqliteStorage::open(url, suffixes).await?)),
        Some("postgres" | "postgresql") => {
            Ok(Arc::new(PostgresStorage::open(url, suffixes).await?))
        }
        _ => Err(StoreError::Query(
            "the database URL must start with `sqlite:` or `postgres:`".into(),
        )),
    }
}
