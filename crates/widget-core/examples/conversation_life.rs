//! The life of a conversation: joined, left, resumed, ended by a limit, rated.

use widget_core::{
    conversation::{EndReason, Lifecycle, LifecycleLimits, Presence, Role, Status},
    time::{Duration, OffsetDateTime},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = LifecycleLimits::default();
    let start = OffsetDateTime::UNIX_EPOCH;
    let at = |minutes| start + Duration::minutes(minutes);

    let conversation = Lifecycle::created(start).joined(at(1));
    let conversation = conversation.said(Role::Visitor, at(2), at(2));
    assert_eq!(conversation.status(), Status::InProgress);

    // The visitor goes to another page and comes back.
    let conversation = conversation
        .left(at(3))
        .resume(at(5), &limits)?
        .joined(at(5));

    // Nobody says anything: it ends at the time of the limit and not at the time of the check.
    let ends = at(5) + limits.max_silence;
    assert_eq!(
        conversation.ends_at(&limits),
        Some((ends, EndReason::Silence))
    );
    let conversation = conversation.settle(Presence::AsReported, at(90), &limits);
    assert_eq!(conversation.status(), Status::Completed);
    assert!(conversation.resume(at(91), &limits).is_err());

    // Feedback is accepted once, for a while after the end.
    let rated = conversation.submit_feedback(true, at(92), &limits)?;
    assert!(rated.submit_feedback(true, at(93), &limits).is_err());
    Ok(())
}
