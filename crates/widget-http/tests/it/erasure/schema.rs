//! Every column that can hold content of a conversation is cleared, and none is forgotten.

use sqlx::Connection as _;

use crate::database::{self, Database};
use crate::support::Service;

/// What erasing a conversation does with a column of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It stays: it says nothing about what was said, or who the visitor is.
    Kept,
    /// It says nothing anymore.
    Cleared,
}

use Then::{Cleared, Kept};

/// Every column of the row of a conversation. A new one is kept or cleared by a decision that is
/// written down here, in docs/operations.md and, if it is cleared, in `storage/sql/erasures.rs` and
/// in the constraint `conversations_erased`.
const COLUMNS: [(&str, Then); 37] = [
    ("id", Kept),
    ("organization_id", Kept),
    ("web_widget_id", Kept),
    ("preview_id", Kept),
    ("agent_id", Kept),
    ("agent_version_id", Kept),
    ("livekit_agent_name", Kept),
    ("origin", Cleared),
    ("status", Kept),
    ("mode", Kept),
    ("custom_metadata", Cleared),
    ("generation", Kept),
    ("repeat_used", Kept),
    ("created_at", Kept),
    ("token_at", Kept),
    ("joined_at", Kept),
    ("active_at", Kept),
    ("away_since", Kept),
    ("ended_at", Kept),
    ("end_reason", Kept),
    ("feedback_at", Kept),
    ("due_at", Kept),
    ("start_address", Cleared),
    ("start_network", Cleared),
    ("erased_at", Kept),
    ("budget_state", Kept),
    ("budget_day", Kept),
    ("budget_organization", Kept),
    ("budget_widget", Kept),
    ("call_state", Kept),
    ("call_until", Kept),
    ("call_quiet_since", Kept),
    ("call_check_at", Kept),
    ("start_mode", Kept),
    ("voice_micros", Kept),
    ("voice_since", Kept),
    ("counted", Kept),
];

/// Added with erasure itself, by which it is set.
const ERASED_BY: &str = "erased_by";

/// What erasing a conversation does with the rows of other tables.
const TABLES: [(&str, &str); 25] = [
    ("messages", "the rows of the conversation are deleted"),
    ("conversations", "see the columns"),
    ("rooms", "random names; deleted after their removal"),
    ("used_tickets", "random ids; deleted when they have expired"),
    ("webhook_events", "ids of LiveKit; deleted after a day"),
    (
        "idempotency_keys",
        "hashes, and ids of jobs; deleted after a day",
    ),
    (
        "erasure_jobs",
        "what is looked for is cleared with the end of the job",
    ),
    ("retentions", "of the organization"),
    ("budget_limits", "of the organization"),
    ("budget_days", "of the organization"),
    (
        "voice_reservations",
        "times of a call; deleted when the conversation ends",
    ),
    ("api_keys", "of the organization"),
    ("signing_keys", "of the service"),
    ("agents", "of the organization"),
    ("agent_workers", "of the organization"),
    ("agent_versions", "of the organization"),
    ("web_widgets", "of the organization"),
    ("web_widget_revisions", "of the organization"),
    ("deleted_web_widgets", "of the organization"),
    ("deleted_web_widget_revisions", "of the organization"),
    (
        "previews",
        "of the organization; deleted when they have ended",
    ),
    ("embed_builds", "of the service"),
    ("schema_compatibility", "of the service"),
    (
        "web_widget_statistics",
        "numbers, which say of nobody alone",
    ),
    ("web_widget_refusals", "origins of pages, and numbers"),
];

async fn connect(database: &Database) -> database::Connection {
    let connection = database::Connection::connect(database.url()).await;
    connection.expect("it can be opened")
}

#[tokio::test]
async fn each_column_and_each_table_is_kept_or_cleared_by_decision() {
    let service = Service::start().await;
    let mut connection = connect(service.database()).await;
    let columns: Vec<(String, String)> = sqlx::query_as(database::COLUMNS)
        .bind("conversations")
        .fetch_all(&mut connection)
        .await
        .expect("it can be asked");
    let mut found: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
    let mut known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    known.push(ERASED_BY);
    found.sort_unstable();
    known.sort_unstable();
    assert_eq!(found, known, "say what erasing does with each column");

    let tables: Vec<String> = sqlx::query_scalar(database::FIND_TABLES)
        .fetch_all(&mut connection)
        .await
        .expect("it can be asked");
    let mut tables: Vec<String> = tables
        .into_iter()
        .filter(|table| table != "_sqlx_migrations")
        .collect();
    let mut known = TABLES.map(|(name, _)| name);
    tables.sort_unstable();
    known.sort_unstable();
    assert_eq!(tables, known, "say what erasing does with each table");

    // The document that operators read names all that is cleared.
    let docs = include_str!("../../../../../docs/operations.md");
    let section = docs.split("\n## Erasure\n").nth(1).expect("there is one");
    let section = section.split("\n## ").next().expect("it has an end");
    let cleared = COLUMNS.iter().filter(|(_, then)| *then == Cleared);
    for (column, _) in cleared {
        let is_named = section.contains(&format!("`{column}`"));
        assert!(is_named, "{column} is not in docs/operations.md");
    }
    for table in ["messages", "erasure_jobs"] {
        assert!(section.contains(&format!("`{table}`")), "{table}");
    }
}
