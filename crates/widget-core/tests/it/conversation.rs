//! The life of a conversation, minute by minute.

use proptest::prelude::*;
use time::{Duration, OffsetDateTime};
use widget_core::conversation::{
    Activity, ConversationEnded, EndReason, FeedbackError, Lifecycle, LifecycleLimits,
    LifecycleRow, LifecycleRowError, Mode, Presence, Reporter, Role, State, Status,
};

use crate::support::at;

fn limits() -> LifecycleLimits {
    LifecycleLimits::default()
}

fn in_progress() -> Lifecycle {
    Lifecycle::created(at(0)).joined(at(1))
}

/// Each name is read back, and nothing else is.
fn check_names<T>(all: &[T], names: &[&str])
where
    T: Copy + PartialEq + std::fmt::Debug + std::fmt::Display + std::str::FromStr,
    T::Err: std::error::Error + PartialEq,
{
    let written: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(written, names);
    for (value, name) in all.iter().zip(names) {
        assert_eq!(name.parse(), Ok(*value));
        assert!(name.to_uppercase().parse::<T>().is_err());
    }
    let allowed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    assert_eq!(
        "other".parse::<T>().expect_err("not a name").to_string(),
        format!("`other` must be one of {}", allowed.join(", "))
    );
}

#[test]
fn names() {
    check_names(
        Status::ALL,
        &["token_created", "in_progress", "completed", "failed"],
    );
    check_names(Role::ALL, &["visitor", "agent"]);
    check_names(Reporter::ALL, &["agent", "visitor"]);
    check_names(Mode::ALL, &["text", "voice"]);
    check_names(
        EndReason::ALL,
        &[
            "visitor",
            "agent",
            "idle",
            "silence",
            "max_length",
            "never_joined",
            "budget_used_up",
        ],
    );
    let terminal: Vec<_> = Status::ALL
        .iter()
        .map(|status| status.is_terminal())
        .collect();
    assert_eq!(terminal, [false, false, true, true]);
    for reason in EndReason::ALL {
        assert_eq!(
            reason.status() == Status::Failed,
            matches!(reason, EndReason::NeverJoined | EndReason::BudgetUsedUp)
        );
        assert!(reason.status().is_terminal());
    }
}

/// Joined in minute 1 and last active in the given minute.
fn active(minute: i64) -> Activity {
    Activity {
        joined_at: at(1),
        active_at: at(minute),
    }
}

#[test]
fn the_usual_way() {
    let created = Lifecycle::created(at(0));
    assert_eq!(created.status(), Status::TokenCreated);
    let joined = created.joined(at(1));
    assert_eq!(joined.status(), Status::InProgress);
    let ended = joined
        .said(Role::Agent, at(2), at(2))
        .end(at(3), EndReason::Visitor, &limits());
    assert_eq!(ended.status(), Status::Completed);
    assert_eq!(
        ended.state(),
        State::Ended {
            activity: Some(active(2)),
            at: at(3),
            reason: EndReason::Visitor
        }
    );
}

#[test]
fn terminal_states_never_change() {
    let completed = in_progress().end(at(5), EndReason::Agent, &limits());
    let failed = Lifecycle::created(at(0)).end(at(10), EndReason::NeverJoined, &limits());
    assert_eq!(failed.status(), Status::Failed);
    for ended in [completed, failed] {
        assert_eq!(ended.joined(at(20)), ended);
        assert_eq!(ended.said(Role::Agent, at(20), at(20)), ended);
        assert_eq!(ended.left(at(20)), ended);
        assert_eq!(ended.end(at(20), EndReason::Visitor, &limits()), ended);
        assert_eq!(ended.expire(at(9_999), &limits()), ended);
        assert_eq!(ended.ends_at(&limits()), None);
        assert_eq!(ended.resume(at(20), &limits()), Err(ConversationEnded));
    }
}

#[test]
fn an_end_is_by_who_ends_it_unless_it_was_over_anyway() {
    let ended = |minute| {
        let ended = in_progress().end(at(minute), EndReason::Visitor, &limits());
        (ended.ended_at(), ended.end_reason())
    };
    assert_eq!(ended(10), (Some(at(10)), Some(EndReason::Visitor)));
    // Silence seems to have ended it, but the visitor may have been away.
    assert_eq!(ended(12), (Some(at(12)), Some(EndReason::Visitor)));
    assert_eq!(ended(61), (Some(at(11)), Some(EndReason::Silence)));
}

#[track_caller]
fn check_end(lifecycle: Lifecycle, minute: i64, reason: EndReason) {
    assert_eq!(
        lifecycle.ends_at(&limits()),
        Some((at(minute), reason)),
        "{lifecycle:?}"
    );
    let just_before = at(minute) - time::Duration::seconds(1);
    let settle = |now| lifecycle.settle(Presence::AsReported, now, &limits());
    assert_eq!(settle(just_before), lifecycle);
    for now in [at(minute), at(minute + 1_000)] {
        let ended = settle(now);
        assert_eq!(ended.ended_at(), Some(at(minute)));
        assert_eq!(ended.end_reason(), Some(reason));
        assert_eq!(ended.activity(), lifecycle.activity());
    }
}

#[test]
fn limits_end_a_conversation() {
    check_end(Lifecycle::created(at(0)), 3, EndReason::NeverJoined);
    check_end(in_progress(), 11, EndReason::Silence);
    check_end(
        in_progress().said(Role::Agent, at(8), at(8)),
        18,
        EndReason::Silence,
    );
    check_end(in_progress().left(at(5)), 35, EndReason::Idle);
    check_end(
        in_progress().left(at(5)).joined(at(20)),
        30,
        EndReason::Silence,
    );
    check_end(in_progress().left(at(5)).left(at(9)), 35, EndReason::Idle);
    check_end(
        in_progress().said(Role::Agent, at(55), at(55)),
        61,
        EndReason::MaxLength,
    );
    check_end(
        in_progress().said(Role::Agent, at(51), at(51)),
        61,
        EndReason::MaxLength,
    );
    check_end(
        in_progress().said(Role::Agent, at(50), at(50)),
        60,
        EndReason::Silence,
    );
    check_end(in_progress().left(at(40)), 61, EndReason::MaxLength);
    // Silence does not end a conversation whose visitor is away.
    check_end(
        in_progress().left(at(2)).said(Role::Agent, at(3), at(3)),
        32,
        EndReason::Idle,
    );
}

#[test]
fn words_of_the_visitor_show_that_they_are_there() {
    let said = |lifecycle: Lifecycle, role, minute, reported| {
        lifecycle.said(role, at(minute), at(reported))
    };
    // The event of their joining was lost.
    let created = Lifecycle::created(at(0));
    assert_eq!(said(created, Role::Visitor, 2, 2), created.joined(at(2)));
    assert_eq!(said(created, Role::Agent, 2, 2), created);
    // So was the event of their joining the new room.
    let resumed = in_progress().resume(at(5), &limits()).expect("it is open");
    check_end(resumed, 35, EndReason::Idle);
    check_end(said(resumed, Role::Visitor, 6, 6), 16, EndReason::Silence);
    check_end(said(resumed, Role::Agent, 6, 6), 35, EndReason::Idle);
    // They left, and what they said before is reported late, or by a clock that is ahead.
    let left = in_progress().left(at(5));
    check_end(said(left, Role::Visitor, 4, 8), 35, EndReason::Idle);
    check_end(said(left, Role::Visitor, 9, 5), 35, EndReason::Idle);
}

#[test]
fn open_is_what_may_continue() {
    let open = |lifecycle: Lifecycle, minute| lifecycle.require_open(at(minute), &limits());
    // The event of joining may have been lost, or that of leaving.
    assert_eq!(open(Lifecycle::created(at(0)), 7), Ok(()));
    assert_eq!(open(Lifecycle::created(at(0)), 8), Err(ConversationEnded));
    assert_eq!(open(in_progress(), 15), Ok(()));
    assert_eq!(open(in_progress(), 16), Err(ConversationEnded));
    let heard = in_progress().said(Role::Agent, at(55), at(55));
    assert_eq!(open(heard, 60), Ok(()));
    assert_eq!(open(heard, 61), Err(ConversationEnded));
    let ended = in_progress().end(at(2), EndReason::Visitor, &limits());
    assert_eq!(open(ended, 2), Err(ConversationEnded));
}

#[test]
fn events_in_any_order() {
    // A late report of activity never makes the conversation seem older.
    let conversation = in_progress().said(Role::Agent, at(9), at(9));
    assert_eq!(conversation.said(Role::Agent, at(4), at(4)), conversation);
    let back = conversation.left(at(5)).joined(at(6));
    check_end(back, 19, EndReason::Silence);
    assert_eq!(
        Lifecycle::created(at(0)).left(at(1)),
        Lifecycle::created(at(0))
    );
    assert_eq!(
        Lifecycle::created(at(0)).said(Role::Agent, at(1), at(1)),
        Lifecycle::created(at(0))
    );
    // The first join counts for the length.
    let rejoined = in_progress().joined(at(58));
    check_end(rejoined, 61, EndReason::MaxLength);
}

#[test]
fn resuming() {
    let away = in_progress().left(at(5));
    let resumed = away.resume(at(34), &limits()).expect("within the window");
    assert_eq!(resumed.status(), Status::InProgress);
    // Until the visitor joins the new room they count as away, from now on.
    assert_eq!(
        resumed.state(),
        State::InProgress {
            activity: active(34),
            away_since: Some(at(34))
        }
    );
    assert_eq!(resumed.token_at(), at(34));
    check_end(resumed, 61, EndReason::MaxLength);
    // The event of their return may have been lost; nobody waits long for an answer to that.
    assert!(away.resume(at(39), &limits()).is_ok());
    assert_eq!(away.resume(at(40), &limits()), Err(ConversationEnded));
    // While still there, as from another tab.
    let other_tab = in_progress().resume(at(4), &limits()).expect("in progress");
    check_end(other_tab, 34, EndReason::Idle);
    // Before the first join the time to join starts over.
    let early = Lifecycle::created(at(0))
        .resume(at(2), &limits())
        .expect("not yet joined");
    check_end(early, 5, EndReason::NeverJoined);
    assert_eq!(
        Lifecycle::created(at(0)).resume(at(8), &limits()),
        Err(ConversationEnded)
    );
}

#[test]
fn feedback_once_after_the_end() {
    let ended = in_progress().end(at(10), EndReason::Visitor, &limits());
    let day = 24 * 60;
    let given = ended
        .submit_feedback(true, at(10 + day), &limits())
        .expect("on the last moment");
    assert_eq!(given.feedback_at(), Some(at(10 + day)));
    assert_eq!(given.status(), Status::Completed);
    assert_eq!(
        given.submit_feedback(true, at(11), &limits()),
        Err(FeedbackError::AlreadySubmitted)
    );
    assert_eq!(
        given.submit_feedback(true, at(10 + 2 * day), &limits()),
        Err(FeedbackError::AlreadySubmitted)
    );
    assert_eq!(
        ended.submit_feedback(true, at(11 + day), &limits()),
        Err(FeedbackError::Closed)
    );
    assert_eq!(
        ended.submit_feedback(false, at(11), &limits()),
        Err(FeedbackError::Disabled)
    );
    assert_eq!(
        in_progress().submit_feedback(true, at(5), &limits()),
        Err(FeedbackError::Active)
    );
    assert_eq!(
        in_progress().submit_feedback(false, at(5), &limits()),
        Err(FeedbackError::Disabled)
    );
    // Silent for ten minutes: they may have left and may come back.
    assert_eq!(
        in_progress().submit_feedback(true, at(12), &limits()),
        Err(FeedbackError::Active)
    );
    // After the longest time it is over, whether or not anybody has stored that.
    let late = in_progress()
        .submit_feedback(true, at(61), &limits())
        .expect("over");
    assert_eq!(late.status(), Status::Completed);
}

fn row(status: Status) -> LifecycleRow {
    LifecycleRow {
        status,
        token_at: at(0),
        joined_at: None,
        active_at: None,
        away_since: None,
        ended_at: None,
        end_reason: None,
        feedback_at: None,
    }
}

#[test]
fn rows_are_read_as_the_state_that_they_hold() {
    let ended = |status, end_reason| LifecycleRow {
        ended_at: Some(at(2)),
        end_reason,
        ..row(status)
    };
    let created = Lifecycle::created(at(0));
    for (row, expected) in [
        (row(Status::TokenCreated), created),
        (
            LifecycleRow {
                joined_at: Some(at(1)),
                ..row(Status::InProgress)
            },
            in_progress(),
        ),
        (
            LifecycleRow {
                joined_at: Some(at(1)),
                active_at: Some(at(3)),
                away_since: Some(at(4)),
                ..row(Status::InProgress)
            },
            in_progress().said(Role::Agent, at(3), at(3)).left(at(4)),
        ),
        (
            LifecycleRow {
                joined_at: Some(at(1)),
                active_at: Some(at(1)),
                ..ended(Status::Completed, Some(EndReason::Agent))
            },
            in_progress().end(at(2), EndReason::Agent, &limits()),
        ),
        // Without a reason, or with one that contradicts the state, the state counts.
        (
            ended(Status::Failed, None),
            created.end(at(2), EndReason::NeverJoined, &limits()),
        ),
        (
            ended(Status::Failed, Some(EndReason::Visitor)),
            created.end(at(2), EndReason::NeverJoined, &limits()),
        ),
        (
            ended(Status::Completed, None),
            created.end(at(2), EndReason::Idle, &limits()),
        ),
        (
            ended(Status::Completed, Some(EndReason::NeverJoined)),
            created.end(at(2), EndReason::Idle, &limits()),
        ),
    ] {
        assert_eq!(Lifecycle::from_row(row), Ok(expected), "{row:?}");
    }
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    for (status, missing) in [
        (Status::InProgress, "joined_at"),
        (Status::Completed, "ended_at"),
        (Status::Failed, "ended_at"),
    ] {
        let error = Lifecycle::from_row(row(status)).expect_err("a column is empty");
        assert_eq!(error, LifecycleRowError { status, missing });
        assert_eq!(
            error.to_string(),
            format!("a conversation that is `{status}` must have `{missing}`")
        );
    }
}

/// An event and how many seconds after the one before it happens.
fn event() -> impl Strategy<Value = (usize, i64)> {
    (0_usize..6, 0_i64..1_500)
}

/// What a conversation is after these events.
fn after(events: &[(usize, i64)]) -> (Lifecycle, OffsetDateTime) {
    let mut now = at(0);
    let mut lifecycle = Lifecycle::created(now);
    for (event, seconds) in events {
        now += Duration::seconds(*seconds);
        lifecycle = match event {
            0 => lifecycle.joined(now),
            1 => lifecycle.left(now),
            2 => lifecycle.said(Role::Visitor, now, now),
            3 => lifecycle.said(Role::Agent, now, now),
            4 => lifecycle.resume(now, &limits()).unwrap_or(lifecycle),
            _ => lifecycle.settle(Presence::AsReported, now, &limits()),
        };
    }
    (lifecycle, now)
}

proptest! {
    #[test]
    fn a_row_keeps_everything(events in prop::collection::vec(event(), 0..12), feedback: bool) {
        let (lifecycle, now) = after(&events);
        let lifecycle = lifecycle.submit_feedback(feedback, now, &limits()).unwrap_or(lifecycle);
        prop_assert_eq!(Lifecycle::from_row(lifecycle.to_row()), Ok(lifecycle));
    }

    /// The time that is stored is the very moment of the end: a search by it misses nothing.
    #[test]
    fn it_is_due_when_it_ends(events in prop::collection::vec(event(), 0..12)) {
        let (lifecycle, _) = after(&events);
        match lifecycle.due_at(&limits()) {
            None => prop_assert!(!lifecycle.is_open()),
            Some(due_at) => {
                prop_assert!(lifecycle.is_open());
                let settle = |now| lifecycle.settle(Presence::AsReported, now, &limits());
                prop_assert_eq!(settle(due_at - Duration::MICROSECOND), lifecycle);
                prop_assert_eq!(settle(due_at).ended_at(), Some(due_at));
            }
        }
    }

    /// What is shown as over before that is stored is over wherever the visitor is found to be.
    #[test]
    fn what_is_shown_as_ended_ends_whatever_livekit_answers(
        events in prop::collection::vec(event(), 0..12),
        wait in 0_i64..9_000,
    ) {
        let (lifecycle, now) = after(&events);
        let now = now + Duration::seconds(wait);
        let shown = lifecycle.expire(now, &limits());
        let settled = [
            Presence::Present,
            Presence::Absent,
            Presence::Unknown,
            Presence::AsReported,
        ]
        .map(|presence| lifecycle.settle(presence, now, &limits()));
        if shown.is_open() {
            prop_assert_eq!(shown, lifecycle);
        } else {
            for settled in settled {
                prop_assert_eq!(settled.status(), shown.status());
            }
            prop_assert!(lifecycle.resume(now, &limits()).is_err());
        }
    }
}

#[test]
fn a_conversation_starts_and_resumes_in_an_enabled_mode() {
    use widget_core::config::Config;
    use widget_core::conversation::{ModeDisabled, choose_mode, choose_mode_for_resume};
    let config = |text: &str| Config::parse(text).expect("a valid document");
    let both = config("{}");
    let voice = config(r#"{"v1": {"modes": {"text": false}}}"#);
    let voice_first = config(r#"{"v1": {"default_mode": "voice"}}"#);
    for (config, requested, expected) in [
        (&both, None, Ok(Mode::Text)),
        (&both, Some(Mode::Voice), Ok(Mode::Voice)),
        (&voice, None, Ok(Mode::Voice)),
        (&voice, Some(Mode::Text), Err(ModeDisabled(Mode::Text))),
        (&voice_first, None, Ok(Mode::Voice)),
        (&voice_first, Some(Mode::Text), Ok(Mode::Text)),
    ] {
        assert_eq!(choose_mode(config.current(), requested), expected);
    }
    for (config, requested, before, expected) in [
        (&both, None, Mode::Voice, Ok(Mode::Voice)),
        (&both, Some(Mode::Text), Mode::Voice, Ok(Mode::Text)),
        // It was switched off since.
        (&voice, None, Mode::Text, Ok(Mode::Voice)),
        (
            &voice,
            Some(Mode::Text),
            Mode::Voice,
            Err(ModeDisabled(Mode::Text)),
        ),
    ] {
        assert_eq!(
            choose_mode_for_resume(config.current(), requested, before),
            expected
        );
    }
    assert!(ModeDisabled(Mode::Text).to_string().contains("`text`"));
}
