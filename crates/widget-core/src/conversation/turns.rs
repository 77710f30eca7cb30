//! Reports of turns: how much one may contain, how much is kept, and when a turn was said.
//!
//! A worker has an API key and is trusted with more. A window can report anything, so less of it
//! is accepted, and its clock counts only within the conversation.
//!
//! ```
//! use widget_core::conversation::turns::{ReportLimits, Turn};
//!
//! let turns = [
//!     Turn { id: "a", text: "Are you open?", said_at: None },
//!     Turn { id: "", text: "Hello?", said_at: None },
//! ];
//! let faults = ReportLimits::WINDOW.check(&turns, "/messages").expect_err("an empty id");
//! assert_eq!(faults[0].pointer.as_deref(), Some("/messages/1/id"));
//! ```

use time::{OffsetDateTime, UtcOffset};

use super::names::Reporter;
use crate::{
    finding::{Code, Finding, FindingList, Findings},
    stored_time::{FIRST_YEAR, LAST_YEAR, can_be_stored},
};

/// The longest id of a turn, in characters: several UUIDs, or a key of LiveKit.
pub const MAX_ID_CHARACTERS: usize = 128;

/// How many turns of a window are kept of one conversation; an hour of quick exchanges has a few
/// hundred.
pub const MAX_WINDOW_TURNS: i64 = 1000;

/// How many characters of a window are kept of one conversation.
pub const MAX_WINDOW_CHARACTERS: i64 = 512 * 1024;

/// How many turns of a worker are kept of one conversation, whose parts it may report one by one.
pub const MAX_WORKER_TURNS: i64 = 5000;

/// How many characters of a worker are kept of one conversation.
pub const MAX_WORKER_CHARACTERS: i64 = 2 * 1024 * 1024;

/// The parts of a reported turn whose length is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The reporter's own id of it.
    pub id: &'a str,
    /// What was said.
    pub text: &'a str,
    /// When it was said, where this is stored as the reporter claims it.
    pub said_at: Option<OffsetDateTime>,
}

/// How much one report may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportLimits {
    /// How many turns.
    pub max_turns: usize,
    /// How many bytes the text of one turn may have.
    pub max_text_bytes: usize,
}

impl ReportLimits {
    /// For a worker, which may catch up on a whole conversation.
    pub const WORKER: Self = Self {
        max_turns: 200,
        max_text_bytes: 32 * 1024,
    };

    /// For a visitor's window.
    pub const WINDOW: Self = Self {
        max_turns: 50,
        max_text_bytes: 16 * 1024,
    };

    /// Checks a list of turns, which stands at `pointer`.
    ///
    /// # Errors
    ///
    /// `too_many` at the list, without a look at its turns, or all faults of
    /// [`Self::check_turn`] at each turn.
    pub fn check(&self, turns: &[Turn<'_>], pointer: &str) -> Result<(), Findings> {
        let mut faults = FindingList::new();
        if turns.len() > self.max_turns {
            let detail = format!(
                "there are {} messages; send at most {} at once",
                turns.len(),
                self.max_turns
            );
            return Err(Finding::new(Code::TooMany, detail).at(pointer).into());
        }
        for (index, turn) in turns.iter().enumerate() {
            self.collect_faults(*turn, &format!("{pointer}/{index}"), &mut faults);
        }
        Findings::none_or(faults, ())
    }

    /// Checks one turn, which stands at `pointer`.
    ///
    /// # Errors
    ///
    /// All faults: `id_invalid` at an id that is empty or too long, `too_long` at a text,
    /// `time_invalid` at a time that cannot be stored.
    pub fn check_turn(&self, turn: Turn<'_>, pointer: &str) -> Result<(), Findings> {
        let mut faults = FindingList::new();
        self.collect_faults(turn, pointer, &mut faults);
        Findings::none_or(faults, ())
    }

    fn collect_faults(&self, turn: Turn<'_>, pointer: &str, faults: &mut FindingList) {
        let characters = turn.id.chars().count();
        if !(1..=MAX_ID_CHARACTERS).contains(&characters) {
            let detail =
                format!("an id has 1 to {MAX_ID_CHARACTERS} characters; this one has {characters}");
            faults.push(Finding::new(Code::IdInvalid, detail).at(format!("{pointer}/id")));
        }
        if turn.text.len() > self.max_text_bytes {
            let detail = format!(
                "a text has at most {} bytes; this one has {}",
                self.max_text_bytes,
                turn.text.len()
            );
            faults.push(Finding::new(Code::TooLong, detail).at(format!("{pointer}/text")));
        }
        if let Some(said_at) = turn.said_at.filter(|time| !can_be_stored(*time)) {
            let in_utc = said_at.checked_to_offset(UtcOffset::UTC);
            let detail = format!(
                "`created_at` has the year `{}`; use a year from {FIRST_YEAR} to {LAST_YEAR}, or \
                 leave `created_at` out",
                in_utc.unwrap_or(said_at).year()
            );
            faults
                .push(Finding::new(Code::TimeInvalid, detail).at(format!("{pointer}/created_at")));
        }
    }
}

/// A report is more than what is kept of one conversation, together with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing of this report was kept: of one conversation, {max_turns} messages and \
     {max_characters} characters are kept of the {reporter}"
)]
pub struct TranscriptFull {
    reporter: &'static str,
    max_turns: i64,
    max_characters: i64,
}

/// Whether this much is kept of what a reporter reports of one conversation: `turns` with
/// `characters`, those of the last report among them.
///
/// # Errors
///
/// [`TranscriptFull`] when one of the two is too much.
pub const fn require_space(
    reporter: Reporter,
    turns: i64,
    characters: i64,
) -> Result<(), TranscriptFull> {
    let full = match reporter {
        Reporter::Agent => TranscriptFull {
            reporter: "worker",
            max_turns: MAX_WORKER_TURNS,
            max_characters: MAX_WORKER_CHARACTERS,
        },
        Reporter::Visitor => TranscriptFull {
            reporter: "window",
            max_turns: MAX_WINDOW_TURNS,
            max_characters: MAX_WINDOW_CHARACTERS,
        },
    };
    if turns > full.max_turns || characters > full.max_characters {
        return Err(full);
    }
    Ok(())
}

/// When a turn was said that is reported at `now`: when its reporter claims, or now.
///
/// The visitor's clock may be anywhere, so a time of the window is moved into the conversation,
/// which began at `started_at`.
#[must_use]
pub fn said_at(
    reporter: Reporter,
    claimed: Option<OffsetDateTime>,
    started_at: OffsetDateTime,
    now: OffsetDateTime,
) -> OffsetDateTime {
    match (reporter, claimed) {
        (_, None) => now,
        (Reporter::Agent, Some(at)) => at,
        (Reporter::Visitor, Some(at)) => at.clamp(started_at.min(now), now),
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    fn places(result: Result<(), Findings>) -> Vec<(String, Code)> {
        let findings = result.err().map(Findings::into_vec).unwrap_or_default();
        let place = |finding: Finding| (finding.pointer.unwrap_or_default(), finding.code);
        findings.into_iter().map(place).collect()
    }

    #[test]
    fn each_reporter_has_its_bounds() {
        let (id, long_id) = ("ü".repeat(128), "ü".repeat(129));
        for (limits, max_turns, max_text) in [
            (ReportLimits::WORKER, 200, 32 * 1024),
            (ReportLimits::WINDOW, 50, 16 * 1024),
        ] {
            let (text, long_text) = ("x".repeat(max_text), "x".repeat(max_text + 1));
            let largest = Turn {
                id: &id,
                text: &text,
                said_at: None,
            };
            let empty = Turn {
                id: "",
                text: "",
                said_at: Some(datetime!(1970-01-01 0:00 UTC)),
            };
            let wrong = Turn {
                id: &long_id,
                text: &long_text,
                // Its year in UTC is none that a time can have.
                said_at: Some(datetime!(9999-12-31 23:00 -5)),
            };
            let check = |turns: &[Turn<'_>]| places(limits.check(turns, "/messages"));
            assert_eq!(check(&[]), []);
            assert_eq!(check(&vec![largest; max_turns]), []);
            assert_eq!(
                check(&vec![largest; max_turns + 1]),
                [("/messages".to_owned(), Code::TooMany)]
            );
            assert_eq!(
                check(&[largest, empty, wrong]),
                [
                    ("/messages/1/id".to_owned(), Code::IdInvalid),
                    ("/messages/2/id".to_owned(), Code::IdInvalid),
                    ("/messages/2/text".to_owned(), Code::TooLong),
                    ("/messages/2/created_at".to_owned(), Code::TimeInvalid),
                ]
            );
            assert_eq!(places(limits.check_turn(largest, "")), []);
            assert_eq!(
                places(limits.check_turn(wrong, "")),
                [
                    ("/id".to_owned(), Code::IdInvalid),
                    ("/text".to_owned(), Code::TooLong),
                    ("/created_at".to_owned(), Code::TimeInvalid)
                ]
            );
        }
    }

    #[test]
    fn each_reporter_fills_its_part_by_turns_or_by_characters() {
        for (reporter, max_turns, max_characters) in [
            (Reporter::Visitor, 1000, 512 * 1024),
            (Reporter::Agent, 5000, 2 * 1024 * 1024),
        ] {
            for (turns, characters, fits) in [
                (0, 0, true),
                (max_turns, max_characters, true),
                (max_turns + 1, 0, false),
                (0, max_characters + 1, false),
            ] {
                let space = require_space(reporter, turns, characters);
                assert_eq!(space.is_ok(), fits, "{reporter} {turns} {characters}");
            }
        }
    }

    #[test]
    fn a_window_says_nothing_before_the_conversation_and_nothing_later_than_now() {
        use Reporter::{Agent, Visitor};
        let start = datetime!(2026-01-01 12:00 UTC);
        let at = |minutes| start + Duration::minutes(minutes);
        for (reporter, claimed, started_at, expected) in [
            (Visitor, None, 0, 9),
            (Visitor, Some(3), 0, 3),
            (Visitor, Some(-3), 0, 0),
            (Visitor, Some(12), 0, 9),
            // A node whose clock is behind that of the one where the conversation began.
            (Visitor, Some(3), 10, 9),
            (Agent, None, 0, 9),
            (Agent, Some(-3), 0, -3),
            (Agent, Some(12), 0, 12),
        ] {
            assert_eq!(
                said_at(reporter, claimed.map(at), at(started_at), at(9)),
                at(expected),
                "{reporter} {claimed:?} {started_at}"
            );
        }
    }
}
