//! SQL of numbers about widgets: visits are added, everything is read and forgotten. Conversations
//! are added in `counted.rs`.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::budget::Day,
    id::{ConversationId, WidgetId},
    statistics::{Counter, Interval, Listed, RefusedPage, Sketch, StatisticsRange},
};

use super::{
    Backend, Database, LOCK_NAME, Row, Transaction,
    counted::{self, Additions},
    row::Columns,
};
use crate::storage::{
    driver::{micros, nearest_time_of},
    error::StoreError,
    statistics::{CountedPoint, ForgetStatistics, StatisticsStore, VisitCounts},
    table::table,
};

/// How many rows go at once, so that no statement runs long.
const BATCH: i64 = 5_000;

/// The code of the row that has the sum of all others, which is none of core's.
const OTHERS: &str = "";

/// The origin of what is not a valid one.
const INVALID: &str = "";

table! {
    ended_columns, read_ended from "conversations" by "id";
    id: id(ConversationId::from_uuid),
    ended_at: nearest_time(),
    => |row| -> (ConversationId, OffsetDateTime) {
        Ok((id, ended_at))
    }
}

const SELECT_REFUSALS: &str = "SELECT day, origin, code, amount, uncertain, first_at, last_at
    FROM web_widget_refusals WHERE web_widget_id = $1 AND day >= $2 AND day <= $3";

#[async_trait::async_trait]
impl StatisticsStore for Backend {
    async fn add_visits(&self, visits: &[VisitCounts]) -> Result<(), StoreError> {
        let mut refusals = BTreeMap::<(Uuid, Day), Sketch<RefusedPage>>::new();
        let mut additions = Additions::default();
        for visits in visits {
            let at = Interval::Hour.start_of(visits.hour);
            additions.add(visits.web_widget_id, at, visits.counts.clone());
            if visits.refusals.total() > 0 {
                let key = (visits.web_widget_id.as_uuid(), Day::of(at));
                let sum = refusals.entry(key).or_default();
                sum.merge(visits.refusals.clone());
            }
        }
        let mut transaction = self.begin().await?;
        for ((widget, day), sketch) in refusals {
            merge_refusals(&mut transaction, widget, day, sketch).await?;
        }
        additions.write(&mut transaction).await?;
        transaction.commit().await
    }

    async fn find_statistics(
        &self,
        widget: WidgetId,
        range: &StatisticsRange,
        now: OffsetDateTime,
    ) -> Result<Vec<CountedPoint>, StoreError> {
        let points = range.points();
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT point, counter, amount FROM web_widget_statistics
             WHERE web_widget_id = $1 AND period = $2 AND point >= $3 AND point < $4",
        )
        .bind(widget.as_uuid())
        .bind(range.interval().as_str())
        .bind(points.start)
        .bind(points.end)
        .fetch_all(self.reader())
        .await?;
        // A counter of a newer release is nothing to this one.
        let stored = rows.into_iter().filter_map(|(point, counter, amount)| {
            let counter = counter.parse().ok()?;
            let amount = u64::try_from(amount).ok()?;
            Some(CountedPoint {
                point,
                counter,
                amount,
            })
        });
        let mut found: Vec<CountedPoint> = stored.collect();
        for (began_at, counts) in counted::find_open(self, widget, range, now).await? {
            let point = range.interval().point_of(began_at);
            let counts = counts.into_iter();
            found.extend(
                counts.map(|(counter, amount): (Counter, u64)| CountedPoint {
                    point,
                    counter,
                    amount,
                }),
            );
        }
        Ok(found)
    }

    async fn find_refusals(
        &self,
        widget: WidgetId,
        since: Day,
    ) -> Result<Sketch<RefusedPage>, StoreError> {
        let rows = sqlx::query(SELECT_REFUSALS)
            .bind(widget.as_uuid())
            .bind(since.number())
            .bind(i64::MAX)
            .fetch_all(self.reader())
            .await?;
        let mut days = BTreeMap::<i64, Vec<Row>>::new();
        for row in rows {
            days.entry(row.try_get("day")?).or_default().push(row);
        }
        let mut sum = Sketch::default();
        for rows in days.values() {
            sum.merge(read_refusals(rows)?);
        }
        Ok(sum)
    }

    async fn count_ended(&self, limit: u32) -> Result<usize, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            ended_columns!(),
            " FROM conversations
             WHERE ended_at IS NOT NULL AND NOT counted ORDER BY ended_at LIMIT $1"
        ))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let ended = self.unreadable().skip_all(rows.iter().map(read_ended))?;
        // Nothing can be done about a batch of which none can be read, now or in a moment.
        let count = if ended.is_empty() { 0 } else { rows.len() };
        for (id, ended_at) in ended {
            let mut transaction = self.begin().await?;
            counted::count_if_ended(&mut transaction, self, id, ended_at).await?;
            transaction.commit().await?;
        }
        Ok(count)
    }

    async fn forget_statistics(&self, before: ForgetStatistics) -> Result<bool, StoreError> {
        let mut is_full = false;
        for (interval, before) in [
            (Interval::Hour, before.hours_before),
            (Interval::Day, before.days_before),
        ] {
            let done = sqlx::query(
                "DELETE FROM web_widget_statistics
                 WHERE (web_widget_id, period, point, counter) IN (
                     SELECT web_widget_id, period, point, counter FROM web_widget_statistics
                     WHERE period = $1 AND point < $2 ORDER BY point LIMIT $3)",
            )
            .bind(interval.as_str())
            .bind(interval.point_of(before))
            .bind(BATCH)
            .execute(self.writer())
            .await?;
            is_full |= done.rows_affected() >= BATCH.unsigned_abs();
        }
        let done = sqlx::query(
            "DELETE FROM web_widget_refusals WHERE (web_widget_id, day, origin, code) IN (
                 SELECT web_widget_id, day, origin, code FROM web_widget_refusals
                 WHERE day < $1 ORDER BY day LIMIT $2)",
        )
        .bind(Day::of(before.days_before).number())
        .bind(BATCH)
        .execute(self.writer())
        .await?;
        Ok(is_full || done.rows_affected() >= BATCH.unsigned_abs())
    }
}

/// Adds refusals to those of the same day, so that there are never more than a sketch lists.
async fn merge_refusals(
    transaction: &mut Transaction,
    widget: Uuid,
    day: Day,
    sketch: Sketch<RefusedPage>,
) -> Result<(), StoreError> {
    let day = day.number();
    // Another node may be about to do the same; the order of the names is that of the keys.
    if let Some(statement) = LOCK_NAME {
        sqlx::query(statement)
            .bind(format!("refusals {widget} {day}"))
            .execute(&mut *transaction)
            .await?;
    }
    let rows = sqlx::query(SELECT_REFUSALS)
        .bind(widget)
        .bind(day)
        .bind(day)
        .fetch_all(&mut *transaction)
        .await?;
    let mut sum = read_refusals(&rows)?;
    sum.merge(sketch);
    sqlx::query("DELETE FROM web_widget_refusals WHERE web_widget_id = $1 AND day = $2")
        .bind(widget)
        .bind(day)
        .execute(&mut *transaction)
        .await?;
    let listed = sum.listed().into_iter().map(|listed| {
        let origin = listed.key.origin.as_ref().map(ToString::to_string);
        StoredRefusal {
            origin: origin.unwrap_or_else(|| INVALID.to_owned()),
            code: listed.key.code.as_str(),
            amount: listed.count,
            uncertain: listed.uncertain,
            times: (micros(listed.first_at), micros(listed.last_at)),
        }
    });
    let others = (sum.others() > 0 || sum.threshold() > 0).then(|| StoredRefusal {
        origin: INVALID.to_owned(),
        code: OTHERS,
        amount: sum.others(),
        uncertain: sum.threshold(),
        times: (0, 0),
    });
    let rows: Vec<StoredRefusal> = listed.chain(others).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Database>::new(
        "INSERT INTO web_widget_refusals
             (web_widget_id, day, origin, code, amount, uncertain, first_at, last_at) ",
    );
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(widget)
            .push_bind(day)
            .push_bind(row.origin)
            .push_bind(row.code)
            .push_bind(i64::try_from(row.amount).unwrap_or(i64::MAX))
            .push_bind(i64::try_from(row.uncertain).unwrap_or(i64::MAX))
            .push_bind(row.times.0)
            .push_bind(row.times.1);
    });
    insert.build().execute(&mut *transaction).await?;
    Ok(())
}

/// A row of refusals.
struct StoredRefusal {
    origin: String,
    code: &'static str,
    amount: u64,
    uncertain: u64,
    times: (i64, i64),
}

/// The refusals of one day. A row that this build cannot read belongs to the others.
fn read_refusals(rows: &[Row]) -> Result<Sketch<RefusedPage>, StoreError> {
    let (mut listed, mut others, mut threshold) = (Vec::new(), 0_u64, 0_u64);
    for row in rows {
        let number = |column| {
            row.try_get(column)
                .map(|number: i64| number.max(0).unsigned_abs())
        };
        let (count, uncertain) = (number("amount")?, number("uncertain")?);
        let (origin, code): (String, String) = (row.try_get("origin")?, row.try_get("code")?);
        let page = read_page(&origin, &code);
        let Some(key) = page else {
            others = others.saturating_add(count);
            threshold = threshold.saturating_add(uncertain);
            if code != OTHERS {
                threshold = threshold.saturating_add(count);
            }
            continue;
        };
        listed.push(Listed {
            key,
            count,
            uncertain,
            first_at: nearest_time_of(row.try_get("first_at")?),
            last_at: nearest_time_of(row.try_get("last_at")?),
        });
    }
    Ok(Sketch::from_parts(listed, others, threshold))
}

fn read_page(origin: &str, code: &str) -> Option<RefusedPage> {
    let code = code.parse().ok()?;
    let origin = match origin {
        INVALID => None,
        origin => Some(origin.parse().ok()?),
    };
    Some(RefusedPage { origin, code })
}
