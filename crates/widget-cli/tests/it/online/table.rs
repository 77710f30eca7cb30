//! Every command that asks a service, against every kind of service that does not do what it
//! should. The commands are those that clap knows, so that none is forgotten.

use std::{
    collections::BTreeSet,
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
    outcome, outputs,
    service::{Service, block_on},
};

/// A run of a command: its arguments, in which [`Names`] are replaced.
enum Run {
    /// It asks no service.
    Offline(&'static [&'static str]),
    /// It asks one.
    Reads(&'static [&'static str]),
    /// It changes something there.
    Writes(&'static [&'static str]),
}

use Run::{Offline, Reads, Writes};

impl Run {
    fn words(&self) -> &'static [&'static str] {
        let (Offline(words) | Reads(words) | Writes(words)) = *self;
        words
    }

    fn asks(&self) -> bool {
        !matches!(self, Offline(_))
    }
}

/// Every command, with its runs. Add a line for a new one; a group of commands has no runs of its
/// own.
const COMMANDS: &[(&str, &[Run])] = &[
    ("agents", &[]),
    ("agents list", &[Reads(&["agents", "list"])]),
    (
        "agents publish",
        &[Writes(&["agents", "publish", "AGENT", "3", "--yes"])],
    ),
    (
        "agents versions",
        &[
            Reads(&["agents", "versions", "AGENT"]),
            Reads(&["agents", "versions", "agent of shop"]),
        ],
    ),
    ("conversations", &[]),
    (
        "conversations erase",
        &[
            Writes(&["conversations", "erase", "CONVERSATION", "--yes"]),
            Writes(&["conversations", "erase", "--widget", "PUBLISHED", "--yes"]),
        ],
    ),
    (
        "conversations export",
        &[Reads(&[
            "conversations",
            "export",
            "CONVERSATION",
            "--to",
            "a.jsonl",
        ])],
    ),
    (
        "conversations follow",
        &[Reads(&["conversations", "follow", "CONVERSATION"])],
    ),
    (
        "conversations list",
        &[
            Reads(&["conversations", "list"]),
            Reads(&["conversations", "list", "PUBLISHED"]),
        ],
    ),
    (
        "conversations show",
        &[Reads(&["conversations", "show", "CONVERSATION"])],
    ),
    (
        "refusals",
        &[Reads(&["refusals", "ID"]), Reads(&["refusals", "PAGE"])],
    ),
    (
        "stats",
        &[Reads(&["stats", "ID"]), Reads(&["stats", "ID", "--hourly"])],
    ),
    // Where it stops between two changes has tests of its own.
    ("apply", &[Reads(&["apply", "shops", "--yes"])]),
    ("completions", &[Offline(&["completions", "bash"])]),
    (
        "create",
        &[Writes(&["create", "--agent", "agent of shop", "--yes"])],
    ),
    ("delete", &[Writes(&["delete", "ID", "--yes"])]),
    (
        "diff",
        &[
            Reads(&["diff", "ID@1", "ID"]),
            Reads(&["diff", "PAGE", "widget.json"]),
            Offline(&["diff", "widget.json", "draft.yaml"]),
        ],
    ),
    // Pages that answer are for its own tests, but for one that has the widget.
    (
        "doctor",
        &[
            Reads(&["doctor", "ID", "--page", "http://127.0.0.1:9/"]),
            Reads(&["doctor", "PAGE"]),
        ],
    ),
    ("domains", &[]),
    (
        "domains add",
        &[Writes(&["domains", "ID", "add", "b.example", "--yes"])],
    ),
    ("domains list", &[Reads(&["domains", "ID", "list"])]),
    (
        "domains remove",
        &[Writes(&[
            "domains",
            "ID",
            "remove",
            "https://shop.example",
            "--yes",
        ])],
    ),
    ("edit", &[Writes(&["edit", "ID", "--yes"])]),
    (
        "explain",
        &[
            Reads(&["explain", "ID", "--page", "https://shop.example"]),
            Reads(&["explain", "ID@1", "--page", "https://shop.example"]),
            Reads(&["explain", "PAGE"]),
            Offline(&["explain", "widget.json", "--page", "https://shop.example"]),
        ],
    ),
    (
        "export",
        &[
            Reads(&["export", "widgets"]),
            Reads(&["export", "one", "ID"]),
        ],
    ),
    (
        "history",
        &[Reads(&["history", "ID"]), Reads(&["history", "PAGE"])],
    ),
    (
        "lint",
        &[Reads(&["lint", "ID"]), Offline(&["lint", "widget.json"])],
    ),
    (
        "list",
        &[
            Reads(&["list"]),
            Reads(&["list", "--agent", "agent of shop"]),
            Reads(&["list", "--deleted"]),
        ],
    ),
    ("login", &[Reads(&["login"])]),
    // It writes on this machine only, and there is no profile.
    ("logout", &[Offline(&["logout"])]),
    ("man", &[Offline(&["man"])]),
    ("migrate", &[Offline(&["migrate", "draft.yaml", "--check"])]),
    ("open", &[Reads(&["open", "ID", "--print"])]),
    ("origins", &[]),
    (
        "origins normalize",
        &[Offline(&["origins", "normalize", "Shop.Example"])],
    ),
    (
        "origins test",
        &[Offline(&[
            "origins",
            "test",
            "--allow",
            "shop.example",
            "--page",
            "https://shop.example",
        ])],
    ),
    ("pin", &[Writes(&["pin", "ID", "--newest", "--yes"])]),
    ("plan", &[Reads(&["plan", "shops"])]),
    (
        "preview",
        &[
            Reads(&["preview", "ID", "--list"]),
            Writes(&["preview", "ID", "--config", "draft.yaml"]),
            Writes(&["preview", "ID", "--replace", "PREVIEW", "--yes"]),
            Writes(&["preview", "ID", "--end", "PREVIEW", "--yes"]),
        ],
    ),
    ("profiles", &[Offline(&["profiles"])]),
    ("publish", &[Writes(&["publish", "ID", "--yes"])]),
    ("restore", &[Writes(&["restore", "ID@1", "--yes"])]),
    ("schema", &[Offline(&["schema"])]),
    (
        "set",
        &[
            Writes(&["set", "ID", "/config/v1/chat/title=New", "--yes"]),
            Writes(&["set", "PAGE", "/config/v1/theme=dark", "--yes"]),
        ],
    ),
    (
        "show",
        &[
            Reads(&["show", "ID"]),
            Reads(&["show", "ID@1"]),
            Reads(&["show", "PAGE"]),
            Offline(&["show", "widget.json"]),
        ],
    ),
    (
        "snippet",
        &[
            Reads(&["snippet", "ID"]),
            Reads(&["snippet", "PAGE"]),
            Offline(&[
                "snippet",
                "widget.json",
                "--service",
                "https://widgets.example",
            ]),
        ],
    ),
    ("undelete", &[Writes(&["undelete", "DELETED", "--yes"])]),
    ("unpublish", &[Writes(&["unpublish", "PUBLISHED", "--yes"])]),
    (
        "unset",
        &[Writes(&["unset", "ID", "/config/v1/chat/title", "--yes"])],
    ),
    (
        "validate",
        &[
            Reads(&["validate", "ID"]),
            Offline(&["validate", "widget.json"]),
        ],
    ),
    ("whoami", &[Reads(&["whoami"])]),
];

/// All runs, each with its command.
fn all_runs() -> impl Iterator<Item = (&'static str, &'static Run)> {
    let commands = COMMANDS.iter();
    commands.flat_map(|(name, runs)| runs.iter().map(move |run| (*name, run)))
}

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
struct Names {
    /// What has a page with the snippet of each widget of each service.
    pages: FaultServer,
    ids: [(&'static str, String); 6],
}

impl Names {
    fn new(ids: [(&'static str, String); 6]) -> Self {
        // A page is named after the port of the service and the widget.
        let pages = FaultServer::start(|_, request| {
            let path = request.uri().path().trim_start_matches('/');
            let (port, id) = path.split_once('/').unwrap_or_default();
            let script = format!("http://127.0.0.1:{port}/public/embed/{id}");
            let page = Html(format!("<script async src=\"{script}\"></script>"));
            std::future::ready(page.into_response())
        });
        Self { pages, ids }
    }

    /// One id for everything.
    fn unknown() -> Self {
        let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
        let names = [
            "PUBLISHED",
            "DELETED",
            "AGENT",
            "CONVERSATION",
            "PREVIEW",
            "ID",
        ];
        Self::new(names.map(|name| (name, id.to_owned())))
    }

    fn replace(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.ids {
            text = text.replace(name, id);
        }
        text
    }

    /// The arguments of a run with this service.
    fn arguments(&self, run: &Run, service: &str) -> Vec<String> {
        let port = service.rsplit(':').next().unwrap_or_default();
        let page = format!("http://{}/{port}/ID", self.pages.address);
        let words = run.words().iter();
        words
            .map(|word| self.replace(&word.replace("PAGE", &page)))
            .collect()
    }

    /// The editor changes the title, and so does the folder of widgets.
    fn folder(&self) -> Folder {
        let shop = self.replace("id: ID\nconfig: {v1: {chat: {title: Applied}}}\n");
        Folder::new()
            .with("editor.sh", "sed -i 's/title: .*/title: Edited/' \"$1\"")
            .with("draft.yaml", "v1: {chat: {title: Draft}}\n")
            .with("shops/shop.yaml", shop)
            .with("widget.json", crate::SHOP)
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
    // It looks at the page all the same, and says what the key would have added.
    if arguments.first().is_some_and(|name| name == "doctor") && arguments.len() == 2 {
        assert!(text.starts_with("exit 1\n"), "{shown}");
        let warning = "warning: the widget's settings are not known: ";
        assert_eq!(text.matches(warning).count(), 1, "{shown}");
        return;
    }
    assert!(text.starts_with("exit 2\n"), "{shown}");
    assert_eq!(text.matches("error: ").count(), 1, "{shown}");
    assert!(!text.contains("panicked"), "{shown}");
    let error = text.split("error: ").nth(1).unwrap_or_default();
    let sentence = error.split("\n\nhint: ").next().unwrap_or_default();
    assert_eq!(sentence.trim_end().lines().count(), 1, "{shown}");
}

/// A service that is silent is waited for as briefly as possible; `doctor` says only after some
/// seconds that it is.
fn command(
    folder: &Folder,
    (url, key): (&str, &str),
    arguments: &[String],
    is_silent: bool,
) -> assert_cmd::Command {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let timeout = match arguments.first() {
        Some(&"doctor") if is_silent => "5",
        _ if is_silent => "1",
        _ => "60",
    };
    let mut command = folder.command(&arguments);
    command
        .args(["--timeout", timeout])
        .env("WIDGET_SERVICE", url)
        .env("WIDGET_API_KEY", key)
        .env("TMPDIR", folder.path())
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
    // Nothing listens there; a port that was free a moment ago may be taken by another test.
    let mut services = vec![("down", "http://127.0.0.1:9".to_owned())];
    let slow = FaultServer::start(|_, _| std::future::pending());
    services.push(("slow", format!("http://{}", slow.address)));
    for fault in FAULTS {
        let server = FaultServer::always(move || answer(fault));
        services.push((fault, format!("http://{}", server.address)));
    }
    let names = &Names::unknown();
    let runs: Vec<_> = all_runs()
        .filter(|(_, run)| run.asks())
        .flat_map(|(_, run)| {
            let services = services.iter();
            services.map(move |(fault, url)| (*fault, url.as_str(), names.arguments(run, url)))
        })
        .collect();
    assert!(runs.len() > 150, "{}", runs.len());
    let folder = names.folder();
    run_all(&runs, |(fault, url, arguments)| {
        let is_silent = matches!(*fault, "down" | "slow");
        let access = (*url, "ak_test.secret");
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

/// A service with a widget that has a preview, one that is published and has a conversation, and
/// one that was deleted.
fn prepare() -> (Service, Names) {
    let mut service = Service::start_for_visitors();
    let shop = service.create_widget("shop", &["https://shop.example"]);
    let published = service.create_widget("published", &["https://shop.example"]);
    let deleted = service.create_widget("deleted", &["https://shop.example"]);
    let client = service.client();
    let preview = block_on(async {
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
        let preview = widget_api::previews::NewPreview::default();
        let preview = client.create_preview(shop.id, &preview).await;
        preview.expect("a preview").id
    });
    let conversation = conversations::start(&mut service, &published, "ONE", &json!({}));
    block_on(service.client().end_conversation(conversation)).expect("it ends");
    let names = Names::new([
        ("PUBLISHED", published.id.to_string()),
        ("DELETED", deleted.id.to_string()),
        ("AGENT", shop.agent_id.to_string()),
        ("CONVERSATION", conversation.to_string()),
        ("PREVIEW", preview.to_string()),
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
    let runs: Vec<_> = all_runs()
        .filter(|(_, run)| matches!(run, Writes(_)))
        .flat_map(|(_, run)| proxies.iter().map(move |proxy| (proxy, run)))
        .collect();
    let folder = names.folder();
    run_all(&runs, |((fault, proxy), run)| {
        let (url, key) = (proxy.url(), service.key.as_str());
        let arguments = names.arguments(run, &url);
        let text = outcome(&mut command(&folder, (&url, key), &arguments, false));
        check_failure(fault, &arguments, &text);
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
    let runs: Vec<_> = all_runs().filter(|(_, run)| run.asks()).collect();
    run_all(&runs, |(name, run)| {
        // Each has its own service, because it may change it.
        let (service, names) = prepare();
        let proxy = Changer::start(service.url(), |_| None, more);
        let (url, key) = (proxy.url(), service.key.as_str());
        let arguments = names.arguments(run, &url);
        let folder = names.folder();
        let text = outcome(&mut command(&folder, (&url, key), &arguments, false));
        check_answer(name, &arguments, &text);
        assert!(!text.contains("error: "), "{arguments:?}: {text}");
    });
}

/// The command answers yes, or no if that is an answer of it.
#[track_caller]
fn check_answer(name: &str, arguments: &[String], text: &str) {
    let may_say_no = matches!(name, "diff" | "doctor" | "explain" | "plan");
    let is_no = may_say_no && text.starts_with("exit 1\n");
    assert!(
        text.starts_with("exit 0\n") || is_no,
        "{arguments:?}: {text}"
    );
}

/// Every answer that the schemas describe is as they describe it, and there is one.
#[test]
fn every_command_answers_with_json() {
    let check = |service: &Service, names: &Names, folder: &Folder, name: &str, run: &Run| {
        let (url, key) = (service.url(), service.key.as_str());
        let mut arguments = names.arguments(run, &url);
        arguments.extend(["--output", "json"].map(str::to_owned));
        // This compares it with the schema.
        let text = outcome(&mut command(folder, (&url, key), &arguments, false));
        check_answer(name, &arguments, &text);
        assert!(
            text.contains("\n---- stdout ----\n"),
            "{arguments:?}: {text}"
        );
    };
    let described = outputs::described();
    let tried: BTreeSet<&str> = all_runs().map(|(name, _)| name).collect();
    let missing: Vec<_> = described
        .iter()
        .filter(|name| !tried.contains(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let (changes, others): (Vec<_>, Vec<_>) = all_runs()
        .filter(|(name, _)| described.contains(name))
        .partition(|(_, run)| matches!(run, Writes(_)));

    // In their order: `profiles` lists what `login` made.
    let (service, names) = prepare();
    let folder = names.folder();
    for (name, run) in others {
        check(&service, &names, &folder, name, run);
    }
    run_all(&changes, |(name, run)| {
        let (service, names) = prepare();
        check(&service, &names, &names.folder(), name, run);
    });
}

/// What is done without a service begins without reading the certificates of the system, which
/// takes longer than everything else of such a command.
#[cfg(target_os = "linux")]
#[test]
fn offline_commands_read_no_certificates() {
    use std::{sync::mpsc, time::Duration};

    use rustix::fs::{CWD, Mode, mkfifoat};

    /// A command that waits for the certificates fails the test instead of blocking it.
    const TIMEOUT: Duration = Duration::from_mins(1);

    let folder = Names::unknown().folder();
    let certificates = folder.path().join("certificates");
    // Whoever opens it to read waits for somebody who opens it to write.
    mkfifoat(CWD, &certificates, Mode::RUSR | Mode::WUSR).expect("a pipe");
    let run = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.env("SSL_CERT_FILE", &certificates).timeout(TIMEOUT);
        outcome(&mut command)
    };
    for (name, run_of) in all_runs().filter(|(_, run)| !run.asks()) {
        let text = run(run_of.words());
        let is_done = match name {
            "logout" => text.starts_with("exit 2\n"),
            "diff" | "explain" => text.starts_with("exit 1\n") || text.starts_with("exit 0\n"),
            _ => text.starts_with("exit 0\n"),
        };
        assert!(is_done, "{name}: {text}");
    }

    // And it is the file that a command reads which asks a service.
    let (sender, opened) = mpsc::channel();
    let path = certificates.clone();
    thread::spawn(move || {
        let writer = std::fs::File::options().write(true).open(path);
        sender.send(writer.is_ok())
    });
    let mut whoami = folder.command(&["whoami", "--timeout", "1"]);
    whoami
        .env("WIDGET_SERVICE", "http://127.0.0.1:9")
        .env("WIDGET_API_KEY", "ak_test.secret")
        .env("SSL_CERT_FILE", &certificates)
        .timeout(TIMEOUT);
    outcome(&mut whoami);
    assert_eq!(opened.recv_timeout(TIMEOUT), Ok(true));
}
