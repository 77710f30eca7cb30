//! Whether another conversation may start by the link of a preview. Such conversations count to no
//! other budget: visitors never share theirs with them.

use time::OffsetDateTime;

use super::{day::rest_of_day, start::BudgetError};

/// How many conversations may start by one link on one day in UTC.
pub const MAX_PREVIEW_STARTS: u32 = 20;

/// How many conversations of one link may be open, or wait to be joined.
pub const MAX_PREVIEW_OPEN: u32 = 2;

/// What was started by one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviewUse {
    /// On this day in UTC.
    pub started: i64,
    /// Those that have not ended, also those that wait to be joined.
    pub open: i64,
}

/// Whether another conversation may start by a link.
///
/// # Errors
///
/// [`BudgetError::PreviewUsedUp`] or [`BudgetError::PreviewBusy`].
pub fn require_preview_start(used: PreviewUse, now: OffsetDateTime) -> Result<(), BudgetError> {
    if used.started >= i64::from(MAX_PREVIEW_STARTS) {
        return Err(BudgetError::PreviewUsedUp {
            max: MAX_PREVIEW_STARTS,
            resets_in: rest_of_day(now),
        });
    }
    if used.open >= i64::from(MAX_PREVIEW_OPEN) {
        return Err(BudgetError::PreviewBusy {
            max: MAX_PREVIEW_OPEN,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    #[test]
    fn a_link_allows_few_conversations() {
        let now = datetime!(2026-01-01 22:30 UTC);
        let used_up = BudgetError::PreviewUsedUp {
            max: 20,
            resets_in: Duration::minutes(90),
        };
        for (started, open, expected) in [
            (0, 0, Ok(())),
            (19, 1, Ok(())),
            (2, 2, Err(BudgetError::PreviewBusy { max: 2 })),
            (20, 0, Err(used_up)),
            (20, 2, Err(used_up)),
        ] {
            let used = PreviewUse { started, open };
            assert_eq!(require_preview_start(used, now), expected, "{used:?}");
        }
    }
}
