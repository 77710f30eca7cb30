//! Why storage fails, whichever database is behind it.

use std::{error::Error, sync::Arc};

use widget_core::conversation::ConversationErased;

/// What a driver said; requests that waited for the same answer share it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Cause(#[source] Arc<dyn Error + Send + Sync>);

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<&str> for Cause {
    fn from(message: &str) -> Self {
        Self::from(message.to_owned())
    }
}

impl From<String> for Cause {
    fn from(message: String) -> Self {
        Self(Arc::from(Box::<dyn Error + Send + Sync>::from(message)))
    }
}

/// Why storage failed; opaque about the database behind it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A constraint was violated: the same thing exists already, or something points at it.
    #[error("a constraint of the database was violated: {cause}")]
    Conflict {
        /// What the database said.
        cause: String,
        /// Which kind of constraint it was.
        kind: ConflictKind,
    },
    /// A stored row is not valid for this build.
    #[error("`{column}` of row `{row}` in table `{table}` cannot be read: {cause}")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// Its key.
        row: String,
        /// The column that is not valid.
        column: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// Somebody else holds what is to be written, and did not let go in time; nothing was written.
    #[error("the database is busy; another process or request holds what is to be written: {0}")]
    Busy(#[source] Cause),
    /// The database can be read and not written; what was to be written was not.
    #[error(
        "the database can only be read; check the permissions of its file or user, and whether it \
         is a standby: {0}"
    )]
    ReadOnly(#[source] Cause),
    /// The conversation was erased: nothing of it can be read or written.
    #[error(transparent)]
    Erased(#[from] ConversationErased),
    /// The disk of the database is full; what was to be written was not.
    #[error("the disk of the database is full: {0}")]
    Full(#[source] Cause),
    /// The database does not answer in time.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Cause),
    /// What is stored is not what the database wrote.
    #[error("the database is damaged and must be restored from a backup: {0}")]
    Damaged(#[source] Cause),
    /// This program is too old for the database.
    #[error(
        "this is widget-http {}, and the database needs {needed} or newer; install that release",
        env!("CARGO_PKG_VERSION")
    )]
    Incompatible {
        /// The oldest release that may use it.
        needed: String,
    },
    /// The database rejected a statement.
    #[error("the database rejected a statement: {0}")]
    Query(#[source] Cause),
}

/// Kinds of constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// The same key exists already.
    Unique,
    /// A row that is pointed at is missing, or the row to delete is pointed at.
    ForeignKey,
    /// Another one.
    Other,
}

impl StoreError {
    pub(crate) fn corrupt(
        table: &'static str,
        row: &dyn std::fmt::Display,
        column: &'static str,
        cause: &dyn std::fmt::Display,
    ) -> Self {
        Self::Corrupt {
            table,
            row: row.to_string(),
            column,
            cause: cause.to_string(),
        }
    }

    /// Whether a foreign key was violated.
    #[must_use]
    pub fn is_dangling(&self) -> bool {
        matches!(
            self,
            Self::Conflict {
                kind: ConflictKind::ForeignKey,
                ..
            }
        )
    }
}
