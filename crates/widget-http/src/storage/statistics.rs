//! Numbers about widgets, which outlive what was counted.

use time::OffsetDateTime;
use widget_core::{
    conversation::budget::Day,
    id::WidgetId,
    statistics::{Counter, RefusedPage, Sketch, StatisticsRange},
};

use super::error::StoreError;

/// What a process has counted of the visits of a widget within one hour.
#[derive(Debug, Clone)]
pub struct VisitCounts {
    /// The widget.
    pub web_widget_id: WidgetId,
    /// The number of the hour since 1970.
    pub hour: i64,
    /// How much is to be added to each counter.
    pub counts: Vec<(Counter, u64)>,
    /// The pages that were refused.
    pub refusals: Sketch<RefusedPage>,
}

/// Until when numbers are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgetStatistics {
    /// Those of hours.
    pub hours_before: OffsetDateTime,
    /// Those of days, and refusals.
    pub days_before: OffsetDateTime,
}

/// How much was counted in a point of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedPoint {
    /// The number of the point.
    pub point: i64,
    /// What was counted.
    pub counter: Counter,
    /// How much of it; points and counters may occur more than once.
    pub amount: u64,
}

/// Numbers about widgets.
///
/// What ends a conversation also counts it, in the same transaction and after everything else that
/// it locks: rows of numbers are locked last, in the order of their key.
#[async_trait::async_trait]
pub trait StatisticsStore {
    /// Adds what a process has counted to what is there, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn add_visits(&self, visits: &[VisitCounts]) -> Result<(), StoreError>;

    /// What was counted of a widget, open conversations included.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_statistics(
        &self,
        widget: WidgetId,
        range: &StatisticsRange,
        now: OffsetDateTime,
    ) -> Result<Vec<CountedPoint>, StoreError>;

    /// The refusals of a widget since a day.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_refusals(
        &self,
        widget: WidgetId,
        since: Day,
    ) -> Result<Sketch<RefusedPage>, StoreError>;

    /// Counts conversations that ended on a node of the release before, or before an upgrade;
    /// returns their number.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_ended(&self, limit: u32) -> Result<usize, StoreError>;

    /// Forgets a batch of old numbers; `true` when there may be more.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn forget_statistics(&self, before: ForgetStatistics) -> Result<bool, StoreError>;
}
