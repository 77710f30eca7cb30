//! Jobs that this release cannot read, jobs whose node is killed, and exports of many pages.

use std::collections::BTreeSet;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::Request;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use tower::ServiceExt as _;
use widget_api::Scope;
use widget_core::id::ErasureJobId;
use widget_http::{background, storage::NewErasureJob};

use super::{
    super::process::{Server, command, key},
    path,
};
use crate::{
    database::{self, Database},
    support::{LogLines, Service, id},
    visitor::support::{Visitor, with_livekit},
};

/// So many conversations of one organization that a list of them has several pages.
async fn insert_many(url: &str, like: &str, count: usize) {
    let connection = database::Connection::connect(url).await;
    let mut connection = connection.expect("it can be opened");
    let like = database::uuid_literal(like.parse().expect("an id"));
    for number in 1..=count {
        let number = u128::try_from(number).expect("a small number");
        let new = database::uuid_literal(uuid::Uuid::from_u128((0xAA << 64) | number));
        let statement = format!(
            "INSERT INTO conversations (id, organization_id, web_widget_id, agent_id,
                 agent_version_id, livekit_agent_name, origin, status, mode, custom_metadata,
                 generation, repeat_used, created_at, token_at, ended_at, end_reason)
             SELECT {new}, organization_id, web_widget_id, agent_id, agent_version_id,
                 livekit_agent_name, origin, 'failed', mode, custom_metadata, generation,
                 repeat_used, created_at, token_at, created_at + 1, 'never_joined'
             FROM conversations WHERE id = {like}"
        );
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection);
        assert_eq!(done.await.expect("it is valid").rows_affected(), 1);
    }
    connection.close().await.expect("it can be closed");
}

/// A newer release wrote it: others are not kept waiting, and it is tried less and less often.
#[tokio::test]
async fn a_job_that_cannot_be_read_keeps_no_other_from_being_done() {
    let log = LogLines::capture();
    let service = Service::start_with(with_livekit).await;
    let created_at = service.state.now();
    let job = NewErasureJob {
        id: ErasureJobId::from_uuid(uuid::Uuid::from_u128(7)),
        organization_id: "acme".parse().expect("a valid organization"),
        api_key_id: "key".to_owned(),
        selection: json!({"mood": "bad"}).to_string(),
        dry_run: false,
        created_at,
    };
    let created = service.storage.create_erasure_job(&job, None).await;
    created.expect("it is new");
    let body = json!({"filter": {"visitor": "nobody"}});
    let other = service.post("/core/conversations/erase", &body).await;
    let other = format!("/core/erasure-jobs/{}", id(&other.json(202)));
    let mut tried = Vec::new();
    for second in 0..7_200 {
        let erased = background::run_erasure_jobs(&service.state).await;
        assert_eq!(erased.expect("storage works"), 0);
        if log.with("cannot be read").len() > tried.len() {
            tried.push(second);
        }
        service.clock.advance(Duration::SECOND);
    }
    assert_eq!(service.get(&other).await.json(200)["status"], "completed");
    assert_eq!(tried, [0, 30, 60, 120, 240, 480, 960, 1_920, 3_840]);
    let mine = format!("/core/erasure-jobs/{}", job.id);
    assert_eq!(service.get(&mine).await.json(200)["status"], "running");
}

/// Each conversation once, the oldest first, also those of the same moment at the end of a page.
#[tokio::test]
async fn an_export_of_many_pages_is_complete() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let start = json!({"custom_metadata": {"email": "a@b.example"}});
    let started = visitor.try_start(start).await.json(201);
    let first = id(&started["conversation"]);
    insert_many(service.database().url(), &first, 230).await;
    let filter = json!({"metadata": {"/page/email": "a@b.example"}});
    let body = json!({"filter": filter});
    let answer = service.post("/core/conversations/export", &body).await;
    answer.expect(200);
    let found: BTreeSet<String> = answer
        .text
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            id(&line["conversation"])
        })
        .collect();
    assert_eq!((found.len(), answer.text.lines().count()), (231, 231));
    assert!(found.contains(&first));
    assert!(answer.text.ends_with('\n'));
}

/// Clients and proxies give up on an answer of which nothing arrives.
#[tokio::test]
async fn an_export_that_searches_for_long_sends_something() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let first = visitor.start().await.id;
    insert_many(service.database().url(), &first, 600).await;
    service.clock.advance(Duration::SECOND);
    let start = json!({"custom_metadata": {"email": "a@b.example"}});
    let wanted = visitor.try_start(start).await.json(201);
    for (email, ids) in [
        ("a@b.example", vec![id(&wanted["conversation"])]),
        ("nobody@b.example", Vec::new()),
    ] {
        let body = json!({"filter": {"metadata": {"/page/email": email}}});
        let answer = service.post("/core/conversations/export", &body).await;
        let text = &answer.expect(200).text;
        let (spaces, lines) = text.split_at(2);
        assert_eq!(spaces, "  ");
        let lines = lines.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            id(&line["conversation"])
        });
        assert_eq!(lines.collect::<Vec<_>>(), ids);
    }
}

/// More of them than are looked at together, and older than all others.
#[tokio::test]
async fn conversations_that_cannot_be_read_end_no_job_and_no_export() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    insert_many(service.database().url(), &started.id, 130).await;
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let damage = format!(
        "{} id < {}",
        database::DAMAGE_METADATA,
        database::uuid_literal(uuid::Uuid::from_u128((0xAA << 64) | 0x79))
    );
    let damaged = sqlx::raw_sql(AssertSqlSafe(damage)).execute(&mut connection);
    damaged.await.expect("it can be executed");
    connection.close().await.expect("it can be closed");

    let body = json!({"filter": {"created_after": "2020-01-01T00:00:00Z"}});
    let exported = service.post("/core/conversations/export", &body).await;
    assert_eq!(exported.expect(200).text.lines().count(), 11);
    let job = service.post("/core/conversations/erase", &body).await;
    let job = format!("/core/erasure-jobs/{}", id(&job.json(202)));
    let erased = background::run_erasure_jobs(&service.state).await;
    assert_eq!(erased.expect("storage works"), 11);
    let done = service.get(&job).await.json(200);
    assert_eq!(
        (&done["status"], &done["matched"]),
        (&json!("completed"), &json!(11))
    );
}

/// The lines of an export with this key, while they are sent.
async fn export(service: &Service, key: &str) -> BodyDataStream {
    let body = json!({"filter": {"created_after": "2020-01-01T00:00:00Z"}});
    let request = Request::post("/core/conversations/export")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let Ok(response) = service.router.clone().oneshot(request).await;
    assert_eq!(response.status(), 200);
    response.into_body().into_data_stream()
}

#[tokio::test]
async fn an_export_breaks_off_when_its_key_ends() {
    let log = LogLines::capture();
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    insert_many(service.database().url(), &started.id, 100).await;
    let scopes = [Scope::ConversationsManage];
    let revoked = service.new_key("acme", &scopes).await;
    let until = service.state.now() + Duration::MINUTE;
    let expiring = service.new_key_until("acme", &scopes, Some(until)).await;
    let mut of_revoked = export(&service, &revoked).await;
    let mut of_expiring = export(&service, &expiring).await;
    for lines in [&mut of_revoked, &mut of_expiring] {
        assert!(lines.next().await.is_some_and(|line| line.is_ok()));
    }
    let id = revoked
        .strip_prefix("ak_")
        .and_then(|key| key.split_once('.'));
    let path = format!("/core/api-keys/{}", id.expect("a key").0);
    service.delete(&path).await.expect(204);
    let mut seen = 1;
    while of_revoked.next().await.expect("it does not end").is_ok() {
        seen += 1;
    }
    assert!(seen < 101, "{seen} lines");
    service.clock.advance(Duration::MINUTE);
    let next = of_expiring.next().await.expect("it does not end");
    next.expect_err("the key has expired");
    assert_eq!(log.with("the key ended meanwhile").len(), 2);
}

fn serve(database: &Database) -> Server {
    Server::start_as(command(database).args(["serve", "--listen", "127.0.0.1:0"]))
}

/// The job is in the database, and whoever is there continues with it.
#[tokio::test]
async fn a_job_of_a_killed_process_is_finished_by_another() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let database = service.database();
    insert_many(database.url(), &started.id, 600).await;
    let manager = key(database, &["conversations:manage"]);
    let mut first = serve(database);
    let body = json!({"filter": {"created_after": "2020-01-01T00:00:00Z"}}).to_string();
    let begun = first.request("POST", "/core/conversations/erase", &manager, &body);
    let (status, begun) = begun.expect("it answers");
    assert_eq!(status, 202, "{begun}");
    let begun: Value = serde_json::from_str(&begun).expect("JSON");
    let job = format!("/core/erasure-jobs/{}", id(&begun));
    let read = |server: &Server| -> Value {
        let (status, body) = server
            .request("GET", &job, &manager, "")
            .expect("it answers");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    };
    let started_at = std::time::Instant::now();
    let limit = std::time::Duration::from_mins(2);
    while read(&first)["erased"] == 0 {
        assert!(started_at.elapsed() < limit, "it erases nothing");
    }
    first.signal("-KILL");
    first.wait();
    let left = read_job(&service, &job).await;
    assert_eq!(
        left["status"], "running",
        "it was killed in the midst: {left}"
    );
    assert_ne!(left["erased"], 0);

    // Half a minute later.
    let connection = database::Connection::connect(database.url()).await;
    let mut connection = connection.expect("it can be opened");
    let expire = sqlx::query("UPDATE erasure_jobs SET leased_until = 0");
    expire.execute(&mut connection).await.expect("it is valid");
    connection.close().await.expect("it can be closed");
    let mut second = serve(database);
    let done = loop {
        let body = read(&second);
        if body["status"] != "running" {
            break body;
        }
        assert!(
            started_at.elapsed() < limit,
            "nobody continues with it: {body}"
        );
        std::thread::yield_now();
    };
    assert_eq!(
        (&done["matched"], &done["erased"]),
        (&json!(601), &json!(601))
    );
    let read = service.get(&path(&started)).await.json(200);
    assert!(read["erased_at"].is_string(), "{read}");
    second.signal("-TERM");
    second.wait();
}

async fn read_job(service: &Service, job: &str) -> Value {
    service.get(job).await.json(200)
}
