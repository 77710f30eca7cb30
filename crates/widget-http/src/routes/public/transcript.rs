//! What a visitor is shown of what was said: two may have reported it, and each turn is shown once.

use std::collections::HashMap;

use widget_core::conversation::{Reporter, Role, transcript::Message};

/// The worker's report, and of the window's report only what the worker did not tell, in the order
/// of arrival.
///
/// The worker knows best what was said, but one that was killed leaves out the end, and some report
/// nothing.
pub(super) fn for_visitor(messages: Vec<Message>) -> Vec<Message> {
    let mut told: HashMap<(Role, String), usize> = HashMap::new();
    for message in messages
        .iter()
        .filter(|message| message.reported_by == Reporter::Agent)
    {
        *told.entry(key(message)).or_default() += 1;
    }
    let is_new = |message: &Message| match message.reported_by {
        Reporter::Agent => true,
        Reporter::Visitor => match told.get_mut(&key(message)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        },
    };
    let mut is_new = is_new;
    messages
        .into_iter()
        .filter(|message| is_new(message))
        .collect()
}

/// Words without their spacing, which streaming changes.
fn key(message: &Message) -> (Role, String) {
    (
        message.role,
        message
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn message(reported_by: Reporter, role: Role, text: &str) -> Message {
        Message {
            id: format!("{}-{text}", reported_by.as_str()),
            role,
            text: text.to_owned(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            reported_by,
        }
    }

    #[track_caller]
    fn check(messages: &[(Reporter, Role, &str)], expected: &[&str]) {
        let messages = messages
            .iter()
            .map(|(by, role, text)| message(*by, *role, text))
            .collect();
        let shown: Vec<String> = for_visitor(messages)
            .into_iter()
            .map(|message| message.id)
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn each_turn_is_shown_once() {
        use Reporter::{Agent, Visitor};
        let (agent, visitor) = (Role::Agent, Role::Visitor);
        check(&[], &[]);
        check(
            &[(Visitor, visitor, "hi"), (Visitor, agent, "hello")],
            &["visitor-hi", "visitor-hello"],
        );
        check(
            &[
                (Visitor, visitor, "hi"),
                (Agent, visitor, "hi"),
                (Agent, agent, "hello there"),
                (Visitor, agent, "hello  there "),
                (Visitor, visitor, "are you gone?"),
            ],
            &["agent-hi", "agent-hello there", "visitor-are you gone?"],
        );
        // Said twice, told by the worker once.
        check(
            &[
                (Agent, visitor, "yes"),
                (Visitor, visitor, "yes"),
                (Visitor, visitor, "yes"),
            ],
            &["agent-yes", "visitor-yes"],
        );
        // The same words of the other one are another turn.
        check(
            &[(Agent, agent, "ok"), (Visitor, visitor, "ok")],
            &["agent-ok", "visitor-ok"],
        );
    }
}
