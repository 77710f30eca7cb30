//! Rows that this build cannot read, because a newer one wrote them or they are damaged: each is a
//! state with a name, keeps nobody from its neighbors, and can be replaced, restored or deleted.

use bytes::Bytes;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use uuid::Uuid;
use widget_api::Scope;
use widget_core::conversation::room::RoomEvent;
use widget_http::{
    background,
    storage::{BuildKind, EmbedBuild, WebhookEvent},
};

use super::visitor::support::{SHOP, Started, Visitor, with_livekit};
use crate::{
    database::{self, uuid_literal},
    support::{Answer, LogLines, Service, id, records},
};

/// A config of a build that knows another form of `v1`.
const NEWER: &str = r#"{"v1":{"theme":"aurora"}}"#;

async fn connect(service: &Service) -> database::Connection {
    database::Connection::connect(service.database().url())
        .await
        .expect("it can be opened")
}

async fn execute(service: &Service, statement: String) {
    let mut connection = connect(service).await;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("it can be executed");
    connection.close().await.expect("it can be closed");
}

/// The condition for the row of a body.
fn row_of(body: &Value) -> String {
    let id: Uuid = id(body).parse().expect("a UUID");
    format!("id = {}", uuid_literal(id))
}

async fn damage(service: &Service, widget: &Value, assignment: &str) {
    let row = row_of(widget);
    execute(
        service,
        format!("UPDATE web_widgets SET {assignment} WHERE {row}"),
    )
    .await;
    service.state.public_widgets.forget_all();
}

fn path(widget: &Value) -> String {
    format!("/core/web-widgets/{}", id(widget))
}

/// The places and codes of what cannot be read.
fn unreadable(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let fields = body["unreadable"].as_array().cloned().unwrap_or_default();
    let fields = fields.iter();
    fields
        .map(|field| (text(&field["pointer"]), text(&field["code"])))
        .collect()
}

fn named(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[tokio::test]
async fn an_unreadable_config_is_listed_and_replaced_and_its_neighbors_stay() {
    let service = Service::start_with(with_livekit).await;
    let neighbor = service.widget(json!({})).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let widget = visitor.widget.clone();
    let path = path(&widget);
    let config_unreadable = named("/config", "config_unreadable");
    for raw in [NEWER, r#"{"v1":"#, "", r#"{"v9":{}}"#, "[1]"] {
        damage(&service, &widget, &format!("config = '{raw}'")).await;
        let listed = service.get("/core/web-widgets").await.json(200);
        assert_eq!(listed.as_array().map(Vec::len), Some(2));
        assert_eq!(records(&listed)[1], neighbor);
        assert_eq!(unreadable(&listed[0]), config_unreadable, "{raw}");
        assert_eq!(listed[0]["unreadable"][0]["raw"], raw);
        assert_eq!(
            (&listed[0]["config"], &listed[0]["domains"]),
            (&Value::Null, &widget["domains"])
        );
        let read = service.get(&path).await;
        assert_eq!(
            (&read.json(200), read.header("etag")),
            (&listed[0], "\"r1\"")
        );

        let report = service.get(&format!("{path}/go-live")).await.json(200);
        assert_eq!(
            (&report["live"], &report["blockers"][0]["code"]),
            (&json!(false), &json!("config_unreadable"))
        );
        assert_eq!(report["blockers"][0]["pointer"], "/config");
        let explain = format!("{path}/explain?origin={SHOP}");
        let explained = service.get(&explain).await.json(200);
        assert_eq!(
            (&explained["verdict"], &explained["code"]),
            (&json!("not_shown"), &json!("config_unreadable"))
        );
        service.get(&format!("{path}/snippet")).await.expect(200);
        let site = json!({"domain": "x.example"});
        let brand = service.post(&format!("{path}/auto-brand"), &site).await;
        brand.problem_at(409, "record_unreadable", "/config", "config_unreadable");

        for body in [json!({}), json!({"published": false, "domains": []})] {
            let answer = service.put(&path, &body).await;
            answer.problem_at(409, "record_unreadable", "/config", "config_unreadable");
        }
    }
    let answer = service
        .call(
            "PUT",
            &path,
            Some(r#"{"config": {}}"#),
            &[("if-match", "\"r7\"")],
        )
        .await;
    answer.problem(412, "precondition_failed");
    let dark = json!({"config": {"v1": {"theme": "dark"}}});
    let replaced = service.put(&path, &dark);
    let replaced = replaced.await;
    let body = replaced.json(200);
    assert_eq!(replaced.header("etag"), "\"r2\"");
    assert_eq!(body["config"]["v1"]["theme"], "dark");
    assert_eq!(body["created_at"], widget["created_at"]);
    assert_eq!(service.get(&path).await.json(200), body);
    visitor.ask_for_ticket(SHOP).await.expect(201);
}

#[tokio::test]
async fn visitors_get_the_uniform_refusal_and_the_operator_one_line() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    damage(&service, &visitor.widget, "config = '{'").await;
    let lines = LogLines::capture();
    let config = visitor.path("");
    let without_id = |answer: Answer, id: &str| {
        let mut body = answer.problem(403, "widget_unavailable");
        body["request_id"] = Value::Null;
        assert!(!body.to_string().contains(id));
        body
    };
    let widget = id(&visitor.widget);
    let unknown = Uuid::from_u128(1).to_string();
    let mut answers = Vec::new();
    for path in [config.clone(), config.replace(&widget, &unknown)] {
        let call = service.call_with(None, "GET", &path, None, &[("origin", SHOP)]);
        answers.push(without_id(call.await, &widget));
        service.state.public_widgets.forget_all();
    }
    answers.push(without_id(visitor.ask_for_ticket(SHOP).await, &widget));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        lines.with("cannot be read: a newer version wrote it").len(),
        1
    );
    assert_eq!(lines.with(&widget).len(), 1);

    // The conversation that was started continues to be readable, and its room is kept.
    visitor.read(&started).await.expect(200);
    let joined = WebhookEvent {
        id: "joined",
        room: &started.room,
        happened: RoomEvent::VisitorJoined,
        room_life: None,
        stay: None,
    };
    let (now, limits) = (service.state.now(), service.state.lifecycle_limits);
    let removed = service.storage.apply_webhook_event(&joined, now, &limits);
    assert!(!removed.await.expect("storage works"));
    assert_eq!(
        visitor.read(&started).await.json(200)["status"],
        "in_progress"
    );
}

#[tokio::test]
async fn every_field_of_a_widget_can_be_replaced_or_restored() {
    let service = Service::start().await;
    let original = service
        .widget(json!({"config": {"v1": {"theme": "dark"}}}))
        .await;
    let path = path(&original);
    for (column, value, code) in [
        ("config", "'{'", "config_unreadable"),
        ("domains", "'[1]'", "field_unreadable"),
        ("domains", "'shop.example'", "field_unreadable"),
        ("created_at", "9223372036854775807", "field_unreadable"),
        ("updated_at", "-1", "field_unreadable"),
    ] {
        damage(&service, &original, &format!("{column} = {value}")).await;
        let pointer = format!("/{column}");
        let read = service.get(&path).await.json(200);
        assert_eq!(unreadable(&read), named(&pointer, code), "{column}");
        assert_eq!(read["unreadable"][0]["raw"], value.trim_matches('\''));
        let field = json!({column: original[column].clone()});
        let body = if column.ends_with("_at") {
            json!({})
        } else {
            field
        };
        let mut written = service.put(&path, &body).await.json(200);
        let again = service.get(&path).await.json(200);
        assert_eq!(again, written);
        for time in ["created_at", "updated_at"] {
            written[time] = original[time].clone();
        }
        assert_eq!(written, original, "{column}");

        // A revision is as good.
        damage(&service, &original, &format!("{column} = {value}")).await;
        let restore = format!("{path}/revisions/1/restore");
        let restored = service.post(&restore, &json!({})).await.json(200);
        assert_eq!(restored["config"], original["config"]);
        assert_eq!(unreadable(&service.get(&path).await.json(200)), []);
    }
}

#[tokio::test]
async fn history_shows_what_it_can_and_restores_only_what_can_be_read() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = path(&widget);
    service
        .put(&path, &json!({"published": false}))
        .await
        .expect(200);
    service
        .put(&path, &json!({"published": true}))
        .await
        .expect(200);
    let row = row_of(&widget).replace("id =", "web_widget_id =");
    let damaged = format!(
        "UPDATE web_widget_revisions SET config = '{{', created_at = -1 WHERE {row} AND number = 2"
    );
    execute(&service, damaged).await;
    let revisions = service.get(&format!("{path}/revisions")).await.json(200);
    let broken = &revisions[1]["web_widget"];
    assert_eq!(
        unreadable(broken),
        [
            named("/updated_at", "field_unreadable"),
            named("/config", "config_unreadable")
        ]
        .concat()
    );
    assert_eq!(revisions[1]["created_at"], Value::Null);
    assert_eq!(
        (&revisions[0]["changes"], &revisions[1]["changes"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(unreadable(&revisions[0]["web_widget"]), []);
    let restore = |number| format!("{path}/revisions/{number}/restore");
    let refused = service.post(&restore(2), &json!({})).await;
    refused.problem_at(409, "record_unreadable", "/config", "config_unreadable");
    service.post(&restore(1), &json!({})).await.expect(200);
}

#[tokio::test]
async fn an_unreadable_widget_is_deleted_and_comes_back_as_it_was() {
    let service = Service::start().await;
    let neighbor = service.widget(json!({})).await;
    let widget = service.widget(json!({})).await;
    let path = path(&widget);
    service
        .delete(&format!("/core/web-widgets/{}", id(&neighbor)))
        .await
        .expect(204);
    damage(&service, &widget, "config = '{', domains = 'x'").await;
    service.delete(&path).await.expect(204);
    service.get(&path).await.problem(404, "not_found");
    let both = [
        named("/domains", "field_unreadable"),
        named("/config", "config_unreadable"),
    ]
    .concat();
    let deleted = "/core/web-widgets?deleted=true";
    let listed = service.get(deleted).await.json(200);
    let is_broken = |body: &&Value| body["id"] == widget["id"];
    let broken = listed.as_array().and_then(|all| all.iter().find(is_broken));
    let broken = broken.expect("it is listed");
    assert_eq!(unreadable(broken), both);
    assert!(broken["deleted_at"].is_string() && broken["deleted_by"].is_string());
    let row = row_of(&widget);
    let damaged = format!("UPDATE deleted_web_widgets SET deleted_at = -1 WHERE {row}");
    execute(&service, damaged).await;
    // Page by page, each is there once.
    let first = service.get(&format!("{deleted}&limit=1")).await;
    assert_eq!(first.json(200)[0]["id"], neighbor["id"]);
    let next = first
        .header("link")
        .split(['<', '>'])
        .nth(1)
        .expect("a link");
    let next = next
        .strip_prefix("https://widgets.example")
        .expect("of the service");
    let second = service.get(next).await.json(200);
    assert_eq!(unreadable(&second[0]).len(), 3);

    let restored = service.post(&format!("{path}/restore"), &json!({})).await;
    assert_eq!(unreadable(&restored.json(200)), both);
    assert_eq!(restored.json(200)["published"], false);
    let again = service.post(&format!("{path}/restore"), &json!({})).await;
    assert_eq!(again.json(200), restored.json(200));
    let whole = json!({"config": {}, "domains": ["https://shop.example"]});
    service.put(&path, &whole).await.expect(200);
    assert_eq!(unreadable(&service.get(&path).await.json(200)), []);
}

#[tokio::test]
async fn an_unreadable_conversation_is_listed_and_stops_no_sweep() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (broken, other) = (visitor.start().await, visitor.start().await);
    let row = row_of(&json!({"id": broken.id}));
    let set = |assignment: &str| format!("UPDATE conversations SET {assignment} WHERE {row}");
    execute(
        &service,
        set("status = 'sleeping', due_at = -9223372036854775807"),
    )
    .await;
    let listed = service.get("/core/conversations").await.json(200);
    let listed = listed.as_array().expect("a list");
    let found = listed.iter().find(|body| body["id"] == broken.id.as_str());
    assert_eq!(
        unreadable(found.expect("it is listed")),
        named("/status", "field_unreadable")
    );
    let path = format!("/core/conversations/{}", broken.id);
    service
        .get(&path)
        .await
        .problem_at(409, "record_unreadable", "/status", "field_unreadable");
    visitor
        .read(&broken)
        .await
        .problem(409, "record_unreadable");

    let lines = LogLines::capture();
    service.clock.advance(Duration::minutes(30));
    for ended in [1, 0] {
        let done = background::end_due_conversations(&service.state).await;
        assert_eq!(done.expect("the sweep continues"), ended);
    }
    assert_eq!(lines.with(&broken.id), [""; 0], "it was logged before");
    let path = format!("/core/conversations/{}", other.id);
    assert_eq!(service.get(&path).await.json(200)["status"], "failed");

    let event = WebhookEvent {
        id: "left",
        room: &broken.room,
        happened: RoomEvent::VisitorLeft,
        room_life: None,
        stay: None,
    };
    let (now, limits) = (service.state.now(), service.state.lifecycle_limits);
    let applied = service.storage.apply_webhook_event(&event, now, &limits);
    assert!(!applied.await.expect("it is skipped"));
}

/// The tables, with the condition for the row to damage; `{w}` and the like are ids of the test.
const TABLES: [(&str, &str); 24] = [
    ("agent_workers", "livekit_agent_name = 'concierge'"),
    ("api_keys", "id = '{k}'"),
    ("signing_keys", "id = 'victim'"),
    ("agents", "id = {a}"),
    ("agent_versions", "id = {v}"),
    ("web_widgets", "id = {w}"),
    ("web_widget_revisions", "web_widget_id = {w} AND number = 1"),
    ("deleted_web_widgets", "id = {d}"),
    (
        "deleted_web_widget_revisions",
        "web_widget_id = {d} AND number = 1",
    ),
    ("previews", "id = {p}"),
    ("conversations", "id = {c}"),
    ("rooms", "conversation_id = {c}"),
    ("messages", "sequence = 1"),
    ("idempotency_keys", "key = 'repeated'"),
    ("used_tickets", "id = 'victim'"),
    ("webhook_events", "id = 'victim'"),
    ("embed_builds", "kind = 'loader'"),
    ("retentions", "organization_id = 'acme'"),
    ("erasure_jobs", "dry_run"),
    ("budget_limits", "owner = 'organization acme'"),
    ("budget_days", "owner = 'organization acme'"),
    ("voice_reservations", "conversation_id = {c}"),
    (
        "web_widget_statistics",
        "web_widget_id = {w} AND point = 20480",
    ),
    ("web_widget_refusals", "web_widget_id = {w} AND day = 20480"),
];

/// Columns by which rows are found: a row under another key is another row.
const KEYS: [&str; 12] = [
    "id",
    "web_widget_id",
    "number",
    "key",
    "kind",
    "hash",
    "sequence",
    "conversation_id",
    "generation",
    "owner",
    "day",
    "point",
];

/// What a column of a type can hold that no build wrote.
fn damages(column: &str, kind: &str) -> &'static [&'static str] {
    match kind.to_ascii_lowercase().as_str() {
        "text" => &["'not {valid'"],
        "bigint" | "integer" if column.ends_with("_at") || column.ends_with("_since") => {
            &["9223372036854775807", "-9223372036854775807"]
        }
        "bigint" | "integer" => &["-1"],
        "blob" | "bytea"
            if ["bytes", "secret", "secret_hash", "request_hash"].contains(&column) =>
        {
            &[database::BYTES]
        }
        _ => &[],
    }
}

/// Everything that can be damaged, and a neighbor of it.
struct World<'a> {
    visitor: Visitor<'a>,
    neighbor: Value,
    deleted: Value,
    started: Started,
    key: String,
    build: String,
    job: String,
    preview: Value,
}

impl<'a> World<'a> {
    async fn new(service: &'a Service) -> Self {
        let neighbor = service.widget(json!({})).await;
        let visitor = Visitor::of(service, json!({})).await;
        let deleted = service.widget(json!({})).await;
        service.delete(&path(&deleted)).await.expect(204);
        let limits = json!({"conversations_per_day": 100, "voice_minutes_per_day": 100});
        let limits = service.put("/core/organization/limits", &limits);
        limits.await.json(200);
        let started = visitor.start().await;
        let days = json!({"days": 30});
        let retention = service.put("/core/organization/retention", &days);
        retention.await.json(200);
        let erase = json!({"filter": {"visitor": "nobody"}, "dry_run": true});
        let job = service.post("/core/conversations/erase", &erase).await;
        let job = job.json(202);
        let key = service.new_key("acme", &[Scope::WebWidgetsRead]).await;
        let previews = format!("{}/previews", path(&visitor.widget));
        let preview = service.post(&previews, &json!({})).await.json(201);
        let build = EmbedBuild::new(BuildKind::Loader, Bytes::from_static(b"victim"));
        let kept = service
            .storage
            .keep_embed_build(&build, service.state.now());
        kept.await.expect("storage works");
        execute(
            service,
            format!(
                "INSERT INTO signing_keys (id, secret, created_at, retired_at)
                     VALUES ('victim', {}, 1, 2);
                 INSERT INTO used_tickets (id, expires_at) VALUES ('victim', 1);
                 INSERT INTO webhook_events (id, received_at) VALUES ('victim', 1);
                 INSERT INTO voice_reservations (conversation_id, number, day, of_organization, of_widget)
                     VALUES ({}, 1, 1, TRUE, FALSE);
                 INSERT INTO web_widget_statistics (web_widget_id, period, point, counter, amount)
                     VALUES ({widget}, 'day', 20480, 'answered', 1);
                 INSERT INTO web_widget_refusals
                         (web_widget_id, day, origin, code, amount, uncertain, first_at, last_at)
                     VALUES ({widget}, 20480, 'https://a.example', 'not_published', 1, 1, 1, 1);",
                database::BYTES,
                uuid_literal(started.id.parse().expect("a UUID")),
                widget = uuid_literal(id(&visitor.widget).parse().expect("a UUID")),
            ),
        )
        .await;
        let world = Self {
            visitor,
            neighbor,
            deleted,
            started,
            key,
            build: build.name().hash().to_owned(),
            job: format!("/core/erasure-jobs/{}", id(&job)),
            preview,
        };
        world.check("nothing").await;
        world
    }

    /// The condition for the row to damage.
    fn victim(&self, condition: &str) -> String {
        let literal = |text: &Value| {
            let id: Uuid = text
                .as_str()
                .and_then(|id| id.parse().ok())
                .expect("a UUID");
            uuid_literal(id)
        };
        let widget = &self.visitor.widget;
        let key = self
            .key
            .strip_prefix("ak_")
            .and_then(|key| key.split_once('.'));
        condition
            .replace("{k}", key.expect("a key").0)
            .replace("{a}", &literal(&widget["agent_id"]))
            .replace("{v}", &literal(&widget["agent_version_id"]))
            .replace("{w}", &literal(&widget["id"]))
            .replace("{d}", &literal(&self.deleted["id"]))
            .replace("{p}", &literal(&self.preview["id"]))
            .replace("{c}", &literal(&json!(self.started.id)))
    }

    /// Requests that read or repeat: none fails, and the neighbor is as it was.
    #[expect(clippy::too_many_lines, reason = "a list of requests")]
    async fn check(&self, what: &str) {
        let service = self.visitor.service;
        service.state.public_widgets.forget_all();
        let widget = path(&self.visitor.widget);
        let agent = self.visitor.widget["agent_id"].as_str().expect("an id");
        let conversation = format!("/core/conversations/{}", self.started.id);
        let (public, build) = (id(&self.visitor.widget), &self.build);
        let loader = format!("/public/embed/{public}/{build}.js");
        let repeated = json!({
            "agent_id": self.neighbor["agent_id"],
            "agent_version_id": self.neighbor["agent_version_id"],
        });
        let link = self.preview["url"].as_str().expect("a link");
        let link = link
            .strip_prefix("https://widgets.example")
            .expect("of the service");
        let message = json!({"id": what, "role": "agent", "text": "Hello"});
        let origin = [("origin", SHOP)];
        let origin = origin.as_slice();
        let request = |method: &'static str, path: String, body: Option<&Value>| {
            let body = body.map(Value::to_string);
            async move { service.call(method, &path, body.as_deref(), &[]).await }
        };
        let mut answers = Vec::new();
        for path in [
            "/core/web-widgets".to_owned(),
            "/core/web-widgets?deleted=true".to_owned(),
            widget.clone(),
            format!("{widget}/go-live"),
            format!("{widget}/explain?origin={SHOP}"),
            format!("{widget}/snippet"),
            format!("{widget}/revisions"),
            "/core/agents".to_owned(),
            format!("/core/agents/{agent}"),
            format!("/core/agents/{agent}/versions"),
            "/core/conversations".to_owned(),
            conversation.clone(),
            format!("{conversation}/messages"),
            format!("{conversation}/export"),
            "/core/organization/retention".to_owned(),
            format!("{widget}/retention"),
            "/core/organization/limits".to_owned(),
            format!("{widget}/limits"),
            format!("{widget}/statistics"),
            format!("{widget}/refusals"),
            format!("{widget}/previews"),
            link.to_owned(),
            format!("{link}/state"),
            format!(
                "{link}/core/public/web-widgets/{}",
                id(&self.visitor.widget)
            ),
            self.job.clone(),
            loader,
        ] {
            answers.push((path.clone(), request("GET", path, None).await));
        }
        let key = [("idempotency-key", "repeated")];
        let body = repeated.to_string();
        let call = service.call("POST", "/core/web-widgets", Some(&body), &key);
        answers.push(("create again".to_owned(), call.await));
        for (method, path, body) in [
            ("PUT", widget.clone(), json!({})),
            ("POST", format!("{conversation}/messages"), message),
        ] {
            answers.push((path.clone(), request(method, path, Some(&body)).await));
        }
        let launcher = self.visitor.path("");
        let call = service.call_with(None, "GET", &launcher, None, origin);
        answers.push(("launcher".to_owned(), call.await));
        answers.push(("ticket".to_owned(), self.visitor.ask_for_ticket(SHOP).await));
        answers.push(("visitor".to_owned(), self.visitor.read(&self.started).await));
        let other = service.call_with(Some(&self.key), "GET", &widget, None, &[]);
        answers.push(("other key".to_owned(), other.await));
        for (request, answer) in answers {
            let status = answer.status.as_u16();
            assert!(status < 500, "{what}: {request}: {status} {}", answer.text);
        }

        let state = &service.state;
        for sweep in [
            background::end_due_conversations(state).await,
            background::check_due_calls(state).await.map(|()| 0),
            background::remove_due_rooms(state).await,
            background::run_erasure_jobs(state).await,
            background::write_statistics(state)
                .await
                .map(|(_, ended)| ended),
            background::erase_expired(state).await,
        ] {
            sweep.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        let event = WebhookEvent {
            id: what,
            room: &self.started.room,
            happened: RoomEvent::Started,
            room_life: None,
            stay: None,
        };
        let limits = &state.lifecycle_limits;
        let applied = service
            .storage
            .apply_webhook_event(&event, state.now(), limits);
        applied
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));

        let neighbor = service.get(&path(&self.neighbor)).await;
        assert_eq!(neighbor.json(200), self.neighbor, "{what}");
        let listed = service.get("/core/web-widgets").await.json(200);
        let listed = records(&listed);
        let listed = listed.as_array().expect("a list");
        assert!(listed.contains(&self.neighbor), "{what}: {listed:?}");
    }
}

/// Every column of every table is damaged in turn. A table or a column that a migration adds is in
/// this test by itself.
#[tokio::test]
async fn no_damaged_column_fails_a_request_or_reaches_a_neighbor() {
    let service = Service::start_with(with_livekit).await;
    let world = World::new(&service).await;
    let mut connection = connect(&service).await;
    let mut tables: Vec<String> = sqlx::query_scalar(database::TABLES)
        .fetch_all(&mut connection)
        .await
        .expect("it can be asked");
    // Of these every migration decides what they hold.
    tables.retain(|table| !["_sqlx_migrations", "schema_compatibility"].contains(&&**table));
    tables.sort();
    let mut known = TABLES.map(|(table, _)| table);
    known.sort_unstable();
    assert_eq!(tables, known);

    let mut damaged = Vec::new();
    for (table, condition) in TABLES {
        let victim = world.victim(condition);
        let columns: Vec<(String, String)> = sqlx::query_as(database::COLUMNS)
            .bind(table)
            .fetch_all(&mut connection)
            .await
            .expect("it can be asked");
        assert!(!columns.is_empty(), "{table}");
        for (column, kind) in columns {
            let is_key = KEYS.contains(&column.as_str())
                || [
                    ("rooms", "name"),
                    ("idempotency_keys", "organization_id"),
                    ("retentions", "organization_id"),
                    ("agent_workers", "organization_id"),
                    ("agent_workers", "livekit_agent_name"),
                ]
                .contains(&(table, &*column));
            for value in damages(&column, &kind).iter().filter(|_| !is_key) {
                let what = format!("{table}.{column} = {value}");
                let keep =
                    format!("CREATE TABLE kept AS SELECT {column} FROM {table} WHERE {victim};");
                execute(&service, keep).await;
                let done = sqlx::query(AssertSqlSafe(format!(
                    "UPDATE {table} SET {column} = {value} WHERE {victim}"
                )))
                .execute(&mut connection)
                .await;
                // What a constraint refuses cannot be there.
                if let Ok(done) = done {
                    assert_eq!(done.rows_affected(), 1, "{what}");
                    world.check(&what).await;
                    damaged.push(format!("{table}.{column}"));
                }
                let restore = format!(
                    "UPDATE {table} SET {column} = (SELECT {column} FROM kept) WHERE {victim};
                     DROP TABLE kept;"
                );
                execute(&service, restore).await;
            }
        }
    }
    world.check("all is restored").await;
    for column in [
        "web_widgets.config",
        "web_widgets.domains",
        "web_widgets.created_at",
        "web_widget_revisions.config",
        "deleted_web_widgets.deleted_at",
        "agents.created_at",
        "agent_versions.published_at",
        "conversations.origin",
        "conversations.status",
        "conversations.custom_metadata",
        "conversations.due_at",
        "messages.role",
        "rooms.removal_due_at",
        "idempotency_keys.answer",
        "api_keys.scopes",
        "signing_keys.created_at",
    ] {
        assert!(
            damaged.iter().any(|it| it == column),
            "{column} was not damaged"
        );
    }
}
