//! Previews: a link shows a draft and only the draft, until it ends, and nothing else shows it.

use futures_util::future::join_all;
use serde_json::{Value, json};
use time::Duration;
use widget_api::Scope;
use widget_http::background;

use super::super::metrics::{scrape, value};
use super::{
    limits::join,
    support::{OWN, SHOP, Started, Visitor, with_livekit},
    webhook::{deliver, event, is_to_be_removed},
};
use crate::support::{Answer, LogLines, START, Service, id};

mod api;
mod conversations;

/// What only a draft says.
const DRAFT: &str = "Words of a draft";

/// Browsers send no `Origin` with a `GET` that stays on one origin.
const SAME_ORIGIN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

/// A config that says so in everything that a visitor gets.
fn draft_config() -> Value {
    json!({"v1": {
        "chat": {"title": DRAFT, "greeting": DRAFT},
        "trigger": {"label": "Draft"},
        "forms": [{"id": "draft", "fields": [{"id": "name", "type": "text", "label": DRAFT}]}],
    }})
}

/// A preview as whoever has its link uses it.
struct Link<'a> {
    service: &'a Service,
    widget: String,
    preview: String,
    token: String,
}

impl<'a> Link<'a> {
    async fn of(visitor: &Visitor<'a>, body: Value) -> Self {
        Self::of_widget(visitor.service, &id(&visitor.widget), body).await
    }

    async fn of_widget(service: &'a Service, widget: &str, body: Value) -> Self {
        let path = format!("/core/web-widgets/{widget}/previews");
        let created = service.post(&path, &body).await.json(201);
        let url = created["url"].as_str().expect("a link");
        let token = url.strip_prefix(&format!("{OWN}/public/preview/"));
        Self {
            service,
            widget: widget.to_owned(),
            preview: id(&created),
            token: token.expect("a link of the service").to_owned(),
        }
    }

    /// The same link, whose requests reach another node.
    fn on<'b>(&self, service: &'b Service) -> Link<'b> {
        Link {
            service,
            widget: self.widget.clone(),
            preview: self.preview.clone(),
            token: self.token.clone(),
        }
    }

    fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.on(self.service)
        }
    }

    /// The address of the preview for its owner.
    fn record(&self) -> String {
        format!(
            "/core/web-widgets/{}/previews/{}",
            self.widget, self.preview
        )
    }

    fn path(&self, tail: &str) -> String {
        format!("/public/preview/{}{tail}", self.token)
    }

    /// What a page or its loader gets below the link.
    async fn get(&self, tail: &str) -> Answer {
        let path = self.path(tail);
        let service = self.service;
        service
            .call_with(None, "GET", &path, None, &SAME_ORIGIN)
            .await
    }

    async fn launcher(&self) -> Answer {
        self.get(&format!("/core/public/web-widgets/{}", self.widget))
            .await
    }

    async fn ask_for_ticket_from(&self, origin: &str) -> Answer {
        let tail = format!("/core/public/web-widgets/{}/embed-tickets", self.widget);
        let (path, headers) = (self.path(&tail), [("origin", origin)]);
        self.service
            .call_with(None, "POST", &path, Some("{}"), &headers)
            .await
    }

    async fn ticket(&self) -> String {
        let body = self.ask_for_ticket_from(OWN).await.json(201);
        body["ticket"].as_str().expect("a string").to_owned()
    }

    /// Everything below the link, asked for as a page does.
    async fn all(&self) -> Vec<(&'static str, Answer)> {
        let widget = &self.widget;
        vec![
            ("page", self.get("").await),
            ("page", self.get("?site=phone").await),
            ("page", self.get("?framed=true").await),
            ("state", self.get("/state").await),
            ("draft", self.get("/draft").await),
            ("loader", self.get(&format!("/public/embed/{widget}")).await),
            (
                "panel",
                self.get(&format!("/public/embed/{widget}/panel.js")).await,
            ),
            ("launcher", self.launcher().await),
            ("ticket", self.ask_for_ticket_from(OWN).await),
            (
                "window",
                self.get(&format!(
                    "/public/widget/{widget}?o=https%3A%2F%2Fwidgets.example"
                ))
                .await,
            ),
        ]
    }

    /// A request of the window, which the routes of all conversations answer.
    async fn window(&self, tail: &str, token: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("origin", OWN), ("authorization", authorization.as_str())];
        let path = format!("/core/public/web-widgets/{}{tail}", self.widget);
        self.service
            .call_with(None, "POST", &path, Some(&body.to_string()), &headers)
            .await
    }

    async fn try_start(&self, body: Value) -> Answer {
        let ticket = self.ticket().await;
        self.window("/conversations", &ticket, body).await
    }

    async fn start(&self) -> Started {
        self.try_start(json!({})).await.json(201).into()
    }

    async fn end(&self, started: &Started) {
        let tail = format!("/conversations/{}/end", started.id);
        self.window(&tail, &started.token, json!({}))
            .await
            .json(200);
    }
}

/// An answer without what differs in each: the id of its request.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let text = match serde_json::from_str::<Value>(&answer.text) {
        Ok(mut body) => {
            body["request_id"].take();
            body.to_string()
        }
        Err(_) => answer.text.clone(),
    };
    (answer.status.as_u16(), headers.collect(), text)
}

#[tokio::test]
async fn a_link_shows_the_draft_with_the_gates_aside() {
    let service = Service::start_with(with_livekit).await;
    let (agent, draft) = service.agent(false).await;
    let widget = service
        .widget(json!({
            "published": false, "domains": [], "agent_id": agent, "agent_version_id": draft,
        }))
        .await;
    let body = json!({"config": draft_config()});
    let link = Link::of_widget(&service, &id(&widget), body).await;

    let page = link.get("").await;
    page.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let loader = format!(
        r#"<script src="{}/public/embed/{}""#,
        link.path(""),
        link.widget
    );
    for part in [
        loader.as_str(),
        r#"<meta name="robots" content="noindex, nofollow">"#,
        r#"<meta name="referrer" content="no-referrer">"#,
        "This is a draft",
        r#"<time datetime="2026-02-01T09:30:00Z">February 1, 2026, 09:30 UTC</time>"#,
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let policy = page.header("content-security-policy").to_owned();
    for part in [
        "default-src 'none'; script-src 'self' 'sha256-",
        "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'",
        "require-trusted-types-for 'script'; frame-ancestors 'self'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");

    let launcher = link.launcher().await.json(200);
    assert_eq!(launcher["config"]["trigger"]["label"], "Draft");
    assert_eq!(launcher["config"]["chat"]["title"], DRAFT);
    let body = link.get("/draft").await.json(200);
    assert_eq!(body["launcher"], launcher["config"]);
    assert_eq!(body["window"]["chat"]["greeting"], DRAFT);
    let window = link
        .get(&format!(
            "/public/widget/{}?o=https%3A%2F%2Fwidgets.example",
            link.widget
        ))
        .await;
    window.expect(200);
    assert!(window.text.contains(r#""preview":true"#), "{}", window.text);
    assert!(window.text.contains(DRAFT), "{}", window.text);
    let policy = window.header("content-security-policy");
    assert!(
        policy.ends_with("frame-ancestors https://widgets.example"),
        "{policy}"
    );

    let ticket = link.ask_for_ticket_from(OWN).await.json(201);
    let expected = format!(
        "{OWN}{}?o=https%3A%2F%2Fwidgets.example",
        link.path(&format!("/public/widget/{}", link.widget))
    );
    assert_eq!(ticket["window_url"], expected.as_str());
    let started = link.start().await;
    let path = format!("/core/conversations/{}", started.id);
    let shown = service.get(&path).await.json(200);
    assert_eq!(shown["agent_version_id"], draft.as_str());
}

/// The part of the page that says that it is a draft, with the links to the other views.
fn note(page: &Answer) -> (&str, Vec<(&str, bool)>) {
    let start = page.text.find(r#"<p role="status""#).expect("a note");
    let (words, rest) = page.text[start..].split_once("</p>").expect("its end");
    let (links, _) = rest.split_once("</nav>").expect("links");
    let links = links.split("<a href=\"").skip(1).map(|link| {
        let (address, rest) = link.split_once('"').expect("an address");
        (address, rest.starts_with(r#" aria-current="page">"#))
    });
    (words, links.collect())
}

#[tokio::test]
async fn a_screen_is_a_frame_around_the_page() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    let plain = link.get("").await;
    let (words, links) = note(&plain);
    assert!(words.contains("This is a draft"), "{words}");
    let paths = [
        link.path(""),
        link.path("?site=phone"),
        link.path("?site=desktop"),
    ];
    let expect_current = |links: &[(&str, bool)], current: usize| {
        let expected = paths.iter().map(String::as_str);
        let expected = expected.enumerate().map(|(at, path)| (path, at == current));
        assert_eq!(links, expected.collect::<Vec<_>>());
    };
    expect_current(&links, 0);

    for (current, screen, size) in [
        (1, "phone", r#"width="390" height="844""#),
        (2, "desktop", r#"width="1280" height="800""#),
    ] {
        let page = link.get(&format!("?site={screen}")).await;
        page.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let (same_words, links) = note(&page);
        assert_eq!(same_words, words);
        expect_current(&links, current);
        let frame = format!(
            r#"<iframe src="{}" title="Sample page" {size}></iframe>"#,
            link.path("?framed=true")
        );
        assert!(page.text.contains(&frame), "{frame} in {}", page.text);
        assert!(!page.text.contains("<script"), "{}", page.text);
        assert!(!page.text.contains(DRAFT), "{}", page.text);
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-")
                && policy.ends_with(
                    "; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; \
                     frame-ancestors 'none'"
                ),
            "{policy}"
        );
    }

    // In the frame the note is not said again, and everything else is the same.
    let in_frame = [
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "same-origin"),
    ];
    let framed = link.path("?framed=true");
    let framed = service.call_with(None, "GET", &framed, None, &in_frame);
    let framed = framed.await;
    assert!(!framed.text.contains("This is a draft"), "{}", framed.text);
    assert!(!framed.text.contains("</a>"), "{}", framed.text);
    let (before, rest) = plain.text.split_once("<div class=\"notice\">").expect("it");
    let (_, after) = rest.split_once("</div>").expect("its end");
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let without = format!("{} {}", squeeze(before), squeeze(after));
    let without = without.replace("<html lang=\"en\">", "<html lang=\"en\" class=\"framed\">");
    assert_eq!(squeeze(&framed.text), without);
    assert_eq!(
        framed.header("content-security-policy"),
        plain.header("content-security-policy")
    );

    for query in [
        "?site=tablet",
        "?site=",
        "?site",
        "?Site=phone",
        "?framed=1",
        // Where the browser does not say that it is a frame.
        "?framed=true",
    ] {
        assert_eq!(link.get(query).await.text, plain.text, "{query}");
    }
}

#[tokio::test]
async fn only_pages_of_the_service_frame_a_preview() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    let ask = async |query: &str, destination: &str, site: &str| {
        let headers = [("sec-fetch-dest", destination), ("sec-fetch-site", site)];
        let path = link.path(query);
        service.call_with(None, "GET", &path, None, &headers).await
    };
    for query in ["", "?framed=true", "?site=phone"] {
        ask(query, "iframe", "same-origin").await.expect(200);
        for site in ["same-site", "cross-site", "none"] {
            let answer = ask(query, "iframe", site).await;
            answer.problem(403, "fetch_metadata");
            assert!(!answer.text.contains(DRAFT), "{}", answer.text);
            // A link in a message opens a tab.
            ask(query, "document", site).await.expect(200);
        }
        for destination in ["embed", "object", "frame", "empty", "script"] {
            let answer = ask(query, destination, "same-origin").await;
            answer.problem(403, "fetch_metadata");
        }
    }
    // Whoever opens the frame in a tab reads that it is a draft.
    let tab = ask("?framed=true", "document", "same-origin").await;
    assert!(tab.text.contains("This is a draft"), "{}", tab.text);
    let frame = ask("?framed=true", "iframe", "same-origin").await;
    assert!(!frame.text.contains("This is a draft"), "{}", frame.text);
}

#[tokio::test]
async fn no_page_of_another_origin_gets_a_draft() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    // Also not one that the widget itself allows.
    let launcher = format!("/core/public/web-widgets/{}", link.widget);
    for tail in [launcher.as_str(), "/draft"] {
        let (path, headers) = (link.path(tail), [("origin", SHOP)]);
        let answer = service.call_with(None, "GET", &path, None, &headers).await;
        answer.problem(403, "widget_unavailable");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let answer = link.ask_for_ticket_from(SHOP).await;
    answer.problem(403, "widget_unavailable");
    let window = format!(
        "/public/widget/{}?o=https%3A%2F%2Fshop.example",
        link.widget
    );
    let answer = link.get(&window).await;
    answer.expect(403);
    assert!(!answer.text.contains(DRAFT), "{}", answer.text);
}

#[tokio::test]
async fn no_other_route_serves_a_draft() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({"v1": {"chat": {"title": "Live"}}})).await;
    // The service's own origin is listed, too, so that the gates let the page of the link pass.
    let widget = format!("/core/web-widgets/{}", id(&visitor.widget));
    let domains = json!({"domains": [SHOP, OWN]});
    service.put(&widget, &domains).await.json(200);
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    let started = link.start().await;

    let id = &link.widget;
    let read = format!("/core/public/web-widgets/{id}");
    let conversation = format!("{read}/conversations/{}", started.id);
    let bearer = format!("Bearer {}", started.token);
    let token = ("authorization", bearer.as_str());
    let mut answers = Vec::new();
    for (path, headers) in [
        (read.clone(), vec![("origin", SHOP)]),
        (read.clone(), vec![("origin", OWN)]),
        (read.clone(), SAME_ORIGIN.to_vec()),
        (
            format!("/public/widget/{id}?o=https%3A%2F%2Fshop.example"),
            vec![],
        ),
        (
            format!("/public/widget/{id}?o=https%3A%2F%2Fwidgets.example"),
            vec![],
        ),
        (format!("/public/embed/{id}"), vec![]),
        (format!("/public/embed/{id}/panel.js"), vec![]),
        (conversation.clone(), vec![token]),
        // The id of a preview opens nothing.
        (format!("/public/preview/{}", link.preview), vec![]),
    ] {
        let answer = service.call_with(None, "GET", &path, None, &headers).await;
        answers.push((path, answer));
    }
    for (path, origin) in [("/embed-tickets", SHOP), ("/embed-tickets", OWN)] {
        let path = format!("{read}{path}");
        let headers = [("origin", origin)];
        let answer = service
            .call_with(None, "POST", &path, Some("{}"), &headers)
            .await;
        answer.expect(201);
        assert!(!answer.text.contains(&link.token), "{}", answer.text);
        answers.push((path, answer));
    }
    for (path, answer) in answers {
        assert!(
            answer.status.as_u16() < 500 || answer.status == 503,
            "{path}"
        );
        assert!(!answer.text.contains(DRAFT), "{path}: {}", answer.text);
    }

    // A ticket of the widget starts nothing with the draft, and continues nothing that began there.
    let ticket = visitor.ticket_from(OWN).await;
    let form = format!("/conversations/{}/forms/draft", started.id);
    let public: Started = visitor
        .window("/conversations", &ticket, json!({}))
        .await
        .json(201)
        .into();
    let data = json!({"data": {"name": "A"}});
    let of_public = format!("/conversations/{}/forms/draft", public.id);
    visitor
        .window(&of_public, &public.token, data.clone())
        .await
        .problem(404, "form_not_found");
    visitor.window(&form, &started.token, data).await.json(200);
    let resume = format!("/conversations/{}/resume", started.id);
    let ticket = json!({"ticket": visitor.ticket_from(OWN).await});
    visitor
        .window(&resume, &started.token, ticket)
        .await
        .problem(401, "conversation_token_invalid");
    // Nor does a ticket of another preview.
    let other = Link::of(&visitor, json!({})).await;
    let ticket = json!({"ticket": other.ticket().await});
    visitor
        .window(&resume, &started.token, ticket)
        .await
        .problem(401, "conversation_token_invalid");
    let resume = format!("/conversations/{}/resume", public.id);
    let ticket = json!({"ticket": link.ticket().await});
    visitor
        .window(&resume, &public.token, ticket)
        .await
        .problem(401, "conversation_token_invalid");
}

#[tokio::test]
async fn unknown_and_ended_links_answer_alike() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let ended = Link::of(&visitor, json!({"config": draft_config()})).await;
    service.delete(&ended.record()).await.expect(204);
    let expired = Link::of(&visitor, json!({"expires_in": 60})).await;
    let lasting = Link::of(&visitor, json!({})).await;
    service.clock.advance(Duration::minutes(1));
    let unknown = lasting.with_token("AAAAAAAAAAAAAAAAAAAAAA");
    let malformed = lasting.with_token("%00%ff");
    let of_other_widget = {
        let other = Visitor::of(&service, json!({})).await;
        Link {
            widget: id(&other.widget),
            ..lasting.on(&service)
        }
    };
    let mut seen = Vec::new();
    for link in [&ended, &expired, &unknown] {
        let answers = link.all().await;
        for (name, answer) in &answers {
            let expected = if *name == "page" { 404 } else { 403 };
            answer.expect(expected);
        }
        let answers = answers.iter();
        let all: Vec<_> = answers
            .map(|(name, answer)| (*name, comparable(answer)))
            .collect();
        seen.push(all);
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    for (name, answer) in malformed.all().await {
        let status = answer.status.as_u16();
        assert!(status == 403 || status == 404, "{name}: {status}");
    }
    // A link is for its widget alone.
    for (name, answer) in of_other_widget.all().await {
        let is_of_widget = !matches!(name, "page" | "state" | "draft");
        let status = answer.status.as_u16();
        assert_eq!(status == 403, is_of_widget, "{name}: {status}");
    }
    lasting.get("").await.expect(200);
}

#[tokio::test]
async fn what_is_below_a_link_is_neither_indexed_nor_kept_nor_named_to_others() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({})).await;
    let unknown = link.with_token("AAAAAAAAAAAAAAAAAAAAAA");
    for link in [&link, &unknown] {
        for (name, answer) in link.all().await {
            assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow", "{name}");
            assert_eq!(answer.header("cache-control"), "no-store", "{name}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{name}");
        }
    }
}

#[tokio::test]
async fn a_token_is_in_no_log_and_in_no_record() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let lines = LogLines::capture_all();
    let link = Link::of(&visitor, json!({})).await;
    link.all().await;
    let page = json!({"url": format!("{OWN}{}", link.path("")), "title": "Preview"});
    let started: Started = link
        .try_start(json!({"custom_metadata": page}))
        .await
        .json(201)
        .into();
    link.with_token("AAAAAAAAAAAAAAAAAAAAAA").all().await;
    let transcript = format!("/core/conversations/{}/messages", started.id);
    let transcript = service.get(&transcript).await.json(200);
    assert_eq!(
        transcript["custom_metadata"]["page"],
        json!({"url": "https://widgets.example/public/preview/", "title": "Preview"})
    );
    let list = service
        .get(&format!("/core/web-widgets/{}/previews", link.widget))
        .await;
    for text in [started.body.to_string(), transcript.to_string(), list.text] {
        assert!(!text.contains(&link.token), "{text}");
    }
    assert_eq!(lines.with(&link.token), Vec::<String>::new());
    assert_eq!(lines.with("AAAAAAAAAAAAAAAAAAAAAA"), Vec::<String>::new());
    // The capture sees what is logged of such requests.
    assert!(!lines.with("there is no such preview").is_empty());
    let metrics = scrape(&service).await;
    assert!(metrics.contains("/public/preview/{token}"), "{metrics}");
    assert!(!metrics.contains(&link.token), "{metrics}");
}
