//! What happens in a conversation, as a list of events that can be followed from any place in it.
//!
//! The events are not stored: they are the difference between a [`Position`] and what is stored of
//! the conversation. So every node gives the same events the same ids, also after a restart, and
//! whoever knows the id of the last event that it has seen gets those that follow, each once.
//!
//! ```
//! use time::macros::datetime;
//! use widget_core::conversation::{Lifecycle, Mode};
//! use widget_core::conversation::events::{Event, Position, Snapshot};
//!
//! let start = datetime!(2026-01-01 12:00 UTC);
//! let snapshot = Snapshot {
//!     created_at: start,
//!     mode: Mode::Text,
//!     lifecycle: Lifecycle::created(start),
//!     metadata: None,
//!     erasure: None,
//! };
//! let mut position = Position::default();
//! let events = position.advance(&snapshot, Vec::new());
//! let (id, event) = &events[0];
//! assert!(matches!(event, Event::Created { .. }));
//!
//! let mut position: Position = id.parse()?;
//! let later = Snapshot { lifecycle: snapshot.lifecycle.joined(start), ..snapshot };
//! let events = position.advance(&later, Vec::new());
//! assert!(matches!(events[..], [(_, Event::Joined { .. })]));
//! # Ok::<(), widget_core::conversation::events::PositionError>(())
//! ```

use std::{collections::HashMap, fmt, hash::BuildHasher, str::FromStr};

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Erasure, Mode,
    lifecycle::Lifecycle,
    names::{EndReason, Reporter},
    transcript::{self, Message},
};
use crate::form::{FEEDBACK_KEY, FORMS_KEY};

/// What is stored of a conversation beside its turns.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// How the visitor takes part.
    pub mode: Mode,
    /// Its state, with the limits applied.
    pub lifecycle: Lifecycle,
    /// The custom metadata, if it can be read.
    pub metadata: Option<Map<String, Value>>,
    /// That it was erased, if it was.
    pub erasure: Option<Erasure>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A visitor started the conversation.
    Created {
        /// When.
        at: OffsetDateTime,
        /// How the visitor takes part.
        mode: Mode,
    },
    /// The visitor joined for the first time.
    Joined {
        /// When.
        at: OffsetDateTime,
    },
    /// The visitor changed from text to voice, or back.
    Mode {
        /// How the visitor takes part now.
        mode: Mode,
    },
    /// Somebody said something.
    Turn {
        /// The turn.
        message: Message,
    },
    /// The visitor sent a form in the middle of the conversation, for the first time or again.
    Form {
        /// Which form.
        form_id: String,
        /// What was sent.
        values: Value,
    },
    /// It is over.
    Ended {
        /// Since when.
        at: OffsetDateTime,
        /// What ended it.
        reason: EndReason,
    },
    /// The visitor answered the form for feedback.
    Feedback {
        /// When.
        at: OffsetDateTime,
        /// What was sent.
        values: Value,
    },
    /// Its content was erased.
    Erased {
        /// When, and by whom.
        erasure: Erasure,
    },
}

/// A place in the list of events of one conversation: behind everything that it names.
///
/// Its text is the id of the event before it. Clients compare such ids and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an event that happens once, in any order"
)]
pub struct Position {
    /// The mode that was reported last; none before the first event.
    mode: Option<Mode>,
    /// The number of the last turn.
    turn: i64,
    joined: bool,
    ended: bool,
    feedback: bool,
    erased: bool,
    /// What was sent as forms, as hashes.
    forms: Vec<u64>,
}

/// A text is not the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of an event of a conversation")]
pub struct PositionError;

impl Position {
    /// The number of the last turn that it names; turns have higher numbers the later they were
    /// reported.
    #[must_use]
    pub const fn turn(&self) -> i64 {
        self.turn
    }

    /// Moves on to what is stored now; `turns` are those with a higher number than
    /// [`turn`](Self::turn), in their order. Each event has the id of the place behind it.
    #[must_use]
    pub fn advance(
        &mut self,
        snapshot: &Snapshot,
        turns: Vec<(i64, Message)>,
    ) -> Vec<(String, Event)> {
        let mut events = Vec::new();
        let mut report = |position: &Self, event| events.push((position.to_string(), event));
        if self.mode.is_none() {
            self.mode = Some(snapshot.mode);
            let (at, mode) = (snapshot.created_at, snapshot.mode);
            report(self, Event::Created { at, mode });
        }
        if let Some(activity) = snapshot.lifecycle.activity()
            && !self.joined
        {
            self.joined = true;
            let at = activity.joined_at;
            report(self, Event::Joined { at });
        }
        if self.mode != Some(snapshot.mode) {
            let mode = snapshot.mode;
            self.mode = Some(mode);
            report(self, Event::Mode { mode });
        }
        for (number, message) in turns {
            self.turn = self.turn.max(number);
            report(self, Event::Turn { message });
        }
        let metadata = snapshot
            .metadata
            .as_ref()
            .filter(|_| snapshot.erasure.is_none());
        let forms = metadata.and_then(|metadata| metadata.get(FORMS_KEY)?.as_object());
        let mut present = Vec::new();
        for (form_id, values) in forms.into_iter().flatten() {
            let hash = hash(form_id, values);
            present.push(hash);
            if !self.forms.contains(&hash) {
                self.forms.push(hash);
                let (form_id, values) = (form_id.clone(), values.clone());
                report(self, Event::Form { form_id, values });
            }
        }
        // What was replaced is forgotten: the same values may be sent again.
        self.forms.retain(|form| present.contains(form));
        let lifecycle = &snapshot.lifecycle;
        if let (Some(at), Some(reason), false) =
            (lifecycle.ended_at(), lifecycle.end_reason(), self.ended)
        {
            self.ended = true;
            report(self, Event::Ended { at, reason });
        }
        if let (Some(at), Some(metadata), false) =
            (lifecycle.feedback_at(), metadata, self.feedback)
        {
            self.feedback = true;
            let values = metadata.get(FEEDBACK_KEY).cloned().unwrap_or_default();
            report(self, Event::Feedback { at, values });
        }
        if let (Some(erasure), false) = (&snapshot.erasure, self.erased) {
            self.erased = true;
            let erasure = erasure.clone();
            report(self, Event::Erased { erasure });
        }
        events
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.mode.map_or("", Mode::as_str);
        write!(formatter, "{}.{mode}.", self.turn)?;
        for (is_set, letter) in [
            (self.joined, 'j'),
            (self.ended, 'e'),
            (self.feedback, 'f'),
            (self.erased, 'x'),
        ] {
            if is_set {
                write!(formatter, "{letter}")?;
            }
        }
        for form in &self.forms {
            write!(formatter, ".{form:016x}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(PositionError);
        let (turn, mode, flags) = (next()?, next()?, next()?);
        let has = |letter| flags.contains(letter);
        let forms: Result<Vec<u64>, _> = parts.map(|form| u64::from_str_radix(form, 16)).collect();
        let position = Self {
            mode: Some(mode.parse().map_err(|_| PositionError)?),
            turn: turn.parse().map_err(|_| PositionError)?,
            joined: has('j'),
            ended: has('e'),
            feedback: has('f'),
            erased: has('x'),
            forms: forms.map_err(|_| PositionError)?,
        };
        // One place has one id.
        if position.to_string() == text {
            Ok(position)
        } else {
            Err(PositionError)
        }
    }
}

/// FNV-1a with 64 bits: the same on every node and in every release.
fn hash(form_id: &str, values: &Value) -> u64 {
    let values = values.to_string();
    let bytes = form_id.bytes().chain([0]).chain(values.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Which turns of both reporters are the same: each of them is an event once, whoever reports it
/// first.
///
/// Only hashes of them are kept. The hasher is the caller's: one with a random key, so that no
/// visitor can choose words with the hash of others.
#[derive(Debug)]
pub struct Heard<S> {
    /// By who said which words: how many turns of the worker have no counterpart of the window, or
    /// of the window (below zero) none of the worker.
    alone: HashMap<u64, i64>,
    hasher: S,
}

impl<S: BuildHasher> Heard<S> {
    /// Nothing was heard yet.
    #[must_use]
    pub fn new(hasher: S) -> Self {
        Self {
            alone: HashMap::new(),
            hasher,
        }
    }

    /// Whether a turn is new, and not what the other reporter has reported before; every turn is
    /// asked about, in order.
    pub fn is_new(&mut self, message: &Message) -> bool {
        let key = self.hasher.hash_one(transcript::key(message));
        let alone = self.alone.entry(key).or_default();
        let step = match message.reported_by {
            Reporter::Agent => 1,
            Reporter::Visitor => -1,
        };
        let is_new = *alone * step >= 0;
        *alone += step;
        if *alone == 0 {
            self.alone.remove(&key);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::conversation::{ErasedBy, LifecycleLimits, names::Role};

    const START: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn turn(reported_by: Reporter, text: &str) -> Message {
        Message {
            id: text.to_owned(),
            role: Role::Visitor,
            text: text.to_owned(),
            created_at: START,
            reported_by,
        }
    }

    /// What is stored after each step of a conversation, with the turns that the step adds.
    fn steps() -> Vec<(Snapshot, Vec<(i64, Message)>)> {
        let limits = LifecycleLimits::default();
        let said = |number, text| vec![(number, turn(Reporter::Agent, text))];
        let object = |value: Value| value.as_object().cloned();
        let created = Snapshot {
            created_at: START,
            mode: Mode::Text,
            lifecycle: Lifecycle::created(START),
            metadata: object(json!({"email": "a"})),
            erasure: None,
        };
        let joined = Snapshot {
            lifecycle: created.lifecycle.joined(START),
            ..created.clone()
        };
        let form = Snapshot {
            metadata: object(json!({"forms": {"order": {"number": 1}}})),
            ..joined.clone()
        };
        let voice = Snapshot {
            mode: Mode::Voice,
            metadata: object(json!({"forms": {"order": {"number": 2}}})),
            ..joined.clone()
        };
        let ended = Snapshot {
            lifecycle: voice.lifecycle.end(START, EndReason::Agent, &limits),
            ..voice.clone()
        };
        let feedback = Snapshot {
            lifecycle: ended
                .lifecycle
                .submit_feedback(true, START, &limits)
                .expect("it is over"),
            metadata: object(json!({"forms": {"order": {"number": 2}}, "feedback_form": {"r": 5}})),
            ..ended.clone()
        };
        let erased = Snapshot {
            metadata: object(json!({})),
            erasure: Some(Erasure {
                at: START,
                by: ErasedBy::Retention,
            }),
            ..feedback.clone()
        };
        vec![
            (created, vec![]),
            (joined.clone(), said(7, "a")),
            (form, said(9, "b")),
            (voice, vec![]),
            (ended, said(12, "c")),
            (feedback, vec![]),
            (erased, vec![]),
        ]
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Created { .. } => "created",
            Event::Joined { .. } => "joined",
            Event::Mode { .. } => "mode",
            Event::Turn { .. } => "turn",
            Event::Form { .. } => "form",
            Event::Ended { .. } => "ended",
            Event::Feedback { .. } => "feedback",
            Event::Erased { .. } => "erased",
        }
    }

    /// Whoever continues behind any event gets those that follow it and no other.
    #[test]
    fn following_continues_behind_every_event() {
        let mut position = Position::default();
        let mut all = Vec::new();
        for (snapshot, turns) in steps() {
            all.extend(position.advance(&snapshot, turns));
        }
        let names: Vec<_> = all.iter().map(|(_, event)| name(event)).collect();
        assert_eq!(
            names,
            [
                "created", "joined", "turn", "turn", "form", "mode", "form", "turn", "ended",
                "feedback", "erased"
            ]
        );
        // Every id is another one, and reads back.
        for (at, (id, _)) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|(other, _)| other != id), "{id}");
            let read: Position = id.parse().expect(id);
            assert_eq!(read.to_string(), *id);
        }
        // Somebody who went away behind the event and comes back at the end: states in between are
        // one difference, and what was erased is gone.
        let (last, _) = steps().pop().expect("steps");
        for (id, _) in &all {
            let mut position: Position = id.parse().expect(id);
            let rest = position.advance(&last, Vec::new());
            assert!(rest.len() <= 5);
            assert!(position.advance(&last, Vec::new()).is_empty(), "{id}");
        }
        let mut position: Position = all[8].0.parse().expect("an id");
        let rest = position.advance(&last, Vec::new());
        let names: Vec<_> = rest.iter().map(|(_, event)| name(event)).collect();
        // Feedback of which nothing is left is not an event.
        assert_eq!(names, ["erased"]);
    }

    #[test]
    fn other_texts_are_not_positions() {
        for text in [
            "",
            "1",
            "1.text",
            "x.text.",
            "1.smoke.",
            "1.text.jq",
            "1.text.ej",
            "01.text.",
            "1.text.j.12",
            "1.text.j.zz",
            "1.text.j.",
            " 1.text.",
        ] {
            assert_eq!(text.parse::<Position>(), Err(PositionError), "{text}");
        }
        for text in ["0.text.", "7.voice.jefx.00000000000000ff"] {
            assert_eq!(text.parse::<Position>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_turn_of_both_reporters_is_new_once() {
        use Reporter::{Agent, Visitor};
        let hasher = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default();
        let mut heard = Heard::new(hasher);
        for (reporter, text, expected) in [
            (Visitor, "a", true),
            (Agent, "a", false),
            (Agent, " a ", true),
            (Visitor, "a", false),
            (Visitor, "b", true),
            (Visitor, "b", true),
            (Agent, "b", false),
            (Agent, "b", false),
            (Agent, "b", true),
            (Agent, "c", true),
        ] {
            assert_eq!(
                heard.is_new(&turn(reporter, text)),
                expected,
                "{reporter} {text}"
            );
        }
    }
}
