//! Time and randomness: the service's only sources of both, each replaceable in a test.

use time::OffsetDateTime;
use uuid::Uuid;

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
