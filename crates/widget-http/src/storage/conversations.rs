//! Conversations: how they start, how they are resumed, and how they are found.

use std::str::FromStr;

use time::OffsetDateTime;
use widget_core::{
    conversation::{
        ConversationEnded, ConversationErased, Erasure, Lifecycle, LifecycleLimits, Mode,
        budget::{BudgetError, Budgets},
        token::NewestGeneration,
    },
    id::{AgentId, AgentVersionId, ConversationId, IdPrefix, OrganizationId, PreviewId, WidgetId},
    origin::Origin,
};

use super::{
    error::StoreError,
    list_page::{ListPage, Page},
    rooms::NewRoom,
    unreadable::{Listed, StoredRow},
};

/// A conversation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRecord {
    /// Its id.
    pub id: ConversationId,
    /// Whose widget it was started on.
    pub organization_id: OrganizationId,
    /// That widget; it may be gone by now.
    pub web_widget_id: WidgetId,
    /// The agent that was pinned.
    pub agent_id: AgentId,
    /// The version that was pinned.
    pub agent_version_id: AgentVersionId,
    /// Name under which LiveKit dispatches that version's worker.
    pub livekit_agent_name: String,
    /// The preview by whose link it was started; it may be gone by now.
    pub preview_id: Option<PreviewId>,
    /// Origin of the page that embeds the widget; only it may resume.
    pub origin: Origin,
    /// Where it stands, with its times.
    pub lifecycle: Lifecycle,
    /// How it began, or how it was last resumed.
    pub mode: Mode,
    /// JSON object, exactly as stored.
    pub custom_metadata: String,
    /// Counts its rooms and conversation tokens from 1; the newest is valid.
    pub generation: i64,
    /// Whether the newest generation was made by the token before, which may do so once.
    pub repeat_used: bool,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl ConversationRecord {
    /// Its newest room and token.
    #[must_use]
    pub const fn newest(&self) -> NewestGeneration {
        NewestGeneration {
            number: self.generation,
            repeat_used: self.repeat_used,
        }
    }
}

/// What remains of a conversation that was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Its id.
    pub id: ConversationId,
    /// The widget that it was started on; it may be gone by now.
    pub web_widget_id: WidgetId,
    /// The preview by whose link it was started; it may be gone by now.
    pub preview_id: Option<PreviewId>,
    /// The agent that was pinned.
    pub agent_id: AgentId,
    /// The version that was pinned.
    pub agent_version_id: AgentVersionId,
    /// How it ended, with its times.
    pub lifecycle: Lifecycle,
    /// How it began, or how it was last resumed.
    pub mode: Mode,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was erased, and by whom.
    pub erasure: Erasure,
}

/// A row of a conversation: with its content, or without.
///
/// What is said and sent is in the one that was not erased alone, so that nobody writes to the
/// other or shows content of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredConversation {
    /// It has its content.
    Kept(Box<ConversationRecord>),
    /// It was erased.
    Erased(Box<Tombstone>),
}

impl StoredConversation {
    /// The conversation with its content.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it was erased.
    pub fn require_kept(self) -> Result<ConversationRecord, StoreError> {
        match self {
            Self::Kept(record) => Ok(*record),
            Self::Erased(_) => Err(ConversationErased.into()),
        }
    }
}

/// A ticket that is used up by what is written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedTicket {
    /// Its unique id.
    pub id: String,
    /// Until when it has to be remembered.
    pub expires_at: OffsetDateTime,
}

/// A hash of a place, in letters, digits, `-` and `_` only, which need no quoting anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceHash(String);

impl PlaceHash {
    /// The hash as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlaceHash {
    type Err = PlaceHashError;

    fn from_str(text: &str) -> Result<Self, PlaceHashError> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.is_empty() || !text.bytes().all(is_safe) {
            return Err(PlaceHashError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A text that is not the hash of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hash of a place must have only letters, digits, `-` and `_`")]
pub struct PlaceHashError;

/// Where a conversation is started or resumed, as hashes that only this service can make; kept
/// until somebody joins it or it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartPlace {
    /// Of the caller's address, as [`StartRange::Address`] counts it.
    ///
    /// [`StartRange::Address`]: widget_core::conversation::budget::StartRange::Address
    pub address: PlaceHash,
    /// Of the caller's network, as [`StartRange::Network`] counts it; none for IPv4.
    ///
    /// [`StartRange::Network`]: widget_core::conversation::budget::StartRange::Network
    pub network: Option<PlaceHash>,
}

impl StartPlace {
    /// What is locked of it: one name for both ranges, since a network contains its addresses.
    pub(super) fn lock_name(&self) -> &PlaceHash {
        self.network.as_ref().unwrap_or(&self.address)
    }
}

/// A conversation to be created with its first room, by using up a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConversation {
    /// The conversation; its generation is 1.
    pub conversation: ConversationRecord,
    /// Its first room.
    pub room: NewRoom,
    /// The ticket that allows it.
    pub ticket: UsedTicket,
    /// Where it is started; none where nothing is counted.
    pub place: Option<StartPlace>,
    /// How many conversations may be open, how many may wait there to be joined, and what may be
    /// used on this day.
    pub budgets: Budgets,
    /// How long conversations may last.
    pub limits: LifecycleLimits,
}

/// Why a conversation was not created; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CreateConversationError {
    /// The ticket was used before.
    #[error("the ticket was used before")]
    TicketReplayed,
    /// Too many are open, or wait to be joined where it was started, a budget of the day is used
    /// up, or the link of its preview allows no other.
    #[error(transparent)]
    OverBudget(#[from] BudgetError),
    /// Its preview has ended.
    #[error("the preview has ended")]
    PreviewEnded,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new room for a conversation, by using up a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeConversation {
    /// The conversation.
    pub id: ConversationId,
    /// The generation that it must still have.
    pub generation: i64,
    /// The resume is made by the token of the generation before; allowed once.
    pub repeat: bool,
    /// Its new mode.
    pub mode: Mode,
    /// Its new room.
    pub room: NewRoom,
    /// The ticket that allows it.
    pub ticket: UsedTicket,
    /// Where it is resumed; it counts there from now on if nobody has joined it.
    pub place: Option<StartPlace>,
    /// How many conversations may wait there to be joined.
    pub budgets: Budgets,
    /// The present time.
    pub now: OffsetDateTime,
    /// How long conversations may last.
    pub limits: LifecycleLimits,
}

/// Why a conversation was not resumed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The ticket was used before.
    #[error("the ticket was used before")]
    TicketReplayed,
    /// It is over and cannot be resumed.
    #[error(transparent)]
    Ended(#[from] ConversationEnded),
    /// It was resumed by somebody else, or does not exist anymore.
    #[error("the conversation was resumed in the meantime")]
    Stale,
    /// Nobody has joined it, and too many others wait to be joined where it is resumed; or the
    /// minutes of voice are used up.
    #[error(transparent)]
    OverBudget(#[from] BudgetError),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which conversations to list: by what an index finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Of this widget.
    pub web_widget_id: Option<WidgetId>,
    /// Created later than this.
    pub created_after: Option<OffsetDateTime>,
    /// Created earlier than this.
    pub created_before: Option<OffsetDateTime>,
    /// With an id that begins so.
    pub id_prefix: Option<IdPrefix>,
    /// Only those of which no end is stored; the limits may have ended them all the same.
    pub not_ended: bool,
    /// Only those that were not erased.
    pub not_erased: bool,
}

/// Conversations.
#[async_trait::async_trait]
pub trait ConversationStore {
    /// Creates a conversation with its first room and uses up the ticket, all or nothing.
    ///
    /// Of those that are created at the same time, on whichever node, no more succeed than may wait
    /// at their place, or than the link of their preview allows.
    ///
    /// # Errors
    /// [`CreateConversationError`]
    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<(), CreateConversationError>;

    /// A conversation for its own visitor, for LiveKit or for background work, which name no
    /// organization.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it was erased, or another [`StoreError`]
    async fn find_conversation(
        &self,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError>;

    /// A conversation of the organization.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_organization_conversation(
        &self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, StoreError>;

    /// Conversations of the organization, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_conversations(
        &self,
        organization: &OrganizationId,
        filter: &ConversationFilter,
        page: ListPage,
    ) -> Result<Page<Listed<StoredRow<StoredConversation>>>, StoreError>;

    /// Gives a conversation that has not ended a new room and the next generation, uses up the
    /// ticket and marks its older rooms for removal, all or nothing; returns it as it is now.
    ///
    /// # Errors
    /// [`ResumeError`]
    async fn resume_conversation(
        &self,
        resume: &ResumeConversation,
    ) -> Result<ConversationRecord, ResumeError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_place_has_nothing_that_means_something_in_sql() {
        let hash = "aZ09-_";
        assert_eq!(hash.parse().as_ref().map(PlaceHash::as_str), Ok(hash));
        for text in [
            "", "a'b", "a\"b", "a\\b", "a b", "a;b", "a$b", "a\0b", "ä", "a=\n",
        ] {
            assert_eq!(text.parse::<PlaceHash>(), Err(PlaceHashError), "{text:?}");
        }
    }
}
