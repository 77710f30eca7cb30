//! API keys that other keys create and delete, and what the history says of them.

use std::pin::pin;

use futures_util::{
    StreamExt as _,
    future::{Either, select},
    stream::FuturesUnordered,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use widget_api::Scope;
use widget_http::background;

use crate::{
    database::{COUNT_WAITING, Connection},
    support::{Answer, START, Service, id},
};

const KEYS: &str = "/core/api-keys";

/// The public part of a key.
fn public(key: &str) -> &str {
    let key = key.strip_prefix("ak_").and_then(|key| key.split_once('.'));
    key.expect("a key has two parts").0
}

/// Creates a key by another one.
async fn create(service: &Service, by: &str, body: Value) -> Answer {
    let body = body.to_string();
    service
        .call_with(Some(by), "POST", KEYS, Some(&body), &[])
        .await
}

/// A key that `by` creates, as its holder has it.
async fn created(service: &Service, by: &str, scopes: &[Scope]) -> String {
    let body = json!({"name": "created", "scopes": scopes});
    let body = create(service, by, body).await.json(201);
    body["api_key"].as_str().expect("a string").to_owned()
}

async fn delete(service: &Service, by: &str, id: &str) -> Answer {
    let path = format!("{KEYS}/{id}");
    service
        .call_with(Some(by), "DELETE", &path, None, &[])
        .await
}

async fn whoami(service: &Service, key: &str) -> Answer {
    service
        .call_with(Some(key), "GET", "/core/whoami", None, &[])
        .await
}

/// What the list says of a key.
async fn listed(service: &Service, id: &str) -> Value {
    let list = service.get(KEYS).await.json(200);
    let mut keys = list.as_array().expect("a list").iter();
    let key = keys.find(|key| key["id"] == id);
    key.unwrap_or_else(|| panic!("no {id} in {list}")).clone()
}

async fn execute(service: &Service, sql: String) {
    let mut connection = Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("it can be executed");
    connection.close().await.expect("it can be closed");
}

#[tokio::test]
async fn a_key_lives_from_creation_to_deletion() {
    let service = Service::start().await;
    service.clock.advance(Duration::minutes(1));
    let wish = json!({
        "name": " Night shift ",
        "scopes": ["agents:read", "web_widgets:read", "agents:read"],
        "expires_at": "2026-03-01T01:00:00+01:00",
    });
    let answer = create(&service, service.key(), wish).await;
    let mut key = answer.json(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let secret = key["api_key"].as_str().expect("a string").to_owned();
    assert_eq!(key["id"], public(&secret));
    key.as_object_mut().expect("an object").remove("api_key");
    let expected = json!({
        "id": public(&secret),
        "name": "Night shift",
        "scopes": ["web_widgets:read", "agents:read"],
        "status": "valid",
        "created_at": "2026-01-31T09:31:00Z",
        "created_by": {"id": public(service.key()), "name": "test"},
        "expires_at": "2026-03-01T00:00:00Z",
        "revoked_at": null,
        "last_used_on": null,
    });
    assert_eq!(key, expected);
    let list = service.get(KEYS).await;
    assert_eq!(list.json(200)[0], expected);
    assert!(!list.text.contains(&secret[4 + public(&secret).len()..]));
    assert_eq!(list.json(200)[1]["created_by"], json!(null));

    let who = whoami(&service, &secret).await.json(200);
    let expected = json!({
        "organization_id": "acme",
        "api_key": {"id": public(&secret), "name": "Night shift"},
        "scopes": ["web_widgets:read", "agents:read"],
        "expires_at": "2026-03-01T00:00:00Z",
        "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(who, expected);
    service
        .call_with(Some(&secret), "GET", "/core/agents", None, &[])
        .await
        .expect(200);
    service.clock.advance(Duration::minutes(1));
    for _ in 0..2 {
        delete(&service, service.key(), public(&secret))
            .await
            .expect(204);
        whoami(&service, &secret)
            .await
            .problem(401, "api_key_invalid");
        let key = listed(&service, public(&secret)).await;
        assert_eq!(
            (&key["status"], &key["revoked_at"]),
            (&json!("revoked"), &json!("2026-01-31T09:32:00Z"))
        );
        service.clock.advance(Duration::minutes(1));
    }
}

#[tokio::test]
async fn a_key_gives_only_scopes_that_it_has() {
    use Scope::{AgentsManage, AgentsRead, ApiKeysManage, WebWidgetsManage, WebWidgetsRead};
    let service = Service::start().await;
    let by = service
        .new_key("acme", &[ApiKeysManage, AgentsManage])
        .await;
    for (scopes, missing) in [
        (vec![AgentsRead, AgentsManage, ApiKeysManage], ""),
        (vec![AgentsRead, WebWidgetsRead], "web_widgets:read"),
        (
            vec![WebWidgetsRead, WebWidgetsManage],
            "web_widgets:read web_widgets:manage",
        ),
    ] {
        let answer = create(&service, &by, json!({"name": "a", "scopes": scopes})).await;
        if missing.is_empty() {
            answer.expect(201);
            continue;
        }
        let problem = answer.problem(403, "insufficient_scope");
        let detail = problem["detail"].as_str().expect("a string");
        assert!(detail.contains(&format!("`{missing}`")), "{detail}");
        assert!(answer.header("www-authenticate").contains(missing));
    }
    // What is created grants no more than what created it.
    let next = created(&service, &by, &[ApiKeysManage, AgentsRead]).await;
    let wish = json!({"name": "a", "scopes": ["agents:manage"]});
    create(&service, &next, wish)
        .await
        .problem(403, "insufficient_scope");
    for (body, pointer, code) in [
        (
            json!({"name": "", "scopes": ["agents:read"]}),
            "/name",
            "value_invalid",
        ),
        (
            json!({"name": "x".repeat(201), "scopes": ["agents:read"]}),
            "/name",
            "value_invalid",
        ),
        (
            json!({"name": "a\u{7}", "scopes": ["agents:read"]}),
            "/name",
            "value_invalid",
        ),
        (
            json!({"name": "a", "scopes": []}),
            "/scopes",
            "value_invalid",
        ),
        (json!({"name": "a"}), "/scopes", "key_missing"),
        (
            json!({"name": "a", "scopes": ["agents:read"], "secret": "x"}),
            "/secret",
            "key_unknown",
        ),
    ] {
        create(&service, &by, body)
            .await
            .problem_at(422, "body_invalid", pointer, code);
    }
}

#[tokio::test]
async fn a_key_does_not_outlive_its_creator() {
    let service = Service::start().await;
    let scopes = [Scope::ApiKeysManage];
    let end = START + Duration::hours(2);
    let by = service.new_key_until("acme", &scopes, Some(end)).await;
    for (wish, expected) in [
        (None, Some("2026-01-31T11:30:00Z")),
        (Some("2026-01-31T11:30:00Z"), Some("2026-01-31T11:30:00Z")),
        (Some("2026-01-31T10:00:00Z"), Some("2026-01-31T10:00:00Z")),
        (Some("2026-01-31T11:30:00.000001Z"), None),
        (Some("2026-01-31T09:30:00Z"), None),
        (Some("2020-01-01T00:00:00Z"), None),
    ] {
        let mut body = json!({"name": "a", "scopes": scopes});
        if let Some(wish) = wish {
            body["expires_at"] = json!(wish);
        }
        let answer = create(&service, &by, body).await;
        match expected {
            Some(expected) => assert_eq!(answer.json(201)["expires_at"], expected),
            None => drop(answer.problem_at(422, "body_invalid", "/expires_at", "value_invalid")),
        }
    }
    let key = created(&service, &by, &scopes).await;
    whoami(&service, &key).await.expect(200);
    service.clock.advance(Duration::hours(2));
    whoami(&service, &key).await.problem(401, "api_key_invalid");
}

#[tokio::test]
async fn a_key_expires_at_a_time_that_can_be_stored() {
    let service = Service::start().await;
    let scopes = [Scope::ApiKeysManage];
    let by = service.new_key("acme", &scopes).await;
    for late in [
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999-23:59",
    ] {
        let body = json!({"name": "a", "scopes": scopes, "expires_at": late});
        let answer = create(&service, &by, body).await;
        answer.problem_at(422, "body_invalid", "/expires_at", "value_invalid");
    }
    let last = "9998-12-31T23:59:59Z";
    let body = json!({"name": "a", "scopes": scopes, "expires_at": last});
    let key = create(&service, &by, body).await.json(201);
    assert_eq!(
        listed(&service, key["id"].as_str().expect("an id")).await["expires_at"],
        last
    );
    let key = key["api_key"].as_str().expect("the whole key");
    whoami(&service, key).await.expect(200);
}

#[tokio::test]
async fn what_a_key_created_ends_with_it_on_every_node() {
    let service = Service::start().await;
    let other = service.another_node().await;
    let scopes = [Scope::ApiKeysManage];
    let root = service.new_key("acme", &scopes).await;
    let child = created(&service, &root, &scopes).await;
    let sibling = created(&service, &root, &scopes).await;
    let grandchild = created(&other, &child, &scopes).await;
    let unrelated = service.new_key("acme", &scopes).await;
    // One in the middle that ended by itself keeps nobody alive.
    delete(&service, &child, public(&child)).await.expect(204);
    for (key, status) in [
        (&child, 401),
        (&grandchild, 401),
        (&sibling, 200),
        (&root, 200),
    ] {
        for node in [&service, &other] {
            whoami(node, key).await.expect(status);
        }
    }
    let another = created(&other, &sibling, &scopes).await;
    delete(&service, &unrelated, public(&root))
        .await
        .expect(204);
    for (key, status) in [
        (&root, 401),
        (&sibling, 401),
        (&another, 401),
        (&unrelated, 200),
    ] {
        for node in [&service, &other] {
            whoami(node, key).await.expect(status);
        }
    }
}

/// Whoever creates and whoever revokes at the same time: in either order nothing is left.
#[tokio::test]
async fn a_key_that_is_created_while_its_creator_is_revoked_ends_too() {
    let service = Service::start().await;
    let other = service.another_node().await;
    let scopes = [Scope::ApiKeysManage];
    for _ in 0..12 {
        let root = service.new_key("acme", &scopes).await;
        let child = created(&service, &root, &scopes).await;
        let body = || json!({"name": "late", "scopes": scopes});
        let (first, second, deleted) = tokio::join!(
            create(&service, &child, body()),
            create(&other, &child, body()),
            delete(&other, &root, public(&root)),
        );
        deleted.expect(204);
        for answer in [first, second] {
            if answer.status == 201 {
                let key = answer.json(201);
                let key = key["api_key"].as_str().expect("a string");
                whoami(&service, key).await.problem(401, "api_key_invalid");
            } else {
                answer.problem(401, "api_key_invalid");
            }
        }
    }
}

#[tokio::test]
async fn a_key_deletes_itself_and_those_that_may_not_do_more() {
    use Scope::{AgentsManage, AgentsRead, ApiKeysManage, WebWidgetsRead};
    let service = Service::start().await;
    let manager = service.new_key("acme", &[ApiKeysManage, AgentsRead]).await;
    let new_key = async |scopes: &[Scope]| service.new_key("acme", scopes).await;
    let worker = new_key(&[WebWidgetsRead]).await;
    let refused = delete(&service, &manager, public(&worker)).await;
    let problem = refused.problem(403, "insufficient_scope");
    let detail = problem["detail"].as_str().expect("a string");
    assert!(detail.contains("`web_widgets:read`"), "{detail}");
    whoami(&service, &worker).await.expect(200);
    let stronger = new_key(&[AgentsManage]).await;
    let refused = delete(&service, &manager, public(&stronger)).await;
    refused.problem(403, "insufficient_scope");
    let equal = new_key(&[ApiKeysManage, AgentsRead]).await;
    delete(&service, &manager, public(&equal)).await.expect(204);
    whoami(&service, &equal).await.expect(401);

    // Without the scope, a key can end itself and no other one.
    delete(&service, &worker, public(&stronger))
        .await
        .problem(403, "insufficient_scope");
    delete(&service, &worker, public(&worker)).await.expect(204);
    whoami(&service, &worker).await.expect(401);

    let foreign = service.new_key("other", Scope::ALL).await;
    for id in [public(&foreign), "nobody", "a%00b", "%F0%9F%92%A9"] {
        delete(&service, &manager, id)
            .await
            .problem(404, "not_found");
    }
    whoami(&service, &foreign).await.expect(200);
    let theirs = service
        .call_with(Some(&foreign), "GET", KEYS, None, &[])
        .await
        .json(200);
    assert_eq!(theirs.as_array().map(Vec::len), Some(1), "{theirs}");
}

/// The day is written apart from the requests, once for each day and key, and not for a secret
/// that is wrong.
#[tokio::test]
async fn the_day_of_the_last_use_is_kept() {
    let service = Service::start().await;
    let other = service.another_node().await;
    let write = async |node: &Service| {
        let written = background::write_key_uses(&node.state).await;
        written.expect("storage works")
    };
    let key = service.new_key("acme", &[Scope::AgentsRead]).await;
    let last_use = async || listed(&service, public(&key)).await["last_used_on"].clone();
    assert_eq!(last_use().await, json!(null));
    // The service's own key, which asked for the list.
    assert_eq!(write(&service).await, 1);
    let wrong = format!("ak_{}.wrong", public(&key));
    whoami(&service, &wrong).await.expect(401);
    assert_eq!(write(&service).await, 0);
    assert_eq!(last_use().await, json!(null));

    for _ in 0..3 {
        whoami(&service, &key).await.expect(200);
        whoami(&other, &key).await.expect(200);
    }
    assert_eq!(
        last_use().await,
        json!(null),
        "nothing is written by a request"
    );
    assert_eq!((write(&service).await, write(&other).await), (1, 0));
    assert_eq!(last_use().await, json!("2026-01-31"));
    for _ in 0..3 {
        whoami(&other, &key).await.expect(200);
        assert_eq!((write(&service).await, write(&other).await), (0, 0));
    }
    // The next day begins in UTC. What is refused for its scope is a use, too.
    service
        .clock
        .advance(Duration::hours(14) + Duration::minutes(30));
    for node in [&service, &other] {
        node.call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
            .await
            .problem(403, "insufficient_scope");
    }
    assert_eq!((write(&other).await, write(&service).await), (1, 0));
    assert_eq!(last_use().await, json!("2026-02-01"));
    // A node whose clock is behind changes nothing.
    let day = time::macros::date!(2026 - 01 - 31);
    let noted = service.storage.note_key_use(public(&key), day).await;
    assert!(!noted.expect("storage works"));
    assert_eq!(last_use().await, json!("2026-02-01"));
}

#[tokio::test]
async fn lists_of_keys_have_pages() {
    let service = Service::start().await;
    let mut expected = vec![public(service.key()).to_owned()];
    for minute in 0..4 {
        // Two of them at the same time.
        service.clock.advance(Duration::minutes(minute % 2));
        expected
            .push(public(&created(&service, service.key(), &[Scope::AgentsRead]).await).to_owned());
    }
    expected.reverse();
    let (mut found, mut next) = (Vec::new(), Some(format!("{KEYS}?limit=2")));
    while let Some(path) = next {
        let answer = service.get(&path).await;
        let page = answer.json(200);
        let page = page.as_array().expect("a list").iter();
        found.extend(page.map(id));
        assert!(found.len() <= expected.len(), "the pages have an end");
        next = answer.headers.get("link").map(|link| {
            let link = link
                .to_str()
                .expect("ASCII")
                .strip_prefix("<https://widgets.example");
            let link = link.and_then(|link| link.strip_suffix(">; rel=\"next\""));
            link.expect("of this service").to_owned()
        });
    }
    assert_eq!(found.len(), expected.len());
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(found.clone()), sorted(expected.clone()));
    assert_eq!(found.last(), expected.last(), "the oldest is the last");
    for cursor in ["x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAGEAYg"] {
        let path = format!("{KEYS}?cursor={cursor}");
        service
            .get(&path)
            .await
            .problem_at(422, "query_invalid", "/cursor", "value_invalid");
    }
}

/// Adds keys that nobody holds.
async fn fill(service: &Service, name: &str, count: i64, revoked_at: &str) {
    execute(
        service,
        format!(
            "INSERT INTO api_keys (id, organization_id, name, scopes, secret_hash, created_at, revoked_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
             SELECT '{name}' || CAST(n AS TEXT), k.organization_id, '{name}', k.scopes, k.secret_hash, 0, {revoked_at}
             FROM numbers, api_keys k WHERE k.id = '{}'",
            public(service.key())
        ),
    )
    .await;
}

#[tokio::test]
async fn the_number_of_keys_is_bounded() {
    let service = Service::start().await;
    let other_organization = service.new_key("other", Scope::ALL).await;
    fill(&service, "valid", 998, "NULL").await;
    fill(&service, "ended", 10_001, "n").await;
    let body = || json!({"name": "a", "scopes": ["agents:read"]});
    let last = create(&service, service.key(), body()).await.json(201);
    for organization in [service.key(), &other_organization] {
        let answer = create(&service, organization, body()).await;
        if organization == service.key() {
            answer.problem(409, "api_keys_full");
        } else {
            answer.expect(201);
        }
    }
    // The first to end is the first to be forgotten.
    for (id, is_kept) in [("ended1", false), ("ended2", true), ("ended10001", true)] {
        let found = service.storage.find_api_key(id).await.expect("works");
        assert_eq!(found.is_some(), is_kept, "{id}");
    }
    delete(&service, service.key(), &id(&last))
        .await
        .expect(204);
    create(&service, service.key(), body()).await.expect(201);
}

#[tokio::test]
async fn the_history_names_keys_that_are_gone() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let scopes = [Scope::WebWidgetsManage];
    let body = json!({"name": "Editor", "scopes": scopes});
    let editor = create(&service, service.key(), body).await.json(201);
    let key = editor["api_key"].as_str().expect("a string");
    let change = json!({"domains": ["*"]}).to_string();
    service
        .call_with(Some(key), "PUT", &path, Some(&change), &[])
        .await
        .expect(200);
    service
        .call_with(Some(key), "DELETE", &path, None, &[])
        .await
        .expect(204);
    delete(&service, service.key(), public(key))
        .await
        .expect(204);
    let deleted = service
        .get("/core/web-widgets?deleted=true")
        .await
        .json(200);
    assert_eq!(
        (&deleted[0]["deleted_by"], &deleted[0]["deleted_by_name"]),
        (&editor["id"], &json!("Editor"))
    );
    service
        .call("POST", &format!("{path}/restore"), None, &[])
        .await
        .expect(200);
    let history = service.get(&format!("{path}/revisions")).await.json(200);
    assert_eq!(
        (&history[1]["api_key_id"], &history[1]["api_key_name"]),
        (&editor["id"], &json!("Editor"))
    );
    execute(
        &service,
        format!("DELETE FROM api_keys WHERE id = '{}'", public(key)),
    )
    .await;
    let history = service.get(&format!("{path}/revisions")).await.json(200);
    assert_eq!(
        (&history[1]["api_key_id"], &history[1]["api_key_name"]),
        (&editor["id"], &json!(null))
    );
}

/// The secret is not stored, so that a repetition has nothing to answer with.
#[tokio::test]
async fn a_repeated_request_creates_another_key() {
    let service = Service::start().await;
    let body = json!({"name": "a", "scopes": ["agents:read"]}).to_string();
    let headers = [("idempotency-key", "same")];
    let first = service
        .call("POST", KEYS, Some(&body), &headers)
        .await
        .json(201);
    let second = service
        .call("POST", KEYS, Some(&body), &headers)
        .await
        .json(201);
    assert_ne!(first["api_key"], second["api_key"]);
}

/// Each creation locks the row of its creator: of those that wait, one of each node does so in the
/// database, and the others in memory, so that they take no connections.
#[tokio::test]
async fn keys_that_are_created_at_once_wait_without_connections() {
    // Elsewhere there is one writer at a time.
    if COUNT_WAITING.is_none() {
        return;
    }
    // Who waits for the lock of the row, or behind somebody who does.
    let count_waiting = "SELECT COUNT(DISTINCT pid) FROM pg_locks WHERE NOT granted
        AND (relation = 'api_keys'::regclass OR pg_backend_pid() = ANY(pg_blocking_pids(pid)))";
    let service = Service::start().await;
    let other = service.another_node().await;
    let key = service.new_key("acme", Scope::ALL).await;
    let body = json!({"name": "created", "scopes": ["web_widgets:read"]});
    let mut holder = Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    let statement = format!(
        "BEGIN; SELECT 1 FROM api_keys WHERE id = '{}' FOR UPDATE",
        public(&key)
    );
    let held = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut holder);
    held.await.expect("nobody else has it");
    let creations = (0..24).map(|number| {
        let node = if number % 2 == 0 { &service } else { &other };
        create(node, &key, body.clone())
    });
    let mut creations: FuturesUnordered<_> = creations.collect();
    let mut max_waiting = 0;
    // Until the first time is over: the database learns of that a moment later.
    let first = loop {
        let waiting = sqlx::query_scalar::<_, i64>(count_waiting).fetch_one(&mut holder);
        match select(creations.next(), pin!(waiting)).await {
            Either::Left((answer, _)) => break answer,
            Either::Right((waiting, _)) => {
                max_waiting = max_waiting.max(waiting.expect("it can be asked"));
            }
        }
    };
    assert!(
        (1..=2).contains(&max_waiting),
        "{max_waiting} and not one of each node"
    );
    let others: Vec<Answer> = creations.collect().await;
    for answer in first.into_iter().chain(others) {
        assert!(
            [429, 503].contains(&answer.status.as_u16()),
            "{}",
            answer.text
        );
        assert_eq!(answer.header("retry-after"), "1");
    }
    holder.close().await.expect("it can be closed");
    create(&service, &key, body).await.json(201);
    let list = service.get(KEYS).await.json(200);
    let list = list.as_array().expect("a list");
    let created = list.iter().filter(|key| key["name"] == "created").count();
    assert_eq!(created, 1, "those that were refused are not there");
}
