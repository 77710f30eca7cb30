//! How many conversations there may be: open at the same time, on one day, and started from one
//! place without being joined; and how many minutes of voice on one day.
//!
//! A script can start conversations without joining them. Those are not open on the widget, so that
//! they keep no visitor out; they count where they were started, until they are joined or fail.
//!
//! What is open is counted before a start is written, so that it may exceed its budget by as many
//! as are joined at the same time. Starts from one place are counted and written while nobody else
//! writes one from there. Of a day, what is needed is [reserved](DayUse::reserve) with the start,
//! and [settled](DayUse::settle) once: neither ever exceeds its budget.
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
mod start;
mod voice;

pub use day::{Amounts, Day, DayBudget, DayUse, Reservation};
pub use limits::{LimitError, LimitFault, LimitName, Limits, Owner};
pub use start::{BudgetError, Budgets, StartRange, Unjoined};
pub use voice::{Audio, Call, CallStep, RESERVED_MINUTES, RESERVED_SECONDS, used_seconds};
