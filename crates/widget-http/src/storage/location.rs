//! Where a database is, and which one it is.

use super::error::StoreError;

/// Where a database is.
#[derive(Debug, Clone, Copy)]
pub struct Location<'a> {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: &'a str,
    /// The address of the PostgreSQL server itself, where `url` leads to a pooler: migrations need
    /// it.
    pub migration_url: Option<&'a str>,
}

impl<'a> From<&'a str> for Location<'a> {
    fn from(url: &'a str) -> Self {
        Self {
            url,
            migration_url: None,
        }
    }
}

/// The databases that there are.
pub(super) enum Kind {
    Sqlite,
    PostgreSql,
}

impl Location<'_> {
    pub(super) fn kind(&self) -> Result<Kind, StoreError> {
        let kind = match self.url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Kind::Sqlite),
            Some("postgres" | "postgresql") => Ok(Kind::PostgreSql),
            _ => Err("the database URL must start with `sqlite:` or `postgres:`"),
        };
        kind.map_err(|message| StoreError::Query(message.into()))
    }

    /// Whether another program answers there, which may start later than this one.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self.kind(), Ok(Kind::PostgreSql))
    }
}
