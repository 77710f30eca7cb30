//! Rooms of a conversation: what an event in one of them means.
//!
//! Each resume has a new room, and only the newest counts. Events come in any order, late, twice,
//! or not at all; each means the same when it is repeated.
//!
//! ```
//! use widget_core::conversation::room::{RoomAction, RoomEvent, RoomState, decide};
//!
//! let old = RoomState { is_newest: false, is_removed: false, visitor_has_left: false };
//! assert_eq!(decide(RoomEvent::VisitorJoined, old), RoomAction::Remove);
//! ```

use time::OffsetDateTime;

use super::{lifecycle::Lifecycle, token::NewestGeneration};

/// Something happened in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomEvent {
    /// It was opened.
    Started,
    /// The visitor joined.
    VisitorJoined,
    /// Somebody else joined: an agent or a recorder.
    OtherJoined,
    /// The visitor left.
    VisitorLeft,
    /// It was closed.
    Finished,
}

impl RoomEvent {
    /// Whether its meaning depends on [`RoomState::visitor_has_left`].
    #[must_use]
    pub const fn needs_whether_left(self) -> bool {
        match self {
            Self::VisitorJoined => true,
            Self::Started | Self::OtherJoined | Self::VisitorLeft | Self::Finished => false,
        }
    }

    /// Whether somebody is in the room, or can be.
    const fn is_sign_of_life(self) -> bool {
        match self {
            Self::Started | Self::VisitorJoined | Self::OtherJoined => true,
            Self::VisitorLeft | Self::Finished => false,
        }
    }
}

/// What is known about the room of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomState {
    /// Whether the conversation continues in it, see [`is_newest`].
    pub is_newest: bool,
    /// Whether it is removed, or was to be removed at any time: it is never live again.
    pub is_removed: bool,
    /// Whether the stay or the room of the event is known to have ended: its end was reported
    /// first. It matters only if the event [needs it](RoomEvent::needs_whether_left).
    pub visitor_has_left: bool,
}

/// What follows of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomAction {
    /// Nothing.
    Ignore,
    /// The room has to be removed.
    Remove,
    /// The visitor is there, see [`Lifecycle::joined`], if the widget still serves the
    /// conversation's page; if not, the room has to be removed.
    JoinIfServed,
    /// The same for a visitor who was there and has left already.
    JoinAndLeaveIfServed,
    /// The visitor is away, see [`Lifecycle::left`].
    Leave,
}

/// What becomes of the conversation and of the room of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomOutcome {
    /// The room stays; this is the state of its conversation.
    Keep(Lifecycle),
    /// The room has to be removed; its conversation stays as it is.
    Remove,
}

impl RoomAction {
    /// Whether the outcome depends on the widget serving the conversation's page.
    #[must_use]
    pub const fn needs_served(self) -> bool {
        match self {
            Self::JoinIfServed | Self::JoinAndLeaveIfServed => true,
            Self::Ignore | Self::Remove | Self::Leave => false,
        }
    }

    /// The outcome at `now`; `is_served` matters only if the action
    /// [needs it](Self::needs_served).
    #[must_use]
    pub fn apply(self, lifecycle: Lifecycle, is_served: bool, now: OffsetDateTime) -> RoomOutcome {
        match self {
            Self::Ignore => RoomOutcome::Keep(lifecycle),
            Self::JoinIfServed if is_served => RoomOutcome::Keep(lifecycle.joined(now)),
            Self::JoinAndLeaveIfServed if is_served => {
                RoomOutcome::Keep(lifecycle.joined(now).left(now))
            }
            Self::Remove | Self::JoinIfServed | Self::JoinAndLeaveIfServed => RoomOutcome::Remove,
            Self::Leave => RoomOutcome::Keep(lifecycle.left(now)),
        }
    }
}

/// Whether a conversation continues in its room of the generation `room`; one that has ended
/// continues nowhere.
#[must_use]
pub const fn is_newest(lifecycle: &Lifecycle, newest: NewestGeneration, room: i64) -> bool {
    room == newest.number && lifecycle.is_open()
}

/// What an event in a room means for it and for its conversation.
#[must_use]
pub const fn decide(event: RoomEvent, room: RoomState) -> RoomAction {
    let is_live = room.is_newest && !room.is_removed;
    match event {
        _ if !is_live && event.is_sign_of_life() => RoomAction::Remove,
        RoomEvent::VisitorJoined if room.visitor_has_left => RoomAction::JoinAndLeaveIfServed,
        RoomEvent::VisitorJoined => RoomAction::JoinIfServed,
        RoomEvent::VisitorLeft | RoomEvent::Finished if room.is_newest => RoomAction::Leave,
        RoomEvent::Started
        | RoomEvent::OtherJoined
        | RoomEvent::VisitorLeft
        | RoomEvent::Finished => RoomAction::Ignore,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::conversation::{EndReason, LifecycleLimits};

    #[test]
    fn an_event_counts_in_the_newest_room_only() {
        use RoomAction::{Ignore, JoinAndLeaveIfServed, JoinIfServed, Leave, Remove};
        use RoomEvent::{Finished, OtherJoined, Started, VisitorJoined, VisitorLeft};
        // In the newest room, in the newest when it is removed, in an older one.
        for (event, newest, removed, older) in [
            (Started, Ignore, Remove, Remove),
            (VisitorJoined, JoinIfServed, Remove, Remove),
            (OtherJoined, Ignore, Remove, Remove),
            (VisitorLeft, Leave, Leave, Ignore),
            (Finished, Leave, Leave, Ignore),
        ] {
            for visitor_has_left in [false, true] {
                let decided = |is_newest, is_removed| {
                    let state = RoomState {
                        is_newest,
                        is_removed,
                        visitor_has_left,
                    };
                    decide(event, state)
                };
                let newest = match newest {
                    JoinIfServed if visitor_has_left => JoinAndLeaveIfServed,
                    other => other,
                };
                assert_eq!(event.needs_whether_left(), event == VisitorJoined);
                assert_eq!(decided(true, false), newest, "{event:?}");
                assert_eq!(decided(true, true), removed, "{event:?}");
                assert_eq!(decided(false, false), older, "{event:?}");
                assert_eq!(decided(false, true), older, "{event:?}");
            }
        }
    }

    #[test]
    fn an_action_changes_the_conversation_or_removes_the_room() {
        use RoomAction::{Ignore, JoinAndLeaveIfServed, JoinIfServed, Leave, Remove};
        let start = datetime!(2026-01-01 12:00 UTC);
        let now = start + time::Duration::MINUTE;
        let open = Lifecycle::created(start);
        let joined = open.joined(now);
        let keep = RoomOutcome::Keep;
        // Served, and not served.
        for (action, served, closed) in [
            (Ignore, keep(open), keep(open)),
            (Remove, RoomOutcome::Remove, RoomOutcome::Remove),
            (JoinIfServed, keep(joined), RoomOutcome::Remove),
            (
                JoinAndLeaveIfServed,
                keep(joined.left(now)),
                RoomOutcome::Remove,
            ),
            (Leave, keep(open.left(now)), keep(open.left(now))),
        ] {
            assert_eq!(action.apply(open, true, now), served, "{action:?}");
            assert_eq!(action.apply(open, false, now), closed, "{action:?}");
            assert_eq!(action.needs_served(), served != closed, "{action:?}");
        }
        assert_eq!(joined.left(now).away_since(), Some(now));
    }

    #[test]
    fn a_conversation_continues_in_its_newest_room_until_it_ends() {
        let now = datetime!(2026-01-01 12:00 UTC);
        let newest = NewestGeneration {
            number: 2,
            repeat_used: false,
        };
        let open = Lifecycle::created(now);
        let ended = open.end(now, EndReason::Visitor, &LifecycleLimits::default());
        assert!(is_newest(&open, newest, 2));
        assert!(!is_newest(&open, newest, 1));
        assert!(!is_newest(&ended, newest, 2));
    }
}
