//! What every handler is given: storage, time, randomness and settings, each replaceable in a test.

use std::{ops::Deref, sync::Arc};

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::origin::SuffixList;

use crate::{
    settings::Settings,
    storage::Storage,
    system::{Clock, RandomError, RandomSource, new_id},
    visitors::Visitor,
    web::{caller::Callers, pages::Pages},
};

/// The parts a handler works with; reached through [`AppState`].
pub struct Services {
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

    /// A new identifier: a UUID of version 7, made of this service's clock and randomness.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new_id(&self) -> Result<Uuid, RandomError> {
        new_id(self.now(), self.random.as_ref())
    }
}

/// The state that the router hands to every handler; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    services: Arc<Services>,
    /// What the visitor's side keeps in this node's memory.
    pub visitor: Arc<Visitor>,
    /// Reads pages of others for their brand.
    pub pages: Arc<Pages>,
    /// Finds out who makes a request.
    pub callers: Arc<Callers>,
}

impl AppState {
    /// Wraps the services once, at start.
    #[must_use]
    pub fn new(services: Services) -> Self {
        let visitor = Arc::new(Visitor::new(&services.settings));
        let pages = Arc::new(Pages::new(services.settings.brand_from_private_addresses));
        let callers = Callers::new(
            services.settings.trusted_proxies.clone(),
            services.settings.forwarded_header,
        );
        Self {
            services: Arc::new(services),
            visitor,
            pages,
            callers: Arc::new(callers),
        }
    }
}

impl Deref for AppState {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
