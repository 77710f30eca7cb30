//! How many conversations there may be: open at the same time, on one day, and started from one
//! place without being joined; and how many minutes of voice on one day.
//!
//! A script can start conversations without joining them. Those are not open on the widget, so that
//! they keep no visitor out; they count where they were started, until they are joined or fail.
//!
//! What is open is counted before a start is written, so that it may exceed its budget by as many
//! as are joined at the same time. Starts from one place are counted and written while nobody else
//! writes one from there.
//!
//! A day's budget is used by those who join, and by nobody else: what waits to be joined keeps no
//! other visitor out, however many wait and wherever they were started. So a start is refused when
//! the budget [is used up](DayUse::may_start), and a [join](DayUse::join) when others were first.
//! Minutes of a call are [reserved](DayUse::reserve) once its visitor has joined, and
//! [settled](DayUse::settle) once. What is used and reserved never exceeds its budget.
//!
//! ```
//! use time::macros::datetime;
//! use widget_core::conversation::budget::{BudgetError, Budgets, Owner};
//!
//! let mut budgets = Budgets::default();
//! budgets.open_on_widget = 50;
//! assert_eq!(budgets.require_open(Owner::Widget, 49), Ok(()));
//! let error = budgets.require_open(Owner::Widget, 50).expect_err("as many as are allowed");
//! assert_eq!(error, BudgetError::WidgetBusy { max: 50 });
//! ```

mod day;
mod limits;
mod preview;
mod start;
mod voice;

pub use day::{Amounts, Day, DayBudget, DayUse, Reservation};
pub use limits::{LimitError, LimitFault, LimitName, Limits, Owner};
pub use preview::{MAX_PREVIEW_OPEN, MAX_PREVIEW_STARTS, PreviewUse, require_preview_start};
pub use start::{BudgetError, Budgets, StartRange, Unjoined};
pub use voice::{
    Audio, Call, CallState, CallStep, RESERVED_MINUTES, RESERVED_SECONDS, used_seconds,
};
