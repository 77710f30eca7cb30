//! The explanation of a page that support staff read.

use std::{collections::HashSet, fmt::Write as _};

use expect_test::{Expect, expect};
use widget_core::{
    explain::{self, Difference, Explanation, PageRef, Verdict},
    finding::Code,
    go_live::PinnedVersion,
    origin::Origin,
    serve,
    widget::Widget,
};

use crate::support::{builtin, codes, list, origin, widget};

fn explain(
    widget: Option<&Widget>,
    version: PinnedVersion,
    page: impl Into<PageRef>,
) -> Explanation {
    explain::explain(
        widget,
        version,
        page,
        &origin("https://widgets.example"),
        builtin(),
    )
}

fn on(entries: &[&str], page: &str) -> Explanation {
    explain(Some(&widget(entries)), PinnedVersion::Published, page)
}

fn show(explanation: &Explanation) -> String {
    let mut text = String::new();
    for step in &explanation.steps {
        let mark = if step.ok { '+' } else { '-' };
        let _ = writeln!(text, "{mark} {} [{}]", step.detail, step.code);
    }
    if let Some(nearest) = &explanation.nearest {
        let _ = writeln!(text, "nearest {}: {}", nearest.pointer, nearest.detail);
    }
    if let Some(hint) = &explanation.hint {
        let _ = writeln!(text, "hint: {hint}");
    }
    let _ = write!(
        text,
        "{} {}",
        explanation.verdict.as_str(),
        explanation.code
    );
    text
}

#[track_caller]
fn check(explanation: &Explanation, expected: &Expect) {
    expected.assert_eq(&show(explanation));
}

#[test]
fn shown() {
    let explanation = on(&["https://*.shop.example"], "m.shop.example/cart?id=1");
    check(
        &explanation,
        &expect![[r"
            + the page's origin is `https://m.shop.example` [origin]
            + the widget is `00000000-0000-0000-0000-000000000001` [widget_found]
            + the widget is published [published]
            + the pinned version `00000000-0000-0000-0000-000000000003` is a published one of the agent [version_published]
            + `https://m.shop.example` is allowed by the entry `https://*.shop.example` [origin_listed]
            shown shown"]],
    );
    assert_eq!(explanation.verdict, Verdict::Shown);
    assert_eq!(codes(&explanation.notes), ["framed_page"]);
    assert_eq!(
        explanation.host_page_policy.lines()[0],
        "script-src https://widgets.example"
    );
}

#[test]
fn everything_that_is_wrong_at_once() {
    let closed = Widget {
        published: false,
        ..widget(&["https://www.shop.example"])
    };
    check(
        &explain(Some(&closed), PinnedVersion::Draft, "https://shop.example"),
        &expect![[r"
            + the page's origin is `https://shop.example` [origin]
            + the widget is `00000000-0000-0000-0000-000000000001` [widget_found]
            - the widget is not published [not_published]
            - the version `00000000-0000-0000-0000-000000000003` is a draft [agent_version_draft]
            - `https://shop.example` is not on the list of domains [origin_not_listed]
            nearest /domains/0: `https://www.shop.example` is listed, `https://shop.example` is not: with and without `www.` are different sites
            hint: set `published` to true
            not_shown not_published"]],
    );
}

#[test]
fn no_such_widget() {
    let explanation = explain(None, PinnedVersion::AgentMissing, "https://shop.example");
    check(
        &explanation,
        &expect![[r"
            + the page's origin is `https://shop.example` [origin]
            - there is no widget with this id [widget_not_found]
            hint: compare the id in the page's snippet with that of the widget
            not_shown widget_not_found"]],
    );
    assert_eq!(explanation.origin, Some(origin("https://shop.example")));
}

#[test]
fn pages_without_an_origin() {
    check(
        &on(&["https://shop.example"], "http:/shop.example"),
        &expect![[r"
            - the page's address cannot be read: `http:` must be followed by `//` [scheme_malformed]
            + the widget is `00000000-0000-0000-0000-000000000001` [widget_found]
            + the widget is published [published]
            + the pinned version `00000000-0000-0000-0000-000000000003` is a published one of the agent [version_published]
            hint: write `http://` before the host
            not_shown scheme_malformed"]],
    );
    let sandboxed = explain(
        Some(&widget(&["*"])),
        PinnedVersion::Published,
        Origin::from_header(["null"]),
    );
    assert_eq!(sandboxed.code, Code::OriginOpaque);
    assert_eq!(
        sandboxed.hint.as_deref(),
        Some("serve the page from a web server, and give its frame `allow-same-origin`")
    );
    assert_eq!(sandboxed.origin, None);
    assert!(sandboxed.notes.is_empty());
    let tuple = explain(
        Some(&widget(&["*"])),
        PinnedVersion::Published,
        Origin::from_header(["http://shop.example"]),
    );
    assert_eq!(tuple.verdict, Verdict::Shown);
}

/// The nearest entry, what differs, and the advice.
#[track_caller]
fn near(entries: &[&str], page: &str, expected: Option<(usize, Difference)>, hint: &str) {
    let explanation = on(entries, page);
    let found = explanation.nearest.as_ref().map(|nearest| {
        let position = entries.iter().position(|entry| *entry == nearest.entry);
        let position = position.expect("an entry of the list");
        assert_eq!(nearest.pointer, format!("/domains/{position}"));
        assert!(
            nearest
                .detail
                .starts_with(&format!("`{}` is listed, ", nearest.entry))
        );
        (position, nearest.difference)
    });
    assert_eq!(found, expected, "{entries:?}, {page}");
    assert_eq!(
        explanation.hint.as_deref(),
        Some(hint),
        "{entries:?}, {page}"
    );
    assert_eq!(explanation.code, Code::OriginNotListed);
}

#[test]
fn nearest_misses() {
    use Difference::{PatternApex, Port, Scheme, SchemeAndPort, Www};
    near(
        &[],
        "https://shop.example",
        None,
        "add `https://shop.example`",
    );
    near(
        &["https://other.example"],
        "https://shop.example",
        None,
        "add `https://shop.example`",
    );
    near(
        &["https://shop.example"],
        "http://shop.example",
        Some((0, Scheme)),
        "open the page over https, as `https://shop.example`; or add `http://shop.example`",
    );
    near(
        &["https://localhost:3000"],
        "http://localhost:3000",
        Some((0, Scheme)),
        "add `http://localhost:3000`",
    );
    near(
        &["http://shop.example"],
        "https://shop.example",
        Some((0, Scheme)),
        "add `https://shop.example`",
    );
    near(
        &["https://shop.example"],
        "https://shop.example:8443",
        Some((0, Port)),
        "add `https://shop.example:8443`",
    );
    near(
        &["https://localhost"],
        "http://localhost:3000",
        Some((0, SchemeAndPort)),
        "add `http://localhost:3000`",
    );
    near(
        &["https://shop.example"],
        "https://www.shop.example",
        Some((0, Www)),
        "add `https://www.shop.example`",
    );
    near(
        &["https://www.shop.example"],
        "https://shop.example",
        Some((0, Www)),
        "add `https://shop.example`",
    );
    near(
        &["https://*.shop.example"],
        "https://shop.example",
        Some((0, PatternApex)),
        "add `https://shop.example`",
    );
    near(
        &["https://*.shop.example"],
        "http://a.shop.example",
        Some((0, Scheme)),
        "open the page over https, as `https://*.shop.example`; or add `http://a.shop.example`",
    );
    near(
        &["https://*.shop.example:8443"],
        "https://a.shop.example",
        Some((0, Port)),
        "add `https://a.shop.example`",
    );
}

#[test]
fn nearest_misses_under_another_name() {
    use Difference::{LookAlike, ParentDomain, Sibling, Spelling, Subdomain, TrailingDot};
    near(
        &["https://shop.example"],
        "https://a.shop.example",
        Some((0, Subdomain)),
        "add `https://a.shop.example`; or `https://*.shop.example` for all its subdomains",
    );
    near(
        &["https://a.b.shop.example"],
        "https://b.shop.example",
        Some((0, ParentDomain)),
        "add `https://b.shop.example`",
    );
    near(
        &["https://*.b.shop.example"],
        "https://shop.example",
        Some((0, ParentDomain)),
        "add `https://shop.example`",
    );
    near(
        &["https://a.shop.example"],
        "https://b.shop.example",
        Some((0, Sibling)),
        "add `https://b.shop.example`; or `https://*.shop.example` for all its subdomains",
    );
    near(
        &["https://shop.example"],
        "https://shop.example.",
        Some((0, TrailingDot)),
        "open the page under the name that is listed, `https://shop.example`",
    );
    near(
        &["https://apple.com"],
        "https://аррle.com",
        Some((0, LookAlike)),
        "open the page under the name that is listed, `https://apple.com`",
    );
    near(
        &["https://*.apple.com"],
        "https://id.app1e.com",
        Some((0, LookAlike)),
        "open the page under the name that is listed, `https://*.apple.com`",
    );
    near(
        &["https://modern.example"],
        "https://modem.example",
        Some((0, LookAlike)),
        "open the page under the name that is listed, `https://modern.example`",
    );
    near(
        &["https://my-store.example"],
        "https://my-stroe.example",
        Some((0, Spelling)),
        "check the spelling of the page, because `https://my-store.example` is listed; only if this is your site, add `https://my-stroe.example`",
    );
    near(
        &["https://abc.de"],
        "https://xyz.de",
        None,
        "add `https://xyz.de`",
    );
}

#[test]
fn the_smallest_difference_wins() {
    let entries = [
        "https://other.example",
        "https://a.shop.example",
        "https://www.shop.example",
        "https://shop.example:8443",
    ];
    near(
        &entries,
        "https://shop.example",
        Some((3, Difference::Port)),
        "add `https://shop.example`",
    );
    near(
        &entries[..3],
        "https://shop.example",
        Some((2, Difference::Www)),
        "add `https://shop.example`",
    );
    near(
        &["https://a.shop.example", "https://b.shop.example"],
        "https://c.shop.example",
        Some((0, Difference::Sibling)),
        "add `https://c.shop.example`; or `https://*.shop.example` for all its subdomains",
    );
}

#[test]
fn a_look_alike_is_shown_in_both_forms() {
    let nearest = on(&["https://apple.com"], "https://аррle.com").nearest;
    assert_eq!(
        nearest.expect("a look-alike").detail,
        "`https://apple.com` is listed, `https://xn--le-6kc8da.com` is not: the page's name only looks alike: it is shown as `аррle.com` and is another site"
    );
}

#[test]
fn pages_that_cannot_be_listed() {
    near(
        &[],
        "http://[::1]:3000",
        None,
        "the page cannot be listed under this name; use a host name, or the IPv4 address",
    );
    near(
        &[],
        "https://my_shop.example",
        None,
        "open the page under a name that can be listed: the host `my_shop.example` contains `_`; host names have only letters, digits and hyphens",
    );
    // No pattern is offered where subdomains belong to different owners.
    near(
        &["https://a.github.io"],
        "https://b.a.github.io",
        Some((0, Difference::Subdomain)),
        "add `https://b.a.github.io`; or `https://*.a.github.io` for all its subdomains",
    );
    near(
        &["https://s3.dualstack.eu-west-1.amazonaws.com"],
        "https://amazonaws.com",
        Some((0, Difference::ParentDomain)),
        "add `https://amazonaws.com`",
    );
    near(
        &["https://wordpress.com"],
        "https://mine.wordpress.com",
        Some((0, Difference::Subdomain)),
        "add `https://mine.wordpress.com`",
    );
}

#[test]
fn an_empty_list_is_named() {
    let explanation = on(&[], "https://shop.example");
    let step = explanation.steps.last().expect("a step");
    assert_eq!(
        step.detail,
        "the list of domains is empty, so `https://shop.example` is not on it"
    );
}

#[test]
fn notes() {
    let service = origin("http://widgets.example");
    let with_service = explain::explain(
        Some(&widget(&["*"])),
        PinnedVersion::Published,
        "https://shop.example",
        &service,
        builtin(),
    );
    assert_eq!(codes(&with_service.notes), ["framed_page", "mixed_content"]);
    let local = explain::explain(
        Some(&widget(&["*"])),
        PinnedVersion::Published,
        "https://shop.example",
        &origin("http://localhost:8080"),
        builtin(),
    );
    assert_eq!(codes(&local.notes), ["framed_page"]);
    assert_eq!(
        codes(&on(&["*"], "http://shop.example").notes),
        ["framed_page", "insecure_page"]
    );
    assert_eq!(
        codes(&on(&["*"], "http://[::1]").notes),
        ["framed_page", "ipv6_page"]
    );
    // Patterns and `*` admit hosts that no entry can name, and browsers show the window on none.
    for (entry, page, detail) in [
        (
            "*",
            "https://a_b.shop.example",
            "the host of `https://a_b.shop.example` contains `_`",
        ),
        (
            "https://*.shop.example",
            "https://a_b.shop.example",
            "the host of `https://a_b.shop.example` contains `_`",
        ),
        (
            "*",
            "https://shop.example.",
            "the host of `https://shop.example.` ends in a dot",
        ),
    ] {
        let explanation = on(&[entry], page);
        assert_eq!(explanation.verdict, Verdict::Shown, "{page}");
        let found = codes(&explanation.notes);
        assert_eq!(found, ["framed_page", "page_host_unsupported"], "{page}");
        let note = &explanation.notes[1].detail;
        assert!(note.starts_with(detail), "{note}");
    }
}

/// Whatever the advice offers to add admits the page, when its owner adds it.
#[test]
fn each_entry_that_is_offered_admits_the_page() {
    for (listed, page, offered) in [
        (
            "https://shop.example:8443",
            "https://a.shop.example:8443",
            &["https://a.shop.example:8443", "https://*.shop.example:8443"][..],
        ),
        (
            "http://a.localhost.example:3000",
            "http://b.localhost.example:3000",
            &[
                "http://b.localhost.example:3000",
                "http://*.localhost.example:3000",
            ],
        ),
        (
            "https://shop.example",
            "http://a.shop.example:443",
            &["http://a.shop.example:443", "http://*.shop.example:443"],
        ),
        (
            "https://shop.example",
            "https://a.shop.example",
            &["https://a.shop.example", "https://*.shop.example"],
        ),
        // The listed site is a public suffix, so the page's owner is the page itself.
        (
            "https://github.io",
            "https://shop.github.io",
            &["https://shop.github.io"],
        ),
    ] {
        let hint = on(&[listed], page).hint.expect("advice");
        let words = hint.split('`');
        let found: Vec<_> = words.filter(|word| word.contains("://")).collect();
        assert_eq!(found, offered, "{page}");
        for entry in found {
            let explanation = on(&[listed, entry], page);
            assert_eq!(explanation.verdict, Verdict::Shown, "{entry} for {page}");
        }
    }
}

/// The explanation and the decision never disagree.
#[test]
fn the_same_decision_as_the_server() {
    let entries = ["https://shop.example", "https://*.shop.example"];
    for published in [true, false] {
        for version in [
            PinnedVersion::AgentMissing,
            PinnedVersion::VersionMissing,
            PinnedVersion::OtherAgent,
            PinnedVersion::Draft,
            PinnedVersion::Published,
        ] {
            for page in [
                "https://shop.example",
                "https://a.shop.example",
                "http://shop.example",
                "https://evil.example",
            ] {
                let widget = Widget {
                    published,
                    domains: list(&entries),
                    ..widget(&[])
                };
                let explanation = explain(Some(&widget), version, page);
                let page = origin(page);
                let decision = serve::admit(&widget, version, &page);
                let failed: Vec<_> = explanation
                    .steps
                    .iter()
                    .filter(|step| !step.ok)
                    .map(|step| step.code.as_str())
                    .collect();
                match decision {
                    Ok(_) => assert_eq!(explanation.verdict, Verdict::Shown),
                    Err(refusal) => {
                        assert_eq!(explanation.verdict, Verdict::NotShown);
                        assert_eq!(failed, codes(&refusal.reasons));
                        assert_eq!(explanation.code.as_str(), failed[0]);
                        assert!(explanation.hint.is_some());
                    }
                }
            }
        }
    }
}

/// One letter of each line that looks like its last one; what a browser shows is what a visitor
/// reads.
#[test]
fn letters_that_look_alike() {
    for (plain, similar) in [
        ("aapaa", "аαàāăąạɑ"),
        ("babab", "ьƅ"),
        ("cacac", "сçćč"),
        ("dadad", "ԁďđ"),
        ("eaeae", "еёεèēęěẹ"),
        ("gagag", "ɡğģ"),
        ("hahah", "һհ"),
        ("iaiai", "іїιìīı1ӏł"),
        ("jajaj", "ј"),
        ("kakak", "кκķ"),
        ("nanan", "ոпηñńň"),
        ("oaoao", "оοσօòøōő0"),
        ("papap", "рρ"),
        ("qaqaq", "ԛ"),
        ("rarar", "гř"),
        ("sasas", "ѕśšş5"),
        ("tatat", "тτť"),
        ("uauau", "υսùūů"),
        ("vavav", "νѵ"),
        ("wawaw", "ԝωѡ"),
        ("xaxax", "хχ"),
        ("yayay", "уγýÿ"),
        ("zazaz", "žźż"),
    ] {
        let first = plain.chars().next().expect("a letter");
        let entry = format!("https://{plain}.example");
        for letter in similar.chars() {
            let name = plain.replace(first, &letter.to_string());
            let page = format!("https://{name}.example");
            let nearest = on(&[&entry], &page).nearest.expect(&page);
            assert_eq!(nearest.difference, Difference::LookAlike, "{page}");
        }
    }
}

#[test]
fn differences_and_verdicts_have_names() {
    let names = |all: &[Difference]| all.iter().map(|one| one.as_str()).collect::<HashSet<_>>();
    assert_eq!(names(Difference::ALL).len(), Difference::ALL.len());
    assert!(Difference::ALL.is_sorted(), "the smallest comes first");
    assert_eq!(Verdict::ALL, [Verdict::Shown, Verdict::NotShown]);
    assert_eq!(Verdict::NotShown.to_string(), "not_shown");
}

#[test]
fn a_deleted_widget() {
    let widget = widget(&["https://shop.example"]);
    let time = time::macros::datetime!(2026-11-28 13:00 UTC);
    for (page, code) in [
        ("https://shop.example", "widget_deleted"),
        ("https://other.example", "widget_deleted"),
        ("null", "null_origin"),
    ] {
        let explanation = explain(Some(&widget), PinnedVersion::Published, page);
        let deleted = explanation.of_deleted(widget.id, time);
        assert_eq!(deleted.verdict, Verdict::NotShown);
        assert_eq!(deleted.code.as_str(), code, "{page}");
        let codes: Vec<_> = deleted
            .steps
            .iter()
            .map(|step| step.code.as_str())
            .collect();
        assert_eq!(codes[1..3], ["widget_found", "widget_deleted"]);
        let failed = deleted
            .steps
            .iter()
            .find(|step| !step.ok)
            .expect("a failed step");
        assert_eq!(deleted.hint, failed.hint);
    }
}
