//! What the service stores, as one object-safe trait in terms of the domain; the databases are
//! behind it.
//!
//! Two services on one database are the normal case: what must be decided once is decided by a
//! constraint, by a compare-and-set, or in a transaction that locks the row before it reads it.

mod agents;
mod conversations;
pub(crate) mod deadline;
mod driver;
mod keys;
pub mod migrations;
pub mod postgres;
pub mod sqlite;
mod table;
mod widgets;

use widget_core::origin::SuffixList;

pub use agents::{Agent, AgentStore, AgentVersion, DeleteAgentError, NewAgentVersion};
pub use conversations::{
    ConversationFilter, ConversationRecord, ConversationStore, CreateConversationError,
    DueConversation, NewConversation, NewRoom, ResumeConversation, ResumeError, Room,
    SaveFeedbackError, Transition, UsedTicket, WebhookEvent,
};
pub use keys::{ApiKey, KeyStore, SigningKey};
pub use widgets::{
    Author, IdempotentRequest, InsertedWidget, StoredWidget, UpdatedWidget, WidgetFilter,
    WidgetRevision, WidgetStore, WriteWidgetError,
};

/// Everything that is stored; see the traits it is made of.
#[async_trait::async_trait]
pub trait Storage:
    KeyStore + AgentStore + WidgetStore + ConversationStore + Send + Sync + 'static
{
    /// Whether the database answers and, after a write failed for lack of disk space, has space
    /// again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer, [`StoreError::Full`] when it has no
    /// space.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Applies the missing migrations and returns their number.
    ///
    /// # Errors
    /// [`migrations::MigrationError`]
    async fn migrate(&self) -> Result<usize, migrations::MigrationError>;

    /// Names of the migrations that are missing.
    ///
    /// # Errors
    /// [`migrations::MigrationError`]
    async fn pending_migrations(&self) -> Result<Vec<String>, migrations::MigrationError>;

    /// Waits a moment for running statements to end and closes all connections.
    async fn close(&self);
}

/// Opens the database at `url`: `sqlite:PATH`, a file that is made when it is missing, or
/// `postgres://…`; applies no migration. `suffixes` is the list with which records are read.
///
/// # Errors
/// [`StoreError`]; the message names the schemes that are known.
pub async fn open(
    url: &str,
    suffixes: SuffixList,
) -> Result<std::sync::Arc<dyn Storage>, StoreError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(std::sync::Arc::new(
            sqlite::SqliteStorage::open(url, suffixes).await?,
        )),
        Some("postgres" | "postgresql") => Ok(std::sync::Arc::new(
            postgres::PostgresStorage::open(url, suffixes).await?,
        )),
        _ => Err(StoreError::Query(
            "the database URL must start with `sqlite:` or `postgres:`".into(),
        )),
    }
}

/// Why storage failed; opaque about the database behind it.
#[derive(Debug, thiserror::Error)]
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
    #[error("row `{row}` of table `{table}` cannot be read: {cause}")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// Its key.
        row: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The disk of the database is full; what was to be written was not.
    #[error("the disk of the database is full: {0}")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database does not answer in time.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database rejected a statement.
    #[error("the database rejected a statement: {0}")]
    Query(#[source] Box<dyn std::error::Error + Send + Sync>),
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
        cause: &dyn std::fmt::Display,
    ) -> Self {
        Self::Corrupt {
            table,
            row: row.to_string(),
            cause: cause.to_string(),
        }
    }

    /// Whether a uniqueness constraint was violated.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Conflict {
                kind: ConflictKind::Unique,
                ..
            }
        )
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

/// One page of a list, newest first: at most `limit` items older than `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPage {
    /// Time of creation and id of the last item of the page before.
    pub before: Option<(time::OffsetDateTime, uuid::Uuid)>,
    /// How many at most.
    pub limit: u32,
}
