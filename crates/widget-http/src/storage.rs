//! What the service keeps, as one object-safe trait in terms of the domain; the databases are
//! behind it.
//!
//! Two services on one database are the normal case: whatever must be decided once is decided by a
//! constraint or by a compare-and-set inside one transaction, never by a look followed by a write.

mod agents;
mod conversations;
mod driver;
mod keys;
pub mod migrations;
pub mod postgres;
pub mod sqlite;
mod widgets;

pub use agents::{Agent, AgentStore, AgentVersion, DeleteAgentError, NewAgentVersion};
pub use conversations::{
    ConversationFilter, ConversationRecord, ConversationStore, CreateConversationError,
    DueConversation, NewConversation, NewRoom, ResumeConversation, ResumeError, Room,
    SaveFeedbackError, Transition, UsedTicket,
};
pub use keys::{ApiKey, KeyStore, SigningKey};
pub use widgets::{
    Author, IdempotentRequest, InsertedWidget, StoredWidget, WidgetFilter, WidgetRevision,
    WidgetStore, WriteWidgetError,
};

/// Everything that is kept; see the traits it is made of.
#[async_trait::async_trait]
pub trait Storage:
    KeyStore + AgentStore + WidgetStore + ConversationStore + Send + Sync + 'static
{
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Applies the migrations that are missing and returns how many there were.
    ///
    /// # Errors
    /// [`migrations::MigrationError`]
    async fn migrate(&self) -> Result<usize, migrations::MigrationError>;

    /// Names of the migrations that are missing.
    ///
    /// # Errors
    /// [`migrations::MigrationError`]
    async fn pending_migrations(&self) -> Result<Vec<String>, migrations::MigrationError>;

    /// Waits until what was begun is written and lets the database go.
    async fn close(&self);
}

/// Opens the database at `url`: `sqlite:PATH`, a file that is made when it is missing, or
/// `postgres://…`; applies no migration.
///
/// # Errors
/// [`StoreError`]; the message names the schemes that are known.
pub async fn open(url: &str) -> Result<std::sync::Arc<dyn Storage>, StoreError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(std::sync::Arc::new(sqlite::SqliteStorage::open(url).await?)),
        Some("postgres" | "postgresql") => Ok(std::sync::Arc::new(
            postgres::PostgresStorage::open(url).await?,
        )),
        _ => Err(StoreError::Query(
            "the database URL must begin with `sqlite:` or `postgres:`".into(),
        )),
    }
}

/// Why storage could not do as asked; opaque about the database behind it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A constraint said no: the same thing exists already, or something points at it.
    #[error("a constraint of the database was violated: {cause}")]
    Conflict {
        /// What the database said.
        cause: String,
        /// Which kind of constraint it was.
        kind: ConflictKind,
    },
    /// A stored row does not follow the rules of this build.
    #[error("row `{row}` of table `{table}` cannot be read: {cause}")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// Its key.
        row: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The database does not answer, or is busy for too long.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused a statement of ours.
    #[error("the database refused a statement: {0}")]
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

/// A stretch of a list, newest first: at most `limit` items older than `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Time of creation and id of the last item of the page before.
    pub before: Option<(time::OffsetDateTime, uuid::Uuid)>,
    /// How many at most.
    pub limit: u32,
}
