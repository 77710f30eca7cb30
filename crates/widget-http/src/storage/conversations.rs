//! Conversations, their rooms, messages and used tickets.

use time::OffsetDateTime;
use widget_core::{
    conversation::{
        ConversationEnded, FeedbackError, Lifecycle, LifecycleLimits, Mode, Reporter, Status,
        room::RoomEvent, token::NewestGeneration, transcript::Message,
    },
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
    origin::Origin,
};

use super::{ListPage, StoreError};

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

/// A room of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// LiveKit's name of it.
    pub name: String,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Which one of the conversation's rooms it is; the conversation's own generation is the
    /// newest.
    pub generation: i64,
    /// When its name was issued.
    pub created_at: OffsetDateTime,
    /// It is to be removed from LiveKit, next attempt not before this.
    pub removal_due_at: Option<OffsetDateTime>,
    /// Removals that failed.
    pub attempts: i64,
    /// When LiveKit last confirmed that it is gone.
    pub removed_at: Option<OffsetDateTime>,
}

/// A ticket that is used up by what is written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedTicket {
    /// Its unique id.
    pub id: String,
    /// Until when it has to be remembered.
    pub expires_at: OffsetDateTime,
}

/// Name of a room to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// LiveKit's name of it, which nobody can guess.
    pub name: String,
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
    /// How long conversations may last.
    pub limits: LifecycleLimits,
}

/// Why a conversation was not created; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CreateConversationError {
    /// The ticket was used before.
    #[error("the ticket was used before")]
    TicketReplayed,
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
    /// It was resumed by somebody else, or does not exist any more.
    #[error("the conversation was resumed in the meantime")]
    Stale,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which conversations to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Of this widget.
    pub web_widget_id: Option<WidgetId>,
    /// With this agent.
    pub agent_id: Option<AgentId>,
    /// With this version.
    pub agent_version_id: Option<AgentVersionId>,
    /// In this status.
    pub status: Option<Status>,
    /// Created later than this.
    pub created_after: Option<OffsetDateTime>,
    /// Created earlier than this.
    pub created_before: Option<OffsetDateTime>,
}

/// Why feedback was not stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveFeedbackError {
    /// The rules reject it.
    #[error(transparent)]
    Refused(#[from] FeedbackError),
    /// There is no such conversation.
    #[error("there is no such conversation")]
    Missing,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A transition of core, applied to a conversation while nobody else can change it.
pub type Transition<'a> = &'a (dyn Fn(Lifecycle) -> Lifecycle + Send + Sync);

/// An open conversation and when it was to be looked at, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueConversation {
    /// When the limits were to end it.
    pub due_at: OffsetDateTime,
    /// Which one.
    pub id: ConversationId,
}

/// An event of LiveKit about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookEvent<'a> {
    /// LiveKit's id of the event.
    pub id: &'a str,
    /// The name of the room.
    pub room: &'a str,
    /// What happened.
    pub happened: RoomEvent,
    /// LiveKit's id of the life of the room in which it happened.
    pub room_life: Option<&'a str>,
    /// LiveKit's id of the stay of the participant.
    pub stay: Option<&'a str>,
}

impl WebhookEvent<'_> {
    /// What ended by the event.
    pub(super) fn ended(&self) -> Option<&str> {
        match self.happened {
            RoomEvent::VisitorLeft => self.stay,
            RoomEvent::Finished => self.room_life,
            RoomEvent::Started | RoomEvent::VisitorJoined | RoomEvent::OtherJoined => None,
        }
    }
}

/// Conversations and what belongs to them.
#[async_trait::async_trait]
pub trait ConversationStore {
    /// Creates a conversation with its first room and uses up the ticket, all or nothing.
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
    /// [`StoreError`]
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
    ) -> Result<Option<ConversationRecord>, StoreError>;

    /// Conversations of the organization, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_conversations(
        &self,
        organization: &OrganizationId,
        filter: &ConversationFilter,
        page: ListPage,
    ) -> Result<Vec<ConversationRecord>, StoreError>;

    /// How many conversations of the widget have not ended.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_open_conversations(&self, widget: WidgetId) -> Result<i64, StoreError>;

    /// How many conversations the organization has had since a time.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_conversations_since(
        &self,
        organization: &OrganizationId,
        since: OffsetDateTime,
    ) -> Result<i64, StoreError>;

    /// Gives a conversation that has not ended a new room and the next generation, uses up the
    /// ticket and marks its older rooms for removal, all or nothing; returns it as it is now.
    ///
    /// # Errors
    /// [`ResumeError`]
    async fn resume_conversation(
        &self,
        resume: &ResumeConversation,
    ) -> Result<ConversationRecord, ResumeError>;

    /// Applies a transition of core and stores its outcome; returns the conversation as it is now,
    /// nothing when there is none. When it ends by this, its rooms are marked for removal with it.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn transition_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
        transition: Transition<'_>,
    ) -> Result<Option<ConversationRecord>, StoreError>;

    /// Open conversations whose stored time to end has come by `now`, the most overdue first, those
    /// after `after`; [`Self::expire_conversation`] decides whether they have ended.
    ///
    /// The time is that of the limits under which the conversation was last stored. With
    /// longer limits it comes too early, which costs one check. With shorter ones the conversation
    /// ends when somebody asks for it, but is found here only at the time of the earlier limits.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_due_conversations(
        &self,
        now: OffsetDateTime,
        after: Option<DueConversation>,
        limit: u32,
    ) -> Result<Vec<DueConversation>, StoreError>;

    /// Ends a conversation if the limits say so, else stores the time at which they will; returns
    /// the conversation as it is now, nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn expire_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<ConversationRecord>, StoreError>;

    /// Appends the messages that this reporter has not reported yet (by id) in their order; returns
    /// how many were new.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn append_messages(
        &self,
        id: ConversationId,
        messages: &[Message],
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<u64, StoreError>;

    /// How many messages the reporter has reported, and how many characters of text.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn measure_messages(
        &self,
        id: ConversationId,
        reporter: Reporter,
    ) -> Result<(i64, i64), StoreError>;

    /// All messages of a conversation, in the order in which they were reported.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_messages(&self, id: ConversationId) -> Result<Vec<Message>, StoreError>;

    /// Stores the values of a form at `forms.<form_id>` of the custom metadata, replacing those of
    /// an earlier submission; `false` when there is no such conversation or it is over, by the
    /// limits too.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn save_form(
        &self,
        id: ConversationId,
        form_id: &str,
        values: &serde_json::Value,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError>;

    /// Stores feedback at `feedback_form` of the custom metadata, if the rules allow it; `enabled`
    /// says whether the widget asks for any.
    ///
    /// # Errors
    /// [`SaveFeedbackError`]
    async fn save_feedback(
        &self,
        id: ConversationId,
        values: &serde_json::Value,
        enabled: bool,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<(), SaveFeedbackError>;

    /// The room that LiveKit calls `name`.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_room(&self, name: &str) -> Result<Option<Room>, StoreError>;

    /// The newest room of a conversation.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_newest_room(&self, id: ConversationId) -> Result<Option<Room>, StoreError>;

    /// Marks a room for removal, also one that was removed before (LiveKit creates rooms again).
    ///
    /// # Errors
    /// [`StoreError`]
    async fn mark_room_for_removal(
        &self,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// Rooms whose removal is due, most overdue first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_rooms_to_remove(
        &self,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<Room>, StoreError>;

    /// Notes that LiveKit has removed a room, or does not know it.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn record_room_removal(&self, name: &str, now: OffsetDateTime) -> Result<(), StoreError>;

    /// Notes that a removal failed and when to try again.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn record_failed_room_removal(
        &self,
        name: &str,
        next_attempt_at: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// Applies an event of LiveKit once, whenever and how often it comes: the note that it came and
    /// its effect are written together, or nothing is. Returns whether the room was marked for
    /// removal; for a room of another service nothing is written.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn apply_webhook_event(
        &self,
        event: &WebhookEvent<'_>,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError>;

    /// Forgets tickets that have expired by `now` and webhook events older than `events_before`.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn forget_expired(
        &self,
        now: OffsetDateTime,
        events_before: OffsetDateTime,
    ) -> Result<(), StoreError>;
}
