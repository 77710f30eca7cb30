//! The visitor's side: embed tickets and conversation tokens, rate limits, the cache of public
//! widgets, and the answers to what is refused.
//!
//! What is kept here lives in the memory of one process and may be lost with it.

pub mod embed_builds;
pub mod in_line;
pub mod limits;
pub mod previews;
pub mod public_widgets;
pub mod rate_limits;
mod read_cache;
pub mod refusals;
pub mod signing;
pub mod visit_counts;
