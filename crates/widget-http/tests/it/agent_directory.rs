//! Versions of agents that another service keeps.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use http::{StatusCode, header};
use serde_json::{Value, json};
use time::Duration;
use tokio::{net::TcpListener, sync::Semaphore};
use widget_http::{
    settings::{AgentDirectorySettings, Settings},
    storage::SweepPosition,
};

use super::metrics::{scrape, value};
use super::visitor::support::{SHOP, Visitor, with_livekit};
use crate::support::{Answer, Service, id};

const AGENT: &str = "0197a3c0-0000-7000-8000-00000000000a";
const VERSION: &str = "0197a3c0-0000-7000-8000-00000000000b";

#[derive(Debug, Clone)]
enum Mode {
    Body(u16, String),
    Redirect,
    Silent,
    Gate(Arc<Semaphore>),
}

#[derive(Debug)]
struct Shared {
    mode: Mutex<Mode>,
    /// Path and credential of each request.
    asked: Mutex<Vec<(String, String)>>,
}

/// A directory that answers as a test says.
struct Directory {
    url: String,
    shared: Arc<Shared>,
}

fn version(status: &str) -> Mode {
    let body = json!({"status": status, "livekit_agent_name": "porter", "label": "7", "later": 1});
    Mode::Body(200, body.to_string())
}

impl Directory {
    async fn start() -> Self {
        let shared = Arc::new(Shared {
            mode: Mutex::new(version("published")),
            asked: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/api"),
            shared,
        }
    }

    fn set(&self, mode: Mode) {
        *self.shared.mode.lock().expect("nobody panics with it") = mode;
    }

    /// How often it was asked since the last call.
    fn questions(&self) -> usize {
        let mut asked = self.shared.asked.lock().expect("nobody panics with it");
        std::mem::take(&mut *asked).len()
    }

    fn settings(&self, settings: &mut Settings) {
        with_livekit(settings);
        settings.agent_directory = Some(AgentDirectorySettings {
            url: self.url.parse().expect("a URL"),
            token: "token-of-the-directory".into(),
        });
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let token = request.headers().get(header::AUTHORIZATION);
    let token = token
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asked = (request.uri().path().to_owned(), token.to_owned());
    shared
        .asked
        .lock()
        .expect("nobody panics with it")
        .push(asked);
    let mode = shared.mode.lock().expect("nobody panics with it").clone();
    match mode {
        Mode::Body(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
        // It would answer there.
        Mode::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Mode::Silent => pending().await,
        Mode::Gate(gate) => {
            drop(gate.acquire().await);
            let Mode::Body(_, body) = version("published") else {
                return StatusCode::NOT_FOUND.into_response();
            };
            body.into_response()
        }
    }
}

/// A widget with ids that only the directory can know.
async fn create(service: &Service, published: bool) -> Value {
    let body = json!({
        "agent_id": AGENT, "agent_version_id": VERSION, "domains": [SHOP], "published": published,
    });
    service.post("/core/web-widgets", &body).await.json(201)
}

async fn launcher(service: &Service, widget: &Value) -> Answer {
    let path = format!("/core/public/web-widgets/{}", id(widget));
    service
        .call_with(None, "GET", &path, None, &[("origin", SHOP)])
        .await
}

#[track_caller]
fn codes(findings: &Value) -> Vec<&str> {
    let findings = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    let codes = findings
        .iter()
        .filter_map(|finding| finding["code"].as_str());
    // No worker runs in these tests.
    codes
        .filter(|code| *code != "agent_worker_missing")
        .collect()
}

/// The codes of the blockers, and who said so.
async fn blockers(service: &Service, widget: &Value) -> Vec<String> {
    let path = format!("/core/web-widgets/{}/go-live", id(widget));
    let report = service.get(&path).await.json(200);
    assert_eq!(report["version_source"], "agent_directory");
    codes(&report["blockers"])
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Which widgets are blocked is what the directory says when the list is asked for.
#[tokio::test]
async fn a_list_of_blocked_widgets_asks_the_directory() {
    let directory = Directory::start().await;
    let service = Service::start_with(|settings| directory.settings(settings)).await;
    let widget = create(&service, true).await;
    create(&service, false).await;
    let found = async |query: &str| {
        let list = service.get(&format!("/core/web-widgets?{query}")).await;
        let list = list.json(200);
        let items = list.as_array().expect("a list").iter();
        let items = items.map(|item| (id(item), codes(&item["blockers"]).join(" ")));
        items.collect::<Vec<_>>()
    };
    assert_eq!(found("blocked=true").await, []);
    for (mode, code) in [
        (version("draft"), "agent_version_draft"),
        (Mode::Body(404, "{}".to_owned()), "agent_version_not_found"),
        (
            Mode::Body(500, "{}".to_owned()),
            "agent_directory_unavailable",
        ),
    ] {
        directory.set(mode);
        // Longer than an answer holds while the directory does not answer.
        service.clock.advance(Duration::minutes(11));
        assert_eq!(
            found("blocked=true").await,
            [(id(&widget), code.to_owned())]
        );
        assert_eq!(found("blocked=false&published=true").await, []);
    }
    directory.set(version("published"));
    service.clock.advance(Duration::minutes(11));
    assert_eq!(found("blocked=true").await, []);
    assert_eq!(
        found("published=true").await,
        [(id(&widget), String::new())]
    );
}

#[tokio::test]
async fn the_directory_says_which_versions_are_published() {
    let directory = Directory::start().await;
    let service = Service::start_with(|settings| directory.settings(settings)).await;
    let widget = create(&service, true).await;
    assert_eq!(codes(&widget["warnings"]), [""; 0]);
    assert_eq!(
        *directory
            .shared
            .asked
            .lock()
            .expect("nobody panics with it"),
        [(
            format!("/api/agents/{AGENT}/versions/{VERSION}"),
            "Bearer token-of-the-directory".to_owned()
        )]
    );
    assert_eq!(blockers(&service, &widget).await, [""; 0]);
    launcher(&service, &widget).await.expect(200);
    let visitor = Visitor {
        service: &service,
        widget: widget.clone(),
    };
    let started = visitor.start().await;
    let path = format!("/core/conversations/{}", started.id);
    assert_eq!(
        service.get(&path).await.json(200)["agent_version_id"],
        VERSION
    );
    let explain = format!("/core/web-widgets/{}/explain?origin={SHOP}", id(&widget));
    let explained = service.get(&explain).await.json(200);
    assert_eq!(explained["verdict"], "shown");
    assert!(
        explained
            .to_string()
            .contains("the agent directory has the pinned version")
    );
    // All that needed one question.
    assert_eq!(directory.questions(), 1);

    for (mode, expected) in [
        (version("draft"), "agent_version_draft"),
        (Mode::Body(404, "{}".to_owned()), "agent_version_not_found"),
    ] {
        directory.set(mode);
        launcher(&service, &widget).await.expect(200);
        service.clock.advance(Duration::seconds(30));
        launcher(&service, &widget)
            .await
            .problem(403, "widget_unavailable");
        assert_eq!(blockers(&service, &widget).await, [expected]);
        let written = create(&service, true).await;
        assert_eq!(codes(&written["warnings"]), [expected]);
        assert_eq!(directory.questions(), 1);
        directory.set(version("published"));
        service.clock.advance(Duration::seconds(30));
        launcher(&service, &widget).await.expect(200);
        assert_eq!(directory.questions(), 1);
    }
    // A room of an open conversation is not closed by a change of something else.
    let path = format!("/core/web-widgets/{}", id(&widget));
    let change = json!({"config": {"v1": {"theme": "dark"}}});
    service.put(&path, &change).await.expect(200);
    let due = service
        .storage
        .find_rooms_to_remove(service.state.now(), &SweepPosition::default(), 9)
        .await;
    assert!(due.expect("storage works").is_empty());
}

#[tokio::test]
async fn while_the_directory_is_away_what_is_live_stays_and_nothing_new_goes_live() {
    for mode in [
        Mode::Body(500, String::new()),
        Mode::Body(401, "{}".to_owned()),
        Mode::Body(200, "garbage".to_owned()),
        Mode::Body(
            200,
            json!({"status": "retired", "livekit_agent_name": "a"}).to_string(),
        ),
        Mode::Body(
            200,
            json!({"status": "published", "livekit_agent_name": " "}).to_string(),
        ),
        Mode::Body(200, json!({"status": "published"}).to_string()),
        Mode::Body(200, format!("{{\"x\": \"{}\"}}", "x".repeat(1 << 20))),
        Mode::Redirect,
        Mode::Silent,
    ] {
        let what = format!("{mode:.60?}");
        let directory = Directory::start().await;
        let service = Service::start_with(|settings| directory.settings(settings)).await;
        let live = create(&service, true).await;
        let waiting = create(&service, false).await;
        launcher(&service, &live).await.expect(200);
        directory.set(mode);
        service.clock.advance(Duration::seconds(31));
        launcher(&service, &live).await.expect(200);
        // A change of something else leaves it live.
        let path = |widget: &Value| format!("/core/web-widgets/{}", id(widget));
        let change = json!({"config": {"v1": {"theme": "dark"}}});
        let changed = service.put(&path(&live), &change).await.json(200);
        assert_eq!(codes(&changed["warnings"]), [""; 0], "{what}");
        launcher(&service, &live).await.expect(200);

        let unknown = "agent_directory_unavailable";
        let published = service
            .put(&path(&waiting), &json!({"published": true}))
            .await;
        assert_eq!(codes(&published.json(200)["warnings"]), [unknown], "{what}");
        launcher(&service, &waiting)
            .await
            .problem(403, "widget_unavailable");
        let new = create(&service, true).await;
        assert_eq!(codes(&new["warnings"]), [unknown], "{what}");
        assert_eq!(blockers(&service, &new).await, [unknown], "{what}");
        // Within five seconds it is not asked again.
        assert_eq!(directory.questions(), 2, "{what}");
        // A node that has no answer has nothing to hold.
        let other = service.another_node().await;
        launcher(&other, &live)
            .await
            .problem(403, "widget_unavailable");

        service.clock.advance(Duration::minutes(9));
        launcher(&service, &live).await.expect(200);
        service.clock.advance(Duration::minutes(1));
        launcher(&service, &live)
            .await
            .problem(403, "widget_unavailable");
        directory.set(version("published"));
        service.clock.advance(Duration::seconds(5));
        for node in [&service, &other] {
            for widget in [&live, &waiting, &new] {
                launcher(node, widget).await.expect(200);
            }
        }
    }
}

#[tokio::test]
async fn of_many_at_once_one_asks() {
    let directory = Directory::start().await;
    let service = Service::start_with(|settings| directory.settings(settings)).await;
    let widget = create(&service, false).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    service
        .put(&path, &json!({"published": true}))
        .await
        .expect(200);
    service.clock.advance(Duration::seconds(30));
    directory.questions();
    let gate = Arc::new(Semaphore::new(0));
    directory.set(Mode::Gate(Arc::clone(&gate)));
    let requests = join_all((0..20).map(|_| launcher(&service, &widget)));
    let open = async {
        while directory
            .shared
            .asked
            .lock()
            .expect("nobody panics with it")
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
    };
    let (answers, ()) = tokio::join!(requests, open);
    for answer in answers {
        answer.expect(200);
    }
    assert_eq!(directory.questions(), 1);
    // Ids that nobody knows are remembered, too.
    directory.set(Mode::Body(404, String::new()));
    service.clock.advance(Duration::seconds(30));
    for _ in 0..5 {
        launcher(&service, &widget)
            .await
            .problem(403, "widget_unavailable");
    }
    assert_eq!(directory.questions(), 1);
    // For a page that is not listed nobody asks.
    service.clock.advance(Duration::seconds(30));
    let path = format!("/core/public/web-widgets/{}", id(&widget));
    let answer = service.call_with(
        None,
        "GET",
        &path,
        None,
        &[("origin", "https://evil.example")],
    );
    answer.await.problem(403, "widget_unavailable");
    assert_eq!(directory.questions(), 0);
}

#[tokio::test]
async fn the_registry_does_not_change_where_there_is_a_directory() {
    let registry = Service::start().await;
    let (agent, version) = registry.agent(false).await;
    let directory = Directory::start().await;
    let service = registry
        .another_node_with(|settings| directory.settings(settings))
        .await;
    let code = "agent_directory_configured";
    let path = format!("/core/agents/{agent}");
    let versions = format!("{path}/versions");
    service
        .post("/core/agents", &json!({"name": "a"}))
        .await
        .problem(409, code);
    service.delete(&path).await.problem(409, code);
    service
        .post(&versions, &json!({"livekit_agent_name": "a"}))
        .await
        .problem(409, code);
    let publish = format!("{versions}/{version}/publish");
    service
        .call("POST", &publish, None, &[])
        .await
        .problem(409, code);
    for path in ["/core/agents", &path, &versions] {
        let (here, there) = (service.get(path).await, registry.get(path).await);
        assert_eq!(here.json(200), there.json(200));
    }
    // A node without a directory still checks the ids.
    let body = json!({"agent_id": AGENT, "agent_version_id": VERSION});
    registry
        .post("/core/web-widgets", &body)
        .await
        .problem(422, "agent_not_found");
}

#[tokio::test]
async fn questions_are_counted_by_how_they_are_answered() {
    let directory = Directory::start().await;
    let service = Service::start_with(|settings| directory.settings(settings)).await;
    let widget = create(&service, false).await;
    let counted = async |outcome: &str| {
        let text = scrape(&service).await;
        let name = "widget_agent_directory_question";
        let of = value(&text, &format!(r#"{name}s_total{{outcome="{outcome}"}}"#));
        (of, value(&text, &format!("{name}_duration_seconds_count")))
    };
    for (mode, outcome) in [
        (version("draft"), "version"),
        (Mode::Body(404, String::new()), "unknown"),
        (Mode::Body(500, String::new()), "failed"),
    ] {
        directory.set(mode);
        service.clock.advance(Duration::minutes(1));
        directory.questions();
        let before = counted(outcome).await;
        blockers(&service, &widget).await;
        blockers(&service, &widget).await;
        let after = counted(outcome).await;
        assert_eq!(directory.questions(), 1, "{outcome}");
        assert_eq!(
            (after.0 - before.0, after.1 - before.1),
            (1.0, 1.0),
            "{outcome}"
        );
    }
}

/// Ids that nobody knows do not flood the directory.
#[tokio::test]
async fn at_most_32_questions_are_asked_at_once() {
    let directory = Directory::start().await;
    let service = Service::start_with(|settings| directory.settings(settings)).await;
    let gate = Arc::new(Semaphore::new(0));
    directory.set(Mode::Gate(Arc::clone(&gate)));
    let asked = || {
        let asked = directory.shared.asked.lock();
        asked.expect("nobody panics with it").len()
    };
    let creates = join_all((0..40).map(async |number| {
        let version = format!("0197a3c0-0000-7000-8000-{number:012}");
        let body = json!({"agent_id": AGENT, "agent_version_id": version, "published": true});
        service.post("/core/web-widgets", &body).await.expect(201);
    }));
    let open = async {
        let begin = std::time::Instant::now();
        while asked() < 32 {
            let limit = std::time::Duration::from_mins(1);
            assert!(begin.elapsed() < limit, "it asks less than it may");
            tokio::task::yield_now().await;
        }
        // Whoever waits gets the chance to ask, too.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        let at_once = asked();
        gate.add_permits(100);
        at_once
    };
    let (_, at_once) = tokio::join!(creates, open);
    assert_eq!(at_once, 32);
}
