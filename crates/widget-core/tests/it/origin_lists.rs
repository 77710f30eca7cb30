//! Whole lists: what they admit, what they refuse, what they warn of, and what a stored list
//! means under a newer suffix list.

use widget_core::finding::Code;
use widget_core::origin::{AllowedOrigins, SuffixList, SuffixListError};

use crate::support::{admits, builtin, list, origin, refused};

#[track_caller]
fn check(entries: &[&str], page: &str, admitted_by: Option<&str>) {
    let list = list(entries);
    let origin = origin(page);
    let admitted = list.admit(&origin);
    assert_eq!(
        admitted.map(|admitted| admitted.entry()),
        admitted_by,
        "{entries:?}, {page}"
    );
    if let Some(admitted) = admitted {
        assert_eq!(admitted.origin(), &origin);
    }
}

#[test]
fn exact_entries() {
    check(&[], "https://shop.example", None);
    let both = ["https://shop.example", "http://localhost:3000"];
    check(&both, "https://shop.example", Some("https://shop.example"));
    check(
        &both,
        "http://localhost:3000",
        Some("http://localhost:3000"),
    );
    check(&both, "http://shop.example", None);
    check(&both, "https://shop.example:8443", None);
    check(&both, "https://www.shop.example", None);
    check(&both, "https://shop.example.", None);
    check(&both, "http://localhost", None);
}

#[test]
fn any_site() {
    let any = list(&["*"]);
    check(&["*"], "https://anything.example", Some("*"));
    check(&["*"], "http://[::1]:3000", Some("*"));
    assert!(!admits(&any, "null"));
    assert!(!admits(&any, "chrome-extension://abc"));
}

#[test]
fn patterns() {
    let pattern = ["https://*.shop.example"];
    let by = Some("https://*.shop.example");
    check(&pattern, "https://a.shop.example", by);
    check(&pattern, "https://a.b.c.shop.example", by);
    check(&pattern, "https://a_b.shop.example", by);
    check(&pattern, "https://shop.example", None);
    check(&pattern, "http://a.shop.example", None);
    check(&pattern, "https://a.shop.example:8443", None);
    check(&pattern, "https://ashop.example", None);
    check(&pattern, "https://a.shop.example.evil.example", None);
    check(&pattern, "https://a.shop.example.", None);
    check(&pattern, "https://example", None);
}

#[test]
fn the_most_specific_entry_is_reported() {
    let entries = [
        "https://*.a.shop.example",
        "https://*.shop.example",
        "https://*.shop.example:8443",
        "http://*.shop.example",
        "https://x.shop.example",
    ];
    check(&entries, "https://x.shop.example", Some(entries[4]));
    check(&entries, "https://y.shop.example", Some(entries[1]));
    check(&entries, "https://y.a.shop.example", Some(entries[0]));
    check(&entries, "https://a.shop.example", Some(entries[1]));
    check(&entries, "https://y.a.shop.example:8443", Some(entries[2]));
    check(&entries, "http://y.a.shop.example", Some(entries[3]));
    check(&entries, "http://y.a.shop.example:8443", None);
}

#[test]
fn bases_of_different_lengths() {
    let entries = ["https://*.bb.example", "https://*.longer-name.example"];
    check(&entries, "https://a.bb.example", Some(entries[0]));
    check(&entries, "https://a.longer-name.example", Some(entries[1]));
    check(&entries, "https://a.cc.example", None);
    check(&entries, "https://a.b.example", None);
    check(&entries, "https://a.longer-namee.example", None);
}

#[test]
fn duplicates_collapse_in_order() {
    let list = list(&[
        "b.example",
        "https://a.example/x",
        "HTTPS://B.example:443",
        "https://*.a.example",
        "*.a.example",
    ]);
    assert_eq!(
        list.entries(),
        [
            "https://b.example",
            "https://a.example",
            "https://*.a.example"
        ]
    );
    assert_eq!(
        AllowedOrigins::parse(&["*", " * "], builtin())
            .expect("the same star twice")
            .entries(),
        ["*"]
    );
}

#[test]
fn lists_are_the_same_when_their_entries_are() {
    assert_eq!(list(&["a.example"]), list(&["https://a.example/"]));
    assert_ne!(list(&["a.example"]), list(&["b.example"]));
    assert_ne!(list(&[]), list(&["a.example"]));
    assert_eq!(
        format!("{:?}", list(&["a.example"])),
        r#"AllowedOrigins(["https://a.example"])"#
    );
}

#[test]
fn every_fault_is_reported_with_its_place() {
    let error = AllowedOrigins::parse(
        &[
            "https://a.example",
            "http://a_b",
            "*",
            "null",
            "https://a;b:0",
        ],
        builtin(),
    )
    .expect_err("four bad entries");
    let found: Vec<_> = error
        .iter()
        .map(|finding| {
            (
                finding.pointer.clone().unwrap_or_default(),
                finding.code.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("/domains/1".to_owned(), "host_underscore"),
            ("/domains/2".to_owned(), "wildcard_all_not_alone"),
            ("/domains/3".to_owned(), "null_origin"),
            ("/domains/4".to_owned(), "host_invalid"),
            ("/domains/4".to_owned(), "port_zero"),
        ]
    );
    let text = error.to_string();
    assert!(text.contains("; /domains/2: "), "{text}");
    assert!(!text.starts_with(';'), "{text}");
}

#[test]
fn a_hundred_entries_and_no_more() {
    let many = |count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("https://s{number}.example"))
            .collect()
    };
    let parse = |entries: &[String]| AllowedOrigins::parse(entries, builtin());
    assert_eq!(parse(&many(100)).expect("100 entries").entries().len(), 100);
    let findings = parse(&many(101)).expect_err("101 entries");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, Code::TooMany);
    assert_eq!(findings[0].pointer.as_deref(), Some("/domains"));
    assert!(findings[0].detail.contains("101"));
    // Entries count as written, before any of them is read: a long list is refused in one sentence,
    // whatever is in it.
    let bad = vec![String::from("no site"); 190_000];
    let findings = parse(&bad).expect_err("190,000 bad entries");
    assert_eq!((findings.len(), findings.total()), (1, 1));
    assert_eq!(findings[0].code, Code::TooMany);
    let mut twice = many(50);
    twice.extend(many(50));
    assert_eq!(parse(&twice).expect("100 as written").entries().len(), 50);
    twice.extend(many(1));
    assert_eq!(
        parse(&twice).expect_err("101 as written")[0].code,
        Code::TooMany
    );
    assert_eq!(refused(&["*", "a.example"]), ["wildcard_all_not_alone"]);
    assert_eq!(
        refused(&["null", "*"]),
        ["null_origin", "wildcard_all_not_alone"]
    );
}

#[track_caller]
fn check_warnings(entries: &[&str], expected: &[(&str, &str)]) {
    let list = list(entries);
    let found: Vec<_> = list
        .warnings()
        .into_iter()
        .map(|warning| (warning.code.as_str(), warning.pointer.unwrap_or_default()))
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(code, pointer)| (*code, (*pointer).to_owned()))
        .collect();
    assert_eq!(found, expected, "{entries:?}");
    // The same warnings when it is read from storage.
    let stored = AllowedOrigins::load(list.entries(), builtin());
    assert_eq!(stored.warnings(), list.warnings());
}

#[test]
fn warnings() {
    check_warnings(&[], &[("no_domains", "/domains")]);
    check_warnings(&["*"], &[("any_site", "/domains/0")]);
    check_warnings(&["https://a.shop.example"], &[]);
    check_warnings(
        &["http://a.shop.example", "http://*.shop.example"],
        &[
            ("insecure_origin", "/domains/0"),
            ("insecure_origin", "/domains/1"),
        ],
    );
    check_warnings(
        &[
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://a.localhost",
        ],
        &[
            ("loopback_origin", "/domains/0"),
            ("loopback_origin", "/domains/1"),
            ("loopback_origin", "/domains/2"),
        ],
    );
    check_warnings(&["https://203.0.113.7"], &[("ip_origin", "/domains/0")]);
    check_warnings(
        &["http://203.0.113.7"],
        &[
            ("insecure_origin", "/domains/0"),
            ("ip_origin", "/domains/0"),
        ],
    );
    check_warnings(&["https://intranet"], &[("single_label", "/domains/0")]);
    check_warnings(
        &["https://a.bücher.example", "https://*.bücher.example"],
        &[("idn_origin", "/domains/0"), ("idn_origin", "/domains/1")],
    );
}

#[test]
fn a_missing_twin() {
    check_warnings(&["https://shop.example"], &[("twin_missing", "/domains/0")]);
    check_warnings(
        &["https://www.shop.example"],
        &[("twin_missing", "/domains/0")],
    );
    check_warnings(&["https://shop.example", "https://www.shop.example"], &[]);
    check_warnings(&["https://shop.example", "https://*.shop.example"], &[]);
    check_warnings(
        &["https://www.shop.example", "https://*.shop.example"],
        &[("twin_missing", "/domains/0")],
    );
    check_warnings(
        &["https://shop.example:8443", "https://www.shop.example"],
        &[
            ("twin_missing", "/domains/0"),
            ("twin_missing", "/domains/1"),
        ],
    );
    // Deeper names and names of many owners have no twin.
    check_warnings(&["https://www.a.shop.example"], &[]);
    check_warnings(&["https://www.github.io"], &[]);
    check_warnings(&["https://github.io"], &[]);
    let warnings = list(&["http://shop.example"]).warnings();
    let twin = warnings.last().expect("a warning");
    assert_eq!(
        twin.detail,
        "`http://shop.example` is listed, `http://www.shop.example` is not; they are different sites"
    );
    assert_eq!(
        twin.hint.as_deref(),
        Some("add `http://www.shop.example` if the page can be reached there too")
    );
}

#[test]
fn warnings_say_what_to_do() {
    let warning = |entry: &str| {
        list(&[entry])
            .warnings()
            .into_iter()
            .next()
            .expect("a warning")
    };
    let https = warning("localhost:3000");
    assert_eq!(
        https.hint.as_deref(),
        Some("development servers usually speak http: `http://localhost:3000`")
    );
    assert!(
        warning("http://localhost")
            .hint
            .is_some_and(|hint| hint.starts_with("remove it"))
    );
    assert_eq!(
        warning("http://a.shop.example").hint.as_deref(),
        Some("use `https://a.shop.example`")
    );
    let idn = warning("https://a.bücher.example").detail;
    assert!(idn.contains("`https://a.xn--bcher-kva.example`"), "{idn}");
    assert!(idn.contains("`a.bücher.example`"), "{idn}");
}

/// A complete list with these rules.
fn suffix_list(rules: &str) -> SuffixList {
    let text = format!(
        "// VERSION: test\n// ===BEGIN ICANN DOMAINS===\nexample\n{rules}\n// ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\n// ===END PRIVATE DOMAINS===\n"
    );
    SuffixList::parse(&text).expect("a complete list")
}

#[test]
fn a_newer_suffix_list_only_narrows() {
    let stored = ["https://*.shop.example", "https://x.shop.example"];
    let older = suffix_list("");
    let newer = suffix_list("tenants.shop.example");
    let before = AllowedOrigins::load(&stored, &older);
    let after = AllowedOrigins::load(&stored, &newer);
    assert_eq!(before.entries(), after.entries());
    for page in [
        "https://a.shop.example",
        "https://x.shop.example",
        "https://a.b.shop.example",
    ] {
        assert!(admits(&before, page) && admits(&after, page), "{page}");
    }
    for page in [
        "https://evil.tenants.shop.example",
        "https://tenants.shop.example",
        "https://a.evil.tenants.shop.example",
    ] {
        assert!(admits(&before, page), "{page}");
        assert!(!admits(&after, page), "{page}");
    }
    let codes: Vec<_> = after.warnings().iter().map(|w| w.code.as_str()).collect();
    assert_eq!(
        codes,
        ["wildcard_public_suffix", "wildcard_spans_public_suffix"]
    );
    assert!(AllowedOrigins::parse(&stored, &newer).is_err());
    // The base itself became a suffix: nothing below belongs to one owner anymore.
    let suffix = AllowedOrigins::load(&stored, &suffix_list("shop.example"));
    assert!(!admits(&suffix, "https://a.shop.example"));
    assert!(admits(&suffix, "https://x.shop.example"));
}

#[test]
fn stored_entries_that_cannot_be_read_admit_nothing() {
    let stored = AllowedOrigins::load(
        &[
            "https://a.example",
            "b.example",
            "https://c_d.example",
            "*",
            "https://*.wordpress.com",
        ],
        builtin(),
    );
    assert_eq!(stored.entries().len(), 5);
    assert!(!admits(&stored, "https://any.example"));
    assert!(admits(&stored, "https://a.example"));
    assert!(!admits(&stored, "https://b.example"));
    assert!(!admits(&stored, "https://c_d.example"));
    assert!(!admits(&stored, "https://x.wordpress.com"));
    let found: Vec<_> = stored
        .warnings()
        .into_iter()
        .map(|warning| (warning.code.as_str(), warning.pointer.unwrap_or_default()))
        .filter(|(code, _)| *code != "twin_missing")
        .collect();
    assert_eq!(
        found,
        [
            ("not_canonical", "/domains/1".to_owned()),
            ("host_underscore", "/domains/2".to_owned()),
            ("wildcard_all_not_alone", "/domains/3".to_owned()),
            ("wildcard_multitenant_host", "/domains/4".to_owned()),
        ]
    );
}

#[test]
fn suffix_lists() {
    assert!(
        builtin()
            .version()
            .is_some_and(|version| version.starts_with("20"))
    );
    let list = suffix_list("!city.co.example\n*.co.example\nбг\n");
    assert_eq!(list.version(), Some("test"));
    assert_eq!(list.registrable("a.b.shop.example"), Some("shop.example"));
    assert_eq!(list.registrable("example"), None);
    assert_eq!(list.registrable("x.co.example"), None);
    assert_eq!(list.registrable("a.x.co.example"), Some("a.x.co.example"));
    assert_eq!(list.registrable("city.co.example"), Some("city.co.example"));
    assert_eq!(
        list.registrable("a.city.co.example"),
        Some("city.co.example")
    );
    assert_eq!(list.registrable("a.unknown"), Some("a.unknown"));
    assert_eq!(list.registrable("unknown"), None);
    assert_eq!(list.registrable("a.b.xn--90ae"), Some("b.xn--90ae"));
    assert_eq!(list.rule_below("co.example"), Some("!city.co.example"));
    assert_eq!(list.rule_below("example"), Some("!city.co.example"));
    assert_eq!(list.rule_below("city.co.example"), None);
    assert_eq!(
        list.shared_host_at_or_below("wordpress.com"),
        Some("wordpress.com")
    );
    assert_eq!(list.shared_host_at_or_below("a.wordpress.com"), None);
    assert_eq!(list.shared_host_at_or_below("press.com"), None);
    assert!(format!("{list:?}").contains("test"));
}

/// The list that is compiled in is read in parts. Every rule, everything above it, and names below
/// it are what they are in the whole list.
#[test]
fn the_parts_of_the_builtin_list_are_the_list() {
    let text = include_str!("../../data/public_suffix_list.dat");
    let whole = SuffixList::parse(text).expect("a complete list");
    assert_eq!(builtin().version(), whole.version());
    let mut count = 0;
    for line in text.lines() {
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let rule = line.trim_start_matches('!').replace('*', "any");
        let rule = idna::domain_to_ascii(&rule).expect("a name");
        let below = format!("b.a.{rule}");
        let mut rest = Some(below.as_str());
        while let Some(name) = rest {
            assert_eq!(
                builtin().registrable(name),
                whole.registrable(name),
                "{name}"
            );
            assert_eq!(builtin().rule_below(name), whole.rule_below(name), "{name}");
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        // As a name is written that is complete.
        let complete = format!("{below}.");
        assert_eq!(
            builtin().registrable(&complete),
            whole.registrable(&complete)
        );
        count += 1;
    }
    assert!(count > 9_000, "{count} rules");
}

/// A longer rule hides no wildcard: `part.shop.example` stays a suffix of its own.
#[test]
fn wildcards_hold_beside_longer_rules() {
    let list =
        suffix_list("*.shop.example\n*.part.shop.example\n!own.shop.example\n*.own.shop.example");
    assert_eq!(list.registrable("part.shop.example"), None);
    assert_eq!(list.registrable("a.part.shop.example"), None);
    assert_eq!(
        list.registrable("b.a.part.shop.example"),
        Some("b.a.part.shop.example")
    );
    assert_eq!(
        list.registrable("own.shop.example"),
        Some("own.shop.example")
    );
    let stored = AllowedOrigins::load(&["https://*.shop.example"], &list);
    assert!(!admits(&stored, "https://part.shop.example"));
    assert!(!admits(&stored, "https://other.shop.example"));
}

#[test]
fn texts_that_are_not_a_suffix_list() {
    assert!(matches!(
        SuffixList::parse("<html>"),
        Err(SuffixListError::Incomplete(_))
    ));
    let complete = "// ===BEGIN ICANN DOMAINS===\ncom\n// ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\n// ===END PRIVATE DOMAINS===\n";
    assert!(SuffixList::parse(complete).is_ok());
    let last = complete.rfind("// ===END").expect("the last section");
    let cut = SuffixList::parse(&complete[..last]).expect_err("cut off");
    assert_eq!(
        cut,
        SuffixListError::Incomplete("// ===END PRIVATE DOMAINS===")
    );
    for rule in [
        "a..b", ".com", "a.*.b", "*", "!com", "a_b", "**.com", "!*.com",
    ] {
        let text = complete.replace("com\n", &format!("com\n{rule}\n"));
        assert_eq!(
            SuffixList::parse(&text).expect_err(rule),
            SuffixListError::Rule {
                line: 3,
                rule: rule.to_owned()
            }
        );
    }
}
