//! A service without a socket: frozen clock, counted randomness, a database of its own.

use std::sync::{
    Arc, LazyLock, Mutex,
    atomic::{AtomicU64, Ordering},
};

use axum::{Router, body::Body, response::Response};
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::Connection as _;
use time::{Duration, OffsetDateTime, macros::datetime};
use tower::ServiceExt;
use widget_api::Scope;
use widget_core::origin::SuffixList;
use widget_http::{
    settings::Settings,
    state::{AppState, Dependencies},
    storage::{self, ApiKey, Storage},
    system::{Clock, RandomError, RandomSource},
    web::{api::Operation, auth::ApiKeySecret},
};

use crate::database::{Connection, Database};

/// The moment at which every test begins.
pub(crate) const START: OffsetDateTime = datetime!(2026-01-31 09:30:00 UTC);

/// A clock that stands still until a test advances it.
#[derive(Debug)]
pub(crate) struct FrozenClock(Mutex<OffsetDateTime>);

impl FrozenClock {
    pub(crate) fn advance(&self, duration: Duration) {
        *self.0.lock().expect("no test panics while holding it") += duration;
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().expect("no test panics while holding it")
    }
}

/// Bytes that count upwards: different each time, the same in each run.
#[derive(Debug, Default)]
pub(crate) struct CountedRandom(AtomicU64);

impl RandomSource for CountedRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.fill(0);
        for (byte, digit) in bytes.iter_mut().rev().zip(count.iter().rev()) {
            *byte = *digit;
        }
        Ok(())
    }
}

/// A service to send requests to.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) state: AppState,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<FrozenClock>,
    random: Arc<CountedRandom>,
    key: String,
    // The last one: it is removed when nobody is connected anymore.
    database: Option<Arc<Database>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("the body is in memory");
        let text = String::from_utf8(bytes.to_vec()).expect("every answer of these routes is text");
        Self {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    /// The body as JSON, if the status is the one expected.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        self.expect(status);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(
            self.status.as_u16(),
            status,
            "unexpected status with the body {}",
            self.text
        );
        self
    }

    /// Checks that this is a problem of that status and code; returns its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.json(status);
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(body["code"], code, "{}", self.text);
        assert_eq!(body["status"], status);
        assert_eq!(
            body["request_id"],
            self.headers["x-request-id"]
                .to_str()
                .expect("an id is ASCII")
        );
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
        body
    }

    /// The same, with a fault of that code at that place.
    #[track_caller]
    pub(crate) fn problem_at(&self, status: u16, code: &str, pointer: &str, fault: &str) -> Value {
        let body = self.problem(status, code);
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        assert!(
            errors
                .iter()
                .any(|error| error["pointer"] == pointer && error["code"] == fault),
            "no `{fault}` at `{pointer}` in {}",
            self.text
        );
        body
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers))
            .to_str()
            .expect("headers of these routes are ASCII")
    }
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A service whose settings differ from the defaults.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let database = Arc::new(Database::create());
        let mut service = Self::start_at(database.url(), change).await;
        service.database = Some(database);
        service
    }

    /// A service on the database at `url`, which is empty.
    pub(crate) async fn start_at(url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new("https://widgets.example".parse().expect("a valid URL"));
        change(&mut settings);
        let clock = Arc::new(FrozenClock(Mutex::new(START)));
        let mut service = Self::join(url, settings, clock, Arc::default()).await;
        service
            .storage
            .migrate()
            .await
            .expect("the migrations fit an empty database");
        service.key = service.new_key("acme", Scope::ALL).await;
        service
    }

    /// A service whose clock and randomness others may use, too.
    async fn join(
        url: &str,
        settings: Settings,
        clock: Arc<FrozenClock>,
        random: Arc<CountedRandom>,
    ) -> Self {
        let storage = storage::open(url, SuffixList::builtin().clone())
            .await
            .expect("the database can be opened");
        let state = AppState::new(Dependencies {
            storage: Arc::clone(&storage),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::clone(&random) as Arc<dyn RandomSource>,
            suffixes: SuffixList::builtin().clone(),
            settings,
        });
        Self {
            router: widget_http::router(state.clone()),
            state,
            storage,
            clock,
            random,
            key: String::new(),
            database: None,
        }
    }

    /// Another service on the same database, with connections and caches of its own: all that the
    /// two share is the time, and randomness that never repeats.
    pub(crate) async fn another_node(&self) -> Self {
        self.another_node_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn another_node_with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        let mut settings = self.state.settings.clone();
        change(&mut settings);
        let mut node = Self::join(self.database().url(), settings, clock, random).await;
        node.key.clone_from(&self.key);
        node.database.clone_from(&self.database);
        node
    }

    /// The same service with some of its parts replaced.
    pub(crate) fn router_with(&self, change: impl FnOnce(&mut Dependencies)) -> Router {
        let mut dependencies = Dependencies {
            storage: Arc::clone(&self.storage),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as Arc<dyn RandomSource>,
            suffixes: self.state.suffixes.clone(),
            settings: self.state.settings.clone(),
        };
        change(&mut dependencies);
        widget_http::router(AppState::new(dependencies))
    }

    /// Starts it again on the same database, with another public suffix list.
    pub(crate) async fn restart_with_suffixes(&mut self, suffixes: SuffixList) {
        self.storage = storage::open(self.database().url(), suffixes.clone())
            .await
            .expect("the database can be opened again");
        self.state = AppState::new(Dependencies {
            storage: Arc::clone(&self.storage),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as Arc<dyn RandomSource>,
            suffixes,
            settings: self.state.settings.clone(),
        });
        self.router = widget_http::router(self.state.clone());
    }

    pub(crate) fn database(&self) -> &Database {
        let database = self.database.as_deref();
        database.expect("the service was started on one of its own")
    }

    /// A key that may do everything.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// A key of the organization, as its holder has it.
    pub(crate) async fn new_key(&self, organization: &str, scopes: &[Scope]) -> String {
        self.new_key_until(organization, scopes, None).await
    }

    pub(crate) async fn new_key_until(
        &self,
        organization: &str,
        scopes: &[Scope],
        expires_at: Option<OffsetDateTime>,
    ) -> String {
        let credential =
            ApiKeySecret::generate(self.random.as_ref()).expect("counting never fails");
        let key = ApiKey {
            id: credential.id().to_owned(),
            organization_id: organization.parse().expect("a valid organization"),
            name: "test".to_owned(),
            scopes: scopes.iter().copied().collect(),
            secret_hash: credential.secret_hash(),
            created_at: START,
            expires_at,
            revoked_at: None,
            created_by: None,
            last_used_on: None,
        };
        self.storage
            .insert_api_key(&key)
            .await
            .expect("the key is new");
        credential.reveal()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let Ok(response) = self.router.clone().oneshot(request).await;
        let answer = Answer::of(response).await;
        assert_described(&method, &path, &answer);
        answer
    }

    /// A request with a key, a body and more headers.
    pub(crate) async fn call_with(
        &self,
        key: Option<&str>,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).expect("a method"))
            .uri(path);
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |text| Body::from(text.to_owned()));
        self.send(request.body(body).expect("a valid request"))
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call_with(Some(&self.key), "GET", path, None, &[])
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call_with(Some(&self.key), "POST", path, Some(&body.to_string()), &[])
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call_with(Some(&self.key), "PUT", path, Some(&body.to_string()), &[])
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call_with(Some(&self.key), "DELETE", path, None, &[])
            .await
    }

    /// A request with this service's own key and more headers.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.call_with(Some(&self.key), method, path, body, headers)
            .await
    }

    /// Ids of a new agent and of its version, published if asked.
    pub(crate) async fn agent(&self, published: bool) -> (String, String) {
        let agent = self
            .post("/core/agents", &json!({"name": "Concierge"}))
            .await
            .json(201);
        let agent = id(&agent);
        let versions = format!("/core/agents/{agent}/versions");
        let version = self
            .post(&versions, &json!({"livekit_agent_name": "concierge"}))
            .await
            .json(201);
        let version = id(&version);
        if published {
            self.post(&format!("{versions}/{version}/publish"), &json!({}))
                .await
                .json(200);
        }
        if let Some(database) = &self.database {
            worker_was_seen(database.url()).await;
        }
        (agent, version)
    }

    /// A published widget for `https://shop.example`, with `more` laid over it.
    pub(crate) async fn widget(&self, more: Value) -> Value {
        let (agent, version) = self.agent(true).await;
        let mut body = json!({
            "agent_id": agent,
            "agent_version_id": version,
            "domains": ["https://shop.example"],
            "published": true,
        });
        let Value::Object(more) = more else {
            panic!("lay an object over it")
        };
        body.as_object_mut().expect("made as one").extend(more);
        self.post("/core/web-widgets", &body).await.json(201)
    }
}

/// Checks that the operation of a request names the status and the code of its answer.
#[track_caller]
fn assert_described(method: &Method, path: &str, answer: &Answer) {
    static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(widget_http::operations);
    let matches = |pattern: &str| {
        let (mut names, mut parts) = (pattern.split('/'), path.split('/'));
        let all = names
            .by_ref()
            .zip(parts.by_ref())
            .all(|(name, part)| name == part || (name.starts_with('{') && !part.is_empty()));
        all && pattern.split('/').count() == path.split('/').count()
    };
    let Some(operation) = OPERATIONS
        .iter()
        .find(|operation| operation.method.as_str() == method.as_str() && matches(operation.path))
    else {
        return;
    };
    let status = answer.status.as_u16();
    let code = serde_json::from_str::<widget_api::Problem>(&answer.text).map(|body| body.code);
    let is_described = match code {
        Ok(code) => operation.all_problems().iter().any(|known| code == *known),
        Err(_) => operation
            .answers
            .iter()
            .any(|answer| answer.status == status),
    };
    assert!(
        is_described,
        "{} does not describe {status} {}",
        operation.id, answer.text
    );
}

/// Makes the worker of these tests one that has joined a room before.
async fn worker_was_seen(url: &str) {
    let mut connection = Connection::connect(url).await.expect("it can be opened");
    sqlx::raw_sql(
        "INSERT INTO agent_workers (organization_id, livekit_agent_name, seen_at)
         VALUES ('acme', 'concierge', 9000000000000000) ON CONFLICT DO NOTHING",
    )
    .execute(&mut connection)
    .await
    .expect("it has the table");
    connection.close().await.expect("it can be closed");
}

/// The `id` of a body.
#[track_caller]
pub(crate) fn id(body: &Value) -> String {
    body["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id in {body}"))
        .to_owned()
}

/// The widgets of a list without what it says beside their records.
#[track_caller]
pub(crate) fn records(list: &Value) -> Value {
    let only_record = |item: &Value| {
        let mut record = item.as_object().expect("an object").clone();
        for key in [
            "title",
            "state",
            "blockers",
            "agent_name",
            "agent_version_number",
            "agent_version_label",
            "revision",
        ] {
            record.remove(key);
        }
        Value::Object(record)
    };
    let items = list.as_array().expect("a list");
    items.iter().map(only_record).collect()
}

/// The lines that the present thread logs while this value is there.
pub(crate) struct LogLines {
    text: Arc<Mutex<Vec<u8>>>,
    _subscriber: tracing::subscriber::DefaultGuard,
    /// With only one subscriber in the process, a line that another thread is the first to reach
    /// would be off for all.
    _second: tracing::Dispatch,
}

impl LogLines {
    pub(crate) fn capture() -> Self {
        Self::capture_up_to(tracing::Level::INFO)
    }

    /// The same, with lines of every level.
    pub(crate) fn capture_all() -> Self {
        Self::capture_up_to(tracing::Level::TRACE)
    }

    fn capture_up_to(level: tracing::Level) -> Self {
        let text: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer = Arc::clone(&text);
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(level)
            .with_writer(move || LogWriter(Arc::clone(&writer)))
            .finish();
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        Self {
            text,
            _subscriber: tracing::subscriber::set_default(subscriber),
            _second: second,
        }
    }

    /// Those that contain `part`.
    pub(crate) fn with(&self, part: &str) -> Vec<String> {
        let text = self.text.lock().expect("no test panics while holding it");
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}

struct LogWriter(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut text = self.0.lock().expect("no test panics while holding it");
        text.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
