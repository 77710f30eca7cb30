//! The transcript: one list of turns, merged from two reports.
//!
//! The worker and the window both report what was said. The worker knows best, but one that was
//! killed leaves out the end, and some report nothing; a window can report anything.
//!
//! ```
//! use time::macros::datetime;
//! use widget_core::conversation::transcript::{self, Message};
//! use widget_core::conversation::{Reporter, Role};
//!
//! let turn = |reported_by, role, text: &str| Message {
//!     id: format!("{reported_by}: {text}"),
//!     role,
//!     text: text.to_owned(),
//!     created_at: datetime!(2026-01-01 12:00 UTC),
//!     reported_by,
//! };
//! let reported = vec![
//!     turn(Reporter::Agent, Role::Visitor, "Are you open?"),
//!     turn(Reporter::Visitor, Role::Visitor, "Are you open?"),
//!     turn(Reporter::Visitor, Role::Agent, "Until six."),
//! ];
//! let texts = |messages: Vec<Message>| -> Vec<String> {
//!     messages.into_iter().map(|message| message.text).collect()
//! };
//! assert_eq!(texts(transcript::merge(reported.clone())), ["Are you open?", "Until six."]);
//! assert_eq!(texts(transcript::merge_for_worker(reported)), ["Are you open?"]);
//! ```

use std::collections::HashMap;

use time::OffsetDateTime;

use super::names::{Reporter, Role};
use crate::text::contains;

/// A turn of a conversation, as it was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The reporter's own id of it.
    pub id: String,
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When it was said, as reported.
    pub created_at: OffsetDateTime,
    /// Who reported it.
    pub reported_by: Reporter,
}

/// The transcript for people: every turn of the worker, and of the window's turns those that the
/// worker left out, in the order in which they were reported.
#[must_use]
pub fn merge(messages: Vec<Message>) -> Vec<Message> {
    let mut of_worker: HashMap<(Role, String), usize> = HashMap::new();
    for message in &messages {
        if message.reported_by == Reporter::Agent {
            *of_worker.entry(key(message)).or_default() += 1;
        }
    }
    let mut is_kept = |message: &Message| match message.reported_by {
        Reporter::Agent => true,
        Reporter::Visitor => match of_worker.get_mut(&key(message)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        },
    };
    messages
        .into_iter()
        .filter(|message| is_kept(message))
        .collect()
}

/// The transcript for a worker: as [`merge`], without agent turns that only a visitor reported.
///
/// A visitor could otherwise make the agent believe that it promised something.
#[must_use]
pub fn merge_for_worker(messages: Vec<Message>) -> Vec<Message> {
    let mut merged = merge(messages);
    merged.retain(is_for_worker);
    merged
}

/// Whether one of the turns that a worker reads has this text, in upper or lower case of any
/// alphabet.
#[must_use]
pub fn has_text(messages: &[Message], part: &str) -> bool {
    let mut shown = messages.iter().filter(|message| is_for_worker(message));
    shown.any(|message| contains(&message.text, part))
}

fn is_for_worker(message: &Message) -> bool {
    message.reported_by == Reporter::Agent || message.role == Role::Visitor
}

/// Who said which words, without the spacing that streaming changes.
pub(super) fn key(message: &Message) -> (Role, String) {
    let words: Vec<&str> = message.text.split_whitespace().collect();
    (message.role, words.join(" "))
}
