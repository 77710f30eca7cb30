//! Every error is a problem of the documented form.

use axum::response::IntoResponse;
use expect_test::expect;
use http::StatusCode;
use sqlx::Connection as _;
use uuid::Uuid;
use widget_api::{FieldError, ProblemCode};
use widget_core::{
    config::Config,
    finding::Code,
    id::{AgentId, AgentVersionId},
    origin::{AllowedOrigins, SuffixList},
};
use widget_http::{
    storage::{ConflictKind, DeleteAgentError, StoreError, WriteWidgetError},
    system::{Clock, RandomError},
    web::problem::{Problem, domains_invalid, status},
};

use crate::{
    database,
    support::{Answer, Service},
};

#[track_caller]
fn check(error: impl Into<Problem>, status: u16, code: &str) {
    let problem = error.into();
    let found = (problem.status().as_u16(), problem.code().as_str());
    assert_eq!(found, (status, code));
}

/// Which error becomes which answer: a change here is a change of the contract.
#[test]
fn errors_have_their_status_and_code() {
    let conflict = |kind| StoreError::Conflict {
        cause: "x".to_owned(),
        kind,
    };
    let corrupt = || StoreError::Corrupt {
        table: "t",
        row: "r".to_owned(),
        column: "c",
        cause: "c".to_owned(),
    };
    check(conflict(ConflictKind::Unique), 409, "conflict");
    check(conflict(ConflictKind::ForeignKey), 409, "conflict");
    check(conflict(ConflictKind::Other), 409, "conflict");
    check(corrupt(), 409, "record_unreadable");
    check(
        StoreError::Unavailable("x".into()),
        503,
        "storage_unavailable",
    );
    check(StoreError::Damaged("x".into()), 503, "storage_unavailable");
    check(StoreError::Busy("x".into()), 503, "storage_busy");
    check(StoreError::ReadOnly("x".into()), 503, "storage_read_only");
    check(StoreError::Query("x".into()), 500, "internal_error");
    check(RandomError("x".to_owned()), 500, "internal_error");
    check(DeleteAgentError::InUse, 409, "agent_in_use");
    check(DeleteAgentError::Store(corrupt()), 409, "record_unreadable");
    let agent = AgentId::from_uuid(Uuid::from_u128(1));
    let version = AgentVersionId::from_uuid(Uuid::from_u128(2));
    check(
        WriteWidgetError::Dangling {
            agent: Some(agent),
            version: Some(version),
        },
        422,
        "agent_not_found",
    );
    check(
        WriteWidgetError::Dangling {
            agent: Some(agent),
            version: None,
        },
        422,
        "agent_not_found",
    );
    check(
        WriteWidgetError::Dangling {
            agent: None,
            version: Some(version),
        },
        422,
        "agent_version_not_found",
    );
    check(WriteWidgetError::Stale, 409, "conflict");
    check(WriteWidgetError::KeyReused, 422, "idempotency_key_reused");
    check(WriteWidgetError::Store(corrupt()), 409, "record_unreadable");
    let suffixes = SuffixList::builtin();
    check(
        domains_invalid(
            AllowedOrigins::parse(&["a@b"], suffixes).expect_err("user info is refused"),
        ),
        422,
        "domains_invalid",
    );
    let config = |text: &str| Config::parse(text).expect_err("each of these is refused");
    check(
        config(&format!(r#"{{"x":"{}"}}"#, "a".repeat(70_000))),
        413,
        "config_too_large",
    );
    check(
        config(&format!("{}1{}", r#"{"v1":"#.repeat(20), "}".repeat(20))),
        422,
        "config_too_deep",
    );
    check(
        config(r#"{"theme":"dark","titel":1}"#),
        422,
        "config_unversioned",
    );
    check(config(r#"{"v9":{}}"#), 422, "config_too_new");
    check(config(r#"{"v1":{"theme":1}}"#), 422, "config_invalid");
}

/// The status of every code: a change here is a change of the contract.
#[test]
fn codes_have_their_status() {
    let table: Vec<String> = ProblemCode::ALL
        .iter()
        .map(|code| format!("{} {code}", status(*code).as_u16()))
        .collect();
    expect![[r"
        409 agent_directory_configured
        409 agent_in_use
        422 agent_not_found
        422 agent_version_not_found
        503 answer_timeout
        401 api_key_invalid
        401 api_key_required
        409 api_keys_full
        422 body_invalid
        408 body_timeout
        413 body_too_large
        400 body_unreadable
        404 brand_not_found
        429 budget_used_up
        422 config_invalid
        422 config_too_deep
        413 config_too_large
        422 config_too_new
        422 config_unversioned
        409 conflict
        415 content_type
        409 conversation_active
        409 conversation_ended
        410 conversation_erased
        409 conversation_resumed_elsewhere
        401 conversation_token_invalid
        401 conversation_token_required
        422 custom_metadata_too_large
        422 domain_invalid
        422 domains_invalid
        503 embed_not_built
        422 event_id_invalid
        503 event_streams_exhausted
        429 event_streams_full
        409 feedback_already_submitted
        409 feedback_closed
        409 feedback_disabled
        403 fetch_metadata
        422 form_invalid
        422 form_not_expected
        404 form_not_found
        431 head_too_large
        400 idempotency_key_invalid
        422 idempotency_key_reused
        403 insufficient_scope
        500 internal_error
        400 json_invalid
        503 livekit_not_configured
        405 method_not_allowed
        422 mode_disabled
        404 not_found
        403 origin_changed
        400 origin_malformed
        403 origin_not_own
        403 origin_opaque
        403 origin_required
        403 origin_scheme
        404 path_unknown
        412 precondition_failed
        409 previews_full
        422 query_invalid
        429 rate_limited
        409 record_unreadable
        409 registry_full
        422 retention_too_long
        422 selection_invalid
        503 storage_busy
        503 storage_full
        503 storage_read_only
        503 storage_unavailable
        401 ticket_expired
        401 ticket_invalid
        409 ticket_replayed
        401 ticket_required
        403 ticket_wrong_widget
        409 transcript_full
        429 voice_budget_used_up
        401 webhook_signature_invalid
        429 widget_busy
        403 widget_unavailable
    "]]
    .assert_eq(&(table.join("\n") + "\n"));
}

#[test]
fn only_the_first_faults_are_shown_and_all_are_counted() {
    let fault = |index: usize| FieldError::new(format!("/{index}"), Code::ValueInvalid, "y");
    let body = |count| {
        let problem =
            Problem::new(ProblemCode::BodyInvalid, "x").with_errors((0..count).map(fault));
        serde_json::from_slice::<widget_api::Problem>(&problem.body("r1")).expect("a problem")
    };
    assert_eq!(
        (body(100).errors.len(), body(100).errors_total),
        (100, None)
    );
    assert_eq!(
        (body(101).errors.len(), body(101).errors_total),
        (100, Some(101))
    );
}

#[test]
fn an_internal_error_does_not_reveal_its_cause() {
    let problem = Problem::internal("the secret is `hunter2`");
    let body = String::from_utf8(problem.body("r1")).expect("JSON is UTF-8");
    assert_eq!(
        body,
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"the service failed; report the request id to its operator","code":"internal_error","request_id":"r1"}"#
    );
    assert!(
        problem
            .into_response()
            .extensions()
            .get::<Problem>()
            .is_some_and(|problem| problem.cause().is_some())
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let service = Service::start().await;
    service.get("/").await.problem(404, "path_unknown");
    service
        .get("/core/web-widgets/a/b/c")
        .await
        .problem(404, "path_unknown");
    let answer = service.call("PATCH", "/core/web-widgets", None, &[]).await;
    answer.problem(405, "method_not_allowed");
    let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    for path in [
        "/core/web-widgets/nonsense",
        "/core/web-widgets/%FF",
        "/core/agents/0",
        "/core/conversations/x",
    ] {
        service.get(path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn bodies_that_are_not_the_json_asked_for_are_problems() {
    let service = Service::start().await;
    for text in [
        "",
        "{",
        "{\"name\":}",
        "{\"name\":\"a\"}x",
        "\u{0}",
        "{\"name\":\"\\ud800\"}",
        "NaN",
    ] {
        let answer = service.call("POST", "/core/agents", Some(text), &[]).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{text:?}: {}",
            answer.text
        );
        answer.problem(400, "json_invalid");
    }
    for text in [
        "[]",
        "null",
        "7",
        "\"name\"",
        "{\"name\":null}",
        "{\"name\":{}}",
    ] {
        service
            .call("POST", "/core/agents", Some(text), &[])
            .await
            .problem(422, "body_invalid");
    }
    service
        .call(
            "POST",
            "/core/agents",
            Some(r#"{"name":"a","name":"b"}"#),
            &[],
        )
        .await
        .problem_at(422, "body_invalid", "/name", "key_duplicate");
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        let headers = [("content-type", media_type)];
        service
            .call("POST", "/core/agents", Some(r#"{"name":"a"}"#), &headers)
            .await
            .problem(415, "content_type");
    }
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        let headers = [("content-type", media_type)];
        service
            .call("POST", "/core/agents", Some(r#"{"name":"a"}"#), &headers)
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let service = Service::start().await;
    let own = service.get("/healthz").await;
    assert_eq!(own.expect(200).header("x-request-id").len(), 32);
    let given = service
        .call("GET", "/healthz", None, &[("x-request-id", "trace-1.a_B")])
        .await;
    assert_eq!(given.header("x-request-id"), "trace-1.a_B");
    for strange in ["", "a b", "a\"b", &"x".repeat(65)] {
        let answer = service
            .call("GET", "/nowhere", None, &[("x-request-id", strange)])
            .await;
        assert_ne!(answer.header("x-request-id"), strange);
    }
    service.get("/readyz").await.expect(200);
}

/// A clock that panics, to see how a panic is answered.
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> time::OffsetDateTime {
        panic!("the secret spring broke")
    }
}

/// Answers that no handler makes are readable where those of the handler are, so that the loader
/// can say what happened.
#[tokio::test]
async fn a_page_can_read_every_answer_of_what_is_for_pages() {
    let service = Service::start().await;
    let router = service.router_with(|parts| parts.clock = std::sync::Arc::new(BrokenClock));
    let readable: Vec<_> = widget_http::operations()
        .into_iter()
        .filter(|operation| operation.is_readable_by_pages)
        .collect();
    assert_eq!(readable.len(), 2, "the launcher's config, and tickets");
    let ask = async |method: &str, path: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("origin", "https://shop.example")
            .header("content-type", "application/json")
            .header("x-request-id", "r1");
        let request = request
            .body(axum::body::Body::from("{}"))
            .expect("a valid request");
        let Ok(response) = tower::ServiceExt::oneshot(router.clone(), request).await;
        Answer::of(response).await
    };
    for operation in readable {
        let path = operation
            .path
            .replace("{id}", "0197a3c0-0000-7000-8000-00000000ffff");
        for (method, status, code) in [
            (operation.method.as_str(), 500, "internal_error"),
            ("TRACE", 405, "method_not_allowed"),
        ] {
            let answer = ask(method, &path).await;
            answer.problem(status, code);
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, "https://shop.example", "{method} {path}");
            assert_eq!(answer.header("vary"), "Origin, Sec-Fetch-Site");
        }
    }
    let other = ask("GET", "/core/agents").await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_that_reveals_nothing() {
    let service = Service::start().await;
    let router = service.router_with(|parts| parts.clock = std::sync::Arc::new(BrokenClock));
    let request = http::Request::builder()
        .uri("/core/agents")
        .header("x-request-id", "r1")
        .header("authorization", format!("Bearer {}", service.key()));
    let request = request
        .body(axum::body::Body::empty())
        .expect("a valid request");
    let Ok(response) = tower::ServiceExt::oneshot(router, request).await;
    let answer = Answer::of(response).await;
    answer.problem(500, "internal_error");
    assert!(!answer.text.contains("spring"), "{}", answer.text);
}

#[tokio::test]
async fn a_database_that_somebody_else_holds_is_a_clear_503() {
    let service = Service::start().await;
    let mut holder = database::Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    sqlx::raw_sql(database::HOLD_AGENTS)
        .execute(&mut holder)
        .await
        .expect("nobody else writes");
    let body = serde_json::json!({"name": "a"});
    // One waits for the other process, the others for a connection of this one.
    let (first, second, third) = tokio::join!(
        service.post("/core/agents", &body),
        service.post("/core/agents", &body),
        service.post("/core/agents", &body)
    );
    for answer in [first, second, third] {
        answer.problem(503, database::HELD);
        assert_eq!(answer.header("retry-after"), "1");
    }
    service.get("/readyz").await.expect(200);
    // Readers continue, and so does everything once it is released.
    service.get("/core/agents").await.expect(200);
    sqlx::query("ROLLBACK")
        .execute(&mut holder)
        .await
        .expect("it was begun");
    service
        .post("/core/agents", &serde_json::json!({"name": "a"}))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_path_that_is_not_utf_8_is_a_problem() {
    let service = Service::start().await;
    for (method, path) in [
        ("GET", "/public/embed/any/%ff"),
        ("GET", "/public/embed/%ff/x.js"),
        ("GET", "/public/assets/%ff/x.js"),
        ("GET", "/public/assets/any/%ff"),
        ("GET", "/core/agents/%ff"),
        ("POST", "/core/agents/%ff/versions/1/publish"),
        ("POST", "/core/agents/1/versions/%ff/publish"),
        ("POST", "/core/web-widgets/%ff/revisions/1/restore"),
        ("POST", "/core/web-widgets/1/revisions/%ff/restore"),
    ] {
        let answer = service.call(method, path, None, &[]).await;
        answer.problem(404, "not_found");
    }
}
