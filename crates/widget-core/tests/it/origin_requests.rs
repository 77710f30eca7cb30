//! Tables for the `Origin` header field: only what a browser writes is an origin.

use widget_core::origin::{Origin, OriginHeaderError};

#[track_caller]
fn tuple(value: &str) {
    let origin = Origin::from_header([value]);
    assert_eq!(origin.as_ref().map(Origin::as_str), Ok(value));
}

#[track_caller]
fn malformed(value: &str) {
    assert_eq!(
        Origin::from_header([value]),
        Err(OriginHeaderError::Malformed),
        "{value:?}"
    );
}

#[track_caller]
fn foreign(value: &str) {
    assert_eq!(
        Origin::from_header([value]),
        Err(OriginHeaderError::ForeignScheme),
        "{value:?}"
    );
}

#[test]
fn tuples() {
    for value in [
        "https://example.com",
        "http://example.com",
        "https://example.com:80",
        "http://example.com:443",
        "https://example.com:1",
        "https://example.com:65535",
        "http://localhost",
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "http://[::1]:3000",
        "https://[2001:db8::1]",
        "http://[::ffff:7f00:1]",
        "https://xn--bcher-kva.example",
        // Pages do live there, though no entry can name them.
        "https://my_shop.example",
        "https://example.com.",
        "https://a-.example",
    ] {
        tuple(value);
    }
    let longest = vec!["a".repeat(62); 4].join(".") + ".a";
    assert_eq!(longest.len(), 253);
    tuple(&format!("https://{longest}:65535"));
    tuple(&format!("https://{longest}.:65535"));
    malformed(&format!("https://{longest}a"));
    malformed(&format!("https://{longest}.:655350"));
    // Too long to be read.
    malformed(&format!("chrome-extension://{}", "a".repeat(250)));
}

#[test]
fn nothing_is_repaired() {
    for value in [
        "",
        " ",
        "Null",
        "NULL",
        "null ",
        " https://example.com",
        "https://example.com ",
        "https://example.com\t",
        "https://example.com\n",
        "HTTPS://example.com",
        "Https://example.com",
        "https://Example.com",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?x",
        "https://example.com#x",
        "https://example.com:443",
        "http://example.com:80",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:0443",
        "https://example.com:08443",
        "https://example.com:65536",
        "https://example.com:8a",
        "https://example.com:+1",
        "https://example.com:80:90",
        "https://user@example.com",
        "https://example.com,https://evil.example",
        "https://example.com https://evil.example",
        "https://example.com%2eevil.example",
        r"https:\\example.com",
        "https:example.com",
        "https:/example.com",
        "https//example.com",
        "//example.com",
        "example.com",
        "about:blank",
        "https://",
        "https://.",
        "https://.example.com",
        "https://a..b",
        "https://example.com..",
        "https://*",
        "https://*.example.com",
        "https://a;b",
        "https://a'b",
        "https://a!b",
        "https://bücher.example",
        "https://xn--a",
        "https://xn--bcher-kvA.example",
        "http://127.1",
        "http://0x7f.0.0.1",
        "http://1.2.3.999",
        "http://1.2.3.4.",
        "http://01.2.3.4",
        "http://a.1",
        "http://[::1",
        "http://::1",
        "http://[0:0:0:0:0:0:0:1]",
        "http://[::FFFF]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1]x",
        "http://[fe80::1%25eth0]",
        "*",
        "'self'",
    ] {
        malformed(value);
    }
}

#[test]
fn other_schemes() {
    for value in [
        "chrome-extension://abcdefghijklmnop",
        "moz-extension://0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b",
        "ws://example.com",
        "ftp://example.com:21",
        "app://.",
        "a1+b-c.d://x",
    ] {
        foreign(value);
    }
    for value in [
        "file://",
        "file:///",
        "CHROME-extension://abc",
        "1a://x",
        "://x",
        "a_b://x",
        "chrome-extension://abc/",
        "chrome-extension://abc?x",
        "chrome-extension://abc#x",
        "x://a@b",
        "x://a,b",
        "x://a,y://b",
        "x://a b",
        "x://bücher",
        r"x://a\b",
        "blob:https://example.com",
    ] {
        malformed(value);
    }
}

#[test]
fn number_of_fields() {
    let none: [&str; 0] = [];
    assert_eq!(Origin::from_header(none), Err(OriginHeaderError::Absent));
    assert_eq!(
        Origin::from_header(["null"]),
        Err(OriginHeaderError::Opaque)
    );
    for fields in [
        ["https://example.com", "https://evil.example"],
        ["https://example.com", "https://example.com"],
        ["null", "null"],
        ["https://example.com", ""],
    ] {
        assert_eq!(
            Origin::from_header(fields),
            Err(OriginHeaderError::Malformed),
            "{fields:?}"
        );
    }
}

#[test]
fn raw_bytes() {
    for bytes in [&b"https://exam\xffple.com"[..], b"\xff", b"https://a\0b"] {
        assert_eq!(
            Origin::from_header([bytes]),
            Err(OriginHeaderError::Malformed)
        );
    }
}

#[test]
fn errors_have_their_codes() {
    for (error, code) in [
        (OriginHeaderError::Absent, "origin_required"),
        (OriginHeaderError::Opaque, "origin_opaque"),
        (OriginHeaderError::Malformed, "origin_malformed"),
        (OriginHeaderError::ForeignScheme, "origin_scheme"),
    ] {
        assert_eq!(error.code().as_str(), code);
        assert!(!error.to_string().is_empty());
        assert!(!error.hint().is_empty());
    }
}

/// Text that is the canonical text of an origin, and nothing else, is an `Origin`.
#[test]
fn only_canonical_text_is_read() {
    for text in [
        "https://shop.example",
        "http://127.0.0.1:8080",
        "http://[::1]",
        "https://xn--bcher-kva.example",
    ] {
        let origin: Origin = text.parse().expect(text);
        assert_eq!(origin.as_str(), text);
    }
    for text in [
        "",
        "null",
        "shop.example",
        "https://shop.example/",
        "https://SHOP.example",
        "https://shop.example:443",
        "https://bücher.example",
        " https://shop.example",
        "chrome-extension://abc",
    ] {
        let error = text.parse::<Origin>().expect_err(text);
        assert!(
            error.to_string().starts_with(&format!("`{text}` is not")),
            "{error}"
        );
    }
}

#[test]
fn an_address_has_the_origin_that_a_browser_would_send() {
    for (url, expected) in [
        (
            "https://Shop.Example:443/a?b#c",
            Some("https://shop.example"),
        ),
        ("http://user@127.1:8080/", Some("http://127.0.0.1:8080")),
        (
            "https://bücher.example/",
            Some("https://xn--bcher-kva.example"),
        ),
        ("http://[::1]/", Some("http://[::1]")),
        ("https://a;sandbox/", None),
        ("wss://shop.example/", None),
        ("blob:https://shop.example/1", None),
        ("data:text/plain,", None),
    ] {
        let url = url::Url::parse(url).expect(url);
        let origin = Origin::try_from(&url).ok();
        assert_eq!(origin.as_ref().map(Origin::as_str), expected, "{url}");
    }
}
