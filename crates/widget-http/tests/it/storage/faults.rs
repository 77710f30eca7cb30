//! A write that fails leaves nothing of its request behind, whichever of its writes it is. A
//! process that is killed between two of them leaves the same.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use widget_core::{
    conversation::{
        ErasedBy, Erasure, Lifecycle, LifecycleLimits, Mode, Presence, Reporter, Role,
        budget::Budgets, room::RoomEvent, transcript::Message,
    },
    id::AgentVersionId,
    widget::Widget,
};
use widget_http::storage::{
    IdempotentRequest, NewAgentVersion, NewRoom, RepeatableRequest, ResumeConversation, SigningKey,
    UsedTicket, WebhookEvent,
};

use super::{
    agents::registered,
    conversations::new_conversation,
    migrated, number, organization,
    widgets::{AUTHOR, widget},
};
use crate::{
    database::{self, Database},
    support::START,
};

/// Makes writes fail beside the service.
struct Faults(database::Connection);

impl Faults {
    async fn install(database: &Database) -> Self {
        let connection = database::Connection::connect(database.url()).await;
        let mut faults = Self(connection.expect("it can be opened"));
        let tables = faults.tables().await;
        let triggers = tables.iter();
        let triggers = triggers.map(|table| database::COUNT_WRITES_OF_TABLE.replace('?', table));
        let statements = format!(
            "{}{}",
            database::COUNT_WRITES,
            triggers.collect::<Vec<_>>().concat()
        );
        faults.execute(statements).await;
        faults.allow(i64::MAX).await;
        faults
    }

    async fn execute(&mut self, statements: String) {
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&mut self.0)
            .await
            .expect("it can be executed");
    }

    async fn tables(&mut self) -> Vec<String> {
        let tables: Vec<String> = sqlx::query_scalar(database::FIND_TABLES)
            .fetch_all(&mut self.0)
            .await
            .expect("it can be asked");
        let kept = |table: &String| !["faults", "_sqlx_migrations"].contains(&table.as_str());
        tables.into_iter().filter(kept).collect()
    }

    /// Lets so many writes happen before one fails.
    async fn allow(&mut self, writes: i64) {
        self.execute(format!("UPDATE faults SET remaining = {writes}"))
            .await;
    }

    /// Every row of every table.
    async fn rows(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for table in self.tables().await {
            all.extend(super::releases::rows(&mut self.0, &table).await);
        }
        all
    }

    /// Attempts the same until it succeeds, with its first write failing, then its second and so
    /// on; `least` is how many writes it has at least.
    async fn fail_each_write(&mut self, what: &str, least: i64, attempt: impl AsyncFn() -> bool) {
        let before = self.rows().await;
        for writes in 0.. {
            self.allow(writes).await;
            if attempt().await {
                assert!(writes >= least, "{what} writes only {writes} rows");
                break;
            }
            assert!(writes < 100, "{what} fails for another reason");
            let after = self.rows().await;
            assert_eq!(
                after, before,
                "{what} left a part behind, {writes} writes of it"
            );
        }
        assert_ne!(self.rows().await, before, "{what} writes nothing");
        self.allow(i64::MAX).await;
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, in order")]
async fn a_request_writes_all_or_nothing() {
    let database = Database::create();
    let storage = migrated(&database).await;
    let storage = storage.as_ref();
    let mut faults = Faults::install(&database).await;
    let (ours, limits) = (organization("faults"), LifecycleLimits::default());
    let (agent, version) = registered(storage, &ours, 0x10, true).await;

    let next = NewAgentVersion {
        id: AgentVersionId::from_uuid(number(0x12)),
        livekit_agent_name: "concierge".to_owned(),
        label: None,
        created_at: START,
    };
    faults
        .fail_each_write("a new version", 2, async || {
            let made = storage.insert_agent_version(&ours, agent, &next).await;
            made.is_ok()
        })
        .await;

    let shop = widget(&ours, 0x20, agent, version, 0);
    let request = IdempotentRequest {
        request: RepeatableRequest {
            key: "order 7".to_owned(),
            hash: [7; 32],
            now: START,
            forget_before: START - Duration::DAY,
        },
        build_answer: &|stored| serde_json::to_string(&stored.revision),
    };
    faults
        .fail_each_write("a new widget", 3, async || {
            let made = storage.insert_widget(&shop, AUTHOR, Some(&request)).await;
            made.is_ok()
        })
        .await;

    let new = new_conversation(&ours, 0x30, 0x20, "https://shop.example");
    let (id, now) = (new.conversation.id, new.conversation.created_at);
    faults
        .fail_each_write("a new conversation", 3, async || {
            storage.create_conversation(&new).await.is_ok()
        })
        .await;
    let event = WebhookEvent {
        id: "EV_1",
        room: &new.room.name,
        happened: RoomEvent::VisitorJoined,
        room_life: Some("RM_1"),
        stay: Some("PA_1"),
    };
    faults
        .fail_each_write("an event", 2, async || {
            let applied = storage.apply_webhook_event(&event, now, &limits).await;
            applied.is_ok()
        })
        .await;
    let message = |id: &str| Message {
        id: id.to_owned(),
        role: Role::Visitor,
        text: "Hello".to_owned(),
        created_at: now,
        reported_by: Reporter::Agent,
    };
    let messages = [message("1"), message("2")];
    faults
        .fail_each_write("two messages", 3, async || {
            let added = storage.append_messages(id, &messages, now, &limits).await;
            added.is_ok()
        })
        .await;
    faults
        .fail_each_write("a form", 2, async || {
            let values = json!({"email": "a@b.example"});
            let saved = storage
                .save_form(id, "contact", &values, now, &limits)
                .await;
            saved.is_ok()
        })
        .await;
    let resume = ResumeConversation {
        id,
        generation: 1,
        repeat: false,
        mode: Mode::Text,
        room: NewRoom {
            name: "second".to_owned(),
            page_changed: false,
            message_waiting: false,
        },
        ticket: UsedTicket {
            id: "second".to_owned(),
            expires_at: now + Duration::minutes(1),
        },
        place: None,
        budgets: Budgets::default(),
        now,
        limits,
    };
    faults
        .fail_each_write("a resume", 5, async || {
            storage.resume_conversation(&resume).await.is_ok()
        })
        .await;

    let elsewhere = new_conversation(&ours, 0x31, 0x20, "https://shop.example");
    let created = storage.create_conversation(&elsewhere).await;
    created.expect("it is new");
    let join = |lifecycle: Lifecycle| lifecycle.joined(now);
    let joined = storage.transition_conversation(elsewhere.conversation.id, now, &limits, &join);
    joined.await.expect("works");
    faults
        .fail_each_write("an end", 2, async || {
            let late = now + limits.max_silence;
            let id = elsewhere.conversation.id;
            let ended = storage
                .settle_conversation(id, Presence::AsReported, late, &limits)
                .await;
            ended.is_ok()
        })
        .await;

    let closed = Widget {
        published: false,
        updated_at: now,
        ..shop.clone()
    };
    faults
        .fail_each_write("unpublishing", 3, async || {
            storage.update_widget(&closed, 1, AUTHOR).await.is_ok()
        })
        .await;
    let again = storage.update_widget(&shop, 2, AUTHOR).await;
    again.expect("revision 2 is current");
    let started = new_conversation(&ours, 0x32, 0x20, "https://shop.example");
    storage.create_conversation(&started).await.expect("new");
    faults
        .fail_each_write("deleting", 4, async || {
            let deleted = storage.delete_widget(&ours, shop.id, None, "first", now);
            deleted.await.is_ok()
        })
        .await;
    faults
        .fail_each_write("restoring", 4, async || {
            let restored = storage.restore_widget(&ours, shop.id, 3, "first", now);
            restored.await.is_ok()
        })
        .await;
    let id = started.conversation.id;
    let joined = storage.transition_conversation(id, now, &limits, &join);
    joined.await.expect("works");
    faults
        .fail_each_write("feedback before the end is stored", 2, async || {
            let (late, rating) = (now + limits.max_length, json!({"rating": 5}));
            let saved = storage.save_feedback(id, &rating, true, None, late, &limits);
            saved.await.is_ok()
        })
        .await;

    let key = |id: &str| SigningKey {
        id: id.to_owned(),
        secret: vec![1; 32].into(),
        created_at: START,
        retired_at: None,
    };
    storage.ensure_signing_key(&key("a")).await.expect("works");
    faults
        .fail_each_write("another signing key", 2, async || {
            let (key, yesterday) = (key("b"), START - Duration::DAY);
            storage.rotate_signing_key(&key, yesterday).await.is_ok()
        })
        .await;
    let erasure = Erasure {
        at: now,
        by: ErasedBy::Retention,
    };
    let said = new_conversation(&ours, 0x33, 0x20, "https://shop.example");
    storage.create_conversation(&said).await.expect("new");
    let id = said.conversation.id;
    let added = storage.append_messages(id, &messages, now, &limits).await;
    added.expect("it is open");
    faults
        .fail_each_write("erasing", 4, async || {
            let erased = storage.erase_conversation(None, id, &erasure, &limits);
            erased.await.is_ok()
        })
        .await;
    storage.close().await;
}
