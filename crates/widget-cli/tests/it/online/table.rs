//! Every command that asks a service, against every kind of service that does not do what it
//! should. The commands are those that clap knows, so that none is forgotten.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

use super::conversations;
use crate::{
    Folder,
    faults::{FaultServer, problem},
    outcome,
    service::{Service, block_on},
};

/// What a command does with a service.
enum Kind {
    /// It asks none.
    Offline,
    /// It asks one, with these arguments, in which [`Names`] are replaced.
    Reads(&'static [&'static str]),
    /// It changes something, with these arguments.
    Writes(&'static [&'static str]),
}

use Kind::{Offline, Reads, Writes};

/// Every command. Add a line for a new one.
const COMMANDS: &[(&str, Kind)] = &[
    ("agents", Reads(&["agents", "list"])),
    ("agents list", Reads(&["agents", "list"])),
    (
        "agents publish",
        Writes(&["agents", "publish", "AGENT", "3", "--yes"]),
    ),
    ("agents versions", Reads(&["agents", "versions", "AGENT"])),
    ("conversations", Reads(&["conversations", "list"])),
    (
        "conversations erase",
        Writes(&["conversations", "erase", "CONVERSATION", "--yes"]),
    ),
    (
        "conversations export",
        Reads(&["conversations", "export", "CONVERSATION", "--to", "a.jsonl"]),
    ),
    (
        "conversations follow",
        Reads(&["conversations", "follow", "CONVERSATION"]),
    ),
    (
        "conversations list",
        Reads(&["conversations", "list", "ID"]),
    ),
    (
        "conversations show",
        Reads(&["conversations", "show", "CONVERSATION"]),
    ),
    ("refusals", Reads(&["refusals", "ID"])),
    ("stats", Reads(&["stats", "ID"])),
    // Where it stops between two changes has tests of its own.
    ("apply", Reads(&["apply", "shops", "--yes"])),
    ("completions", Offline),
    (
        "create",
        Writes(&["create", "--agent", "agent of shop", "--yes"]),
    ),
    ("delete", Writes(&["delete", "ID", "--yes"])),
    ("diff", Reads(&["diff", "ID@1", "ID"])),
    // Pages that answer are for its own tests.
    (
        "doctor",
        Reads(&["doctor", "ID", "--page", "http://127.0.0.1:9/"]),
    ),
    ("domains", Reads(&["domains", "ID", "list"])),
    (
        "domains add",
        Writes(&["domains", "ID", "add", "b.example", "--yes"]),
    ),
    ("domains list", Reads(&["domains", "ID", "list"])),
    (
        "domains remove",
        Writes(&["domains", "ID", "remove", "https://shop.example", "--yes"]),
    ),
    ("edit", Writes(&["edit", "ID", "--yes"])),
    (
        "explain",
        Reads(&["explain", "ID", "--page", "https://shop.example"]),
    ),
    ("export", Reads(&["export", "widgets"])),
    ("history", Reads(&["history", "ID"])),
    ("lint", Reads(&["lint", "ID"])),
    ("list", Reads(&["list"])),
    ("login", Reads(&["login"])),
    // It writes on this machine only.
    ("logout", Offline),
    ("man", Offline),
    ("migrate", Offline),
    ("open", Reads(&["open", "ID", "--print"])),
    ("origins", Offline),
    ("origins normalize", Offline),
    ("origins test", Offline),
    ("pin", Writes(&["pin", "ID", "--newest", "--yes"])),
    ("plan", Reads(&["plan", "shops"])),
    ("preview", Reads(&["preview", "ID", "--list"])),
    ("profiles", Offline),
    ("publish", Writes(&["publish", "ID", "--yes"])),
    ("restore", Writes(&["restore", "ID@1", "--yes"])),
    ("schema", Offline),
    (
        "set",
        Writes(&["set", "ID", "/config/v1/chat/title=New", "--yes"]),
    ),
    ("show", Reads(&["show", "ID"])),
    ("snippet", Reads(&["snippet", "ID"])),
    ("undelete", Writes(&["undelete", "DELETED", "--yes"])),
    ("unpublish", Writes(&["unpublish", "PUBLISHED", "--yes"])),
    (
        "unset",
        Writes(&["unset", "ID", "/config/v1/chat/title", "--yes"]),
    ),
    ("validate", Reads(&["validate", "ID"])),
    ("whoami", Reads(&["whoami"])),
];

/// Every command of clap has its manual page.
#[test]
fn the_table_has_every_command() {
    let folder = Folder::new();
    let text = outcome(&mut folder.command(&["man", "--dir", "pages"]));
    assert!(text.starts_with("exit 0"), "{text}");
    let pages = std::fs::read_dir(folder.path().join("pages")).expect("pages");
    let commands: BTreeSet<String> = pages
        .filter_map(|page| {
            let name = page.expect("a file").file_name();
            let name = name.to_str()?.strip_suffix(".1")?.strip_prefix("widget-")?;
            Some(name.replace('-', " "))
        })
        .filter(|name| !name.split(' ').any(|word| word == "help"))
        .collect();
    let table: BTreeSet<String> = COMMANDS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(table, commands);
}

/// What the arguments name.
struct Names([(&'static str, String); 5]);

impl Names {
    /// One id for everything.
    fn unknown() -> Self {
        let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
        Self(["PUBLISHED", "DELETED", "AGENT", "CONVERSATION", "ID"].map(|name| (name, id.into())))
    }

    fn replace(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.0 {
            text = text.replace(name, id);
        }
        text
    }

    fn arguments(&self, kind: &Kind) -> Option<Vec<String>> {
        let (Reads(words) | Writes(words)) = kind else {
            return None;
        };
        Some(words.iter().map(|word| self.replace(word)).collect())
    }

    /// The editor changes the title, and so does the folder of widgets.
    fn folder(&self) -> Folder {
        let shop = self.replace("id: ID\nconfig: {v1: {chat: {title: Applied}}}\n");
        Folder::new()
            .with("editor.sh", "sed -i 's/title: .*/title: Edited/' \"$1\"")
            .with("shops/shop.yaml", shop)
    }
}

/// Runs all on a few threads.
fn run_all<T: Sync>(items: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run(item);
                }
            });
        }
    });
}

/// The command fails with exit code 2 and one sentence, and has no answer.
#[track_caller]
fn check_failure(fault: &str, arguments: &[String], text: &str) {
    let shown = format!("{fault}: {arguments:?}: {text}");
    assert!(text.starts_with("exit 2\n"), "{shown}");
    assert_eq!(text.matches("error: ").count(), 1, "{shown}");
    assert!(!text.contains("panicked"), "{shown}");
    let error = text.split("error: ").nth(1).unwrap_or_default();
    let sentence = error.split("\n\nhint: ").next().unwrap_or_default();
    assert_eq!(sentence.trim_end().lines().count(), 1, "{shown}");
}

/// A service that is silent is waited for as briefly as possible.
fn command(
    folder: &Folder,
    (url, key): (&str, &str),
    arguments: &[String],
    is_silent: bool,
) -> assert_cmd::Command {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = folder.command(&arguments);
    command
        .args(["--timeout", if is_silent { "1" } else { "60" }])
        .env("WIDGET_SERVICE", url)
        .env("WIDGET_API_KEY", key)
        .env("XDG_CONFIG_HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env_remove("VISUAL")
        .env(
            "EDITOR",
            format!("sh {}/editor.sh", folder.path().display()),
        )
        // `login` reads the key.
        .write_stdin(key);
    command
}

fn busy() -> Response {
    let mut answer = problem(429, "rate_limited", "too many requests");
    let value = "600".parse().expect("a value");
    answer.headers_mut().insert(header::RETRY_AFTER, value);
    answer
}

/// The services that do not do what they should, by name.
fn answer(fault: &str) -> Response {
    match fault {
        "busy" => busy(),
        "failing" => problem(500, "internal_error", "the service failed"),
        "refusing" => problem(403, "insufficient_scope", "this needs another key"),
        "another program" => Html("<h1>Hello</h1>").into_response(),
        "older" => StatusCode::NOT_FOUND.into_response(),
        _ => axum::Json(json!({"unexpected": true})).into_response(),
    }
}

const FAULTS: [&str; 6] = [
    "busy",
    "failing",
    "refusing",
    "another program",
    "older",
    "another shape",
];

#[test]
fn every_command_fails_in_one_sentence() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let down = listener.local_addr().expect("an address");
    drop(listener);
    let mut services = vec![("down", format!("http://{down}"))];
    let slow = FaultServer::start(|_, _| std::future::pending());
    services.push(("slow", format!("http://{}", slow.address)));
    for fault in FAULTS {
        let server = FaultServer::always(move || answer(fault));
        services.push((fault, format!("http://{}", server.address)));
    }
    let names = Names::unknown();
    let commands = COMMANDS
        .iter()
        .filter_map(|(_, kind)| names.arguments(kind));
    let runs: Vec<_> = commands
        .flat_map(|arguments| {
            services
                .iter()
                .map(move |(fault, url)| (*fault, url.clone(), arguments.clone()))
        })
        .collect();
    assert!(runs.len() > 150, "{}", runs.len());
    let folder = names.folder();
    run_all(&runs, |(fault, url, arguments)| {
        let is_silent = matches!(*fault, "down" | "slow");
        let access = (url.as_str(), "ak_test.secret");
        let text = outcome(&mut command(&folder, access, arguments, is_silent));
        check_failure(fault, arguments, &text);
    });
}

/// Forwards to a real service, and changes what comes back.
struct Changer(FaultServer);

impl Changer {
    fn start(
        upstream: String,
        change: impl Fn(&Request) -> Option<Response> + Clone + Send + Sync + 'static,
        body: impl Fn(Value) -> Value + Clone + Send + Sync + 'static,
    ) -> Self {
        let http = reqwest::Client::new();
        Self(FaultServer::start(move |_, request| {
            let answer = change(&request);
            let (http, upstream, body) = (http.clone(), upstream.clone(), body.clone());
            async move {
                if let Some(answer) = answer {
                    return answer;
                }
                let (parts, sent) = request.into_parts();
                let sent = axum::body::to_bytes(sent, usize::MAX)
                    .await
                    .expect("a body");
                let mut headers = parts.headers;
                headers.remove(header::HOST);
                headers.remove(header::CONTENT_LENGTH);
                let answer = http
                    .request(parts.method, format!("{upstream}{}", parts.uri))
                    .headers(headers)
                    .body(sent)
                    .send()
                    .await
                    .expect("an answer");
                let status = answer.status();
                let mut kept = HeaderMap::new();
                for name in [header::ETAG, header::CONTENT_TYPE, header::LINK] {
                    if let Some(value) = answer.headers().get(&name) {
                        kept.insert(name, value.clone());
                    }
                }
                let bytes = answer.bytes().await.expect("a body");
                let text = match serde_json::from_slice(&bytes) {
                    Ok(value) => body(value).to_string().into_bytes(),
                    Err(_) => bytes.to_vec(),
                };
                (status, kept, text).into_response()
            }
        }))
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }
}

/// A service with a widget, one that is published, one that was deleted, and a conversation.
fn prepare() -> (Service, Names) {
    let mut service = Service::start_for_visitors();
    let shop = service.create_widget("shop", &["https://shop.example"]);
    let published = service.create_widget("published", &["https://shop.example"]);
    let deleted = service.create_widget("deleted", &["https://shop.example"]);
    let client = service.client();
    block_on(async {
        let title = |title: &str| widget_api::WidgetPatch {
            published: Some(title == "published"),
            config: serde_json::value::to_raw_value(&json!({"v1": {"chat": {"title": title}}}))
                .ok(),
            ..widget_api::WidgetPatch::default()
        };
        for (id, text) in [(shop.id, "again"), (published.id, "published")] {
            let changed = client.update_web_widget(id, None, &title(text)).await;
            changed.expect("it is changed");
        }
        let version = widget_api::agents::NewAgentVersion {
            livekit_agent_name: "shop".to_owned(),
            label: None,
        };
        let version = client.create_agent_version(shop.agent_id, &version).await;
        let version = version.expect("a version");
        let newest = client
            .publish_agent_version(shop.agent_id, version.id)
            .await;
        newest.expect("it is published");
        let draft = widget_api::agents::NewAgentVersion {
            livekit_agent_name: "shop".to_owned(),
            label: None,
        };
        let draft = client.create_agent_version(shop.agent_id, &draft).await;
        assert_eq!(draft.expect("a version").number, 3);
        let gone = client.delete_web_widget(deleted.id, None).await;
        gone.expect("it is deleted");
    });
    let conversation = conversations::start(&mut service, &published, "ONE", &json!({}));
    block_on(service.client().end_conversation(conversation)).expect("it ends");
    let names = Names([
        ("PUBLISHED", published.id.to_string()),
        ("DELETED", deleted.id.to_string()),
        ("AGENT", shop.agent_id.to_string()),
        ("CONVERSATION", conversation.to_string()),
        ("ID", shop.id.to_string()),
    ]);
    (service, names)
}

/// Everything that a command could have changed.
fn state(service: &Service) -> Value {
    let client = service.client();
    block_on(async {
        let mut all = Vec::new();
        for deleted in [None, Some(true)] {
            let query = widget_api::widgets::WidgetsQuery {
                deleted,
                ..widget_api::widgets::WidgetsQuery::default()
            };
            let widgets = client.list_web_widgets(&query).collect(None).await;
            all.push(serde_json::to_value(widgets.expect("widgets")).expect("JSON"));
        }
        let agents = client.list_agents(&widget_api::agents::AgentsQuery::default());
        for agent in agents.collect(None).await.expect("agents") {
            let agent = serde_json::to_value(agent).expect("JSON");
            let id = agent["id"].as_str().expect("an id").parse().expect("an id");
            let query = widget_api::agents::AgentVersionsQuery::default();
            let versions = client.list_agent_versions(id, &query).collect(None).await;
            all.push(serde_json::to_value(versions.expect("versions")).expect("JSON"));
        }
        let query = widget_api::conversations::ConversationsQuery::default();
        let found = client.list_conversations(&query).collect(None).await;
        all.push(serde_json::to_value(found.expect("conversations")).expect("JSON"));
        Value::from(all)
    })
}

/// What is read is fine, and the change fails.
#[test]
fn a_change_that_fails_changes_nothing() {
    let (service, names) = prepare();
    let before = state(&service);
    let written = Arc::new(Mutex::new(BTreeSet::new()));
    let proxies: Vec<(&str, Changer)> = FAULTS
        .into_iter()
        .map(|fault| {
            let written = Arc::clone(&written);
            let change = move |request: &Request| {
                (request.method() != "GET").then(|| {
                    let path = request.uri().path().to_owned();
                    written.lock().expect("paths").insert(path);
                    answer(fault)
                })
            };
            (fault, Changer::start(service.url(), change, |body| body))
        })
        .collect();
    let commands: Vec<_> = COMMANDS
        .iter()
        .filter(|(_, kind)| matches!(kind, Writes(_)))
        .filter_map(|(_, kind)| names.arguments(kind))
        .collect();
    let runs: Vec<_> = commands
        .iter()
        .flat_map(|arguments| proxies.iter().map(move |proxy| (proxy, arguments)))
        .collect();
    let folder = names.folder();
    run_all(&runs, |((fault, proxy), arguments)| {
        let (url, key) = (proxy.url(), service.key.as_str());
        let text = outcome(&mut command(&folder, (&url, key), arguments, false));
        check_failure(fault, arguments, &text);
        assert!(!text.contains("panicked"), "{text}");
    });
    assert_eq!(state(&service), before);
    // Each of them did try.
    let written = written.lock().expect("paths");
    assert!(written.len() >= 5, "{written:?}");
}

/// A newer service has more keys.
#[test]
fn every_command_reads_what_a_newer_service_says() {
    fn more(value: Value) -> Value {
        match value {
            Value::Array(items) => items.into_iter().map(more).collect(),
            Value::Object(mut members) => {
                members.insert("key_of_the_future".to_owned(), json!({"a": 1}));
                Value::Object(members)
            }
            other => other,
        }
    }
    for (name, kind) in COMMANDS {
        if matches!(kind, Offline) {
            continue;
        }
        // Each has its own service, because it may change it.
        let (service, names) = prepare();
        let proxy = Changer::start(service.url(), |_| None, more);
        let arguments = names.arguments(kind).expect("arguments");
        let folder = names.folder();
        let (url, key) = (proxy.url(), service.key.as_str());
        let text = outcome(&mut command(&folder, (&url, key), &arguments, false));
        // These may say no.
        let is_no =
            matches!(*name, "diff" | "doctor" | "explain" | "plan") && text.starts_with("exit 1\n");
        assert!(text.starts_with("exit 0\n") || is_no, "{name}: {text}");
        assert!(!text.contains("error: "), "{name}: {text}");
    }
}
