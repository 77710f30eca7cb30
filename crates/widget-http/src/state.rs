//! What every handler is given: storage, time, randomness and settings, each replaceable in a test.

use std::{ops::Deref, sync::Arc};

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::origin::SuffixList;

use crate::{
    settings::Settings,
    storage::Storage,
    visitors::Visitor,
    web::{caller::Callers, pages::Pages},
};

/// The service's only source of the present time.
pub trait Clock: Send + Sync + 'static {
    /// The present time in UTC, in whole microseconds (what storage keeps).
    fn now(&self) -> OffsetDateTime;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.replace_nanosecond(now.microsecond() * 1_000)
            .unwrap_or(now)
    }
}

/// The service's only source of random bytes.
pub trait RandomSource: Send + Sync + 'static {
    /// Fills `bytes` with bytes that nobody can guess.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes from the operating system: {0}")]
pub struct RandomError(pub String);

/// The randomness of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|error| RandomError(error.to_string()))
    }
}

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

/// A UUID of version 7 out of `now` and ten random bytes.
///
/// # Errors
/// When `random` has nothing to give.
pub fn new_id(now: OffsetDateTime, random: &dyn RandomSource) -> Result<Uuid, RandomError> {
    let mut bytes = [0; 10];
    random.fill(&mut bytes)?;
    let milliseconds = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid())
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
