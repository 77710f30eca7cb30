//! `widget conversations`, with conversations that visitors started.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{body::Body, response::Response};
use expect_test::expect;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use widget_api::{
    Widget, WidgetPatch,
    conversations::{NewMessage, NewMessages},
    visitors::Joining,
};
use widget_core::{conversation::Role, id::ConversationId, origin::Origin};

use crate::{
    Folder, WIDGET,
    faults::{Delivery, FaultServer, Forwarder},
    outcome, outputs,
    service::{Service, block_on},
};

const SHOP: &str = "https://shop.example";

/// A service with a widget that visitors can talk to.
pub(super) fn shop() -> (Service, Widget) {
    let mut service = Service::start_for_visitors();
    let widget = service.create_widget("shop", &[SHOP]);
    service.publish(&widget);
    (service, widget)
}

/// A ticket as the page of the site gets it.
fn ticket(service: &Service, widget: &Widget) -> String {
    let origin: Origin = Origin::parse_page(SHOP).expect("an origin");
    let ticket = block_on(service.client().create_embed_ticket(widget.id, &origin));
    ticket.expect("a ticket").ticket
}

/// A request of a visitor's window.
fn window(service: &Service, widget: &Widget, tail: &str, token: &str, body: &Value) -> Value {
    let url = service.url();
    block_on(async {
        let answer = reqwest::Client::new()
            .post(format!("{url}/core/public/web-widgets/{}{tail}", widget.id))
            .header("origin", &url)
            .bearer_auth(token)
            .json(body)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{tail}: {}", answer.status());
        answer.json().await.expect("JSON")
    })
}

/// Starts a conversation as a visitor's window does. Snapshots have `CONVERSATION-NAME` for its id.
fn join(service: &mut Service, widget: &Widget, name: &str, metadata: &Value) -> Joining {
    let body = json!({"custom_metadata": metadata});
    let proof = ticket(service, widget);
    let joining = window(service, widget, "/conversations", &proof, &body);
    let joining: Joining = serde_json::from_value(joining).expect("a conversation");
    let id = joining.conversation.id.to_string();
    service.mask(id, format!("CONVERSATION-{name}"));
    joining
}

/// The same for those who need only its id.
pub(crate) fn start(
    service: &mut Service,
    widget: &Widget,
    name: &str,
    metadata: &Value,
) -> ConversationId {
    join(service, widget, name, metadata).conversation.id
}

pub(super) fn say(service: &Service, id: ConversationId, role: Role, text: &str) {
    let message = NewMessage {
        id: text.to_owned(),
        role,
        text: text.to_owned(),
        created_at: None,
    };
    let body = NewMessages {
        messages: Some(vec![message]),
        ..NewMessages::default()
    };
    let client = service.client();
    let appended = block_on(client.append_messages(id, &body)).expect("it is appended");
    assert_eq!(appended.added, 1);
}

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn list_and_show() {
    let (mut service, widget) = shop();
    service.check(
        &["conversations", "list"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no conversations
    "#]],
    );
    let first = start(
        &mut service,
        &widget,
        "FIRST",
        &json!({"email": "a@b.example"}),
    );
    say(&service, first, Role::Agent, "Hello, how can I help?");
    say(&service, first, Role::Visitor, "I want a refund.\nToday.");
    let second = start(&mut service, &widget, "SECOND", &json!({}));
    block_on(service.client().end_conversation(second)).expect("it ends");
    let id = widget.id.to_string();
    let list = |more: &[&str], expected: &expect_test::Expect| {
        let arguments = [&["conversations", "list", "--output", "table"], more].concat();
        service.check(&arguments, expected);
    };
    list(
        &[&id, "--since", "1h"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  BEGAN  STATE  MODE  LAST SAID  VISITOR  FIRST WORDS
            CONVERSATION-SECOND  TIME  ended: agent  text
            CONVERSATION-FIRST  TIME  open  text  TIME  a@b.example  I want a refund. Today.
            ---- stderr ----
            2 conversations
        "#]],
    );
    list(
        &["--limit", "1"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  BEGAN  STATE  MODE  LAST SAID  WIDGET
            CONVERSATION-SECOND  TIME  ended: agent  text  WIDGET-SHOP
            ---- stderr ----
            1 conversation; there are more, and `--limit` shows them
        "#]],
    );
    list(
        &["--open"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  BEGAN  STATE  MODE  LAST SAID  WIDGET  VISITOR  FIRST WORDS
            CONVERSATION-FIRST  TIME  open  text  TIME  WIDGET-SHOP  a@b.example  I want a refund. Today.
            ---- stderr ----
            1 conversation
        "#]],
    );
    list(
        &["--text", "REFUND"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  BEGAN  STATE  MODE  LAST SAID  WIDGET  VISITOR  FIRST WORDS
            CONVERSATION-FIRST  TIME  open  text  TIME  WIDGET-SHOP  a@b.example  I want a refund. Today.
            ---- stderr ----
            1 conversation
        "#]],
    );
    list(
        &["--metadata", "/page/email=a@b.example"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  BEGAN  STATE  MODE  LAST SAID  WIDGET  VISITOR  FIRST WORDS
            CONVERSATION-FIRST  TIME  open  text  TIME  WIDGET-SHOP  a@b.example  I want a refund. Today.
            ---- stderr ----
            1 conversation
        "#]],
    );
    list(
        &["--metadata", "/page/email=c@d.example"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no conversations
    "#]],
    );
    list(
        &["--since", "yesterday"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: invalid value 'yesterday' for '--since <TIME>': write how long ago, such as `7d` or `12h`, a day in UTC, such as `2026-01-31`, or a time, such as `TIME`

        For more information, try '--help'.
    "#]],
    );
    list(
        &["--metadata", "email"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: invalid value 'email' for '--metadata <KEY=VALUE>': write a name, `=` and the value, such as `email=a@b.example`

        For more information, try '--help'.
    "#]],
    );

    // Over several widgets, each conversation says whose it is; ids can be copied.
    let folder = Folder::new();
    let text = outcome(&mut service.command(&folder, &["conversations", "list"]));
    let short = regex::Regex::new(r"[0-9a-f]{8}(-[0-9a-f]+)*").expect("a pattern");
    let rows: Vec<&str> = text.lines().filter(|line| short.is_match(line)).collect();
    assert_eq!(rows.len(), 2, "{text}");
    for row in rows {
        let ids: Vec<&str> = short.find_iter(row).map(|found| found.as_str()).collect();
        let all = [first.to_string(), second.to_string()];
        let fits = all.iter().filter(|whole| whole.starts_with(ids[0])).count();
        assert!(
            fits == 1 && widget.id.to_string().starts_with(ids[1]),
            "{text}"
        );
    }
    expect![[r#"
        exit 0
        ---- stdout ----
        ID  BEGAN  STATE  MODE  LAST SAID  WIDGET  VISITOR  FIRST WORDS
        SHORT  TIME  ended: agent  text  SHORT "Ask shop"
        SHORT  TIME  open  text  TIME  SHORT "Ask shop"  a@b.example  I want a refund. Today.
        ---- stderr ----
        2 conversations
    "#]]
    .assert_eq(&short.replace_all(&service.masked(&text), "SHORT"));

    let (first, second) = (first.to_string(), second.to_string());
    service.check(
        &["conversations", "show", &first],
        &expect![[r#"
        exit 0
        ---- stdout ----
        id  CONVERSATION-FIRST
        widget  WIDGET-SHOP
        state  open
        mode  text
        agent  AGENT-SHOP
        version  VERSION-SHOP
        began  TIME
        joined  TIME
        last said  TIME
        sent  {
                     "page": {
                       "email": "a@b.example"
                     }
                   }

        agent  TIME
          Hello, how can I help?

        visitor  TIME
          I want a refund.
          Today.
    "#]],
    );
    let json = ["conversations", "show", &second, "--output", "json"];
    service.check(&json, &expect![[r#"
        exit 0
        ---- stdout ----
        {"conversation":{"id":"CONVERSATION-SECOND","status":"completed","is_open":false,"web_widget_id":"WIDGET-SHOP","agent_id":"AGENT-SHOP","agent_version_id":"VERSION-SHOP","channel":"webrtc","mode":"text","created_at":"TIME","joined_at":null,"active_at":null,"ended_at":"TIME","end_reason":"agent","custom_metadata":{"page":{}}},"messages":[]}
    "#]]);
    service.check(
        &["conversations", "show", "ffffffff"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: there is no conversation `ffffffff`

            hint: `widget conversations list` shows the conversations
        "#]],
    );

    // Whoever may not read what was said sees that there is a conversation.
    let reader = service.create_key("reader", &["conversations:read"]);
    let folder = Folder::new();
    let weak = |arguments: &[&str], expected: &expect_test::Expect| {
        let mut command = service.command(&folder, arguments);
        command.env("WIDGET_API_KEY", &reader);
        service.check_command(&mut command, expected);
    };
    weak(
        &["conversations", "show", &first],
        &expect![[r#"
        exit 0
        ---- stdout ----
        id  CONVERSATION-FIRST
        widget  WIDGET-SHOP
        state  open
        mode  text
        agent  AGENT-SHOP
        version  VERSION-SHOP
        began  TIME
        joined  TIME
        last said  TIME
        ---- stderr ----
        the key may not read what was said; that is the scope `conversations:read_sensitive`
    "#]],
    );
    weak(
        &["conversations", "list", "--text", "refund"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: this needs a key with the scope `conversations:read_sensitive`

            hint: `widget whoami` shows what the key may do
        "#]],
    );
}

/// A command that runs beside the test.
struct Running {
    arguments: Vec<String>,
    child: Child,
    output: BufReader<ChildStdout>,
    _folder: Folder,
}

impl Running {
    fn start(service: &Service, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let mut child = folder
            .process(WIDGET, arguments)
            .env("WIDGET_SERVICE", service.url())
            .env("WIDGET_API_KEY", &service.key)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self {
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            child,
            output,
            _folder: folder,
        }
    }

    /// The next line of the answer; empty behind the last one.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        outputs::check(self.arguments.iter().map(OsStr::new), line.as_bytes());
        line
    }

    /// The lines up to one with this text.
    fn read_until(&mut self, text: &str) -> String {
        let mut shown = String::new();
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "no {text:?} in {shown:?}");
            shown += &line;
            if line.contains(text) {
                return shown;
            }
        }
    }

    /// The type of the next event, and what was said.
    fn next(&mut self) -> Option<String> {
        let event: Value = serde_json::from_str(&self.line()).ok()?;
        let name = event["type"].as_str().expect("a type");
        Some(match event["message"]["text"].as_str() {
            Some(text) => format!("{name} {text}"),
            None => name.to_owned(),
        })
    }

    fn exit_code(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn follow_over_restarts() {
    let (mut service, widget) = shop();
    let id = start(&mut service, &widget, "FIRST", &json!({}));
    let text = id.to_string();
    let mut running = Running::start(
        &service,
        &["conversations", "follow", &text, "--output", "json"],
    );
    assert_eq!(running.next().as_deref(), Some("created"));
    say(&service, id, Role::Agent, "a");
    assert_eq!(running.next().as_deref(), Some("turn a"));
    service.kill();
    service.start_again();
    say(&service, id, Role::Agent, "b");
    assert_eq!(running.next().as_deref(), Some("turn b"));
    block_on(service.client().end_conversation(id)).expect("it ends");
    assert_eq!(running.next().as_deref(), Some("ended"));
    assert_eq!(running.next(), None);
    assert_eq!(running.exit_code(), Some(0));
    service.check(
        &["conversations", "follow", &text],
        &expect![[r#"
        exit 0
        ---- stdout ----
        · began (text)  TIME
        agent  TIME
          a
        agent  TIME
          b
        · ended: agent  TIME
    "#]],
    );
}

/// Everything that can happen, as people see it while it does.
#[test]
fn follow_every_event() {
    let (mut service, widget) = shop();
    let field = json!({"id": "email", "type": "text", "label": "E-mail"});
    let config = json!({"v1": {
        "modes": {"voice": true},
        "forms": [{"id": "order", "fields": [field]}],
        "post_conversation_feedback": {"enabled": true},
    }});
    let patch = WidgetPatch {
        config: serde_json::value::to_raw_value(&config).ok(),
        ..WidgetPatch::default()
    };
    let changed = block_on(service.client().update_web_widget(widget.id, None, &patch));
    changed.expect("it is changed");
    let joining = join(&mut service, &widget, "FIRST", &json!({}));
    let id = joining.conversation.id.to_string();
    let send = |tail: &str, token: &str, body: Value| {
        let tail = format!("/conversations/{id}{tail}");
        window(&service, &widget, &tail, token, &body)
    };
    let follow = ["conversations", "follow", &id];
    let mut running = Running::start(&service, &follow);
    let mut shown = running.read_until("began");
    let message = json!({"messages": [{"id": "1", "role": "visitor", "text": "Hello"}]});
    send("/messages", &joining.conversation_token, message);
    shown += &running.read_until("Hello");
    let resume = json!({"ticket": ticket(&service, &widget), "mode": "voice"});
    let resumed = send("/resume", &joining.conversation_token, resume);
    shown += &running.read_until("voice");
    let token = resumed["conversation_token"].as_str().expect("a token");
    send(
        "/forms/order",
        token,
        json!({"data": {"email": "a@b.example"}}),
    );
    shown += &running.read_until("a@b.example");
    send("/end", token, json!({}));
    shown += &running.read_until("ended");
    assert_eq!(running.line(), "");
    assert_eq!(running.exit_code(), Some(0));
    expect![[r#"
        · began (text)  TIME
        · the visitor joined  TIME
        visitor  TIME
          Hello
        · changed to voice
        · the visitor sent the form `order`
          email: a@b.example
        · ended: visitor  TIME
    "#]]
    .assert_eq(&service.masked(&shown));

    // What comes later is for whoever asks again.
    let feedback = json!({"data": {"rating": 5}});
    send("/feedback", token, feedback);
    service.check(
        &follow,
        &expect![[r#"
            exit 0
            ---- stdout ----
            · began (voice)  TIME
            · the visitor joined  TIME
            visitor  TIME
              Hello
            · the visitor sent the form `order`
              email: a@b.example
            · ended: visitor  TIME
            · the visitor gave feedback  TIME
              rating: 5
        "#]],
    );
    let erase = ["conversations", "erase", &id, "--yes"];
    let erased = outcome(&mut service.command(&Folder::new(), &erase));
    assert!(erased.starts_with("exit 0\n"), "{erased}");
    service.check(
        &follow,
        &expect![[r#"
            exit 0
            ---- stdout ----
            · began (voice)  TIME
            · the visitor joined  TIME
            · ended: visitor  TIME
            · erased by KEY-tests  TIME
        "#]],
    );
}

/// Ctrl-C is the usual end.
#[cfg(unix)]
#[test]
fn stop_following() {
    let (mut service, widget) = shop();
    let id = start(&mut service, &widget, "FIRST", &json!({})).to_string();
    let mut running = Running::start(
        &service,
        &["conversations", "follow", &id, "--output", "json"],
    );
    assert_eq!(running.next().as_deref(), Some("created"));
    let pid = running.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.expect("it runs").success());
    assert_eq!(running.next(), None);
    assert_eq!(running.exit_code(), Some(0));
}

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn export() {
    let (mut service, widget) = shop();
    let first = start(
        &mut service,
        &widget,
        "FIRST",
        &json!({"email": "a@b.example"}),
    );
    say(&service, first, Role::Agent, "Hello");
    start(&mut service, &widget, "SECOND", &json!({}));
    let folder = Folder::new();
    let export = |more: &[&str], expected: &expect_test::Expect| {
        let arguments = [&["conversations", "export"], more].concat();
        service.check_command(&mut service.command(&folder, &arguments), expected);
    };
    let id = first.to_string();
    export(
        &[&id, "--to", "one.jsonl"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ✓ 1 conversation is in `one.jsonl`
    "#]],
    );
    export(
        &["--text", "HELL", "--to", "said.jsonl"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ✓ 1 conversation is in `said.jsonl`
    "#]],
    );
    export(
        &["--visitor", "A@B.example", "--to", "sent.jsonl"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ✓ 1 conversation is in `sent.jsonl`
            ---- stderr ----
            hint: to find it in messages too: `widget conversations list --text A@B.example`
        "#]],
    );
    expect![[r#"
        {"conversation":{"id":"CONVERSATION-FIRST","status":"token_created","is_open":true,"web_widget_id":"WIDGET-SHOP","agent_id":"AGENT-SHOP","agent_version_id":"VERSION-SHOP","channel":"webrtc","mode":"text","created_at":"TIME","joined_at":null,"active_at":null,"ended_at":null,"end_reason":null,"custom_metadata":{"page":{"email":"a@b.example"}}},"origin":"https://shop.example","messages":[{"id":"Hello","role":"agent","text":"Hello","created_at":"TIME","reported_by":"agent"}]}
    "#]].assert_eq(&service.masked(&folder.read("one.jsonl")));
    export(
        &[&id, "--to", "one.jsonl"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `one.jsonl` exists

        hint: `--force` replaces it
    "#]],
    );
    let widget = widget.id.to_string();
    let json = ["--widget", &widget, "--to", "all.jsonl", "--output", "json"];
    export(
        &json,
        &expect![[r#"
        exit 0
        ---- stdout ----
        {"file":"all.jsonl","conversations":2}
    "#]],
    );
    assert_eq!(folder.read("all.jsonl").lines().count(), 2);
    let email = "/page/email=a@b.example";
    export(
        &["--metadata", email, "--to", "one.jsonl", "--force"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ✓ 1 conversation is in `one.jsonl`
        "#]],
    );
    export(
        &["--to", "none.jsonl"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: no conversation is named

            hint: name conversations by their ids, or by a filter such as `--widget WIDGET` or `--visitor a@b.example`
        "#]],
    );
    export(
        &[&id, "--metadata", email, "--to", "none.jsonl"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: conversations are named by ids or by a filter, not by both

            hint: leave out the ids, or the options of the filter
        "#]],
    );
    let reader = service.create_key("reader", &["conversations:read_sensitive"]);
    let mut command = service.command(
        &folder,
        &["conversations", "export", &id, "--to", "none.jsonl"],
    );
    command.env("WIDGET_API_KEY", reader);
    service.check_command(
        &mut command,
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: this needs a key with the scope `conversations:manage`

        hint: `widget whoami` shows what the key may do
    "#]],
    );
    // What failed leaves nothing.
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["all.jsonl", "one.jsonl", "said.jsonl", "sent.jsonl"]
    );
}

/// An answer that breaks off is not an export.
#[test]
fn an_export_is_whole() {
    let server = FaultServer::always(|| {
        let end = stream::once(async {
            // What is before it is sent first.
            tokio::task::yield_now().await;
            Err("it breaks off")
        });
        let parts = stream::iter([Ok("{}\n")]).chain(end);
        Response::new(Body::from_stream(parts))
    });
    let folder = Folder::new();
    let mut command = server.command(&[
        "conversations",
        "export",
        "--since",
        "1d",
        "--to",
        "all.jsonl",
    ]);
    command.current_dir(folder.path());
    let text = crate::outcome(&mut command);
    assert!(
        text.starts_with("exit 2\n---- stderr ----\nerror: the connection to"),
        "{text}"
    );
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn erase() {
    let (mut service, widget) = shop();
    let email = json!({"email": "a@b.example"});
    let first = start(&mut service, &widget, "FIRST", &email);
    start(&mut service, &widget, "SECOND", &email);
    let third = start(&mut service, &widget, "THIRD", &json!({})).to_string();
    let erase = |more: &[&str], expected: &expect_test::Expect| {
        service.check(&[&["conversations", "erase"], more].concat(), expected);
    };
    let filter = ["--metadata", "/page/email=a@b.example"];
    let with = |option: &'static str| [&filter[..], &[option]].concat();
    erase(
        &filter,
        &expect![[r#"
        exit 2
        ---- stdout ----
        - 2 conversations are erased for good
        ---- stderr ----
        error: a change needs an answer, and there is no terminal to ask at; nothing was written

        hint: `widget conversations erase --metadata /page/email=a@b.example --yes` makes it without asking
    "#]],
    );
    erase(
        &with("--dry-run"),
        &expect![[r#"
        exit 0
        ---- stdout ----
        - 2 conversations are erased for good
        ---- stderr ----
        nothing was erased (--dry-run)
    "#]],
    );
    let found = block_on(service.client().get_conversation(first)).expect("it is there");
    assert!(found.erased_at.is_none());
    erase(
        &with("--yes"),
        &expect![[r#"
        exit 0
        ---- stdout ----
        - 2 conversations are erased for good
        ✓ 2 conversations were erased
    "#]],
    );
    let found = block_on(service.client().get_conversation(first)).expect("it is there");
    assert!(found.erased_at.is_some());
    erase(
        &["--job", &third],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: there is no job `CONVERSATION-THIRD`

        hint: jobs are kept for 30 days; check the id
    "#]],
    );
    erase(
        &["--job", &third, "--visitor", "a@b.example"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the argument '--job <JOB>' cannot be used with '--visitor <TEXT>'

            Usage: widget conversations erase --job <JOB> [CONVERSATION]...

            For more information, try '--help'.
        "#]],
    );
    erase(
        &["--text", "a@b.example", "--yes"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: `--text` also finds conversations of others who mention it; name those to erase by their ids

        hint: `widget conversations list --text a@b.example` shows them
    "#]],
    );
    erase(
        &["--metadata", "email=c@d.example", "--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: no conversation fits; nothing was erased

            hint: values are compared whole; `--visitor TEXT` looks in everything that was sent, and `widget conversations list --text TEXT` for a part of what was said
        "#]],
    );
    erase(
        &[&third, "--yes", "--output", "json"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        {"matched":1,"erased":1,"job_id":null}
        ---- stderr ----
        - conversation CONVERSATION-THIRD of TIME (open, nobody joined yet) is erased for good
    "#]],
    );
    erase(
        &[&third, "--yes"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        conversation CONVERSATION-THIRD was erased before; there is nothing to erase
    "#]],
    );
    service.check(
        &["conversations", "show", &third],
        &expect![[r#"
        exit 0
        ---- stdout ----
        id  CONVERSATION-THIRD
        widget  WIDGET-SHOP
        state  erased
        mode  text
        agent  AGENT-SHOP
        version  VERSION-SHOP
        began  TIME
        ended  TIME
        erased  TIME
        erased by  KEY-tests
        ---- stderr ----
        what was said was erased
    "#]],
    );

    let reader = service.create_key("reader", &["conversations:read_sensitive"]);
    let folder = Folder::new();
    let mut command = service.command(&folder, &["conversations", "erase", &third, "--yes"]);
    command.env("WIDGET_API_KEY", &reader);
    service.check_command(
        &mut command,
        &expect![[r#"
        exit 0
        ---- stderr ----
        conversation CONVERSATION-THIRD was erased before; there is nothing to erase
    "#]],
    );
    let arguments = [&["conversations", "erase"], &with("--yes")[..]].concat();
    let mut command = service.command(&folder, &arguments);
    command.env("WIDGET_API_KEY", &reader);
    service.check_command(
        &mut command,
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: this needs a key with the scope `conversations:manage`

        hint: `widget whoami` shows what the key may do
    "#]],
    );
}

/// One of several cannot be erased: it is said how many were.
#[test]
fn erasing_says_where_it_stops() {
    let mut service = Service::start_for_visitors();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    service.publish(&widget);
    let email = json!({"email": "a@b.example"});
    let ids = ["FIRST", "SECOND", "THIRD"]
        .map(|name| start(&mut service, &widget, name, &email).to_string());
    let broken = ids[1].clone();
    let proxy = Forwarder::delivering(service.url(), move |request| {
        if request.method() == "DELETE" && request.uri().path().contains(&broken) {
            Delivery::Never
        } else {
            Delivery::Whole
        }
    });
    service.mask(proxy.url(), "http://PROXY");
    let [first, second, third] = &ids;
    let folder = Folder::new();
    let erase = [
        "conversations",
        "erase",
        first,
        second,
        third,
        "--yes",
        "--timeout",
        "5",
    ];
    let mut command = service.command(&folder, &erase);
    command.env("WIDGET_SERVICE", proxy.url());
    let text = service.masked(&outcome(&mut command));
    let (_, error) = text.split_once("---- stderr ----\n").expect("an error");
    expect![[r#"
        error: stopped: 1 of 3 conversations were erased before, it is not known whether conversation CONVERSATION-SECOND was erased, the others were not
        error: `http://PROXY` did not answer within 5 s; the change may have been made

        hint: `widget conversations show CONVERSATION-SECOND` shows whether it was made; wait longer with `--timeout SECONDS`
    "#]].assert_eq(error);
}

/// The documentation says to erase by its id what no filter finds.
#[test]
fn what_cannot_be_read_can_be_erased() {
    let mut service = Service::start_for_visitors();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    service.publish(&widget);
    let id = start(&mut service, &widget, "FIRST", &json!({}));
    let proxy = Forwarder::delivering(service.url(), |request| {
        let is_read = request.method() == "GET" && request.uri().path().contains("/conversations/");
        if is_read {
            Delivery::Unreadable
        } else {
            Delivery::Whole
        }
    });
    service.mask(proxy.url(), "http://PROXY");
    let folder = Folder::new();
    let erase = ["conversations", "erase", &id.to_string(), "--yes"];
    let mut command = service.command(&folder, &erase);
    command.env("WIDGET_SERVICE", proxy.url());
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 0
            ---- stdout ----
            - conversation CONVERSATION-FIRST, which cannot be read, is erased for good
            ✓ 1 conversation was erased
        "#]],
    );
    let found = block_on(service.client().get_conversation(id)).expect("it is there");
    assert!(found.erased_at.is_some());
}

/// The job is the service's: a restart of it ends no command that waits.
#[test]
fn erasing_waits_for_a_service_that_is_away() {
    let (mut service, widget) = shop();
    let email = json!({"email": "a@b.example"});
    start(&mut service, &widget, "FIRST", &email);
    // As many in a row as the client tries by itself, of the job that counts or of the one that
    // erases.
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let proxy = Forwarder::delivering(service.url(), move |request| {
        let is_job = request.uri().path().starts_with("/core/erasure-jobs/");
        if is_job && (1..6).contains(&counter.fetch_add(1, Ordering::Relaxed)) {
            Delivery::Lost
        } else {
            Delivery::Whole
        }
    });
    service.mask(proxy.url(), "http://PROXY");
    let folder = Folder::new();
    let erase = [
        "conversations",
        "erase",
        "--visitor",
        "a@b.example",
        "--yes",
    ];
    let mut command = service.command(&folder, &erase);
    command.env("WIDGET_SERVICE", proxy.url());
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 0
            ---- stdout ----
            - 1 conversation is erased for good
            ✓ 1 conversation was erased
            ---- stderr ----
            hint: to find it in messages too: `widget conversations list --text a@b.example`
        "#]],
    );
    assert!(asked.load(Ordering::Relaxed) > 6, "five were lost");
}
