//! What the service stores, as one object-safe trait in terms of the domain; the databases are
//! behind it.
//!
//! Two services on one database are the normal case: what must be decided once is decided by a
//! constraint, by a compare-and-set, or in a transaction that locks the row before it reads it.

mod agents;
mod budgets;
mod conversations;
mod database_file;
pub(crate) mod deadline;
mod deleted_widgets;
mod driver;
mod embed_builds;
mod erasures;
mod error;
mod idempotency;
mod interface;
mod keys;
mod lifecycle;
mod list_page;
mod location;
mod messages;
mod meters;
pub mod migrations;
mod open;
pub mod postgres;
mod previews;
mod retentions;
mod rooms;
pub mod sqlite;
mod statistics;
mod submissions;
mod sweep;
mod table;
mod unreadable;
mod webhooks;
mod widgets;
mod workers;

pub use agents::{
    Agent, AgentStore, AgentVersion, DeleteAgentError, InsertAgentError, NewAgentVersion,
};
pub use budgets::{
    AudioEvent, BudgetOwner, BudgetStore, CallOutcome, DueCall, ReserveVoiceError, StoredLimits,
    StoredUse,
};
pub use conversations::{
    ConversationFilter, ConversationRecord, ConversationStore, CreateConversationError,
    NewConversation, PlaceHash, PlaceHashError, ResumeConversation, ResumeError, StartPlace,
    StoredConversation, Tombstone, UsedTicket,
};
pub use deleted_widgets::{DeletedWidget, DeletedWidgetStore};
pub use embed_builds::{BuildKind, BuildName, EmbedBuild, EmbedBuildStore, StoredBuild};
pub use erasures::{
    CreateJobError, Erasable, ErasureJob, ErasureJobStore, ErasureStore, NewErasureJob, RunningJob,
};
pub use error::{Cause, ConflictKind, StoreError};
pub use idempotency::{RepeatError, RepeatableRequest};
pub use interface::{ForgetBefore, Storage};
pub use keys::{ApiKey, CreateKeyError, KeyStore, ListedApiKey, SigningKey};
pub use lifecycle::{LifecycleStore, Transition};
pub use list_page::{ListPage, MAX_PAGE_BYTES, Page};
pub use location::Location;
pub use messages::{AppendError, ConversationMarks, MessageStore};
pub use meters::{PoolState, StorageMeters};
pub use migrations::MigrationError;
pub use open::{open, pending_migrations};
pub use previews::{
    InsertPreviewError, ListedPreview, NewPreview, PreviewStore, ReplacePreviewError,
    ReplacedDraft, StoredPreview,
};
pub use retentions::{RetentionKey, RetentionStore, StoredRetention};
pub use rooms::{NewRoom, Room, RoomStore};
pub use statistics::{CountedPoint, ForgetStatistics, StatisticsStore, VisitCounts};
pub use submissions::{SaveFeedbackError, SaveFormError, SubmissionStore};
pub use sweep::{SweepBatch, SweepPosition};
pub use unreadable::{ListPosition, Listed, StoredRow, UnreadableRow};
pub use webhooks::{WebhookEvent, WebhookStore};
pub use widgets::{
    Author, DirectoryVersion, IdempotentRequest, InsertedWidget, NotedEffects, PinNames,
    StoredWidget, UpdatedWidget, WidgetFilter, WidgetRevision, WidgetStore, WriteWidgetError,
};
pub use workers::WorkerStore;
