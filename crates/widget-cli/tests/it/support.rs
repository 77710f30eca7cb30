//! The sessions in `docs/support.md` are real: each block is run on a service in the state that its
//! name stands for. `UPDATE_EXPECT=1` writes them again.

use std::collections::HashMap;

use expect_test::expect_file;
use regex::Regex;
use serde_json::json;
use widget_api::{Widget, WidgetPatch, agents::NewAgentVersion};

use crate::{
    Folder,
    doctor::Site,
    online::conversations,
    service::{Service, block_on},
};

/// How many commands a ticket may need.
const MAX_COMMANDS: usize = 3;

/// What the page has in place of what differs in each run. Ids keep their length, so that columns
/// stay aligned.
const WIDGET: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
const SERVICE: &str = "https://widgets.example";
const TIME: &str = "2026-11-24 09:30:00Z";

/// A service with the widget that somebody asks about, and the pages of its site.
struct Ticket {
    service: Service,
    site: Site,
    folder: Folder,
    /// What is in the page, and what stands for it here.
    names: Vec<(String, String)>,
}

#[test]
fn tickets_are_real() {
    let page = include_str!("../../../../docs/support.md");
    let mut written = String::new();
    let mut blocks = page.split("```");
    let mut tickets = 0;
    while let Some(text) = blocks.next() {
        written += text;
        let Some(block) = blocks.next() else { break };
        let (language, body) = block.split_once('\n').expect("a block has lines");
        let name = language.strip_prefix("console ").expect("a ticket's name");
        written.extend(["```", language, "\n", &solve(name, body), "```"]);
        tickets += 1;
    }
    assert_eq!(tickets, 6);
    expect_file!["../../../../docs/support.md"].assert_eq(&written);
}

/// Runs the commands of a session, one after the other, and shows what a person sees.
fn solve(name: &str, session: &str) -> String {
    let ticket = open(name);
    let commands: Vec<&str> = session
        .lines()
        .filter_map(|line| line.strip_prefix("$ widget "))
        .collect();
    assert!((1..=MAX_COMMANDS).contains(&commands.len()), "{name}");
    let mut shown = String::new();
    for command in commands {
        shown.extend(["$ widget ", command, "\n", &ticket.run(command)]);
    }
    shown
}

impl Ticket {
    fn new(mut service: Service, widget: &Widget, pages: &[(&'static str, &[&str])]) -> Self {
        let id = widget.id.to_string();
        let snippet = format!(
            r#"<script async src="{}/public/embed/{id}"></script>"#,
            service.url()
        );
        let pages = pages.iter().map(|(address, headers)| {
            let headers = headers.iter().map(|header| (*header).to_owned()).collect();
            let html = format!("<!doctype html><title>Shop</title><h1>Cart</h1>{snippet}");
            (*address, (200, headers, html))
        });
        let site = Site::serve(pages.collect::<HashMap<_, _>>());
        let key_of = |key: &str| {
            let key = key.strip_prefix("ak_").and_then(|key| key.split_once('.'));
            key.expect("two parts").0.to_owned()
        };
        let owner = format!("tests ({})", key_of(&service.key));
        // The support team's own key.
        service.key = service.create_key(
            "mia",
            &["web_widgets:manage", "agents:read", "conversations:manage"],
        );
        let mia = key_of(&service.key);
        let names = [
            (WIDGET, id.clone()),
            (&WIDGET[..8], id[..8].to_owned()),
            (SERVICE, service.url()),
            // The test serves the pages without certificates.
            ("https://shop", "http://shop".to_owned()),
            ("https://www.shop", "http://www.shop".to_owned()),
            ("https://staging.shop", "http://staging.shop".to_owned()),
            ("owner (h3Kq9mTz4LwX)", owner),
            ("b7Rn2sVd8YcP", mia),
            (
                "0197b9c3-0000-7000-8000-000000000001",
                widget.agent_id.to_string(),
            ),
            (
                "0197b9c3-0000-7000-8000-000000000002",
                widget.agent_version_id.to_string(),
            ),
        ];
        Self {
            service,
            site,
            folder: Folder::new(),
            names: names.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        }
    }

    fn run(&self, command: &str) -> String {
        let mut command = command.to_owned();
        for (name, value) in &self.names {
            command = command.replace(name, value);
        }
        let arguments: Vec<&str> = command.split(' ').collect();
        // The pages have the addresses of the site: the test stands in as the way to all of them.
        let proxy = format!("http://{}", self.site.address);
        let output = self
            .service
            .command(&self.folder, &arguments)
            .env("HTTP_PROXY", proxy)
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .expect("a run");
        let mut shown = String::from_utf8(output.stdout).expect("UTF-8");
        shown += &String::from_utf8(output.stderr).expect("UTF-8");
        // An id before its beginning, which ids of the same minute share.
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (name, value) in names {
            shown = shown.replace(value, name);
        }
        let time = Regex::new(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z").expect("a pattern");
        let shown = time.replace_all(&shown, TIME);
        // Pages of shops are encrypted; those of the test are not, which the command notices.
        let is_shown = |line: &&str| {
            let about_it = [
                "not encrypted",
                "hint: open the page over https",
                "hint: serve the page over https",
                "hint: use `https://",
            ];
            !about_it.iter().any(|text| line.contains(text))
        };
        // A heading leaves out the scheme of what is encrypted.
        let as_encrypted = |line: &str| match line.split_once(" → ") {
            Some(_) => line.replace("https://", ""),
            None => line.to_owned(),
        };
        let lines = shown.lines().filter(is_shown);
        lines
            .map(|line| as_encrypted(line.trim_end()) + "\n")
            .collect()
    }
}

fn change(service: &Service, widget: &Widget, patch: &WidgetPatch) {
    let changed = service.client();
    let changed = block_on(changed.update_web_widget(widget.id, None, patch));
    changed.expect("it is changed");
}

fn domains(entries: &[&str]) -> WidgetPatch {
    WidgetPatch {
        domains: Some(entries.iter().map(|entry| (*entry).to_owned()).collect()),
        ..WidgetPatch::default()
    }
}

/// The state of the service and the site when the ticket comes in.
fn open(name: &str) -> Ticket {
    const CART: &str = "http://shop.example/cart";
    const SHOP: &str = "http://shop.example";
    let start = |listed: &[&str]| {
        // Commands only ask whether LiveKit answers.
        let livekit = Site::serve(HashMap::new());
        let mut service = Service::start_with_livekit(livekit.address);
        let widget = service.create_widget("the shop", listed);
        service.publish(&widget);
        (service, widget)
    };
    match name {
        "www" => {
            let (service, widget) = start(&["http://www.shop.example"]);
            Ticket::new(service, &widget, &[(CART, &[])])
        }
        "yesterday" => {
            let (service, widget) = start(&[SHOP, "http://www.shop.example"]);
            change(
                &service,
                &widget,
                &domains(&["http://staging.shop.example"]),
            );
            Ticket::new(service, &widget, &[(CART, &[])])
        }
        "staging" => {
            let (service, widget) = start(&[SHOP, "http://staging.shop.example"]);
            let policy: &[&str] = &["Content-Security-Policy: script-src 'self'"];
            let pages = [(CART, policy), ("http://staging.shop.example/cart", &[])];
            Ticket::new(service, &widget, &pages)
        }
        "voice" => {
            let (service, widget) = start(&[SHOP]);
            let policy: &[&str] = &["Permissions-Policy: microphone=(), autoplay=*"];
            Ticket::new(service, &widget, &[(CART, policy)])
        }
        "agent" => {
            let (service, widget) = start(&[SHOP]);
            let newer = block_on(async {
                let client = service.client();
                let version = NewAgentVersion {
                    livekit_agent_name: "shop".to_owned(),
                    label: Some("June 2026".to_owned()),
                };
                let version = client.create_agent_version(widget.agent_id, &version).await;
                let version = version.expect("a version").id;
                let published = client.publish_agent_version(widget.agent_id, version).await;
                published.expect("it is published");
                version
            });
            let mut ticket = Ticket::new(service, &widget, &[(CART, &[])]);
            let name = "0197b9c3-0000-7000-8000-000000000003".to_owned();
            ticket.names.push((name, newer.to_string()));
            ticket
        }
        "visitor" => {
            let mut service = Service::start_for_visitors();
            let widget = service.create_widget("the shop", &["https://shop.example"]);
            service.publish(&widget);
            for (name, email) in [
                ("A", "ada@mail.example"),
                ("B", "ada@mail.example"),
                ("C", "eve@mail.example"),
            ] {
                conversations::start(&mut service, &widget, name, &json!({"email": email}));
            }
            Ticket::new(service, &widget, &[])
        }
        _ => panic!("no ticket is named {name}"),
    }
}
