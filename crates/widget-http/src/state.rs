//! What every handler gets: the services of this process, each under its own name.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::LifecycleLimits,
    id::{OrganizationId, WidgetId},
    origin::SuffixList,
};

use crate::{
    agent_directory::AgentDirectory,
    livekit::{LiveKit, RoomCleaner},
    metrics::Metrics,
    page_fetcher::PageFetcher,
    readiness::Drain,
    settings::Settings,
    storage::{Storage, StoreError},
    system::{Clock, RandomError, RandomSource, new_id},
    visitors::{
        embed_builds::EmbedBuilds,
        in_line::InLine,
        limits::{VisitorLimitCache, VisitorLimits},
        public_widgets::PublicWidgets,
        rate_limits::RateLimits,
        signing::TokenSigner,
        visit_counts::VisitCounters,
    },
    web::{
        caller::Callers, cors::OwnOrigin, deadline::RunningRequests, event_streams::EventStreams,
        key_uses::KeyUses,
    },
};

/// What the services are built on, chosen at start; tests replace each of them.
pub struct Dependencies {
    /// Where records are kept.
    pub storage: Arc<dyn Storage>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn RandomSource>,
    /// The public suffix list by which entries are judged; storage reads records with it too.
    pub suffixes: SuffixList,
    /// How this service was started.
    pub settings: Settings,
}

impl std::fmt::Debug for Dependencies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Dependencies")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The services of one process; reached through [`AppState`].
///
/// None of them holds anything that must survive the process.
pub struct Services {
    /// Where records are kept.
    pub storage: Arc<dyn Storage>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn RandomSource>,
    /// The public suffix list by which entries are judged.
    pub suffixes: SuffixList,
    /// How this service was started.
    pub settings: Settings,
    /// Limits on the length of conversations.
    pub lifecycle_limits: LifecycleLimits,
    /// Widgets as visitors may see them.
    pub public_widgets: PublicWidgets,
    /// What visitors of a widget may use.
    pub visitor_limits: VisitorLimitCache,
    /// Builds of the embed that other releases have.
    pub embed_builds: EmbedBuilds,
    /// Visits that are counted and not written yet.
    pub visits: VisitCounters,
    /// Rates of the public endpoints.
    pub rate_limits: RateLimits,
    /// Signs and reads embed tickets and conversation tokens.
    pub signer: TokenSigner,
    /// Where conversations take place, when that is set up.
    pub livekit: Option<LiveKit>,
    /// Where versions of agents are kept, if that is not the registry in the database.
    pub agent_directory: Option<AgentDirectory>,
    /// Wakes the background task that removes rooms.
    pub room_cleaner: RoomCleaner,
    /// Reads websites for their brand.
    pub page_fetcher: PageFetcher,
    /// Organizations whose keys create others: one creation after the other.
    pub key_creations: InLine<OrganizationId>,
    /// The days on which API keys are used.
    pub key_uses: KeyUses,
    /// What this process counts.
    pub metrics: Arc<Metrics>,
    /// Whether the process is about to stop.
    pub drain: Drain,
    /// Handlers that run, also of clients that are gone.
    pub running: RunningRequests,
    /// Clients that follow conversations.
    pub event_streams: EventStreams,
    callers: Arc<Callers>,
    own_origin: OwnOrigin,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Services")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// The present time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// What visitors of a widget may use now.
    ///
    /// # Errors
    /// When it has to be read and storage fails.
    pub async fn find_visitor_limits(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
    ) -> Result<VisitorLimits, StoreError> {
        let settings = &self.settings.limits;
        self.visitor_limits
            .find(
                self.storage.as_ref(),
                settings,
                (organization, widget),
                self.now(),
            )
            .await
    }

    /// A new identifier: a UUID of version 7, made of this service's clock and randomness.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new_id(&self) -> Result<Uuid, RandomError> {
        new_id(self.now(), self.random.as_ref())
    }
}

/// The state that the router gives to every handler; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Services>);

impl AppState {
    /// Builds the services once, at start; connects to nothing.
    #[must_use]
    pub fn new(dependencies: Dependencies) -> Self {
        let Dependencies {
            storage,
            clock,
            random,
            suffixes,
            settings,
        } = dependencies;
        let callers = Callers::new(settings.trusted_proxies.clone(), settings.forwarded_header);
        Self(Arc::new(Services {
            lifecycle_limits: settings.limits.lifecycle,
            public_widgets: PublicWidgets::default(),
            visitor_limits: VisitorLimitCache::default(),
            embed_builds: EmbedBuilds::default(),
            visits: VisitCounters::default(),
            rate_limits: RateLimits::new(&settings.limits),
            signer: TokenSigner::new(storage.clone(), clock.clone(), random.clone()),
            livekit: settings.livekit.as_ref().map(LiveKit::new),
            agent_directory: settings.agent_directory.as_ref().map(AgentDirectory::new),
            room_cleaner: RoomCleaner::default(),
            page_fetcher: PageFetcher::new(settings.brand_from_private_addresses),
            key_creations: InLine::new("api-key-creations"),
            key_uses: KeyUses::default(),
            metrics: Arc::default(),
            drain: Drain::default(),
            running: RunningRequests::default(),
            event_streams: EventStreams::default(),
            callers: Arc::new(callers),
            own_origin: OwnOrigin::new(settings.public_url.origin().clone()),
            storage,
            clock,
            random,
            suffixes,
            settings,
        }))
    }
}

impl Deref for AppState {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

impl FromRef<AppState> for Arc<Callers> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.callers)
    }
}

impl FromRef<AppState> for OwnOrigin {
    fn from_ref(state: &AppState) -> Self {
        state.own_origin.clone()
    }
}
