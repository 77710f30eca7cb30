//! Pages as they are found, and what becomes of them.

use proptest::prelude::*;
use url::Url;

use super::*;

fn page() -> Url {
    Url::parse("https://www.acme.example/shop/").expect("a URL")
}

fn brand(html: &str) -> Brand {
    Brand::from_html(html, &page())
}

fn color(text: &str) -> Color {
    text.parse().expect("a color")
}

#[test]
fn a_usual_page() {
    let found = brand(
        r##"<!doctype html><html><head><title>Anvils &amp; more | Acme</title>
        <meta name="theme-color" content="#ffffff"><meta name=theme-color content='rgb(200, 16, 46)'>
        <link rel="icon" href="/favicon.ico"><link rel="icon" type=image/svg+xml href="i.svg">
        <link rel="apple-touch-icon" sizes="180x180" href="/touch.png">
        <script>var a = "<img class=logo src=/no.png>";</script>
        </head><body><header><img class="site-logo" src="/img/acme.svg"></header>"##,
    );
    assert_eq!(found.name.as_deref(), Some("Acme"));
    assert_eq!(found.main_color(), Some(color("#c8102e")));
    let address = |url: &Option<WebUrl>| url.as_ref().map(|url| url.as_str().to_owned());
    assert_eq!(
        address(&found.icon_url).as_deref(),
        Some("https://www.acme.example/touch.png")
    );
    assert_eq!(
        address(&found.logo_url).as_deref(),
        Some("https://www.acme.example/img/acme.svg")
    );
}

#[test]
fn names() {
    for (html, name) in [
        ("<title>Acme</title>", Some("Acme")),
        ("<title>Acme – Anvils</title>", Some("Acme")),
        ("<title>Anvils - ACME Inc.</title>", Some("ACME Inc.")),
        ("<title>Home: Welcome</title>", Some("Home")),
        ("<title> \n </title>", None),
        (
            "<title>x</title><meta property='og:site_name' content=' The\n Acme '>",
            Some("The Acme"),
        ),
        (
            "<meta name='application-name' content='Acme App'>",
            Some("Acme App"),
        ),
        (
            r#"<script type="application/ld+json">{"@graph":[{"@type":"WebSite","name":"No"},
            {"@type":"Organization","name":"Acme Corp","logo":{"url":"/l.png"}}]}</script>"#,
            Some("Acme Corp"),
        ),
        (
            "<script type='application/ld+json'>{not json</script>",
            None,
        ),
        ("<title>unclosed", None),
        ("", None),
    ] {
        assert_eq!(brand(html).name.as_deref(), name, "{html}");
    }
}

#[test]
fn pictures() {
    for (html, logo, icon) in [
        (
            "<base href='https://cdn.example/a/'><link rel='shortcut icon' href='b.ico'>",
            None,
            Some("https://cdn.example/a/b.ico"),
        ),
        (
            "<link rel=icon sizes=16x16 href=s.png><link rel=icon sizes='32x32 192x192' href=l.png>",
            None,
            Some("https://www.acme.example/shop/l.png"),
        ),
        (
            "<link rel=stylesheet href=logo.css><img src=hero.png>",
            None,
            None,
        ),
        (
            "<img alt='Acme logo' src='//cdn.example/l.png'>",
            Some("https://cdn.example/l.png"),
            None,
        ),
        (
            r#"<img id=logo src=a.png><script type="application/ld+json">{"@type":"Organization","logo":"https://cdn.example/l.png"}</script>"#,
            Some("https://cdn.example/l.png"),
            None,
        ),
        // What a config does not accept is ignored.
        (
            "<img class=logo src='http://cdn.example/l.png'>",
            None,
            None,
        ),
        (
            "<img class=logo src='data:image/png;base64,AA'>",
            None,
            None,
        ),
        ("<img class=logo src='javascript:alert(1)'>", None, None),
        ("<link rel=icon href='http://localhost/i.png'>", None, None),
        (
            "<link rel=icon href='https://user:pass@acme.example/i.png'>",
            None,
            None,
        ),
    ] {
        let found = brand(html);
        assert_eq!(found.logo_url.as_ref().map(WebUrl::as_str), logo, "{html}");
        assert_eq!(found.icon_url.as_ref().map(WebUrl::as_str), icon, "{html}");
    }
}

#[test]
fn a_brand_becomes_a_config_that_can_be_read() {
    let found = Brand {
        name: Some("x".repeat(100)),
        colors: vec![
            color("#fff"),
            color("#101014"),
            color("#0b1f4d"),
            color("#ff0000"),
        ],
        logo_url: "https://acme.example/l.png".parse().ok(),
        icon_url: "https://acme.example/i.png".parse().ok(),
    };
    let config = found.apply_to(&Config::default()).expect("valid");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    let window = config.for_window();
    let chat = &window.values().chat;
    assert_eq!(chat.title.len(), 60);
    assert_eq!(
        chat.light_mode.background_color.user_message.to_string(),
        "#0b1f4d"
    );
    assert_eq!(
        chat.light_mode.text_color.user_message.to_string(),
        "#ffffff"
    );
    let dark = chat
        .dark_mode
        .background_color
        .controls_button
        .color()
        .expect("a color");
    assert_ne!(
        dark,
        color("#0b1f4d"),
        "it is hardly visible on a dark page"
    );
    assert_eq!(
        Brand::default().apply_to(&Config::default()),
        Ok(Config::default())
    );
    assert!(Brand::default().is_empty());
}

#[test]
fn colors_that_follow_from_the_brand_are_cleared() {
    let palette = r##"{"background_color":{"user_message":"#111","controls_button":"#111"},
        "text_color":{"user_message":"#eee","controls_button":"#eee"}}"##;
    let text = format!(r#"{{"v1":{{"chat":{{"light_mode":{palette},"dark_mode":{palette}}}}}}}"#);
    let config = Config::parse(&text).expect("valid");
    let found = Brand {
        colors: vec![color("#0b1f4d")],
        ..Brand::default()
    };
    let branded = found.apply_to(&config).expect("valid");
    let alone = found.apply_to(&Config::default()).expect("valid");
    assert_eq!(branded.current(), alone.current());
}

#[test]
fn what_the_brand_does_not_say_is_untouched() {
    let text = r#"{"x":1,"v1":{"note":2,"theme":"dark","chat":{"title":"Ours","titel":"?"}}}"#;
    let config = Config::parse(text).expect("valid");
    let unnamed = Brand {
        icon_url: "https://acme.example/i.png".parse().ok(),
        ..Brand::default()
    };
    let branded = unnamed.apply_to(&config).expect("valid");
    assert_eq!(
        branded.as_json(),
        r#"{"x":1,"v1":{"note":2,"theme":"dark","chat":{"title":"Ours","titel":"?","avatar_url":"https://acme.example/i.png"},"trigger":{"icon_url":"https://acme.example/i.png"}}}"#
    );
}

proptest! {
    #[test]
    fn any_page_gives_a_valid_config(parts in prop::collection::vec(prop_oneof![
        ".{0,20}",
        Just("<title>".to_owned()),
        Just("</title>".to_owned()),
        Just("<script type='application/ld+json'>".to_owned()),
        Just("</script>".to_owned()),
        ".{0,10}".prop_map(|value| format!("<meta name=\"theme-color\" content=\"{value}\">")),
        "#[0-9a-f]{6}".prop_map(|value| format!("<meta name=\"theme-color\" content=\"{value}\">")),
        ".{0,20}".prop_map(|value| format!("<img class=logo src=\"{value}\">")),
        ".{0,20}".prop_map(|value| format!("<link rel=icon href=\"{value}\" sizes=\"{value}\">")),
        ".{0,20}".prop_map(|value| format!("<base href=\"{value}\">")),
        ".{0,80}".prop_map(|value| format!("<meta property=\"og:site_name\" content=\"{value}\">")),
    ], 0..12)) {
        let config = brand(&parts.concat()).apply_to(&Config::default());
        prop_assert!(config.is_ok_and(|config| config.warnings().is_empty()));
    }
}

#[test]
fn a_site_is_its_host_and_an_unusual_port() {
    for (address, expected) in [
        ("shop.example", "shop.example"),
        ("www.shop.example", "shop.example"),
        ("http://WWW.Shop.Example/cart?a=b#c", "shop.example"),
        ("https://shop.example:443", "shop.example"),
        ("http://shop.example:8080/", "shop.example:8080"),
        ("https://my.www.shop.example", "my.www.shop.example"),
        ("https://wwwshop.example", "wwwshop.example"),
    ] {
        assert_eq!(parse_site(address).as_deref(), Ok(expected), "{address}");
    }
    for address in [
        "",
        "*.shop.example",
        "ftp://shop.example",
        "https://a@shop.example",
    ] {
        assert!(parse_site(address).is_err(), "{address}");
    }
}
