//! `widget doctor` on pages that a test serves, with a real service.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use expect_test::{Expect, expect};
use serde_json::Value;
use widget_api::{WidgetPatch, unreadable::WidgetRecord};

use crate::{
    Folder, outcome,
    service::{Service, block_on},
};

/// A site with pages: each path with the headers and the HTML of its answer.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
}

/// A page: the status, headers, and HTML.
pub(crate) type Page = (u16, Vec<String>, String);

impl Site {
    pub(crate) fn serve(pages: HashMap<&'static str, Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
                // Whoever hangs up in the middle is not answered.
                if reader.read_line(&mut line).is_err() {
                    continue;
                }
                let mut header = String::new();
                while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
                    header.clear();
                }
                let path = line.split(' ').nth(1).unwrap_or_default();
                let path = path.split('?').next().unwrap_or_default();
                let missing = (404, Vec::new(), "<p>Not found".to_owned());
                let (status, headers, html) = pages.get(path).unwrap_or(&missing);
                let mut head = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
                if !headers
                    .iter()
                    .any(|header| header.starts_with("Content-Type"))
                {
                    head += "Content-Type: text/html; charset=utf-8\r\n";
                }
                for header in headers {
                    let _ = write!(head, "{header}\r\n");
                }
                let _ = write!(head, "Content-Length: {}\r\n\r\n", html.len());
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(html.as_bytes());
            }
        });
        Self { address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A service with a published widget, and a site whose pages may show it.
struct Setting {
    service: Service,
    site: Site,
    folder: Folder,
    id: String,
}

impl Setting {
    /// `pages` have `SNIPPET` for the line of the widget, `ID` and `SERVICE` for its parts.
    fn new(pages: &[(&'static str, &[&str], &str)]) -> Self {
        let mut service = Service::start();
        let widget = service.create_widget("shop", &[]);
        let id = widget.id.to_string();
        let url = service.url();
        let snippet = format!(r#"<script async src="{url}/public/embed/{id}"></script>"#);
        let fill = |text: &str| {
            text.replace("SNIPPET", &snippet)
                .replace("SERVICE", &url)
                .replace("ID", &id)
        };
        let pages = pages.iter().map(|(path, headers, html)| {
            let (status, headers) = match headers {
                [first, rest @ ..] if first.parse::<u16>().is_ok() => {
                    (first.parse().expect("a status"), rest)
                }
                headers => (200, *headers),
            };
            let headers = headers.iter().map(|header| fill(header)).collect();
            (*path, (status, headers, fill(html)))
        });
        let site = Site::serve(pages.collect());
        service.mask(format!("http://{}", site.address), "http://SITE");
        service.mask(site.address.to_string(), "SITE");
        service.mask(format!("localhost:{}", site.address.port()), "LOCALHOST");
        service.mask(id.get(..8).expect("long enough"), "SHORT");
        service.mask(
            url.strip_prefix("http://").expect("a scheme").to_owned(),
            "SERVICE",
        );
        let setting = Self {
            service,
            site,
            folder: Folder::new(),
            id,
        };
        let own = format!("http://{}", setting.site.address);
        setting.patch(true, &[&own]);
        setting
    }

    fn patch(&self, published: bool, domains: &[&str]) {
        let patch = WidgetPatch {
            published: Some(published),
            domains: Some(domains.iter().map(|entry| (*entry).to_owned()).collect()),
            ..WidgetPatch::default()
        };
        let id = self.id.parse().expect("an id");
        let client = self.service.client();
        block_on(client.update_web_widget(id, None, &patch)).expect("it is changed");
    }

    /// Without a profile and without a key.
    fn anonymous(&self, arguments: &[&str]) -> String {
        let mut command = self.folder.command(arguments);
        command.env("XDG_CONFIG_HOME", self.folder.path());
        self.service.masked(&outcome(&mut command))
    }

    #[track_caller]
    fn check_anonymous(&self, path: &str, expected: &Expect) {
        expected.assert_eq(&self.anonymous(&["doctor", &self.site.url(path)]));
    }

    #[track_caller]
    fn check(&self, path: &str, expected: &Expect) {
        let url = self.site.url(path);
        let mut command = self.service.command(&self.folder, &["doctor", &url]);
        self.service.check_command(&mut command, expected);
    }
}

/// The codes of what is not fine, each with its status. These services have no LiveKit.
fn problems(diagnosis: &Value) -> String {
    let findings = diagnosis["findings"].as_array().expect("findings");
    let problems = findings.iter().filter_map(|finding| {
        let word = |name: &str| finding[name].as_str().expect("a text");
        let (code, status) = (word("code"), word("status"));
        (status != "ok" && code != "livekit_unreachable").then(|| format!("{code} {status}"))
    });
    problems.collect::<Vec<_>>().join(", ")
}

#[test]
fn without_a_key() {
    let setting = Setting::new(&[
        ("/shown", &[], "<title>Shop</title><h1>Shop</h1>SNIPPET"),
        ("/missing", &[], "<h1>Welcome to our shop</h1>"),
        (
            "/policy",
            &["Content-Security-Policy: default-src 'self'; script-src 'self' 'nonce-secret'"],
            "SNIPPET",
        ),
    ]);
    setting.check_anonymous(
        "/shown?session=secret",
        &expect![[r#"
            exit 0
            ---- stdout ----
            http://SITE/shown?… → widget SHORT (http://SERVICE)
              ✓ the page loads and has the snippet once
              ✓ the service shows the widget on http://SITE
              ✓ no policy of the page is in the way
              ✓ the service answers
              ! the service has no LiveKit, so that no conversation can begin  operator
                hint: set `LIVEKIT_URL` and its key where the service runs
        "#]],
    );
    setting.check_anonymous(
        "/missing",
        &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/missing → no widget
          ✓ the page loads
          ✗ the page does not have the snippet  site owner
            hint: paste the line that `widget snippet` prints into the page
        Fix: paste the line that `widget snippet` prints into the page
    "#]],
    );
    setting.check_anonymous("/policy", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/policy → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✓ the service shows the widget on http://SITE
          ✗ `script-src` of the page's Content-Security-Policy blocks the script  site owner
            Content-Security-Policy: script-src 'self' 'nonce-…'
            hint: write the page's `nonce` into the tag, or add `http://SERVICE` to `script-src`
          ✗ `default-src` of the page's Content-Security-Policy blocks requests to the service  site owner
            Content-Security-Policy: default-src 'self'
            hint: add `connect-src` with the sources of `default-src` and `http://SERVICE`
          ✗ `default-src` of the page's Content-Security-Policy blocks the window  site owner
            Content-Security-Policy: default-src 'self'
            hint: add `frame-src` with the sources of `default-src` and `http://SERVICE`
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
        Fix: write the page's `nonce` into the tag, or add `http://SERVICE` to `script-src`
        Also:
          - add `connect-src` with the sources of `default-src` and `http://SERVICE`
          - add `frame-src` with the sources of `default-src` and `http://SERVICE`
    "#]]);
    setting.patch(true, &["https://shop.example"]);
    setting.check_anonymous("/shown", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/shown → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ the service does not show this widget on `http://SITE`  widget owner
            403 widget_unavailable
            hint: the widget does not exist, is not published, or does not list this site; an API key with the scope `web_widgets:read` says which: widget login
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget login
    "#]]);
    setting.check_anonymous("/nowhere", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/nowhere → no widget
          ✗ the page answers with the error 404  site owner
            404 http://SITE/nowhere
            hint: compare the address with that in the browser's address bar
          ? the page does not have the snippet, but the answer is not the page that visitors see  site owner
            hint: open the page in a browser, and enter in the console of its developer tools (F12): `document.querySelector('script[src*="/public/embed/"]')?.outerHTML`; `undefined` means that the page has no snippet
        Fix: compare the address with that in the browser's address bar
    "#]]);
    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr();
    let closed = format!("http://{}/", closed.expect("it listens"));
    let text = setting
        .anonymous(&["doctor", &closed])
        .replace(&closed, "CLOSED/");
    expect![[r#"
        exit 1
        ---- stdout ----
        CLOSED/ → no widget
          ✗ the page cannot be loaded: Connection refused (os error 111)  site owner
            hint: check that the site runs, and that the address has the right scheme and port
        Fix: check that the site runs, and that the address has the right scheme and port
    "#]]
    .assert_eq(&text);
}

#[test]
fn with_a_key() {
    let setting = Setting::new(&[("/cart", &[], "<h1>Cart</h1>SNIPPET")]);
    setting.check(
        "/cart",
        &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/cart → widget SHORT "Ask shop" (acme, http://SERVICE)
          ✓ the page loads and has the snippet once
          ✓ the service shows the widget on http://SITE
          ! no worker named `shop` has joined a room yet  operator
            hint: normal before the first conversation; otherwise compare the worker's name
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]],
    );
    let own = format!("http://{}", setting.site.address);
    setting.patch(true, &["https://shop.example"]);
    setting.check("/cart", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/cart → widget SHORT "Ask shop" (acme, http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ `http://SITE` is not on the list of domains  widget owner
            it was for `http://SITE` until TIME, when tests (KEY-tests) wrote revision 3; see `widget history WIDGET-SHOP`
            hint: add `http://SITE`
          ! no worker named `shop` has joined a room yet  operator
            hint: normal before the first conversation; otherwise compare the worker's name
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget domains WIDGET-SHOP add http://SITE
    "#]]);
    setting.patch(false, &[&own]);
    setting.check("/cart", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/cart → widget SHORT "Ask shop" (acme, http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ the widget is not published  widget owner
            it was for `http://SITE` until TIME, when tests (KEY-tests) wrote revision 3; see `widget history WIDGET-SHOP`
            hint: set `published` to true
          ! no worker named `shop` has joined a room yet  operator
            hint: normal before the first conversation; otherwise compare the worker's name
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget publish WIDGET-SHOP
    "#]]);
    let url = setting.site.url("/cart");
    let arguments = ["doctor", &url, "--output", "json"];
    let mut command = setting.service.command(&setting.folder, &arguments);
    let text = outcome(&mut command);
    let json = text.split("---- stdout ----\n").nth(1).expect("an answer");
    let json: Value = serde_json::from_str(json).expect("one object");
    let keys: Vec<_> = json.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        [
            "page",
            "service",
            "widget_id",
            "verdict",
            "findings",
            "fixes"
        ]
    );
    let fix = &json["fixes"][0];
    assert_eq!(fix["code"], "not_published");
    assert_eq!(fix["for"], "widget");
    assert_eq!(fix["command"], format!("widget publish {}", setting.id));
    assert_eq!(json["verdict"], "not_shown");
    let finding = &json["findings"][0];
    let keys: Vec<_> = finding.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["code", "status", "detail", "evidence", "hint", "for"]
    );
}

/// With a key that cannot be used, everything is said that is said without one.
#[test]
fn a_key_that_cannot_be_used_hides_nothing() {
    let down = "<h1>Cart</h1><script async src=http://127.0.0.1:9/public/embed/ID></script>";
    let mut setting = Setting::new(&[("/cart", &[], "<h1>Cart</h1>SNIPPET"), ("/down", &[], down)]);
    setting.service.key = setting.service.create_key("weak", &["agents:read"]);
    setting.check("/cart", &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/cart → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
        ---- stderr ----
        warning: the widget's settings are not known: this needs a key with the scope `web_widgets:read`
          hint: `widget whoami` shows what the key may do
    "#]]);
    setting.service.key = "ak_unknown.secret".to_owned();
    setting.check(
        "/cart",
        &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/cart → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
        ---- stderr ----
        warning: the widget's settings are not known: the service does not accept the API key
          hint: it may be of another service, expired or revoked; `widget login` asks for one
    "#]],
    );
    let folder = setting.folder.path().join("widget");
    std::fs::create_dir_all(&folder).expect("it is made");
    std::fs::write(folder.join("profiles.json"), "{").expect("it is written");
    let settings = folder.display().to_string();
    setting.service.mask(settings, "SETTINGS");
    setting.check_anonymous("/cart", &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/cart → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
        ---- stderr ----
        warning: the widget's settings are not known: `SETTINGS/profiles.json` is not a list of profiles: EOF while parsing an object at line 1 column 1
          hint: remove the file, and use `widget login` again
    "#]]);
    let url = setting.site.url("/down");
    let mut command = setting.folder.command(&["doctor", &url]);
    command
        .env("WIDGET_SERVICE", "http://127.0.0.1:9")
        .env("WIDGET_API_KEY", "ak_1.2");
    setting.service.check_command(&mut command, &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/down → widget SHORT (http://127.0.0.1:9)
          ✓ the page loads and has the snippet once
          ✓ no policy of the page is in the way
          ✗ the service `http://127.0.0.1:9` does not work from here: its script cannot be loaded: Connection refused (os error 111)  operator
            hint: check that the service runs, and that http://127.0.0.1:9/healthz answers
        Fix: check that the service runs, and that http://127.0.0.1:9/healthz answers
        ---- stderr ----
        warning: the widget's settings are not known: cannot connect to `http://127.0.0.1:9`: Connection refused (os error 111)
          hint: check the address of the service, and that it runs
    "#]]);
}

/// The ticket of somebody whose visitors come from an address that is not listed.
#[cfg(unix)]
#[test]
fn refused_visits_are_counted() {
    let mut setting = Setting::new(&[("/cart", &[], "<h1>Cart</h1>SNIPPET")]);
    setting.patch(true, &["https://shop.example"]);
    let own = setting.site.url("/");
    let own = widget_core::origin::Origin::parse_page(&own).expect("an origin");
    let id = setting.id.parse().expect("an id");
    for _ in 0..3 {
        let client = setting.service.client();
        let refused = block_on(client.get_launcher_config(id, &own));
        assert!(refused.is_err(), "it is not listed");
    }
    setting.service.stop();
    setting.service.start_again();
    setting.check("/cart", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/cart → widget SHORT "Ask shop" (acme, http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ `http://SITE` is not on the list of domains  widget owner
            3 visits from `http://SITE` were refused since TIME; it was for `http://SITE` until TIME, when tests (KEY-tests) wrote revision 3; see `widget history WIDGET-SHOP`
            hint: add `http://SITE`
          ! no worker named `shop` has joined a room yet  operator
            hint: normal before the first conversation; otherwise compare the worker's name
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget domains WIDGET-SHOP add http://SITE
    "#]]);
}

/// What is typed comes before what the environment has.
#[test]
fn a_profile_that_is_named_is_asked() {
    let setting = Setting::new(&[("/cart", &[], "<h1>Cart</h1>SNIPPET")]);
    let login = [
        "login",
        "--profile",
        "shop",
        "--service",
        &setting.service.url(),
    ];
    let mut command = setting.folder.command(&login);
    command.env("XDG_CONFIG_HOME", setting.folder.path());
    command.write_stdin(setting.service.key.clone());
    let text = outcome(&mut command);
    assert!(text.starts_with("exit 0"), "{text}");
    let url = setting.site.url("/cart");
    let check = |profile: &str, expected: &Expect| {
        let mut command = setting
            .folder
            .command(&["show", &url, "--profile", profile]);
        command
            .env("WIDGET_PROFILE", profile)
            .env("XDG_CONFIG_HOME", setting.folder.path())
            .env("WIDGET_SERVICE", "http://127.0.0.1:9")
            .env("WIDGET_API_KEY", "ak_1.2");
        setting.service.check_command(&mut command, expected);
    };
    check(
        "shop",
        &expect![[r#"
        exit 0
        ---- stdout ----
        id  WIDGET-SHOP
        title  Ask shop
        published  yes
        domains  http://SITE
        agent  agent of shop (AGENT-SHOP)
        version  1 (VERSION-SHOP)
        created  TIME
        updated  TIME
        config  {
                     "v1": {
                       "chat": {
                         "title": "Ask shop"
                       }
                     }
                   }

        ✓ live
        ! no worker named `shop` has joined a room yet
          hint: normal before the first conversation; otherwise compare the worker's name
        ! `http://SITE` is the visitor's own machine: good for development only
          hint: remove it before the widget goes live: `widget domains WIDGET-SHOP remove http://SITE`
    "#]],
    );
    check(
        "nowhere",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no profile `nowhere`

        hint: there are `shop`
    "#]],
    );
}

#[test]
fn for_a_widget() {
    let mut setting = Setting::new(&[
        ("/cart", &[], "<h1>Cart</h1>SNIPPET"),
        (
            "/foreign",
            &[],
            "<script src=http://127.0.0.1:9/public/embed/ID></script>",
        ),
    ]);
    let other = setting.service.create_widget("other", &[]);
    let run = |widget: &str, path: &str, expected: &Expect| {
        let url = setting.site.url(path);
        let arguments = ["doctor", widget, "--page", &url];
        let mut command = setting.service.command(&setting.folder, &arguments);
        setting.service.check_command(&mut command, expected);
    };
    run(
        &other.id.to_string(),
        "/cart",
        &expect![[r#"
            exit 1
            ---- stdout ----
            http://SITE/cart → widget SHORT "Ask other" (acme, http://SERVICE)
              ✓ the page loads
              ✗ the page has the snippet of the widget `WIDGET-SHOP`, not of `WIDGET-OTHER`  site owner
                <script async src="http://SERVICE/public/embed/WIDGET-SHOP">
                hint: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-OTHER"></script>
              ✗ the widget is not published  widget owner
                hint: set `published` to true
              ✗ the list of domains is empty, so `http://SITE` is not on it  widget owner
                hint: add `http://SITE`
              ! no worker named `shop` has joined a room yet  operator
                hint: normal before the first conversation; otherwise compare the worker's name
              ✓ no policy of the page is in the way
              ✓ the service answers
            Fix: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-OTHER"></script>
            Also:
              - widget publish WIDGET-OTHER
              - widget domains WIDGET-OTHER add http://SITE
        "#]],
    );
    run(
        &setting.id,
        "/foreign",
        &expect![[r#"
            exit 1
            ---- stdout ----
            http://SITE/foreign → widget SHORT "Ask shop" (acme, http://SERVICE)
              ✓ the page loads
              ✗ the snippet uses the service `http://127.0.0.1:9`, not `http://SERVICE`  site owner
                <script src=http://127.0.0.1:9/public/embed/WIDGET-SHOP>
                hint: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-SHOP"></script>
              ✓ the service shows the widget on http://SITE
              ! no worker named `shop` has joined a room yet  operator
                hint: normal before the first conversation; otherwise compare the worker's name
              ✓ no policy of the page is in the way
              ✓ the service answers
              ! the service has no LiveKit, so that no conversation can begin  operator
                hint: set `LIVEKIT_URL` and its key where the service runs
            Fix: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-SHOP"></script>
        "#]],
    );
    let mut command = setting
        .service
        .command(&setting.folder, &["doctor", &setting.id]);
    setting.service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: name the page on which the widget should be shown

            hint: widget doctor WIDGET-SHOP --page URL
        "#]],
    );
    let mut command = setting
        .service
        .command(&setting.folder, &["doctor", "http://a b/"]);
    setting.service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `http://a b/` is not the address of a page: the address contains a space

            hint: use the address in the visitor's address bar
        "#]],
    );
}

/// Each page with what is wrong with it, in one word.
#[test]
#[expect(clippy::too_many_lines, reason = "one list of pages")]
fn everything_is_found() {
    const PLAIN: &[&str] = &[];
    let pages: &[(&'static str, &[&str], &str, &str)] = &[
        (
            "/none",
            PLAIN,
            "<h1>Shop</h1><script src=/jquery.js></script>",
            "not_shown: snippet_missing fail",
        ),
        (
            "/twice",
            PLAIN,
            "SNIPPET SNIPPET",
            "shown: snippet_duplicate warn",
        ),
        (
            "/comment",
            PLAIN,
            "<h1>Shop</h1><!-- SNIPPET -->",
            "not_shown: snippet_commented_out fail",
        ),
        (
            "/consent",
            PLAIN,
            "<script type=text/plain data-cookieconsent=marketing src=SERVICE/public/embed/ID></script>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/copied",
            PLAIN,
            "<script src=/wp-content/cache/min/1/public/embed/ID></script>",
            "not_shown: snippet_copied fail",
        ),
        (
            "/rocket",
            PLAIN,
            "<script type=1f3a-text/javascript src=SERVICE/public/embed/ID></script><script src=/cdn-cgi/scripts/7d0fa10a/cloudflare-static/rocket-loader.min.js data-cf-settings='1f3a-|49' defer></script>",
            "shown: snippet_delayed warn",
        ),
        (
            "/header",
            &["Content-Security-Policy: script-src 'self'"],
            "SNIPPET",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "/meta",
            PLAIN,
            "<head><meta http-equiv=Content-Security-Policy content=\"connect-src 'self'\">SNIPPET",
            "not_shown: csp_connect_blocked fail",
        ),
        (
            "/two",
            &[
                "Content-Security-Policy: default-src * 'unsafe-inline'",
                "Content-Security-Policy: frame-src 'self'",
            ],
            "SNIPPET",
            "not_shown: csp_frame_blocked fail",
        ),
        (
            "/strict",
            &["Content-Security-Policy: script-src 'nonce-abc' 'strict-dynamic' http:"],
            "SNIPPET",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "/nonce",
            &["Content-Security-Policy: script-src 'nonce-abc' 'strict-dynamic'"],
            "<script nonce=abc src=SERVICE/public/embed/ID></script>",
            "shown",
        ),
        (
            "/hash",
            &["Content-Security-Policy: script-src 'sha256-AAAA'"],
            "SNIPPET",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "/frame",
            &[
                "Content-Security-Policy: default-src 'self'; script-src SERVICE; connect-src SERVICE",
            ],
            "SNIPPET",
            "not_shown: csp_frame_blocked fail",
        ),
        (
            "/child",
            &["Content-Security-Policy: child-src 'self'"],
            "SNIPPET",
            "not_shown: csp_frame_blocked fail",
        ),
        (
            "/child-ok",
            &[
                "Content-Security-Policy: child-src SERVICE; script-src SERVICE; connect-src SERVICE",
            ],
            "SNIPPET",
            "shown",
        ),
        (
            "/sandbox",
            &["Content-Security-Policy: sandbox allow-scripts"],
            "SNIPPET",
            "not_shown: csp_sandboxed fail",
        ),
        (
            "/report",
            &["Content-Security-Policy-Report-Only: default-src 'none'"],
            "SNIPPET",
            "shown",
        ),
        (
            "/permissions",
            &["Permissions-Policy: microphone=(), autoplay=(self)"],
            "SNIPPET",
            "shown: permissions_policy_microphone warn, permissions_policy_autoplay warn",
        ),
        (
            "/isolated",
            &["Cross-Origin-Embedder-Policy: require-corp"],
            "SNIPPET",
            "shown",
        ),
        (
            "/framed",
            &["Content-Security-Policy: frame-ancestors 'self' https://portal.example"],
            "SNIPPET",
            "shown: page_frame_only warn",
        ),
        (
            "/wrapper",
            PLAIN,
            "<iframe src='http://127.0.0.1:9/shop'></iframe>",
            "not_shown: snippet_missing fail, page_frame_only fail",
        ),
        (
            "/error",
            &["503"],
            "<h1>Just a moment</h1>",
            "unknown: page_status fail, snippet_missing unknown",
        ),
        (
            "/json",
            &["Content-Type: application/json"],
            "{}",
            "not_shown: page_not_html fail",
        ),
        (
            "/moved",
            &["302", "Location: /twice"],
            "",
            "shown: snippet_duplicate warn",
        ),
        (
            "/application",
            PLAIN,
            "<div id=root></div><script type=module src=/assets/index.js></script>",
            "unknown: snippet_by_script unknown",
        ),
        (
            "/manager",
            PLAIN,
            "<h1>Shop</h1><script>(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':1})})(window,document,'script','dataLayer','GTM-1')</script>",
            "unknown: snippet_by_script unknown",
        ),
        (
            "/bundle.js",
            &["Content-Type: text/javascript"],
            "s.src = service + '/public/embed/' + id",
            "not_shown: page_not_html fail",
        ),
        (
            "/bundle",
            PLAIN,
            "<h1>Shop</h1><script src=/bundle.js></script>",
            "unknown: snippet_by_script unknown",
        ),
        (
            "/integrity",
            PLAIN,
            "<script src=SERVICE/public/embed/ID integrity=sha384-bad crossorigin></script>",
            "not_shown: integrity_unknown fail",
        ),
        (
            "/other",
            PLAIN,
            "<script src=SERVICE/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b></script>",
            "not_shown: widget_unavailable fail",
        ),
        (
            "/hidden",
            PLAIN,
            "<script src=SERVICE/public/embed/ID data-hidden></script>",
            "shown: snippet_missing warn",
        ),
        (
            "/unclosed",
            PLAIN,
            "<h1>Shop</h1><script async src=SERVICE/public/embed/ID></p></body></html>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/swallowed",
            PLAIN,
            "<h1>Shop</h1><script src=/jquery.js>SNIPPET",
            "not_shown: snippet_inert fail",
        ),
        (
            "/svg",
            PLAIN,
            "<svg>SNIPPET</svg>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/blocker",
            PLAIN,
            "<script src=https://consent.cookiebot.com/uc.js data-blockingmode=auto></script>SNIPPET",
            "shown: snippet_inert warn",
        ),
        (
            "/malformed",
            &["Permissions-Policy: microphone=(), camera 'none'"],
            "SNIPPET",
            "shown",
        ),
        (
            "/refresh",
            &["Refresh: 0; url=https://www.shop.example/"],
            "SNIPPET",
            "shown: page_redirected warn",
        ),
        (
            "/credentials",
            PLAIN,
            "<script crossorigin=use-credentials src=SERVICE/public/embed/ID></script>",
            "not_shown: integrity_unknown fail",
        ),
        (
            "/integrity-policy",
            &["Integrity-Policy: blocked-destinations=(script)"],
            "SNIPPET",
            "not_shown: integrity_unknown fail",
        ),
        (
            "/download",
            &["Content-Disposition: attachment"],
            "SNIPPET",
            "not_shown: page_not_html fail",
        ),
        (
            "/xml",
            &["Content-Type: application/xhtml+xml"],
            "<html xmlns='http://www.w3.org/1999/xhtml'><body>SNIPPET</body></html>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/nowhere-to",
            &["302"],
            "SNIPPET",
            "unknown: page_status fail",
        ),
        (
            "/circle",
            &["302", "Location: /circle"],
            "",
            "unknown: page_unreachable fail",
        ),
        (
            "/control",
            &["X-Odd: a\u{1b}[31mb\u{7}"],
            "SNIPPET",
            "shown",
        ),
        (
            "/inner",
            PLAIN,
            "<h1>Chat</h1><iframe src=/twice></iframe>",
            "shown: snippet_missing warn",
        ),
        (
            "/password",
            &["401", "WWW-Authenticate: Basic realm=staging"],
            "",
            "unknown: page_status fail, snippet_missing unknown",
        ),
    ];
    let served: Vec<_> = pages
        .iter()
        .map(|(path, headers, html, _)| (*path, *headers, *html))
        .collect();
    let setting = Setting::new(&served);
    let (mut found, mut expected) = (String::new(), String::new());
    for (path, _, _, findings) in pages {
        let _ = writeln!(expected, "{path} {findings}");
        let url = setting.site.url(path);
        let text = setting.anonymous(&["doctor", &url, "--output", "json"]);
        let json = text.split("---- stdout ----\n").nth(1).unwrap_or_default();
        let json: Value = serde_json::from_str(json).unwrap_or_else(|_| panic!("{path}: {text}"));
        let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let verdict = text_of(&json["verdict"]);
        let exit = if verdict == "shown" {
            "exit 0\n"
        } else {
            "exit 1\n"
        };
        assert!(text.starts_with(exit), "{path}: {text}");
        let problems = problems(&json);
        let separator = if problems.is_empty() { "" } else { ": " };
        let _ = writeln!(found, "{path} {verdict}{separator}{problems}");
    }
    pretty(&found, &expected);
}

#[track_caller]
fn pretty(found: &str, expected: &str) {
    let differences: Vec<_> = found
        .lines()
        .zip(expected.lines())
        .filter(|(found, expected)| found != expected)
        .map(|(found, expected)| format!("found    {found}\nexpected {expected}\n"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.concat());
}

/// Whoever looks for what is wrong changes no numbers of the widget.
#[cfg(unix)]
#[test]
fn looking_is_not_a_visit() {
    let mut setting = Setting::new(&[("/cart", &[], "<h1>Cart</h1>SNIPPET")]);
    let own = format!("http://{}", setting.site.address);
    let url = setting.site.url("/cart");
    for (arguments, domain) in [
        (vec!["doctor", &url], own.as_str()),
        (vec!["doctor", &url], "https://shop.example"),
        (vec!["doctor", &setting.id, "--page", &url], own.as_str()),
    ] {
        setting.patch(true, &[domain]);
        setting.anonymous(&arguments);
        let mut command = setting.service.command(&setting.folder, &arguments);
        outcome(&mut command);
    }
    setting.service.stop();
    setting.service.start_again();
    let arguments = ["stats", &setting.id, "--since", "1s", "--output", "json"];
    let mut command = setting.service.command(&setting.folder, &arguments);
    let text = outcome(&mut command);
    let json = text.split("---- stdout ----\n").nth(1).expect("an answer");
    let json: Value = serde_json::from_str(json).expect("one object");
    for key in ["launchers_shown", "windows_opened"] {
        assert_eq!(json["total"][key], 0, "{text}");
    }
    assert_eq!(json["total"]["refusals"], serde_json::json!([]), "{text}");
}

/// The profile whose key can say more is named.
#[test]
fn profiles_are_named() {
    let setting = Setting::new(&[("/cart", &[], "<h1>Cart</h1>SNIPPET")]);
    setting.patch(true, &["https://shop.example"]);
    let profiles = setting.folder.path().join("widget/profiles.json");
    std::fs::create_dir_all(profiles.parent().expect("a folder")).expect("it is made");
    let list = serde_json::json!({
        "staging": {"service": setting.service.url(), "key": "file"},
        "production": {"service": "https://widgets.example", "key": "file"},
    });
    std::fs::write(profiles, list.to_string()).expect("it is written");
    setting.check_anonymous("/cart", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/cart → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ the service does not show this widget on `http://SITE`  widget owner
            403 widget_unavailable
            hint: the widget does not exist, is not published, or does not list this site; the profile of this service says which: widget doctor http://SITE/cart --profile staging
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget doctor http://SITE/cart --profile staging
        ---- stderr ----
        warning: the widget's settings are not known: there is no profile `default`
          hint: name one with `--profile`: `production`, `staging`
    "#]]);
    let url = setting.site.url("/cart");
    let mut command = setting.folder.command(&["doctor", &url]);
    command
        .env("XDG_CONFIG_HOME", setting.folder.path())
        .env("WIDGET_SERVICE", "http://127.0.0.1:9")
        .env("WIDGET_API_KEY", "ak_1_2");
    let text = setting.service.masked(&outcome(&mut command));
    expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/cart → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ the snippet uses the service `http://SERVICE`, and you work with `http://127.0.0.1:9`  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-SHOP">
            hint: if the page should show a widget of `http://127.0.0.1:9`: replace the snippet by that of the widget of `http://127.0.0.1:9` (`widget snippet WIDGET`); if `http://SERVICE` is right: look with the profile of that service: widget doctor http://SITE/cart --profile staging
          ✗ the service does not show this widget on `http://SITE`  widget owner
            403 widget_unavailable
            hint: the widget does not exist, is not published, or does not list this site; the profile of this service says which: widget doctor http://SITE/cart --profile staging
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: replace the snippet by that of the widget of `http://127.0.0.1:9` (`widget snippet WIDGET`); or, if `http://SERVICE` is right, look with the profile of that service: widget doctor http://SITE/cart --profile staging
        Also:
          - widget doctor http://SITE/cart --profile staging
    "#]]
    .assert_eq(&text);
}

/// What is said where there is no page.
#[test]
fn failures_are_in_plain_words() {
    let setting = Setting::new(&[("/cart", &[], "SNIPPET")]);
    let https = format!("https://{}/cart", setting.site.address);
    expect![[r#"
        exit 1
        ---- stdout ----
        SITE/cart → no widget
          ✗ the page cannot be loaded: it ends the connection before it is secure; the address may be one for `http://`  site owner
            hint: check that the site runs, and that the address has the right scheme and port
        Fix: check that the site runs, and that the address has the right scheme and port
    "#]]
    .assert_eq(&setting.anonymous(&["doctor", &https]));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("http://{}/", silent.local_addr().expect("it listens"));
    let text = setting.anonymous(&["doctor", &silent, "--timeout", "1"]);
    expect![[r#"
        exit 1
        ---- stdout ----
        SILENT/ → no widget
          ✗ the page cannot be loaded: it takes more than 1 s  site owner
            hint: open the address in a browser; if it is slow there, too, correct the site first
        Fix: open the address in a browser; if it is slow there, too, correct the site first
    "#]]
    .assert_eq(&text.replace(&silent, "SILENT/"));
}

#[test]
fn every_code_is_in_the_manual() {
    let page = include_str!("../../../../docs/cli.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code);
    let listed: Vec<_> = rows
        .filter(|code| {
            code.parse()
                .is_ok_and(|code| widget_core::doctor::CODES.contains(&code))
        })
        .collect();
    let codes: Vec<_> = widget_core::doctor::CODES
        .iter()
        .map(|code| code.as_str())
        .collect();
    assert_eq!(listed, codes);
}

/// A reference by the address of a page reads the same snippets.
#[test]
fn a_page_names_its_widget() {
    let setting = Setting::new(&[
        (
            "/cart",
            &[],
            "<!-- <script src=http://127.0.0.1:9/public/embed/ID> -->SNIPPET",
        ),
        ("/comment", &[], "<!-- SNIPPET -->"),
    ]);
    let url = setting.site.url("/cart");
    let mut command = setting.service.command(&setting.folder, &["show", &url]);
    let text = outcome(&mut command);
    assert!(
        text.starts_with("exit 0\n") && text.contains(&setting.id),
        "{text}"
    );
    let url = setting.site.url("/comment");
    let mut command = setting.service.command(&setting.folder, &["show", &url]);
    setting.service.check_command(
        &mut command,
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `http://SITE/comment` has no snippet of a widget

            hint: a tag manager may add it; `widget list --domain http://SITE` shows the widgets of this site, and `widget doctor http://SITE/comment` what is wrong with the page
        "#]],
    );
}

#[test]
fn one_of_several_widgets_is_enough() {
    let mut setting = Setting::new(&[]);
    let url = setting.service.url();
    let line = |id: &str| format!("<script async src=\"{url}/public/embed/{id}\"></script>");
    let dead = setting.service.create_widget("dead", &[]);
    let client = setting.service.client();
    block_on(client.delete_web_widget(dead.id, None)).expect("it is deleted");
    let deleted = widget_api::widgets::WidgetsQuery {
        deleted: Some(true),
        ..Default::default()
    };
    let deleted = block_on(client.list_web_widgets(&deleted).next()).expect("an answer");
    let deleted = deleted
        .expect("a page")
        .into_iter()
        .find_map(|record| match record {
            WidgetRecord::Readable(widget) => widget.widget.deleted_at,
            WidgetRecord::Unreadable(widget) => widget.deleted_at,
        });
    let day = time::OffsetDateTime::from(deleted.expect("a time")).date();
    setting.service.mask(day.to_string(), "DAY");
    let dead = dead.id.to_string();
    let short = dead.get(..8).expect("long enough");
    setting.service.mask(short, "SHORT");
    let dead = line(&dead);
    let pages = HashMap::from([
        (
            "/two",
            (
                200,
                Vec::new(),
                format!("<h1>Shop</h1>{dead}{}", line(&setting.id)),
            ),
        ),
        ("/dead", (200, Vec::new(), format!("<h1>Shop</h1>{dead}"))),
    ]);
    setting.site = Site::serve(pages);
    let own = format!("http://{}", setting.site.address);
    setting.service.mask(&own, "http://SITE");
    setting.patch(true, &[&own]);
    setting.check_anonymous("/two", &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/two → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ! the page also has the widget `WIDGET-DEAD`, which the service does not show here  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-DEAD">
            hint: remove that tag, or see with a key what is wrong: `widget doctor WIDGET-DEAD --page URL`
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]]);
    setting.check("/two", &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/two → widget SHORT "Ask shop" (acme, http://SERVICE)
          ✓ the page loads and has the snippet once
          ! the page also has the widget `WIDGET-DEAD`, which the service does not show here  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-DEAD">
            hint: remove that tag, or see with a key what is wrong: `widget doctor WIDGET-DEAD --page URL`
          ✓ the service shows the widget on http://SITE
          ! no worker named `shop` has joined a room yet  operator
            hint: normal before the first conversation; otherwise compare the worker's name
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]]);
    setting.check(
        "/dead",
        &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/dead → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ the widget was deleted on DAY  widget owner
            hint: `widget undelete WIDGET-DEAD` brings it back
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget undelete WIDGET-DEAD
    "#]],
    );
    let secret = own.replace("http://", "http://ann:secret@");
    expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SITE` is not the address of a page: the address contains a user name; leave it out
    "#]].assert_eq(&setting.anonymous(&["doctor", &secret]));
}

#[test]
fn scripts_of_the_page_are_read() {
    let scripts: Vec<_> = (0..40)
        .map(|at| format!("<script src=/{at}.js></script>"))
        .collect();
    let many = format!(
        "<h1>Shop</h1>{}<script src=/late.js></script>",
        scripts.concat()
    );
    let copy =
        "<h1>Shop</h1><script async src=/FILE data-web-widget=ID data-service=SERVICE></script>";
    let (missing, page, other) = (
        copy.replace("FILE", "gone.js"),
        copy.replace("FILE", "page.js"),
        copy.replace("FILE", "late.js"),
    );
    let setting = Setting::new(&[
        ("/many", &[], &many),
        (
            "/late.js",
            &["Content-Type: text/javascript"],
            "s.src = 'SERVICE/public/embed/ID'",
        ),
        ("/page.js", &[], "<!doctype html><p>Shop"),
        ("/missing", &[], &missing),
        ("/page", &[], &page),
        ("/other", &[], &other),
        (
            "/path",
            &[],
            "<h1>Shop</h1><script async src=/public/embed/ID></script>",
        ),
    ]);
    for (path, expected) in [
        ("/many", "unknown: snippet_by_script unknown"),
        ("/missing", "not_shown: snippet_copied fail"),
        ("/page", "not_shown: snippet_copied fail"),
        ("/other", "unknown: snippet_copied unknown"),
        ("/path", "not_shown: snippet_inert fail"),
    ] {
        let url = setting.site.url(path);
        let text = setting.anonymous(&["doctor", &url, "--output", "json"]);
        let start = text.find('{').expect("JSON");
        let json = &text[start..];
        let json = json.split("\n----").next().unwrap_or(json);
        let diagnosis: Value = serde_json::from_str(json.trim()).expect("JSON");
        let found = problems(&diagnosis);
        let verdict = diagnosis["verdict"].as_str().unwrap_or_default();
        assert_eq!(format!("{verdict}: {found}"), expected, "{path}: {text}");
    }
}

#[test]
fn a_dead_service_before_the_right_one_is_no_fault() {
    let old = "<script src='http://127.0.0.1:9/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c'>\
               </script>";
    let both = format!("<p>Shop</p>{old}SNIPPET");
    let alone = format!("<p>Shop</p>{old}");
    let setting = Setting::new(&[("/both", &[], both.as_str()), ("/alone", &[], &alone)]);
    setting.check_anonymous(
        "/both",
        &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/both → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ! the snippet uses the service `http://127.0.0.1:9`, not `http://SERVICE`  site owner
            <script src='http://127.0.0.1:9/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c'>
            hint: remove that tag
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]],
    );
    setting.check_anonymous("/alone", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/alone → widget 0197a8b2 (http://127.0.0.1:9)
          ✓ the page loads and has the snippet once
          ✓ no policy of the page is in the way
          ✗ the service `http://127.0.0.1:9` does not work from here: its script cannot be loaded: Connection refused (os error 111)  operator
            hint: check that the service runs, and that http://127.0.0.1:9/healthz answers
        Fix: check that the service runs, and that http://127.0.0.1:9/healthz answers
    "#]]);
    // Elsewhere, neither shows one.
    setting.patch(true, &["https://other.example"]);
    setting.check_anonymous("/both", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/both → widget 0197a8b2 (http://127.0.0.1:9)
          ✓ the page loads and has the snippet once
          ✓ the page also has the widget `WIDGET-SHOP`  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-SHOP">
            hint: to look at that one: `widget doctor WIDGET-SHOP --page URL`
          ✓ no policy of the page is in the way
          ✗ the service `http://127.0.0.1:9` does not work from here: its script cannot be loaded: Connection refused (os error 111)  operator
            hint: check that the service runs, and that http://127.0.0.1:9/healthz answers
        Fix: check that the service runs, and that http://127.0.0.1:9/healthz answers
    "#]]);
}
