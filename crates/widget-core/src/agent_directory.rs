//! Agents that are kept elsewhere: how old an answer of their directory may be, and for what.
//!
//! An answer is asked for again after [`FRESH_FOR`]. While the directory does not answer, its last
//! answer holds for [`HELD_FOR`], and only for widgets that were as they are now when it was given:
//! they stay live, and nothing new goes live.
//!
//! ```
//! use time::{Duration, macros::datetime};
//! use widget_core::{
//!     agent_directory::{self, Answer},
//!     agent::VersionStatus,
//!     go_live::PinnedVersion,
//! };
//!
//! let answered_at = datetime!(2026-01-31 09:30 UTC);
//! let published = Answer::Version(VersionStatus::Published);
//! let judge = |now, unchanged_since| {
//!     agent_directory::judge(Some((published, answered_at)), unchanged_since, now)
//! };
//! let (later, before) = (answered_at + Duration::minutes(5), answered_at - Duration::HOUR);
//! assert_eq!(judge(later, Some(before)), PinnedVersion::DirectoryPublished);
//! // Published only after the last answer: it has to wait for the next.
//! assert_eq!(judge(later, Some(later)), PinnedVersion::DirectoryUnavailable);
//! ```

use time::{Duration, OffsetDateTime};

use crate::{agent::VersionStatus, go_live::PinnedVersion};

/// How long an answer is used without asking again.
pub const FRESH_FOR: Duration = Duration::seconds(30);

/// How long the last answer holds for live widgets while the directory does not answer.
pub const HELD_FOR: Duration = Duration::minutes(10);

/// How long a directory that did not answer is not asked again for the same version.
pub const RETRY_AFTER: Duration = Duration::seconds(5);

/// What the directory says of a version of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The agent has the version.
    Version(VersionStatus),
    /// There is no such agent, or it has no such version.
    Unknown,
}

/// Whether an answer of that time is used without asking again.
///
/// A clock that was set back makes every answer old.
#[must_use]
pub fn is_fresh(answered_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    (now - answered_at).abs() < FRESH_FOR
}

/// Whether the directory may be asked again that did not answer at that time.
#[must_use]
pub fn may_retry(failed_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    (now - failed_at).abs() >= RETRY_AFTER
}

/// Whether an old answer is good enough for a widget that is as it is now since `unchanged_since`.
#[must_use]
pub fn holds(
    answered_at: OffsetDateTime,
    unchanged_since: OffsetDateTime,
    now: OffsetDateTime,
) -> bool {
    (now - answered_at).abs() <= HELD_FOR && unchanged_since <= answered_at
}

/// What is known of the version that a widget pins, by the last answer and its time.
///
/// `unchanged_since` is since when the widget is published with this version, if it is.
#[must_use]
pub fn judge(
    last: Option<(Answer, OffsetDateTime)>,
    unchanged_since: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> PinnedVersion {
    let Some((answer, answered_at)) = last else {
        return PinnedVersion::DirectoryUnavailable;
    };
    let is_held = || unchanged_since.is_some_and(|since| holds(answered_at, since, now));
    match answer {
        Answer::Version(VersionStatus::Published) if is_fresh(answered_at, now) || is_held() => {
            PinnedVersion::DirectoryPublished
        }
        Answer::Version(VersionStatus::Draft) if is_fresh(answered_at, now) => {
            PinnedVersion::DirectoryDraft
        }
        Answer::Unknown if is_fresh(answered_at, now) => PinnedVersion::DirectoryMissing,
        Answer::Version(_) | Answer::Unknown => PinnedVersion::DirectoryUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const ANSWERED: OffsetDateTime = datetime!(2026-01-31 09:30 UTC);

    #[test]
    fn how_old_an_answer_may_be_for_what() {
        use PinnedVersion::{
            DirectoryDraft as Draft, DirectoryMissing as Missing, DirectoryPublished as Published,
            DirectoryUnavailable as Away,
        };
        let (published, draft) = (VersionStatus::Published, VersionStatus::Draft);
        let (published, draft) = (Answer::Version(published), Answer::Version(draft));
        // Seconds since the answer, and of each answer what it means for a widget that was the same
        // before it, for one that is newer, and for one that is not published.
        for (age, by_published, by_draft, by_unknown) in [
            (0, [Published; 3], Draft, Missing),
            (29, [Published; 3], Draft, Missing),
            (30, [Published, Away, Away], Away, Away),
            (600, [Published, Away, Away], Away, Away),
            (601, [Away; 3], Away, Away),
            (86_400, [Away; 3], Away, Away),
            // The clock was set back.
            (-29, [Published; 3], Draft, Missing),
            (-30, [Published, Away, Away], Away, Away),
            (-601, [Away; 3], Away, Away),
        ] {
            let now = ANSWERED + Duration::seconds(age);
            let before = Some(ANSWERED);
            let after = Some(ANSWERED + Duration::microseconds(1));
            for (since, expected) in [before, after, None].into_iter().zip(by_published) {
                let found = judge(Some((published, ANSWERED)), since, now);
                assert_eq!(found, expected, "published, {age} s, {since:?}");
                let found = judge(Some((draft, ANSWERED)), since, now);
                assert_eq!(found, by_draft, "draft, {age} s, {since:?}");
                let found = judge(Some((Answer::Unknown, ANSWERED)), since, now);
                assert_eq!(found, by_unknown, "unknown, {age} s, {since:?}");
                assert_eq!(judge(None, since, now), Away);
            }
        }
    }

    #[test]
    fn a_directory_is_left_alone_for_a_moment() {
        for (age, expected) in [(0, false), (4, false), (5, true), (-5, true)] {
            let now = ANSWERED + Duration::seconds(age);
            assert_eq!(may_retry(ANSWERED, now), expected, "{age}");
        }
    }
}
