//! What a key and a profile add to a diagnosis, and that looking changes no numbers.

use std::net::TcpListener;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::Setting;
use crate::{outcome, service::block_on};

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
