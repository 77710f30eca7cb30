//! Laws of origins, tried on generated texts.

use std::sync::LazyLock;

use proptest::prelude::*;
use widget_core::origin::{AllowedOrigins, Entry, Origin, SuffixList};

use crate::support::builtin;

/// Texts near the grammar of an entry, so that both outcomes are common.
fn entry_like() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[ -~]{0,40}",
        "(https?://|HTTP://|//|ws://|)(\\*\\.|\\*|)([a-zA-Z0-9_ü.*;-]{0,12}\\.){0,3}(com|co\\.uk|example|github\\.io|1|0x1)?\\.?(:[0-9*]{0,6})?(/.{0,5})?",
        "(https?://)?(\\*\\.)?([a-z0-9-]{1,8}\\.){1,3}(com|example|co\\.uk|jp)(:[1-9][0-9]{0,4})?",
        "(https?://)?(\\[[0-9a-f:]{0,12}\\]|[0-9.]{1,15})(:[0-9]{1,5})?",
    ]
}

fn label() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9]{0,6}[a-z0-9])?"
}

/// The base of a pattern that belongs to one owner.
fn owned_base() -> impl Strategy<Value = String> {
    (
        label(),
        prop::sample::select(vec!["com", "example", "co.uk", "de", "github.io"]),
    )
        .prop_map(|(label, suffix)| format!("own-{label}.{suffix}"))
}

static WHOLE_LIST: LazyLock<SuffixList> = LazyLock::new(|| {
    SuffixList::parse(include_str!("../../data/public_suffix_list.dat")).expect("a complete list")
});

fn tuple(value: &str) -> Option<Origin> {
    Origin::from_header([value]).ok()
}

proptest! {
    #[test]
    fn normalizing_is_idempotent(entry in entry_like()) {
        if let Ok(parsed) = Entry::parse(&entry, builtin()) {
            let text = parsed.to_text();
            let again = Entry::parse(&text, builtin());
            prop_assert_eq!(again.as_ref(), Ok(&parsed));
            let list = AllowedOrigins::parse(&[&text], builtin()).expect("one canonical entry");
            prop_assert_eq!(list.entries(), std::slice::from_ref(&text));
            prop_assert_eq!(AllowedOrigins::load(&[&text], builtin()), list);
        }
    }

    /// Also names that no rule fits, and texts that are not names.
    #[test]
    fn the_parts_of_the_builtin_list_are_the_list(
        name in "([a-z0-9-]{0,3}\\.){0,4}([a-z]{0,3}|com|jp|uk|ck|kawasaki\\.jp|xn--[a-z0-9]{1,8}|[ü.*]{1,2})\\.?",
    ) {
        prop_assert_eq!(builtin().registrable(&name), WHOLE_LIST.registrable(&name));
        prop_assert_eq!(builtin().rule_below(&name), WHOLE_LIST.rule_below(&name));
    }

    #[test]
    fn canonical_text_fits_a_header(entry in entry_like()) {
        if let Ok(parsed) = Entry::parse(&entry, builtin()) {
            let text = parsed.to_text();
            prop_assert!(text.bytes().all(|byte| matches!(
                byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'/' | b'*'
            )), "{}", text);
        }
    }

    /// A request that sends a refused entry word for word is not admitted by any list that could
    /// have come of it.
    #[test]
    fn what_is_refused_never_matches(entry in entry_like(), page in entry_like()) {
        if Entry::parse(&entry, builtin()).is_err() {
            let stored = AllowedOrigins::load(&[&entry], builtin());
            for value in [entry.as_str(), entry.trim(), page.as_str()] {
                if let Some(origin) = tuple(value) {
                    prop_assert!(stored.admit(&origin).is_none(), "{entry:?} admits {origin}");
                }
            }
        }
    }

    #[test]
    fn an_exact_entry_admits_itself_only(entry in entry_like(), page in entry_like()) {
        if let Ok(Entry::Exact(listed)) = Entry::parse(&entry, builtin()) {
            let list = AllowedOrigins::parse(&[&entry], builtin()).expect("a good entry");
            let itself = tuple(listed.as_str());
            prop_assert_eq!(itself.as_ref(), Some(&listed));
            prop_assert!(list.admit(&listed).is_some());
            if let Some(other) = tuple(&page) && other != listed {
                prop_assert!(list.admit(&other).is_none());
            }
        }
    }

    #[test]
    fn a_pattern_admits_subdomains_only(base in owned_base(), head in "([a-z0-9_]{1,5}\\.){1,4}", port in 1_u16..) {
        let pattern = format!("https://*.{base}:{port}");
        let list = AllowedOrigins::parse(&[&pattern], builtin()).expect("an owned base");
        let show = |scheme: &str, host: &str, port: u16| {
            let default = if scheme == "https" { 443 } else { 80 };
            if port == default { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") }
        };
        let admits = |value: String| tuple(&value).is_some_and(|origin| list.admit(&origin).is_some());
        let below = format!("{head}{base}");
        prop_assert!(admits(show("https", &below, port)));
        prop_assert!(!admits(show("https", &base, port)), "the apex");
        prop_assert!(!admits(show("http", &below, port)), "another scheme");
        prop_assert!(!admits(show("https", &below, port ^ 1)), "another port");
        let glued = format!("{}{base}", head.trim_end_matches('.'));
        prop_assert!(!admits(show("https", &glued, port)), "no dot before the base");
        prop_assert!(!admits(show("https", &format!("{below}.evil.example"), port)), "the base within");
        prop_assert!(!admits(show("https", &format!("{below}."), port)), "a final dot");
    }

    /// Every host that a pattern admits, under any suffix list, belongs to the owner of the base.
    #[test]
    fn a_pattern_never_crosses_owners(base in owned_base(), head in "([a-z]{1,2}\\.){1,4}", rule in "(\\*\\.)?([a-z]{1,2}\\.){0,3}") {
        let rules = format!(
            "// ===BEGIN ICANN DOMAINS===\ncom\nexample\nuk\nco.uk\nde\nio\ngithub.io\n{rule}{base}\n// ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\n// ===END PRIVATE DOMAINS===\n"
        );
        let newer = SuffixList::parse(&rules).expect("a complete list");
        let stored = AllowedOrigins::load(&[format!("https://*.{base}")], &newer);
        let host = format!("{head}{base}");
        let origin = tuple(&format!("https://{host}")).expect("an origin");
        if stored.admit(&origin).is_some() {
            prop_assert!(newer.registrable(&host).is_some());
            prop_assert_eq!(newer.registrable(&host), newer.registrable(&base));
        }
    }

    #[test]
    fn a_tuple_is_the_text_that_was_sent(value in entry_like()) {
        if let Some(origin) = tuple(&value) {
            prop_assert_eq!(origin.as_str(), &value);
            prop_assert_eq!(Origin::parse_page(&value), Ok(origin));
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>(), bytes in any::<Vec<u8>>(), list in prop::collection::vec(entry_like(), 0..5)) {
        let _ = Entry::parse(&text, builtin());
        let _ = Origin::parse_page(&text).map(|origin| (origin.host().len(), origin.is_loopback()));
        let _ = Origin::from_header([&bytes]);
        let _ = AllowedOrigins::parse(&list, builtin()).map(|list| list.warnings());
        let _ = AllowedOrigins::load(&list, builtin()).warnings();
    }
}
