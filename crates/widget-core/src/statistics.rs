//! Numbers about a widget: what is counted, over which times it is shown, and how refusals are
//! kept within a bound whoever causes them.
//!
//! - [`Counter`] names everything that is counted, and [`Numbers`] is what was counted of each.
//! - [`ConversationFacts`] decides what a conversation counts as. All of it counts at the time at
//!   which the conversation began, so that shares such as answered ones are of the same ones.
//! - [`StatisticsRange`] and [`refusals_since`] bound what may be asked for at once.
//! - [`Sketch`] keeps the commonest refusals and the sum of the others.
//!
//! The caller passes the time and stores the numbers; nothing here waits or remembers.

mod counter;
mod facts;
mod numbers;
mod range;
mod refusals;
mod sketch;

pub use counter::{Counter, CounterError, FIRST_ANSWER_SECONDS, MAX_RATING};
pub use facts::ConversationFacts;
pub use numbers::{FirstAnswers, Numbers};
pub use range::{
    Interval, MAX_REFUSAL_DAYS, RangeError, RangeFault, StatisticsRange, refusals_since,
};
pub use refusals::RefusedPage;
pub use sketch::{Listed, MAX_LISTED, Sketch};
