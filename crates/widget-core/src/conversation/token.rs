//! Which conversation token speaks for a conversation: the newest, and for one repeated resume the
//! one before.
//!
//! Each resume renews the token, so that of two windows only one continues. When an
//! answer is lost, the token before may repeat its resume, once.
//!
//! ```
//! use time::{Duration, macros::datetime};
//! use widget_core::conversation::{Lifecycle, token::{NewestGeneration, TokenValidity}};
//!
//! let resumed_at = datetime!(2026-01-01 12:00 UTC);
//! let lifecycle = Lifecycle::created(resumed_at);
//! let newest = NewestGeneration { number: 2, repeat_used: false };
//! let soon = resumed_at + Duration::seconds(5);
//! assert_eq!(lifecycle.token_validity(2, newest, soon), TokenValidity::Current);
//! assert_eq!(lifecycle.token_validity(1, newest, soon), TokenValidity::MayRepeat);
//! ```

use time::{Duration, OffsetDateTime};

use super::lifecycle::Lifecycle;
pub use super::limits::TOKEN_LIFETIME;

/// How long the token before may repeat a resume whose answer was lost.
pub const REPEAT_WITHIN: Duration = Duration::seconds(60);

/// The newest generation of a conversation: each start and resume makes a room and a token of the
/// next number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestGeneration {
    /// Counts the rooms and tokens of the conversation from 1.
    pub number: i64,
    /// Whether it was made by a repeated resume already.
    pub repeat_used: bool,
}

/// What a token may do for its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenValidity {
    /// Everything: it is the newest.
    Current,
    /// Repeat its resume: it is the one before the newest.
    MayRepeat,
    /// Nothing: a newer one has replaced it.
    Replaced,
}

impl Lifecycle {
    /// What the token of the generation `token` may do for a conversation whose newest generation
    /// is `newest`.
    #[must_use]
    pub fn token_validity(
        &self,
        token: i64,
        newest: NewestGeneration,
        now: OffsetDateTime,
    ) -> TokenValidity {
        let is_before = token.checked_add(1) == Some(newest.number);
        let is_recent = now - self.token_at() <= REPEAT_WITHIN;
        if token == newest.number {
            TokenValidity::Current
        } else if is_before && is_recent && !newest.repeat_used {
            TokenValidity::MayRepeat
        } else {
            TokenValidity::Replaced
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn only_the_token_before_may_repeat_once_within_a_minute() {
        use TokenValidity::{Current, MayRepeat, Replaced};
        let start = datetime!(2026-01-01 12:00 UTC);
        for (token, repeat_used, seconds, expected) in [
            (3, false, 0, Current),
            (3, true, 3600, Current),
            (2, false, 0, MayRepeat),
            (2, false, 60, MayRepeat),
            (2, false, 61, Replaced),
            (2, true, 0, Replaced),
            (1, false, 0, Replaced),
            (4, false, 0, Replaced),
            (i64::MAX, false, 0, Replaced),
        ] {
            let newest = NewestGeneration {
                number: 3,
                repeat_used,
            };
            let now = start + Duration::seconds(seconds);
            assert_eq!(
                Lifecycle::created(start).token_validity(token, newest, now),
                expected,
                "{token} {repeat_used} {seconds}"
            );
        }
    }
}
