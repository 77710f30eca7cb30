//! The limits that end a conversation by themselves.

use time::Duration;

/// How long a conversation token is accepted without a resume, which makes a new one.
pub const TOKEN_LIFETIME: Duration = Duration::hours(24);

/// How long a conversation may last, wait and stay silent.
///
/// ```
/// use widget_core::{conversation::LifecycleLimits, time::Duration};
///
/// let mut limits = LifecycleLimits::default();
/// limits.max_length = Duration::hours(2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifecycleLimits {
    /// How long a visitor has to join after a token was made; then the conversation has failed.
    pub join_within: Duration,
    /// How long a visitor can be away and still resume.
    pub resume_within: Duration,
    /// How long a conversation lasts, counted from the first join.
    pub max_length: Duration,
    /// How long nobody needs to say anything while the visitor is there.
    pub max_silence: Duration,
    /// How long after the end feedback is accepted: as long as a conversation token lives, unless
    /// set otherwise.
    pub feedback_within: Duration,
}

impl Default for LifecycleLimits {
    fn default() -> Self {
        Self {
            join_within: Duration::minutes(3),
            resume_within: Duration::minutes(30),
            max_length: Duration::minutes(60),
            max_silence: Duration::minutes(10),
            feedback_within: TOKEN_LIFETIME,
        }
    }
}
