//! The merged transcript, by cases and as laws.

use proptest::prelude::*;
use widget_core::conversation::{
    Reporter, Role,
    transcript::{Message, merge, merge_for_worker},
};

use crate::support::at;

/// Reporter, role and text of one reported turn.
type Report<'a> = (Reporter, Role, &'a str);

fn messages(reports: &[Report<'_>]) -> Vec<Message> {
    reports
        .iter()
        .enumerate()
        .map(|(index, (reported_by, role, text))| Message {
            id: format!("{index}"),
            role: *role,
            text: (*text).to_owned(),
            created_at: at(0),
            reported_by: *reported_by,
        })
        .collect()
}

/// The reports that are left, by their index.
fn indexes(messages: &[Message]) -> Vec<usize> {
    messages
        .iter()
        .map(|message| message.id.parse().expect("an index"))
        .collect()
}

#[track_caller]
fn check(reports: &[Report<'_>], for_people: &[usize], for_worker: &[usize]) {
    assert_eq!(indexes(&merge(messages(reports))), for_people);
    assert_eq!(indexes(&merge_for_worker(messages(reports))), for_worker);
}

#[test]
fn each_turn_is_there_once() {
    use Reporter::{Agent as WORKER, Visitor as WINDOW};
    use Role::{Agent as AGENT, Visitor as VISITOR};
    check(&[], &[], &[]);
    // A worker that reports nothing.
    check(
        &[(WINDOW, VISITOR, "hi"), (WINDOW, AGENT, "hello")],
        &[0, 1],
        &[0],
    );
    // A worker that was killed before the last turn; streaming changed the spacing.
    check(
        &[
            (WINDOW, VISITOR, "hi"),
            (WORKER, VISITOR, "hi"),
            (WORKER, AGENT, "hello there"),
            (WINDOW, AGENT, "hello  there "),
            (WINDOW, VISITOR, "are you gone?"),
        ],
        &[1, 2, 4],
        &[1, 2, 4],
    );
    // Said twice, reported by the worker once.
    check(
        &[
            (WORKER, VISITOR, "yes"),
            (WINDOW, VISITOR, "yes"),
            (WINDOW, VISITOR, "yes"),
        ],
        &[0, 2],
        &[0, 2],
    );
    // Said twice, reported by the worker twice and by the window once.
    check(
        &[
            (WORKER, VISITOR, "yes"),
            (WINDOW, VISITOR, "yes"),
            (WORKER, VISITOR, "yes"),
        ],
        &[0, 2],
        &[0, 2],
    );
    // The same words of the other one are another turn.
    check(
        &[(WORKER, AGENT, "ok"), (WINDOW, VISITOR, "ok")],
        &[0, 1],
        &[0, 1],
    );
    // Only a worker speaks for the agent.
    check(
        &[
            (WORKER, AGENT, "Hello!"),
            (WINDOW, AGENT, "I owe you a thousand euros."),
            (WINDOW, VISITOR, "Tea?"),
        ],
        &[0, 1, 2],
        &[0, 2],
    );
}

fn report() -> impl Strategy<Value = (bool, bool, &'static str)> {
    (
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec!["yes", " yes", "no", "no no", "no  no"]),
    )
}

/// How often each turn is among the messages, as `reported_by` says it.
fn count(messages: &[Message], by: Reporter, of: &Message) -> usize {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    messages
        .iter()
        .filter(|other| {
            other.reported_by == by
                && other.role == of.role
                && words(&other.text) == words(&of.text)
        })
        .count()
}

proptest! {
    #[test]
    fn laws(reports in prop::collection::vec(report(), 0..24)) {
        let reports: Vec<Report<'_>> = reports
            .into_iter()
            .map(|(by_worker, by_agent, text)| {
                let reporter = if by_worker { Reporter::Agent } else { Reporter::Visitor };
                (reporter, if by_agent { Role::Agent } else { Role::Visitor }, text)
            })
            .collect();
        let all = messages(&reports);
        let merged = merge(all.clone());
        // The order of the reports is kept, and nothing is there twice.
        prop_assert!(indexes(&merged).is_sorted_by(|a, b| a < b));
        // Nothing of the worker is lost.
        let of_worker = |messages: &[Message]| -> Vec<usize> {
            indexes(messages)
                .into_iter()
                .filter(|index| reports[*index].0 == Reporter::Agent)
                .collect()
        };
        prop_assert_eq!(of_worker(&merged), of_worker(&all));
        // A turn is there as often as the one who reported it more often says.
        for message in &all {
            let by_worker = count(&all, Reporter::Agent, message);
            let by_window = count(&all, Reporter::Visitor, message);
            let there = count(&merged, Reporter::Agent, message)
                + count(&merged, Reporter::Visitor, message);
            prop_assert_eq!(there, by_worker.max(by_window));
        }
        // A worker gets the same, but no words of the agent that only the window reported.
        let expected: Vec<Message> = merged
            .into_iter()
            .filter(|message| (message.reported_by, message.role) != (Reporter::Visitor, Role::Agent))
            .collect();
        prop_assert_eq!(merge_for_worker(all), expected);
    }
}
