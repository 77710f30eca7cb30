//! What a conversation is: its life, its turns, and what ends it.
//!
//! - [`Lifecycle`] is the state machine: events lead from one state to the next, and
//!   [`LifecycleLimits`] say when it ends by itself.
//! - [`Presence`] says where the visitor is, in case the event of their joining or leaving was
//!   lost.
//! - [`choose_mode`] and [`choose_mode_for_resume`] decide between text and voice.
//! - [`metadata`] and [`budget`] decide what a conversation starts with, and whether one may start.
//! - [`token`] and [`room`] decide which window and which room speak for it.
//! - [`Erasure`] is what remains of one that was erased, [`selection`] says which ones are, and
//!   [`retention`] when that happens by itself.
//! - [`turns`] bounds what the worker and the window report; [`transcript`] merges both into one
//!   list of turns; [`events`] is all of it as it happens.
//!
//! The caller passes the time and stores the outcome; nothing here waits or remembers.
//!
//! ```
//! use time::{Duration, macros::datetime};
//! use widget_core::conversation::{
//!     EndReason, Lifecycle, LifecycleLimits, Presence, Role, Status,
//! };
//!
//! let limits = LifecycleLimits::default();
//! let start = datetime!(2026-01-01 12:00 UTC);
//! let minute = |minutes| start + Duration::minutes(minutes);
//!
//! let lifecycle = Lifecycle::created(start)
//!     .joined(minute(1))
//!     .said(Role::Visitor, minute(2), minute(2))
//!     .left(minute(5));
//! assert_eq!(lifecycle.status(), Status::InProgress);
//! // Store this time with the row: it is when the conversation ends if nothing else happens.
//! assert_eq!(lifecycle.due_at(&limits), Some(minute(35)));
//!
//! // Somebody has looked where the visitor is: an event may have been lost.
//! let ended = lifecycle.settle(Presence::Absent, minute(40), &limits);
//! assert_eq!(ended.end_reason(), Some(EndReason::Idle));
//! assert_eq!(ended.ended_at(), Some(minute(35)));
//! ```

pub mod budget;
mod choose;
mod erasure;
pub mod events;
mod feedback;
mod lifecycle;
mod limits;
pub mod metadata;
mod names;
mod presence;
pub mod retention;
pub mod room;
mod row;
pub mod selection;
pub mod token;
pub mod transcript;
pub mod turns;

pub use choose::{ModeDisabled, choose_mode, choose_mode_for_resume};
pub use erasure::{ConversationErased, ERASED_METADATA, ERASED_ORIGIN, ErasedBy, Erasure};
pub use feedback::FeedbackError;
pub use lifecycle::{Activity, ConversationEnded, Lifecycle, State};
pub use limits::LifecycleLimits;
pub use names::{EndReason, Reporter, Role, Status};
pub use presence::Presence;
pub use row::{LifecycleRow, LifecycleRowError};

pub use crate::mode::Mode;
