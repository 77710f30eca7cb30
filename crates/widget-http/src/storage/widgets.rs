//! Widgets, with what the gates need to know of the version they pin.

use time::OffsetDateTime;
use widget_core::{
    agent::RegistryFull,
    go_live::{self, PinnedVersion},
    id::{AgentId, AgentVersionId, IdPrefix, OrganizationId, WidgetId},
    origin::Origin,
    serve,
    unreadable::{UnreadableWidget, WidgetRecord},
    widget::Widget,
};

use super::{
    error::StoreError,
    idempotency::{RepeatError, RepeatableRequest},
    list_page::{ListPage, Page},
    unreadable::Listed,
};

/// What the agent directory says of the version that a widget pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryVersion {
    /// What the gates need to know.
    pub pinned: PinnedVersion,
    /// Name under which LiveKit dispatches the version's worker.
    pub livekit_agent_name: Option<String>,
}

/// A widget as it is stored.
#[derive(Debug, Clone)]
pub struct StoredWidget<W = Widget> {
    /// The record.
    pub widget: W,
    /// Counts its writes from 1.
    pub revision: i64,
    /// What its organization's registry says of the version it pins.
    pub pinned: PinnedVersion,
    /// Name under which LiveKit dispatches that version's worker, when there is such a version.
    pub livekit_agent_name: Option<String>,
    /// What the registry calls what it points at.
    pub names: PinNames,
}

/// What the registry calls an agent and its version, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PinNames {
    /// The name of the agent.
    pub agent: Option<String>,
    /// The number of the version.
    pub version: Option<i64>,
    /// The name of the version.
    pub label: Option<String>,
}

impl StoredWidget {
    /// Whether the widget, as it is now, serves pages of this origin. A version that nobody here
    /// knows of ends no conversation: it may be one of the agent directory.
    #[must_use]
    pub fn serves(&self, page: &Origin) -> bool {
        use PinnedVersion::{AgentMissing, DirectoryUnavailable, Published, VersionMissing};
        let pinned = match self.pinned {
            AgentMissing | VersionMissing | DirectoryUnavailable => Published,
            known => known,
        };
        serve::admit(&self.widget, pinned, page).is_ok()
    }

    /// The same for an origin as it is stored: one that cannot be read cannot be served.
    #[must_use]
    pub fn serves_page(&self, page: &str) -> bool {
        page.parse().is_ok_and(|origin| self.serves(&origin))
    }

    /// Whether both gates are open.
    #[must_use]
    pub fn is_live(&self) -> bool {
        go_live::check(&self.widget, self.pinned).is_ok()
    }

    /// The widget with what the agent directory says of the version that it pins, if there is one.
    #[must_use]
    pub fn with_directory(self, directory: Option<DirectoryVersion>) -> Self {
        match directory {
            None => self,
            Some(version) => Self {
                pinned: version.pinned,
                livekit_agent_name: version.livekit_agent_name,
                ..self
            },
        }
    }
}

impl StoredWidget<WidgetRecord> {
    /// The widget, or what can be read of it.
    ///
    /// # Errors
    /// The latter.
    pub fn readable(self) -> Result<StoredWidget, Box<StoredWidget<UnreadableWidget>>> {
        let Self {
            widget,
            revision,
            pinned,
            livekit_agent_name,
            names,
        } = self;
        match widget {
            WidgetRecord::Readable(widget) => Ok(StoredWidget {
                widget: *widget,
                revision,
                pinned,
                livekit_agent_name,
                names,
            }),
            WidgetRecord::Unreadable(widget) => Err(Box::new(StoredWidget {
                widget: *widget,
                revision,
                pinned,
                livekit_agent_name,
                names,
            })),
        }
    }

    /// The widget that was written just before, which must be readable.
    pub(super) fn require_readable(self) -> Result<StoredWidget, StoreError> {
        self.readable().map_err(|stored| {
            let cause = stored.widget.blockers();
            let cause = cause.first().map(ToString::to_string).unwrap_or_default();
            StoreError::corrupt("web_widgets", &stored.widget.id, "config", &cause)
        })
    }
}

/// A widget as it is after a write.
#[derive(Debug, Clone)]
pub struct UpdatedWidget {
    /// The widget.
    pub stored: StoredWidget,
    /// How many rooms were marked for removal because their page is no longer served.
    pub closed_rooms: u64,
}

/// Which widgets to list; [`widget_core::listing::WidgetSearch`] is asked about the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WidgetFilter {
    /// Those whose id begins so.
    pub id_prefix: Option<IdPrefix>,
    /// Those that point at this agent.
    pub agent_id: Option<AgentId>,
    /// Those that pin this version.
    pub agent_version_id: Option<AgentVersionId>,
    /// Those that are published, or those that are not.
    pub published: Option<bool>,
    /// Those that were changed later than this.
    pub updated_after: Option<OffsetDateTime>,
    /// Those whose list of sites has at least one of these texts; all when there are none. The
    /// wildcards of `LIKE` may find more.
    pub sites: Vec<String>,
}

/// Who writes a widget, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author<'a> {
    /// Public part of the API key that writes.
    pub api_key_id: &'a str,
    /// The revision that is restored by this, if one is.
    pub restored_from: Option<i64>,
    /// What the agent directory says of the version that is pinned; without a directory the
    /// registry must have it.
    pub directory: Option<&'a DirectoryVersion>,
}

/// A widget as it was after one of its writes.
#[derive(Debug, Clone, PartialEq)]
pub struct WidgetRevision {
    /// Counts the writes from 1.
    pub number: i64,
    /// Public part of the API key that wrote; empty for what is older than this history.
    pub api_key_id: String,
    /// The name of that key, if it has one and is still kept.
    pub api_key_name: Option<String>,
    /// The revision that was restored by it, if one was.
    pub restored_from: Option<i64>,
    /// When it was written, if that can be read.
    pub created_at: Option<OffsetDateTime>,
    /// The record; its `updated_at` is the time of the write.
    pub widget: WidgetRecord,
    /// What was known of visitors when it was written.
    pub noted: NotedEffects,
}

/// What was known of visitors when a widget was written; nothing of it where an older node wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotedEffects {
    /// Whether the widget was live until then.
    pub live_before: Option<bool>,
    /// Whether it was live then.
    pub live_after: Option<bool>,
    /// How many conversations had not ended.
    pub conversations_open: Option<i64>,
    /// How many of them cannot continue, because their page is no longer served.
    pub conversations_ended: Option<i64>,
}

/// A request to create that can be repeated, because its answer was lost.
#[derive(Clone)]
pub struct IdempotentRequest<'a> {
    /// What it is known by.
    pub request: RepeatableRequest,
    /// Writes the answer to repeat, of what was stored.
    pub build_answer: &'a (dyn Fn(&StoredWidget) -> serde_json::Result<String> + Sync),
}

impl std::fmt::Debug for IdempotentRequest<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("IdempotentRequest")
            .field("key", &self.request.key)
            .finish_non_exhaustive()
    }
}

/// The outcome of inserting a widget.
#[derive(Debug, Clone)]
pub enum InsertedWidget {
    /// It is stored.
    New(Box<StoredWidget>),
    /// The same request came before, for another id; this was its answer.
    Again(String),
}

/// Why a widget was not written; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WriteWidgetError {
    /// The organization has no such agent or version.
    #[error("the organization does not have the agent or version that the widget points at")]
    Dangling {
        /// The agent, if it has none of this id.
        agent: Option<AgentId>,
        /// The version, if it has none of this id.
        version: Option<AgentVersionId>,
    },
    /// The organization has as many widgets as it may.
    #[error(transparent)]
    Full(#[from] RegistryFull),
    /// The key of the request was used before, for another body.
    #[error("this key was used before, for another request")]
    KeyReused,
    /// It has another revision by now, or is gone.
    #[error("the widget was changed or deleted in the meantime")]
    Stale,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RepeatError> for WriteWidgetError {
    fn from(error: RepeatError) -> Self {
        match error {
            RepeatError::KeyReused => Self::KeyReused,
            RepeatError::Store(error) => Self::Store(error),
        }
    }
}

/// Widgets.
#[async_trait::async_trait]
pub trait WidgetStore {
    /// Stores a new widget under revision 1, once for each idempotent request.
    ///
    /// # Errors
    /// [`WriteWidgetError`]
    async fn insert_widget(
        &self,
        widget: &Widget,
        author: Author<'_>,
        request: Option<&IdempotentRequest<'_>>,
    ) -> Result<InsertedWidget, WriteWidgetError>;

    /// A widget of the organization.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
    ) -> Result<Option<StoredWidget<WidgetRecord>>, StoreError>;

    /// A widget for a visitor, who names no organization.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_public_widget(
        &self,
        id: WidgetId,
    ) -> Result<Option<StoredWidget<WidgetRecord>>, StoreError>;

    /// Widgets of the organization, newest first; a page ends by count or by bytes.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_widgets(
        &self,
        organization: &OrganizationId,
        filter: &WidgetFilter,
        page: ListPage,
    ) -> Result<Page<Listed<StoredWidget<WidgetRecord>>>, StoreError>;

    /// What the registry says of a version that a widget of the organization may pin.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_pinned(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        version: AgentVersionId,
    ) -> Result<PinnedVersion, StoreError>;

    /// The pages on which conversations with a widget have not ended, with how many there are of
    /// each.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_open_by_page(&self, id: WidgetId) -> Result<Vec<(String, i64)>, StoreError>;

    /// Since when a widget is published with the version that it pins; nothing when it is not
    /// published or missing.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_pinned_since(&self, id: WidgetId) -> Result<Option<OffsetDateTime>, StoreError>;

    /// Replaces a widget that still has `revision`, and marks the rooms of open conversations for
    /// removal whose page it no longer serves, all or nothing. One that was restored with an agent
    /// that is gone may continue to point at it.
    ///
    /// # Errors
    /// [`WriteWidgetError`]
    async fn update_widget(
        &self,
        widget: &Widget,
        revision: i64,
        author: Author<'_>,
    ) -> Result<UpdatedWidget, WriteWidgetError>;

    /// Revisions of a widget of the organization with a number below `below`, newest first; none
    /// when there is no such widget. At most `limit`, and fewer where they are long, though at
    /// least two, so that one can be compared with the one before it.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_widget_revisions(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        below: i64,
        limit: u32,
    ) -> Result<Page<WidgetRevision>, StoreError>;
}
