//! Tables for normalizing one entry: each rule, its edges and its codes.

use expect_test::expect;
use widget_core::origin::{AllowedOrigins, Entry, EntryFault, Origin};

use crate::support::builtin;

#[track_caller]
fn check(entry: &str, canonical: &str) {
    match Entry::parse(entry, builtin()) {
        Ok(parsed) => {
            assert_eq!(parsed.to_text(), canonical, "{entry:?}");
            let again = Entry::parse(canonical, builtin()).expect("canonical text is an entry");
            assert_eq!(again, parsed, "{canonical:?} read again");
        }
        Err(error) => panic!("{entry:?} is refused with {}: {error}", error.code()),
    }
}

/// All codes, in order.
#[track_caller]
fn check_refused(entry: &str, codes: &[&str]) {
    match Entry::parse(entry, builtin()) {
        Ok(parsed) => panic!("{entry:?} is accepted as {}", parsed.to_text()),
        Err(error) => {
            let found: Vec<_> = error
                .faults()
                .iter()
                .map(|fault| fault.code().as_str())
                .collect();
            assert_eq!(found, codes, "{entry:?}: {error}");
            assert_eq!(error.code().as_str(), codes[0]);
            assert_eq!(error.entry(), entry);
            for finding in error.findings("/domains/7") {
                assert_eq!(finding.pointer.as_deref(), Some("/domains/7"));
                assert!(!finding.detail.ends_with('.'), "{}", finding.detail);
            }
        }
    }
}

#[test]
fn white_space_is_trimmed() {
    check(" \t\r\n\x0c https://example.com \n", "https://example.com");
    check(" * ", "*");
    check_refused("", &["empty"]);
    check_refused(" \t\n", &["empty"]);
}

#[test]
fn length_is_counted_in_bytes_after_trimming() {
    let path = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    check(&path(2048), "https://example.com");
    check(&format!("  {}  ", path(2048)), "https://example.com");
    check_refused(&path(2049), &["too_long"]);
    check_refused(&"ü".repeat(1025), &["too_long"]);
}

#[test]
fn characters_that_no_entry_may_contain() {
    for entry in [
        "https://exa mple.com",
        "https://exa\tmple.com",
        "https://exa\r\nmple.com",
        "https://example.com/a b",
        "https://example.com\0",
        "https://example.com\x7f.evil.example",
        "https://example.com, https://other.example",
        "https://example.com \\",
    ] {
        check_refused(entry, &["control_or_space"]);
    }
    for entry in [
        "https://exa\u{a0}mple.com",
        "https://exa\u{3000}mple.com",
        "https://exa\u{85}mple.com",
        "https://exa\u{2028}mple.com",
    ] {
        check_refused(entry, &["control_or_space", "host_invalid"]);
    }
    check_refused(r"https:\\example.com", &["backslash"]);
    check_refused(r"https://example.com\@evil.example", &["backslash"]);
    check_refused(r"'\", &["backslash"]);
    check_refused("null", &["null_origin"]);
    check_refused(" null ", &["null_origin"]);
    check_refused("NULL", &["null_origin"]);
    check_refused("'self'", &["csp_keyword"]);
    check_refused("'none'", &["csp_keyword"]);
    check_refused("'", &["csp_keyword"]);
    check("nullable.example", "https://nullable.example");
}

#[test]
fn schemes() {
    check("example.com", "https://example.com");
    check("http://example.com", "http://example.com");
    check("HTTP://Example.COM", "http://example.com");
    check("hTtPs://example.com", "https://example.com");
    check("http.example.com", "https://http.example.com");
    check("https", "https://https");
    check("httpx:8080", "https://httpx:8080");
    check_refused("//example.com", &["scheme_relative"]);
    check_refused("///example.com", &["scheme_relative"]);
    check_refused("//", &["scheme_relative"]);
    for entry in [
        "http:example.com",
        "https:example.com",
        "HTTPS:/example.com",
        "http:",
        "https:/",
        "http:443",
        "http:/x?u=a://b",
    ] {
        check_refused(entry, &["scheme_malformed"]);
    }
    for entry in [
        "ftp://example.com",
        "ws://example.com",
        "wss://example.com",
        "file:///etc/passwd",
        "javascript://example.com/%0aalert(1)",
        "chrome-extension://abcdefghijklmnop",
        "FTP://example.com",
        "a1+b-c.d://example.com",
        "httpss://example.com",
    ] {
        check_refused(entry, &["scheme_not_allowed"]);
    }
    for entry in [
        "://example.com",
        "1http://example.com",
        "-http://example.com",
        "blob:https://example.com/uuid",
        "ht_tp://example.com",
        "héttp://example.com",
        "example.com/?to=https://other.example",
    ] {
        check_refused(entry, &["scheme_invalid"]);
    }
    check_refused("*://example.com", &["scheme_invalid", "wildcard_misplaced"]);
}

#[test]
fn path_query_and_fragment_are_dropped() {
    for entry in [
        "https://example.com/",
        "https://example.com/a/b?c=d#e",
        "https://example.com?a=b",
        "https://example.com#a",
        "https://example.com/@user",
        "https://example.com/%zz",
        "https://example.com/*",
        "https://example.com/?u=http://other.example",
        "https://example.com/a:80",
        "example.com//x",
    ] {
        check(entry, "https://example.com");
    }
}

#[test]
fn user_names_and_percent_signs() {
    check_refused("https://user@example.com", &["userinfo"]);
    check_refused("https://user:password@example.com:80/x", &["userinfo"]);
    check_refused("https://example.com@evil.example", &["userinfo"]);
    check_refused("https://@example.com", &["userinfo"]);
    check_refused("user@example.com", &["userinfo"]);
    check_refused("https://exa%6dple.com", &["percent_in_host"]);
    check_refused("https://example.com%00", &["percent_in_host"]);
    check_refused("https://a%40b@c", &["userinfo", "percent_in_host"]);
    check_refused("https://[fe80::1%25eth0]", &["percent_in_host"]);
}

#[test]
fn hosts() {
    check("https://EXAMPLE.com", "https://example.com");
    check("https://a-b.example", "https://a-b.example");
    check("https://a--b.example", "https://a--b.example");
    check("https://ab--c.example", "https://ab--c.example");
    check("https://1a.example", "https://1a.example");
    check("https://example.1a", "https://example.1a");
    check("https://localhost", "https://localhost");
    check_refused("https://", &["host_empty"]);
    check_refused("https:///path", &["host_empty"]);
    check_refused("https://?x", &["host_empty"]);
    check_refused("https://#x", &["host_empty"]);
    check_refused("https://:443", &["host_empty"]);
    check_refused(":443", &["host_empty"]);
    check_refused("?", &["host_empty"]);
    check_refused("https://\u{ad}", &["host_empty"]);
    check_refused("https://a..b", &["host_empty_label"]);
    check_refused("https://.example.com", &["host_empty_label"]);
    check_refused("https://a\u{3002}\u{3002}b", &["host_empty_label"]);
    check_refused("https://my_shop.example", &["host_underscore"]);
    check_refused("https://_", &["host_underscore"]);
    check_refused("https://a\u{ff3f}b.example", &["host_underscore"]);
    check_refused("https://example.com.", &["host_trailing_dot"]);
    check_refused("https://example.com.:8443", &["host_trailing_dot"]);
    check_refused("https://example.com\u{3002}", &["host_trailing_dot"]);
    check_refused(
        "https://example.com..",
        &["host_empty_label", "host_trailing_dot"],
    );
    check_refused("https://.", &["host_empty_label", "host_trailing_dot"]);
    for entry in [
        "https://a;sandbox",
        "https://a,b",
        "https://a'b.com",
        "https://a\"b.com",
        "https://a!b",
        "https://a$b",
        "https://a&b",
        "https://a(b)",
        "https://a+b",
        "https://a=b",
        "https://a~b",
        "https://a{b}",
        "https://a`b",
        "https://a^b",
        "https://a|b",
        "https://a<b>",
        "https://-a.example",
        "https://a-.example",
        "https://a.-b.example",
        "https://a.b-",
        "https://-",
        "https://xn--a",
        "https://xn--a.example",
        "https://xn--",
        "https://\u{ff05}41.com",
        "https://a\u{ff0f}b.example",
        "https://a\u{ff0a}b.example",
        "https://\u{fffd}.example",
    ] {
        check_refused(entry, &["host_invalid"]);
    }
}

#[test]
fn long_hosts() {
    let label = |length: usize| "a".repeat(length);
    check(
        &format!("https://{}.example", label(63)),
        &format!("https://{}.example", label(63)),
    );
    check_refused(
        &format!("https://{}.example", label(64)),
        &["host_too_long", "host_invalid"],
    );
    let name = |length: usize| {
        let tail = format!("{0}.{0}.{0}", label(63));
        format!("{}.{tail}", label(length - tail.len() - 1))
    };
    assert_eq!(name(253).len(), 253);
    check(&name(253), &format!("https://{}", name(253)));
    check_refused(&name(254), &["host_too_long"]);
    // Counted in ASCII: 57 letters that each need two octets and more.
    let many = vec!["ü".repeat(20); 8].join(".");
    assert!(many.chars().count() < 253);
    check_refused(&format!("https://{many}.{many}"), &["host_too_long"]);
}

#[test]
fn international_names() {
    check("https://bücher.example", "https://xn--bcher-kva.example");
    check("https://BÜCHER.example", "https://xn--bcher-kva.example");
    check(
        "https://bu\u{308}cher.example",
        "https://xn--bcher-kva.example",
    );
    check("https://faß.de", "https://xn--fa-hia.de");
    check("https://日本語。ＪＰ", "https://xn--wgv71a119e.jp");
    check("https://exa\u{ad}mple.com", "https://example.com");
    check(
        "https://*.bücher.example",
        "https://*.xn--bcher-kva.example",
    );
    check(
        "http://ドメイン.テスト:81",
        "http://xn--eckwd4c7c.xn--zckzah:81",
    );
}

#[test]
fn addresses() {
    check("http://127.0.0.1", "http://127.0.0.1");
    check("255.255.255.255", "https://255.255.255.255");
    check("https://１.２.３.４:5", "https://1.2.3.4:5");
    check("https://1.2.3.4a", "https://1.2.3.4a");
    check("https://0xg", "https://0xg");
    for entry in [
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://0X7F000001",
        "http://0x",
        "http://a.0x1f",
        "http://1.2.3.04",
        "http://1.2.3",
        "http://1.2.3.4.5",
        "http://256.0.0.1",
        "http://a.1",
        "http://0",
    ] {
        check_refused(entry, &["ip_not_canonical"]);
    }
    check_refused(
        "http://1.2.3.4.",
        &["host_trailing_dot", "ip_not_canonical"],
    );
    check_refused("http://[::1]", &["ipv6_not_supported"]);
    check_refused("http://[::1]:3000", &["ipv6_not_supported"]);
    check_refused("[2001:db8::1]", &["ipv6_not_supported"]);
    check_refused("http://[::1]:0", &["ipv6_not_supported", "port_zero"]);
    for entry in [
        "http://[",
        "http://[]",
        "http://[::1",
        "http://[1.2.3.4]",
        "http://[::1]a",
    ] {
        check_refused(entry, &["host_invalid"]);
    }
    for entry in [
        "https://::1",
        "https://::1:90",
        "https://2001:db8::1",
        "https://a[b]",
        "https://::",
    ] {
        check_refused(entry, &["host_invalid"]);
    }
    check_refused(
        "https://example.com:80:90",
        &["host_invalid", "port_invalid"],
    );
}

#[test]
fn ip_hints_say_what_a_browser_reads() {
    let hint = |entry: &str| {
        Entry::parse(entry, builtin())
            .expect_err(entry)
            .faults()
            .first()
            .and_then(EntryFault::hint)
    };
    assert_eq!(hint("http://0x7f.1").as_deref(), Some("write `127.0.0.1`"));
    assert_eq!(hint("http://256.0.0.1"), None);
    assert_eq!(
        hint("https://example.com.").as_deref(),
        Some("write `example.com`")
    );
    assert_eq!(
        hint("HTTP:/example.com").as_deref(),
        Some("write `http://` before the host")
    );
}

#[test]
fn ports() {
    check("https://example.com:443", "https://example.com");
    check("http://example.com:80", "http://example.com");
    check("https://example.com:80", "https://example.com:80");
    check("http://example.com:443", "http://example.com:443");
    check("https://example.com:1", "https://example.com:1");
    check("https://example.com:65535", "https://example.com:65535");
    check("https://example.com:008443", "https://example.com:8443");
    check("https://example.com:00000000443", "https://example.com");
    check("https://example.com:", "https://example.com");
    check("http://example.com:/x", "http://example.com");
    check("example.com:443", "https://example.com");
    check("*.example.com:8443", "https://*.example.com:8443");
    check_refused("example.com:", &["port_invalid"]);
    check_refused("about:/blank", &["port_invalid"]);
    check_refused("mailto:a", &["port_invalid"]);
    check_refused("https://example.com:0", &["port_zero"]);
    check_refused("https://example.com:000", &["port_zero"]);
    for entry in [
        "https://example.com:65536",
        "https://example.com:99999999999999999999",
        "https://example.com:-1",
        "https://example.com:+1",
        "https://example.com:8o",
        "https://example.com:0x50",
        "https://example.com:４４３",
        "https://example.com:**",
    ] {
        check_refused(entry, &["port_invalid"]);
    }
    check_refused("https://example.com:*", &["port_wildcard"]);
    check_refused("https://*.example.com:*", &["port_wildcard"]);
    check_refused("https://*:*", &["wildcard_misplaced", "port_wildcard"]);
    check_refused("https://a_b:0", &["host_underscore", "port_zero"]);
}

#[test]
fn patterns() {
    check("*", "*");
    check("*.example.com", "https://*.example.com");
    check("http://*.Example.com:80/", "http://*.example.com");
    check("https://*.www.example.com", "https://*.www.example.com");
    for entry in [
        "**",
        "https://*",
        "*:443",
        "*/",
        "h*",
        "https://*example.com",
        "https://**.example.com",
        "https://*.*.example.com",
        "https://app.*.example.com",
        "https://app*.example.com",
        "https://example.*",
        "https://example.com*",
        "https://*.exam*ple.com",
        "[*]",
    ] {
        check_refused(entry, &["wildcard_misplaced"]);
    }
    check_refused("https://*.", &["host_empty"]);
    check_refused("https://*..", &["host_empty_label", "host_trailing_dot"]);
    check_refused("https://*.example.com.", &["host_trailing_dot"]);
    check_refused("https://*.a_b.example", &["host_underscore"]);
    check_refused("https://*.127.0.0.1", &["wildcard_on_ip"]);
    check_refused("https://*.127.1", &["wildcard_on_ip", "ip_not_canonical"]);
    check_refused("https://*.1", &["wildcard_on_ip", "ip_not_canonical"]);
    check_refused("https://*.[::1]", &["wildcard_on_ip", "ipv6_not_supported"]);
}

#[test]
fn patterns_on_names_of_many_owners() {
    for entry in [
        "https://*.com",
        "https://*.co.uk",
        "https://*.github.io",
        "https://*.netlify.app",
        "https://*.webflow.io",
        "https://*.internal",
        "https://*.localhost",
        "https://*.xn--p1ai",
        "https://*.рф",
        "https://*.anything.ck",
        "https://*.a.kawasaki.jp",
        "https://*.ex.futurecms.at",
        "https://*.mtls.run.app",
    ] {
        check_refused(entry, &["wildcard_public_suffix"]);
    }
    for entry in [
        "https://*.kawasaki.jp",
        "https://*.sch.uk",
        "https://*.amazonaws.com",
    ] {
        check_refused(
            entry,
            &["wildcard_public_suffix", "wildcard_spans_public_suffix"],
        );
    }
    for entry in [
        "https://*.wordpress.com",
        "https://*.sharepoint.com",
        "https://*.squarespace.com",
        "https://*.site.com",
    ] {
        check_refused(entry, &["wildcard_multitenant_host"]);
    }
    for pattern in [
        "https://*.city.kawasaki.jp",
        "https://*.www.ck",
        "https://*.example.co.uk",
        "https://*.me.github.io",
        "https://*.mine.wordpress.com",
        "https://*.notwordpress.com",
        "https://*.shop.internal",
    ] {
        check(pattern, pattern);
    }
    // One site there is its owner's own choice.
    check("https://me.github.io", "https://me.github.io");
    check("https://co.uk", "https://co.uk");
    check("https://wordpress.com", "https://wordpress.com");
}

#[track_caller]
fn check_page(address: &str, expected: &str) {
    let origin = Origin::parse_page(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    assert_eq!(origin.as_str(), expected);
}

#[test]
fn pages() {
    check_page("shop.example/cart", "https://shop.example");
    check_page(" HTTP://Shop.Example:80/?a ", "http://shop.example");
    check_page("https://bücher.example", "https://xn--bcher-kva.example");
    check_page("https://my_shop.example", "https://my_shop.example");
    check_page("https://shop.example.", "https://shop.example.");
    check_page("http://[::1]:3000/x", "http://[::1]:3000");
    check_page("http://[0:0:0:0:0:FFFF:7F00:1]", "http://[::ffff:7f00:1]");
    for (address, code) in [
        ("", "empty"),
        ("null", "null_origin"),
        ("https://*.example.com", "wildcard_misplaced"),
        ("https://[x]", "host_invalid"),
        ("https://a;b", "host_invalid"),
        ("https://example.com:0", "port_zero"),
        ("ftp://example.com", "scheme_not_allowed"),
        ("https://127.1", "ip_not_canonical"),
    ] {
        let error = Origin::parse_page(address).expect_err(address);
        assert_eq!(error.code().as_str(), code, "{address}");
    }
    // It is no entry of a list.
    for (address, expected) in [
        ("", "the address is empty"),
        ("https://a b", "the address contains a space"),
        (
            "https://me@shop.example",
            "the address contains a user name; leave it out",
        ),
        ("https:///cart", "the address names no host"),
        (
            "*.shop.example",
            "the address contains `*`, which stands for several sites",
        ),
        (
            "https://127.1",
            "`127.1` is not an IPv4 address in its usual form",
        ),
    ] {
        let error = Origin::parse_page(address).expect_err(address);
        assert_eq!(error.to_string(), expected, "{address}");
        let details: Vec<String> = error
            .findings("/page")
            .into_iter()
            .map(|finding| finding.detail)
            .collect();
        assert_eq!(details, [expected], "{address}");
    }
}

#[test]
fn parts_of_an_origin() {
    let parts = |address: &str| {
        let origin = Origin::parse_page(address).expect(address);
        (
            origin.scheme().as_str(),
            origin.host().to_owned(),
            origin.port(),
        )
    };
    assert_eq!(
        parts("https://a.example"),
        ("https", "a.example".to_owned(), 443)
    );
    assert_eq!(
        parts("http://a.example:8080"),
        ("http", "a.example".to_owned(), 8080)
    );
    assert_eq!(parts("http://[::1]"), ("http", "[::1]".to_owned(), 80));
    assert_eq!(
        parts("https://[::1]:444"),
        ("https", "[::1]".to_owned(), 444)
    );
}

#[test]
fn loopback_and_secure_contexts() {
    for (address, loopback, secure) in [
        ("https://shop.example", false, true),
        ("http://shop.example", false, false),
        ("http://localhost:3000", true, true),
        ("http://app.localhost", true, true),
        ("http://localhost.", true, true),
        ("http://127.0.0.1", true, true),
        ("http://127.8.9.10", true, true),
        ("http://128.0.0.1", false, false),
        ("http://[::1]", true, true),
        ("http://[::2]", false, false),
        ("http://notlocalhost", false, false),
        ("http://localhost.example", false, false),
    ] {
        let origin = Origin::parse_page(address).expect(address);
        assert_eq!(origin.is_loopback(), loopback, "{address}");
        assert_eq!(origin.is_secure_context(), secure, "{address}");
    }
}

/// An entry for each fault.
const FAULTY: [&str; 30] = [
    "",
    "a b.example",
    "a\tb.example",
    "a\nb.example",
    "a\u{7f}b.example",
    "https:\\\\shop.example",
    "null",
    "'self'",
    "//shop.example",
    "x y://shop.example",
    "https:shop.example",
    "ftp://shop.example",
    "https://user@shop.example",
    "https://%41.example",
    "https://",
    "https://a..example",
    "https://a_b.example",
    "https://shop.example.",
    "https://-shop.example",
    "https://127.1",
    "https://256.256.256.256",
    "https://[::1]",
    "https://shop.example:0",
    "https://shop.example:99999",
    "https://shop.example:*",
    "https://shop.*.example",
    "https://*.127.0.0.1",
    "https://*.co.uk",
    "https://*.kawasaki.jp",
    "https://*.wordpress.com",
];

/// What an owner reads about each fault: what was found, and what to write instead.
#[test]
fn faults_say_what_to_write() {
    let mut report = String::new();
    for entry in FAULTY {
        let error = Entry::parse(entry, builtin()).expect_err(entry);
        for fault in error.faults() {
            let hint = fault.hint().unwrap_or_else(|| "-".to_owned());
            report.extend([
                fault.code().as_str(),
                ": ",
                &fault.to_string(),
                "\n    ",
                &hint,
                "\n",
            ]);
        }
    }
    let list = AllowedOrigins::parse(&["*", "shop.example"], builtin()).expect_err("not alone");
    for finding in list {
        let hint = finding.hint.unwrap_or_else(|| "-".to_owned());
        report.extend([
            finding.code.as_str(),
            ": ",
            &finding.detail,
            "\n    ",
            &hint,
            "\n",
        ]);
    }
    expect![[r"
        empty: the entry is empty
            remove the entry, or write a site such as `https://shop.example`
        control_or_space: the entry contains a space; write one site per entry
            -
        control_or_space: the entry contains a tab; write one site per entry
            -
        control_or_space: the entry contains a line break; write one site per entry
            -
        control_or_space: the entry contains the character U+007F; write one site per entry
            -
        backslash: the entry contains `\`; addresses are written with `/`
            -
        null_origin: `null` is the origin of any sandboxed page and of local files; it cannot be allowed
            write the address of the page, such as `https://shop.example`
        csp_keyword: `'self'` is a keyword of Content-Security-Policy, not a site
            write the address of the page, such as `https://shop.example`
        scheme_relative: `//` without a scheme is ambiguous
            write `https://` before the host
        control_or_space: the entry contains a space; write one site per entry
            -
        scheme_malformed: `https:` must be followed by `//`
            write `https://` before the host
        scheme_not_allowed: the scheme `ftp` cannot hold a page with a widget; only `https` and `http` can
            write `https://` and the host of the page
        userinfo: the entry contains `@`; a site is written without a user name
            -
        percent_in_host: the host contains `%`; write its characters as they are
            -
        host_empty: the entry names no host
            -
        host_empty_label: the host `a..example` has an empty label between its dots
            -
        host_underscore: the host `a_b.example` contains `_`; host names have only letters, digits and hyphens
            -
        host_trailing_dot: the host `shop.example.` ends in a dot, which makes it another site than the same name without it
            write `shop.example`
        host_invalid: `-shop.example` is not a host name: a label must not begin or end with a hyphen
            -
        ip_not_canonical: `127.1` is not an IPv4 address in its usual form
            write `127.0.0.1`
        ip_not_canonical: `256.256.256.256` is not an IPv4 address in its usual form
            -
        ipv6_not_supported: `[::1]` is an IPv6 address, which browsers do not accept in `frame-ancestors`
            use a host name, or the IPv4 address
        port_zero: port 0 cannot serve a page
            -
        port_invalid: `99999` is not a port; ports are 1 to 65535
            -
        port_wildcard: a port cannot be `*`; list each port
            -
        wildcard_misplaced: `*` is only possible as the first label, as in `https://*.example.com`, or alone
            list each site, or use `*.` before a domain of your own
        wildcard_on_ip: `*.127.0.0.1` is a pattern on an IP address, which has no subdomains
            list `127.0.0.1` itself
        wildcard_public_suffix: `*.co.uk` would allow sites of different owners
            list your own sites there one by one, without `*`
        wildcard_public_suffix: `*.kawasaki.jp` would allow sites of different owners
            list your own sites there one by one, without `*`
        wildcard_spans_public_suffix: below `kawasaki.jp` lies the public suffix `*.kawasaki.jp`, under which names belong to different owners
            list your own sites there one by one, without `*`
        wildcard_multitenant_host: `wordpress.com` gives its subdomains to different customers, so `*.wordpress.com` would allow sites of others
            list your own sites there one by one, without `*`
        wildcard_all_not_alone: `*` allows every site, so it must be the only entry
            remove `*`, or remove all the other entries
    "]].assert_eq(&report);
}
