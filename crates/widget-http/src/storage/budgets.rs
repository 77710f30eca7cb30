//! Limits that keys have set, what was used and reserved of them, and calls whose minutes are
//! limited.

use std::fmt;

use time::OffsetDateTime;
use widget_core::{
    conversation::{
        ConversationEnded, LifecycleLimits,
        budget::{Audio, BudgetError, Budgets, Day, DayBudget, DayUse, Limits},
    },
    id::{ConversationId, OrganizationId, WidgetId},
};

use super::{
    error::StoreError,
    sweep::{SweepBatch, SweepPosition},
    unreadable::ListPosition,
};

/// Who a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOwner<'a> {
    /// All widgets of an organization together.
    Organization(&'a OrganizationId),
    /// One widget, and whose it is.
    Widget(&'a OrganizationId, WidgetId),
}

impl BudgetOwner<'_> {
    /// The widget as it is stored.
    pub(super) fn widget_key(id: WidgetId) -> String {
        format!("widget {id}")
    }
}

/// As it is stored.
impl fmt::Display for BudgetOwner<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => write!(formatter, "organization {id}"),
            Self::Widget(_, id) => formatter.write_str(&Self::widget_key(*id)),
        }
    }
}

/// The limits of a widget and of its organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredLimits {
    /// Of the organization.
    pub organization: Limits,
    /// Of the widget.
    pub widget: Limits,
}

/// What an owner has used and reserved on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredUse {
    /// Conversations.
    pub conversations: DayUse,
    /// Seconds of voice.
    pub voice_seconds: DayUse,
}

/// Why no minutes were reserved; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ReserveVoiceError {
    /// They are used up.
    #[error(transparent)]
    OverBudget(#[from] BudgetError),
    /// The conversation is over.
    #[error(transparent)]
    Ended(#[from] ConversationEnded),
    /// There is no such conversation.
    #[error("the conversation does not exist")]
    Missing,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// LiveKit says that the visitor's voice came into a room or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioEvent<'a> {
    /// LiveKit's id of the event.
    pub id: &'a str,
    /// The name of the room.
    pub room: &'a str,
    /// LiveKit's id of the track; a later one has another.
    pub track: Option<&'a str>,
    /// Whether it came.
    pub is_published: bool,
}

/// A call that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCall {
    /// Its conversation.
    pub id: ConversationId,
    /// Whose widget it is on.
    pub organization_id: OrganizationId,
    /// That widget.
    pub web_widget_id: WidgetId,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// It continues.
    Continues,
    /// It is over.
    Over,
    /// Its minutes are used up: the visitor's room was marked for removal.
    Removed,
}

/// Budgets.
///
/// What is used and reserved is written in the transaction of what needs it: a conversation is used
/// by its join, and the minutes of a call are reserved with it or later. Both are settled in the
/// transaction that changes the state of the conversation. Rows are locked in one order
/// everywhere: the conversation, then the days from the earliest, of each the organization before
/// the widget.
#[async_trait::async_trait]
pub trait BudgetStore {
    /// The limits that keys have set for a widget and its organization.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_limits(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
    ) -> Result<StoredLimits, StoreError>;

    /// The limits that keys have set for one owner.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_owner_limits(&self, owner: BudgetOwner<'_>) -> Result<Limits, StoreError>;

    /// Replaces the limits of an owner. Where `budget` limits conversations, those that began on
    /// this day before anybody counted them are used.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn write_limits(
        &self,
        owner: BudgetOwner<'_>,
        limits: &Limits,
        budget: DayBudget,
        now: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// What an owner has used and reserved on a day.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_day_use(&self, owner: BudgetOwner<'_>, day: Day)
    -> Result<StoredUse, StoreError>;

    /// Reserves minutes for a call that is about to begin, unless one is there; returns until when
    /// they last, nothing before the visitor has joined the conversation.
    ///
    /// # Errors
    /// [`ReserveVoiceError`]
    async fn reserve_voice(
        &self,
        id: ConversationId,
        budgets: &Budgets,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<OffsetDateTime>, ReserveVoiceError>;

    /// Applies an event of LiveKit about the visitor's voice once. A voice that comes without
    /// minutes that were reserved for it, where they are limited, marks the room for removal; then
    /// this returns true. `operator`: the budgets before the limits of keys.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn apply_audio_event(
        &self,
        event: &AudioEvent<'_>,
        operator: &Budgets,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError>;

    /// Calls that somebody has to look at, the most urgent first, from a position on.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_due_calls(
        &self,
        now: OffsetDateTime,
        position: &SweepPosition<ListPosition<ConversationId>>,
        limit: u32,
    ) -> Result<SweepBatch<DueCall, ListPosition<ConversationId>>, StoreError>;

    /// Extends a call, settles it, or marks its room for removal, by the rules of core.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn check_call(
        &self,
        id: ConversationId,
        audio: Audio,
        budgets: &Budgets,
        now: OffsetDateTime,
    ) -> Result<CallOutcome, StoreError>;

    /// Conversations that were joined or ended on a node of the release before, which settles
    /// nothing of a budget; those of the earliest day first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_unsettled(
        &self,
        position: &SweepPosition<ListPosition<ConversationId>>,
        limit: u32,
    ) -> Result<SweepBatch<ConversationId, ListPosition<ConversationId>>, StoreError>;

    /// Settles one of them.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn settle_ended(&self, id: ConversationId) -> Result<(), StoreError>;
}
