//! What the service acknowledged survives that it is killed, and nothing is there by half.

use std::{
    io::Write as _,
    ops::ControlFlow::{self, Break, Continue},
    sync::mpsc,
};

use serde_json::{Value, json};
use widget_core::{
    conversation::{Status, budget::Day},
    origin::SuffixList,
};
use widget_http::storage::{
    self, BudgetOwner, ConversationFilter, ListPage, StoredConversation, StoredRow,
};

use super::process::{Server, command, key};
use crate::database::{self, Database};

/// Each is written by a thread of its own: agents, widgets, messages and conversations.
const KINDS: usize = 4;
/// Acknowledged writes of each kind after which the service is killed.
const ENOUGH: usize = 5;

/// Headers of a page and of the window, after a credential.
const PAGE: &str = "\r\norigin: https://shop.example\r\nx-forwarded-for: ";
const WINDOW: &str = "\r\norigin: https://widgets.example\r\nx-forwarded-for: ";

/// A service that its visitors cannot ask too often.
fn start(database: &Database) -> Server {
    let mut command = command(database);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(["--public-url", "https://widgets.example"])
        .env("LIVEKIT_URL", "ws://127.0.0.1:9")
        .env("LIVEKIT_API_KEY", "devkey")
        .env(
            "LIVEKIT_API_SECRET",
            "secret-secret-secret-secret-secret-32",
        )
        .env("WIDGET_TRUSTED_PROXIES", "loopback")
        // Every start is counted.
        .env("WIDGET_LIMIT_ORGANIZATION_DAY", "100000");
    for limit in [
        "TICKETS",
        "CONVERSATIONS",
        "WIDGET_CONVERSATIONS",
        "WIDGET_OPEN",
        "ADDRESS_UNJOINED",
    ] {
        command.env(format!("WIDGET_LIMIT_{limit}"), "100000");
    }
    Server::start_as(&mut command)
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("a string of an answer")
}

/// The answer to a write; `Break` when the service is gone, nothing when it said that the database
/// was too slow.
fn write(
    server: &Server,
    path: &str,
    credential: &str,
    body: &Value,
) -> ControlFlow<(), Option<Value>> {
    match server.request("POST", path, credential, &body.to_string()) {
        Ok((200 | 201, body)) => Continue(Some(serde_json::from_str(&body).expect("JSON"))),
        Ok((503, _)) => Continue(None),
        Ok((status, body)) => panic!("unexpected {status}: {body}"),
        Err(_) => Break(()),
    }
}

#[track_caller]
fn read(server: &Server, path: &str, key: &str) -> Value {
    let (status, body) = server.request("GET", path, key, "").expect("it answers");
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// A live widget and a conversation, which the writers use.
struct Scene {
    key: String,
    widget: Value,
    conversation: String,
}

impl Scene {
    fn prepare(server: &Server, key: &str) -> Self {
        let post = |path: &str, body: &Value| {
            let Continue(Some(answer)) = write(server, path, key, body) else {
                panic!("{path} is not answered");
            };
            answer
        };
        let agent = post("/core/agents", &json!({"name": "Concierge"}));
        let versions = format!("/core/agents/{}/versions", text(&agent["id"]));
        let version = post(&versions, &json!({"livekit_agent_name": "concierge"}));
        let publish = format!("{versions}/{}/publish", text(&version["id"]));
        post(&publish, &json!({}));
        let mut scene = Self {
            widget: json!({"agent_id": agent["id"], "agent_version_id": version["id"]}),
            conversation: String::new(),
            key: key.to_owned(),
        };
        scene.widget = post("/core/web-widgets", &scene.new_widget());
        let Continue(Some(ticket)) = scene.ticket(server, "192.0.2.1") else {
            panic!("there is no ticket");
        };
        let Continue(Some(started)) = scene.converse(server, &ticket, "192.0.2.1", "first") else {
            panic!("there is no conversation");
        };
        text(&started["conversation"]["id"]).clone_into(&mut scene.conversation);
        scene
    }

    fn new_widget(&self) -> Value {
        json!({
            "agent_id": self.widget["agent_id"],
            "agent_version_id": self.widget["agent_version_id"],
            "domains": ["https://shop.example"],
            "published": true,
        })
    }

    fn public(&self, tail: &str) -> String {
        format!(
            "/core/public/web-widgets/{}{tail}",
            text(&self.widget["id"])
        )
    }

    fn ticket(&self, server: &Server, address: &str) -> ControlFlow<(), Option<String>> {
        let path = self.public("/embed-tickets");
        let answer = write(server, &path, &format!("-{PAGE}{address}"), &json!({}))?;
        Continue(answer.map(|answer| text(&answer["ticket"]).to_owned()))
    }

    fn converse(
        &self,
        server: &Server,
        ticket: &str,
        address: &str,
        name: &str,
    ) -> ControlFlow<(), Option<Value>> {
        let credential = format!("{ticket}{WINDOW}{address}");
        let body = json!({"custom_metadata": {"name": name}});
        write(server, &self.public("/conversations"), &credential, &body)
    }
}

/// What was sent, or acknowledged when it has an id.
#[derive(Default)]
struct Sent {
    agents: Vec<String>,
    widgets: Vec<String>,
    messages: Vec<String>,
    /// Name and ticket of each, and the id that was answered.
    conversations: Vec<(String, String, Option<String>)>,
}

impl Sent {
    /// Writes once of a kind; whether that was acknowledged.
    fn write(
        &mut self,
        scene: &Scene,
        server: &Server,
        kind: usize,
        name: &str,
        address: &str,
    ) -> ControlFlow<(), bool> {
        let id = |answer: Value| text(&answer["id"]).to_owned();
        let acknowledged = match kind {
            0 => {
                let body = json!({"name": name});
                let agent = write(server, "/core/agents", &scene.key, &body)?;
                self.agents.extend(agent.map(id));
                self.agents.len()
            }
            1 => {
                let body = scene.new_widget();
                let widget = write(server, "/core/web-widgets", &scene.key, &body)?;
                self.widgets.extend(widget.map(id));
                self.widgets.len()
            }
            2 => {
                let path = format!("/core/conversations/{}/messages", scene.conversation);
                let part = |part: &str| {
                    let id = format!("{name}-{part}");
                    json!({"id": id, "role": "agent", "text": "Hello"})
                };
                let body = json!({"messages": [part("a"), part("b")]});
                let answer = write(server, &path, &scene.key, &body)?;
                self.messages.extend(answer.map(|_| name.to_owned()));
                self.messages.len()
            }
            _ => {
                if let Some(ticket) = scene.ticket(server, address)? {
                    let answer = scene.converse(server, &ticket, address, name);
                    let started = |answer: &Value| text(&answer["conversation"]["id"]).to_owned();
                    let id = match &answer {
                        Continue(answer) => answer.as_ref().map(started),
                        Break(()) => None,
                    };
                    self.conversations.push((name.to_owned(), ticket, id));
                    answer?;
                }
                let all = self.conversations.iter();
                all.filter(|(.., id)| id.is_some()).count()
            }
        };
        Continue(acknowledged >= ENOUGH)
    }

    /// How many writes of each kind were acknowledged.
    fn acknowledged(&self) -> [usize; KINDS] {
        let conversations = self.conversations.iter().filter(|(.., id)| id.is_some());
        [
            self.agents.len(),
            self.widgets.len(),
            self.messages.len(),
            conversations.count(),
        ]
    }

    /// Checks what a service that was started again has of it.
    fn check(&self, scene: &Scene, server: &Server) {
        let key = &scene.key;
        for id in &self.agents {
            read(server, &format!("/core/agents/{id}"), key);
        }
        for id in &self.widgets {
            let path = format!("/core/web-widgets/{id}");
            assert_eq!(read(server, &path, key)["id"], id.as_str());
            let revisions = read(server, &format!("{path}/revisions"), key);
            assert_eq!(revisions.as_array().map(Vec::len), Some(1), "{revisions}");
        }
        let path = format!("/core/conversations/{}/messages", scene.conversation);
        let transcript = read(server, &path, key);
        let messages = transcript["messages"].as_array().expect("a list");
        let ids: Vec<&str> = messages
            .iter()
            .map(|message| text(&message["id"]))
            .collect();
        for name in &self.messages {
            assert!(
                ids.contains(&format!("{name}-a").as_str()),
                "{name}: {ids:?}"
            );
        }
        for id in &ids {
            let (name, _) = id.rsplit_once('-').expect("a part of two");
            for part in ["a", "b"] {
                let id = format!("{name}-{part}");
                assert!(
                    ids.contains(&id.as_str()),
                    "half of {name} is there: {ids:?}"
                );
            }
        }
        let list = read(server, "/core/conversations?limit=100", key);
        for (name, ticket, id) in &self.conversations {
            let mut all = list.as_array().expect("a list").iter();
            let stored = all.find(|stored| {
                let details = format!("/core/conversations/{}", text(&stored["id"]));
                read(server, &details, key)["custom_metadata"]["page"]["name"] == name.as_str()
            });
            let stored = stored.map(|stored| text(&stored["id"]));
            assert!(id.is_none() || id.as_deref() == stored, "{name} is gone");
            // With its conversation a ticket is used, and its room has a name; else nothing is.
            let credential = format!("{ticket}{WINDOW}192.0.2.2");
            let path = scene.public("/conversations");
            let again = server.request("POST", &path, &credential, "{}");
            let (status, body) = again.expect("it answers");
            assert_eq!(
                status,
                if stored.is_some() { 409 } else { 201 },
                "{name}: {body}"
            );
            if let Some(id) = stored {
                let transcript = read(server, &format!("/core/conversations/{id}/messages"), key);
                assert!(transcript["room_name"].is_string(), "{name}: {transcript}");
            }
        }
    }
}

/// Checks that what is reserved of the organization's days is as many conversations as wait to be
/// joined.
async fn check_budgets(database: &Database) {
    let storage = storage::open(database.url(), SuffixList::builtin().clone())
        .await
        .expect("the database can be opened");
    let organization = "acme".parse().expect("an organization");
    let page = ListPage {
        before: None,
        limit: 10_000,
    };
    let found = storage
        .list_conversations(&organization, &ConversationFilter::default(), page)
        .await
        .expect("storage works");
    assert!(!found.has_more);
    let (mut waiting, mut reserved, mut days) = (0, 0, Vec::new());
    for listed in found {
        let StoredRow::Readable(StoredConversation::Kept(conversation)) = listed.item else {
            panic!("a conversation is damaged")
        };
        waiting += i64::from(conversation.lifecycle.status() == Status::TokenCreated);
        days.push(Day::of(conversation.created_at));
    }
    days.dedup();
    for day in days {
        let owner = BudgetOwner::Organization(&organization);
        let found = storage.find_day_use(owner, day).await;
        reserved += found.expect("storage works").conversations.reserved;
    }
    assert!(waiting > 0);
    assert_eq!(reserved, waiting);
    storage.close().await;
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let database = Database::create();
    let scopes = [
        "agents:manage",
        "web_widgets:manage",
        "conversations:read_sensitive",
        "conversations:write",
    ];
    let mut server = start(&database);
    let key = key(&database, &scopes);
    let scene = Scene::prepare(&server, &key);
    // In each round another kind has just been acknowledged when the service is killed, so that the
    // others are in the midst of their writes.
    let rounds = rounds();
    let mut acknowledged_writes = [0; KINDS];
    for round in 0..rounds {
        let sent: Vec<Sent> = std::thread::scope(|scope| {
            let (progress, acknowledged) = mpsc::channel();
            let writers: Vec<_> = (0..KINDS)
                .map(|kind| {
                    let (server, scene, progress) = (&server, &scene, progress.clone());
                    scope.spawn(move || {
                        let mut sent = Sent::default();
                        for count in 0.. {
                            let name = format!("{round}-{kind}-{count}");
                            let address =
                                format!("198.{}.{}.{}", 51 + round % 100, count / 256, count % 256);
                            match sent.write(scene, server, kind, &name, &address) {
                                Break(()) => break,
                                Continue(false) => {}
                                // Nobody listens anymore once the service is killed.
                                Continue(true) => drop(progress.send(kind)),
                            }
                        }
                        sent
                    })
                })
                .collect();
            let mut have_enough = [false; KINDS];
            // A writer that ends before has failed.
            while !writers
                .iter()
                .any(std::thread::ScopedJoinHandle::is_finished)
            {
                let kind = acknowledged.recv().expect("a sender is kept");
                have_enough[kind] = true;
                if kind == round % KINDS && have_enough == [true; KINDS] {
                    break;
                }
            }
            server.signal("-KILL");
            let ends = writers.into_iter();
            ends.map(|writer| writer.join().expect("it ends by itself"))
                .collect()
        });
        server.wait();
        server = start(&database);
        for sent in sent {
            sent.check(&scene, &server);
            for (sum, count) in acknowledged_writes.iter_mut().zip(sent.acknowledged()) {
                *sum += count;
            }
        }
    }
    server.signal("-KILL");
    server.wait();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("it can be built")
        .block_on(check_budgets(&database));
    // What `cargo xtask bench kill` prints.
    let [agents, widgets, messages, conversations] = acknowledged_writes;
    let _ = writeln!(
        std::io::stdout(),
        "{}: killed {rounds} times; of the acknowledged writes {agents} agents, {widgets} widgets, \
         {messages} pairs of messages and {conversations} conversations all are there",
        database::NAME
    );
}

/// How often the service is killed: once in the midst of each kind, or as `cargo xtask bench kill`
/// says.
fn rounds() -> usize {
    let rounds = std::env::var("WIDGET_TEST_KILLS").ok();
    rounds.map_or(KINDS, |rounds| rounds.parse().expect("a number of rounds"))
}
