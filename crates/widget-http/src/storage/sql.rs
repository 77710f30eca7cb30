//! The statements, in the subset of SQL that both databases understand: a file for each part of
//! storage.

use super::{
    backend::{Backend, LOCK_MESSAGES, LOCK_NAME, insert_once},
    guarded_pool::Transaction,
    types::{Database, Row},
};

#[path = "sql/agents.rs"]
mod agents;
#[path = "sql/budget_row.rs"]
mod budget_row;
#[path = "sql/budgets.rs"]
mod budgets;
#[path = "sql/calls.rs"]
mod calls;
#[path = "sql/conversation_row.rs"]
mod conversation_row;
#[path = "sql/conversations.rs"]
mod conversations;
#[path = "sql/counted.rs"]
mod counted;
#[path = "sql/deleted_widgets.rs"]
mod deleted_widgets;
#[path = "sql/embed_builds.rs"]
mod embed_builds;
#[path = "sql/erasure_jobs.rs"]
mod erasure_jobs;
#[path = "sql/erasures.rs"]
mod erasures;
#[path = "sql/expired.rs"]
pub(super) mod expired;
#[path = "sql/idempotency.rs"]
mod idempotency;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/lifecycle.rs"]
mod lifecycle;
#[path = "sql/limits.rs"]
mod limits;
#[path = "sql/messages.rs"]
mod messages;
#[path = "sql/previews.rs"]
mod previews;
#[path = "sql/probe.rs"]
pub(super) mod probe;
#[path = "sql/retentions.rs"]
mod retentions;
#[path = "sql/rooms.rs"]
mod rooms;
#[path = "sql/row.rs"]
mod row;
#[path = "sql/start_places.rs"]
mod start_places;
#[path = "sql/statistics.rs"]
mod statistics;
#[path = "sql/submissions.rs"]
mod submissions;
#[path = "sql/webhooks.rs"]
mod webhooks;
#[path = "sql/widget_row.rs"]
mod widget_row;
#[path = "sql/widgets.rs"]
mod widgets;
#[path = "sql/workers.rs"]
mod workers;
