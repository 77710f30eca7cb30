//! Erasing while others write, on two services: nothing is left behind, and each is counted once.

use std::sync::Arc;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use tokio::task::JoinSet;
use widget_core::{
    conversation::{
        EndReason, ErasedBy, Erasure, Lifecycle, LifecycleLimits, Reporter, Role, room::RoomEvent,
        transcript::Message,
    },
    id::{ConversationId, OrganizationId},
};
use widget_http::{
    background,
    storage::{Storage, StoreError, WebhookEvent},
};

use super::{path, say_everywhere, with_forms};
use crate::{
    database,
    support::{Service, id},
    visitor::support::{Started, Visitor, with_livekit},
};

/// What is stored of a conversation that says anything.
async fn left(connection: &mut database::Connection, started: &Started) -> (i64, String) {
    let literal = database::uuid_literal(started.id.parse().expect("an id"));
    let question = format!(
        "SELECT (SELECT COUNT(*) FROM messages WHERE conversation_id = c.id),
             c.custom_metadata || c.origin || COALESCE(c.start_address, '')
         FROM conversations c WHERE c.id = {literal}"
    );
    sqlx::query_as(AssertSqlSafe(question))
        .fetch_one(connection)
        .await
        .expect("it is there")
}

/// Whether others had what was to be written for so long that the time of the call was over.
fn is_too_late(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy(_) | StoreError::Unavailable(_))
}

/// One of the writes that a conversation can have; whether it was written.
async fn write(
    storage: Arc<dyn Storage>,
    id: ConversationId,
    room: String,
    number: usize,
    now: time::OffsetDateTime,
) -> Result<(), StoreError> {
    let limits = LifecycleLimits::default();
    let said = |reported_by| Message {
        id: format!("{number}"),
        role: Role::Visitor,
        text: "a secret".to_owned(),
        created_at: now,
        reported_by,
    };
    let store = |error: Box<dyn std::error::Error>| match error.downcast::<StoreError>() {
        Ok(error) => Err(*error),
        Err(_) => Ok(()),
    };
    match number % 5 {
        0 | 1 => {
            let reporter = Reporter::ALL[number % 5 % Reporter::ALL.len()];
            let messages = [said(reporter)];
            match storage.append_messages(id, &messages, now, &limits).await {
                Err(widget_http::storage::AppendError::Store(error)) => Err(error),
                Ok(_) => Ok(()),
                Err(error) => store(error.into()),
            }
        }
        2 => {
            let values = json!({"email": "a secret"});
            match storage.save_form(id, "order", &values, now, &limits).await {
                Err(widget_http::storage::SaveFormError::Store(error)) => Err(error),
                Ok(_) => Ok(()),
                Err(error) => store(error.into()),
            }
        }
        3 => {
            let end = |lifecycle: Lifecycle| lifecycle.end(now, EndReason::Visitor, &limits);
            let ended = storage
                .transition_conversation(id, now, &limits, &end)
                .await;
            ended?;
            let values = json!({"comment": "a secret"});
            match storage
                .save_feedback(id, &values, true, None, now, &limits)
                .await
            {
                Err(widget_http::storage::SaveFeedbackError::Store(error)) => Err(error),
                Ok(()) => Ok(()),
                Err(error) => store(error.into()),
            }
        }
        _ => {
            let event = WebhookEvent {
                id: &format!("{id} {number}"),
                room: &room,
                happened: RoomEvent::VisitorJoined,
                room_life: None,
                stay: None,
            };
            let applied = storage.apply_webhook_event(&event, now, &limits).await;
            applied.map(drop)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_leave_nothing_in_what_is_erased() {
    let service = Service::start_with(with_livekit).await;
    let node = service.another_node().await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let ours: OrganizationId = "acme".parse().expect("a valid organization");
    let (mut before, mut refused) = (0, 0);
    for round in 0..12 {
        let started = visitor.start().await;
        let conversation: ConversationId = started.id.parse().expect("an id");
        let now = service.state.now();
        let mut writers = JoinSet::new();
        for number in 0..20 {
            let nodes = [&service.storage, &node.storage];
            let storage = Arc::clone(nodes[number % 2]);
            let room = started.room.clone();
            // The erasure comes earlier in each round.
            if number + round >= 12 && number + round < 13 {
                let (storage, ours) = (Arc::clone(nodes[round % 2]), ours.clone());
                let erasure = Erasure {
                    at: now,
                    by: ErasedBy::ApiKey("key".to_owned()),
                };
                writers.spawn(async move {
                    let limits = LifecycleLimits::default();
                    let id = conversation;
                    for _ in 0..10 {
                        let erased = storage.erase_conversation(Some(&ours), id, &erasure, &limits);
                        match erased.await {
                            Err(error) if is_too_late(&error) => {}
                            erased => {
                                assert!(erased?);
                                return Ok(());
                            }
                        }
                    }
                    panic!("the database is never free");
                });
            }
            writers.spawn(write(storage, conversation, room, number, now));
        }
        for outcome in writers.join_all().await {
            match outcome {
                Ok(()) => before += 1,
                Err(StoreError::Erased(_)) => refused += 1,
                // On a busy machine not all of them get the row in time.
                Err(error) if is_too_late(&error) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let kept = left(&mut connection, &started).await;
        assert_eq!(kept, (0, "{}https://erased.invalid".to_owned()));
        service.get(&path(&started)).await.json(200)["erased_at"]
            .as_str()
            .expect("it is erased");
    }
    assert!(before > 0 && refused > 0, "{before} {refused}");
}

/// A release that knows no erased conversations adds a message first and then locks: the erasure
/// waits for it, and finds the message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_being_added_is_erased() {
    // Elsewhere there is one writer at a time.
    let Some(count_waiting) = database::COUNT_WAITING else {
        return;
    };
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let started = visitor.start().await;
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let literal = database::uuid_literal(started.id.parse().expect("an id"));
    let insert = format!(
        "BEGIN; INSERT INTO messages (conversation_id, reported_by, id, role, text, created_at)
         VALUES ({literal}, 'agent', 'old', 'agent', 'a secret', 1)"
    );
    let inserted = sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection);
    inserted.await.expect("it is open");
    let target = path(&started);
    let erase = service.delete(&target);
    let commit = async {
        let begin = std::time::Instant::now();
        loop {
            let limit = std::time::Duration::from_mins(1);
            assert!(begin.elapsed() < limit, "it waits for nobody");
            let waiting: i64 = sqlx::query_scalar(count_waiting)
                .fetch_one(&mut connection)
                .await
                .expect("it can be asked");
            if waiting > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        let committed = sqlx::raw_sql("COMMIT").execute(&mut connection).await;
        committed.expect("nothing is in the way");
    };
    let (answer, ()) = tokio::join!(erase, commit);
    answer.expect(204);
    assert_eq!(left(&mut connection, &started).await.0, 0);
}

/// A node is killed while it works on a job, and two others continue with it at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_continues_elsewhere_and_counts_each_once() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.tickets_per_minute = 1_000;
        settings.limits.conversations_per_minute = 1_000;
        settings.limits.budgets.unjoined_per_address = 1_000;
    })
    .await;
    let node = service.another_node().await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let said = say_everywhere(&visitor, "a@b.example").await;
    let mut all = vec![said];
    // More than are looked at together.
    for _ in 0..60 {
        let start = json!({"form": {"email": "a@b.example"}});
        all.push(visitor.try_start(start).await.json(201).into());
    }
    let body = json!({"filter": {"visitor": "a@b.example"}});
    let job = service.post("/core/conversations/erase", &body).await;
    let job = format!("/core/erasure-jobs/{}", id(&job.json(202)));
    // The node that has it is gone before it did anything.
    let now = service.state.now();
    let lost = service
        .storage
        .lease_erasure_job(now, now + Duration::seconds(30))
        .await;
    lost.expect("storage works").expect("there is one");
    let run = async |service: &Service| {
        let erased = background::run_erasure_jobs(&service.state).await;
        erased.expect("storage works")
    };
    assert_eq!(run(&node).await, 0);
    assert_eq!(service.get(&job).await.json(200)["status"], "running");
    service.clock.advance(Duration::seconds(30));
    let mut erased = 0;
    for round in 0.. {
        if service.get(&job).await.json(200)["status"] != "running" {
            break;
        }
        assert!(round < 61, "it makes no progress");
        let (one, other) = tokio::join!(run(&service), run(&node));
        erased += one + other;
    }
    assert_eq!(erased, all.len());
    let done = service.get(&job).await.json(200);
    assert_eq!(
        (&done["matched"], &done["erased"]),
        (&json!(61), &json!(61))
    );
    for started in &all {
        let read = service.get(&path(started)).await.json(200);
        assert!(read["erased_at"].is_string(), "{read}");
    }
}
