//! API keys: which state a key is in, how long a key that another one creates may live, and how
//! many an organization may have. Scopes are words of the API and not known here.
//!
//! ```
//! use time::macros::datetime;
//! use widget_core::api_key::{self, KeyStatus};
//!
//! let now = datetime!(2026-01-31 09:30 UTC);
//! let creator = Some(datetime!(2026-03-01 00:00 UTC));
//! // Without a wish the new key lives as long as its creator, and never longer.
//! assert_eq!(api_key::expiry_of_created(None, creator, now), Ok(creator));
//! let later = Some(datetime!(2026-04-01 00:00 UTC));
//! assert!(api_key::expiry_of_created(later, creator, now).is_err());
//! assert_eq!(KeyStatus::at(now, creator, None), KeyStatus::Valid);
//! ```

use time::OffsetDateTime;

use crate::{
    choice::choices,
    stored_time::{LAST_YEAR, can_be_stored},
};

choices! {
    /// Whether an API key is accepted.
    pub enum KeyStatus {
        /// It is accepted.
        Valid = "valid",
        /// Its time is over.
        Expired = "expired",
        /// It was revoked.
        Revoked = "revoked",
    }
}

impl KeyStatus {
    /// The status at this time of a key that expires and was revoked at those, or never.
    #[must_use]
    pub fn at(
        now: OffsetDateTime,
        expires_at: Option<OffsetDateTime>,
        revoked_at: Option<OffsetDateTime>,
    ) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if expires_at.is_some_and(|expiry| expiry <= now) {
            Self::Expired
        } else {
            Self::Valid
        }
    }
}

/// Who did something with a key, in words: its name, which people gave it, and its public part.
#[must_use]
pub fn describe_author(name: Option<&str>, id: Option<&str>) -> String {
    match (name, id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "an unknown key".to_owned(),
    }
}

/// How many valid keys an organization may have: one for each of its programs and people.
pub const MAX_KEYS: i64 = 1000;

/// How many expired and revoked keys of an organization are kept, so that the history of its
/// widgets can name them: one each day for more than twenty years.
pub const MAX_ENDED_KEYS: i64 = 10_000;

/// The organization has [`MAX_KEYS`] valid keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the organization has {MAX_KEYS} valid API keys, the maximum; delete one first")]
pub struct KeysFull;

/// Whether an organization that has `count` valid keys may have another.
///
/// # Errors
///
/// [`KeysFull`]
pub const fn require_key_capacity(count: i64) -> Result<(), KeysFull> {
    if count >= MAX_KEYS {
        return Err(KeysFull);
    }
    Ok(())
}

/// Why a key may not expire when it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// The time is over.
    #[error("`expires_at` is in the past; name a time to come, or leave it out")]
    Past,
    /// The time is after [`LAST_YEAR`].
    #[error("`expires_at` is after the year {LAST_YEAR}; name an earlier time, or leave it out")]
    Late,
    /// The key that creates it expires before.
    #[error("a key cannot outlive the key that creates it, which expires at {creator}")]
    OutlivesCreator {
        /// When that is.
        creator: OffsetDateTime,
    },
}

/// When a key expires that another key creates: as `wanted`, or with its `creator`, never later.
/// It is in whole microseconds, as times are stored.
///
/// # Errors
///
/// [`ExpiryError`]
pub fn expiry_of_created(
    wanted: Option<OffsetDateTime>,
    creator: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, ExpiryError> {
    match (wanted.map(whole_microseconds), creator) {
        (Some(wanted), _) if wanted <= now => Err(ExpiryError::Past),
        (Some(wanted), _) if !can_be_stored(wanted) => Err(ExpiryError::Late),
        (Some(wanted), Some(creator)) if wanted > creator => {
            Err(ExpiryError::OutlivesCreator { creator })
        }
        (Some(wanted), _) => Ok(Some(wanted)),
        (None, creator) => Ok(creator),
    }
}

fn whole_microseconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(time.nanosecond() / 1_000 * 1_000)
        .unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-31 09:30 UTC);
    const LAST: OffsetDateTime = datetime!(9998-12-31 23:59:59 UTC);

    fn after(minutes: i64) -> OffsetDateTime {
        NOW + Duration::minutes(minutes)
    }

    #[test]
    fn no_key_outlives_its_creator() {
        let outlives = Err(ExpiryError::OutlivesCreator { creator: after(5) });
        for (wanted, creator, expected) in [
            (None, None, Ok(None)),
            (None, Some(after(5)), Ok(Some(after(5)))),
            (Some(after(9)), None, Ok(Some(after(9)))),
            (Some(after(4)), Some(after(5)), Ok(Some(after(4)))),
            (Some(after(5)), Some(after(5)), Ok(Some(after(5)))),
            (Some(after(6)), Some(after(5)), outlives),
            (Some(after(0)), None, Err(ExpiryError::Past)),
            (Some(after(-1)), Some(after(5)), Err(ExpiryError::Past)),
            (Some(LAST), None, Ok(Some(LAST))),
            (Some(LAST + Duration::SECOND), None, Err(ExpiryError::Late)),
            (
                Some(datetime!(9999-12-31 23:59:59 -23)),
                None,
                Err(ExpiryError::Late),
            ),
        ] {
            let found = expiry_of_created(wanted, creator, NOW);
            assert_eq!(found, expected, "{wanted:?} of {creator:?}");
        }
    }

    #[test]
    fn a_key_is_valid_until_it_expires_or_is_revoked() {
        for (expires_at, revoked_at, expected) in [
            (None, None, KeyStatus::Valid),
            (Some(after(1)), None, KeyStatus::Valid),
            (Some(after(0)), None, KeyStatus::Expired),
            (Some(after(-1)), None, KeyStatus::Expired),
            (Some(after(1)), Some(after(-1)), KeyStatus::Revoked),
            (Some(after(-1)), Some(after(-1)), KeyStatus::Revoked),
            (None, Some(after(1)), KeyStatus::Revoked),
        ] {
            assert_eq!(KeyStatus::at(NOW, expires_at, revoked_at), expected);
        }
    }

    #[test]
    fn the_last_key_fits() {
        assert_eq!(require_key_capacity(MAX_KEYS - 1), Ok(()));
        assert_eq!(require_key_capacity(MAX_KEYS), Err(KeysFull));
    }

    #[test]
    fn an_expiry_is_as_precise_as_it_is_stored() {
        let wanted = datetime!(2026-02-01 00:00:00.123_456_789 UTC);
        let stored = datetime!(2026-02-01 00:00:00.123_456 UTC);
        assert_eq!(expiry_of_created(Some(wanted), None, NOW), Ok(Some(stored)));
        let at_once = NOW + Duration::nanoseconds(999);
        assert_eq!(
            expiry_of_created(Some(at_once), None, NOW),
            Err(ExpiryError::Past)
        );
    }
}
