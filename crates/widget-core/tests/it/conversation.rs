//! The life of a conversation, minute by minute.

use time::OffsetDateTime;
use widget_core::conversation::{
    Conversation, ConversationEnded, ConversationRow, EndReason, FeedbackError, Limits, Mode, Role,
    RowError, State, Status,
};

use crate::support::at;

fn limits() -> Limits {
    Limits::default()
}

fn in_progress() -> Conversation {
    Conversation::created(at(0)).joined(at(1))
}

#[test]
fn names() {
    for status in Status::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
        assert_eq!(status.to_string(), status.as_str());
    }
    let terminal: Vec<_> = Status::ALL.map(Status::is_terminal).into();
    assert_eq!(terminal, [false, false, true, true]);
    assert_eq!(Status::TokenCreated.as_str(), "token_created");
    assert_eq!(Status::InProgress.as_str(), "in_progress");
    assert!("Completed".parse::<Status>().is_err());
    for role in [Role::Visitor, Role::Agent] {
        assert_eq!(role.as_str().parse(), Ok(role));
        assert_eq!(role.to_string(), role.as_str());
    }
    assert!("user".parse::<Role>().is_err());
    for mode in Mode::ALL.iter().copied() {
        assert_eq!(mode.as_str().parse(), Ok(mode));
        assert_eq!(mode.to_string(), mode.as_str());
    }
    assert_eq!(
        "video".parse::<Mode>().unwrap_err().to_string(),
        "`video` must be one of `text`, `voice`"
    );
    for reason in EndReason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        let failed = reason == EndReason::NeverJoined;
        assert_eq!(reason.status() == Status::Failed, failed);
        assert_eq!(reason.status() == Status::Completed, !failed);
    }
    assert!("".parse::<EndReason>().is_err());
}

#[test]
fn the_usual_way() {
    let created = Conversation::created(at(0));
    assert_eq!(created.status(), Status::TokenCreated);
    let joined = created.joined(at(1));
    assert_eq!(joined.status(), Status::InProgress);
    let ended = joined
        .said(Role::Agent, at(2), at(2))
        .end(at(3), EndReason::Visitor);
    assert_eq!(ended.status(), Status::Completed);
    assert_eq!(
        ended.state(),
        State::Ended {
            at: at(3),
            reason: EndReason::Visitor
        }
    );
}

#[test]
fn terminal_states_never_change() {
    let completed = in_progress().end(at(5), EndReason::Agent);
    let failed = Conversation::created(at(0)).end(at(10), EndReason::NeverJoined);
    assert_eq!(failed.status(), Status::Failed);
    for ended in [completed, failed] {
        assert_eq!(ended.joined(at(20)), ended);
        assert_eq!(ended.said(Role::Agent, at(20), at(20)), ended);
        assert_eq!(ended.left(at(20)), ended);
        assert_eq!(ended.end(at(20), EndReason::Visitor), ended);
        assert_eq!(ended.expire(at(9_999), &limits()), ended);
        assert_eq!(ended.ends_at(&limits()), None);
        assert_eq!(ended.resume(at(20), &limits()), Err(ConversationEnded));
    }
    assert_eq!(ConversationEnded.code(), "conversation_ended");
}

#[track_caller]
fn check_end(conversation: Conversation, minute: i64, reason: EndReason) {
    assert_eq!(
        conversation.ends_at(&limits()),
        Some((at(minute), reason)),
        "{conversation:?}"
    );
    let just_before = at(minute) - time::Duration::seconds(1);
    assert_eq!(conversation.expire(just_before, &limits()), conversation);
    for now in [at(minute), at(minute + 1_000)] {
        let ended = conversation.expire(now, &limits());
        assert_eq!(
            ended.state(),
            State::Ended {
                at: at(minute),
                reason
            }
        );
    }
}

#[test]
fn what_ends_by_itself() {
    check_end(Conversation::created(at(0)), 10, EndReason::NeverJoined);
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
    // The visitor's being away is not ended by silence.
    check_end(
        in_progress().left(at(2)).said(Role::Agent, at(3), at(3)),
        32,
        EndReason::Idle,
    );
}

#[test]
fn words_of_the_visitor_show_that_they_are_there() {
    let said = |conversation: Conversation, role, minute, told| {
        conversation.said(role, at(minute), at(told))
    };
    // The event of their joining was lost.
    let created = Conversation::created(at(0));
    assert_eq!(said(created, Role::Visitor, 2, 2), created.joined(at(2)));
    assert_eq!(said(created, Role::Agent, 2, 2), created);
    // So was the one of their coming back to the fresh room.
    let resumed = in_progress().resume(at(5), &limits()).expect("it goes on");
    check_end(resumed, 35, EndReason::Idle);
    check_end(said(resumed, Role::Visitor, 6, 6), 16, EndReason::Silence);
    check_end(said(resumed, Role::Agent, 6, 6), 35, EndReason::Idle);
    // They left, and what they said before is told late, or by a clock that is ahead.
    let left = in_progress().left(at(5));
    check_end(said(left, Role::Visitor, 4, 8), 35, EndReason::Idle);
    check_end(said(left, Role::Visitor, 9, 5), 35, EndReason::Idle);
}

#[test]
fn open_is_what_no_limit_has_ended() {
    let open =
        |conversation: Conversation, minute| conversation.require_open(at(minute), &limits());
    assert_eq!(open(Conversation::created(at(0)), 9), Ok(()));
    assert_eq!(
        open(Conversation::created(at(0)), 10),
        Err(ConversationEnded)
    );
    assert_eq!(open(in_progress(), 10), Ok(()));
    assert_eq!(open(in_progress(), 11), Err(ConversationEnded));
    let ended = in_progress().end(at(2), EndReason::Visitor);
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
        Conversation::created(at(0)).left(at(1)),
        Conversation::created(at(0))
    );
    assert_eq!(
        Conversation::created(at(0)).said(Role::Agent, at(1), at(1)),
        Conversation::created(at(0))
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
    // Until the visitor joins the fresh room they are away, from now on.
    assert_eq!(
        resumed.state(),
        State::InProgress {
            joined_at: at(1),
            active_at: at(34),
            away_since: Some(at(34))
        }
    );
    check_end(resumed, 61, EndReason::MaxLength);
    assert_eq!(away.resume(at(35), &limits()), Err(ConversationEnded));
    assert_eq!(away.resume(at(36), &limits()), Err(ConversationEnded));
    // While still there, as from another tab.
    let other_tab = in_progress().resume(at(4), &limits()).expect("in progress");
    check_end(other_tab, 34, EndReason::Idle);
    // Before the first join the time to join begins anew.
    let early = Conversation::created(at(0))
        .resume(at(9), &limits())
        .expect("not yet joined");
    check_end(early, 19, EndReason::NeverJoined);
    assert_eq!(
        Conversation::created(at(0)).resume(at(10), &limits()),
        Err(ConversationEnded)
    );
}

#[test]
fn feedback_once_after_the_end() {
    let ended = in_progress().end(at(10), EndReason::Visitor);
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
    // Silent for ten minutes: it is over, whether or not anybody has stored that.
    let late = in_progress()
        .submit_feedback(true, at(12), &limits())
        .expect("over by silence");
    assert_eq!(late.status(), Status::Completed);
    for (error, code) in [
        (FeedbackError::Disabled, "feedback_disabled"),
        (FeedbackError::Active, "conversation_active"),
        (
            FeedbackError::AlreadySubmitted,
            "feedback_already_submitted",
        ),
        (FeedbackError::Closed, "feedback_closed"),
    ] {
        assert_eq!(error.code(), code);
        assert!(!error.to_string().is_empty());
    }
}

fn row(status: Status) -> ConversationRow {
    ConversationRow {
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
fn rows() {
    assert_eq!(
        Conversation::from_row(row(Status::TokenCreated)),
        Ok(Conversation::created(at(0)))
    );
    assert_eq!(
        Conversation::from_row(ConversationRow {
            joined_at: Some(at(1)),
            ..row(Status::InProgress)
        }),
        Ok(in_progress())
    );
    assert_eq!(
        Conversation::from_row(ConversationRow {
            joined_at: Some(at(1)),
            active_at: Some(at(3)),
            away_since: Some(at(4)),
            ..row(Status::InProgress)
        }),
        Ok(in_progress().said(Role::Agent, at(3), at(3)).left(at(4)))
    );
    for (status, reason) in [
        (Status::Completed, EndReason::Idle),
        (Status::Failed, EndReason::NeverJoined),
    ] {
        let ended = |end_reason: Option<EndReason>, feedback_at: Option<OffsetDateTime>| {
            Conversation::from_row(ConversationRow {
                ended_at: Some(at(7)),
                end_reason,
                feedback_at,
                ..row(status)
            })
            .expect("a sound row")
        };
        assert_eq!(
            ended(None, None).state(),
            State::Ended { at: at(7), reason }
        );
        assert_eq!(ended(None, None).status(), status);
        assert_eq!(ended(Some(reason), Some(at(8))).feedback_at(), Some(at(8)));
    }
    let agent = Conversation::from_row(ConversationRow {
        ended_at: Some(at(7)),
        end_reason: Some(EndReason::Agent),
        ..row(Status::Completed)
    });
    assert_eq!(agent, Ok(in_progress().end(at(7), EndReason::Agent)));
    for (status, missing) in [
        (Status::InProgress, "joined_at"),
        (Status::Completed, "ended_at"),
        (Status::Failed, "ended_at"),
    ] {
        let error = Conversation::from_row(row(status)).expect_err("a column is empty");
        assert_eq!(error, RowError { status, missing });
        assert_eq!(
            error.to_string(),
            format!("a conversation that is `{status}` must have `{missing}`")
        );
    }
    // A row whose reason contradicts its state keeps the state.
    for (status, reason) in [
        (Status::Failed, EndReason::Visitor),
        (Status::Completed, EndReason::NeverJoined),
    ] {
        let read = Conversation::from_row(ConversationRow {
            ended_at: Some(at(7)),
            end_reason: Some(reason),
            ..row(status)
        })
        .expect("readable");
        assert_eq!(read.status(), status);
    }
}

#[test]
fn a_conversation_begins_and_goes_on_in_a_mode_that_is_offered() {
    use widget_core::config::Config;
    use widget_core::conversation::{ModeDisabled, choose_mode, choose_mode_again};
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
        // It was switched off meanwhile.
        (&voice, None, Mode::Text, Ok(Mode::Voice)),
        (
            &voice,
            Some(Mode::Text),
            Mode::Voice,
            Err(ModeDisabled(Mode::Text)),
        ),
    ] {
        assert_eq!(
            choose_mode_again(config.current(), requested, before),
            expected
        );
    }
    assert_eq!(ModeDisabled(Mode::Text).code(), "mode_disabled");
    assert!(ModeDisabled(Mode::Text).to_string().contains("`text`"));
}
