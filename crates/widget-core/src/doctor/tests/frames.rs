//! Snippets in frames of a page, which browsers show by the frame's own rules.

use super::*;

/// A page around a frame, each with a header.
fn framed(outer: &[(&str, &str)], inner: &[(&str, &str)], html: &str) -> Diagnosis {
    framed_in(
        "<p>Shop</p><iframe src=/inner></iframe>",
        outer,
        inner,
        html,
    )
}

fn framed_in(page: &str, outer: &[(&str, &str)], inner: &[(&str, &str)], html: &str) -> Diagnosis {
    let mut page = case(page);
    for (name, value) in outer {
        page = page.header(name, value);
    }
    let mut visit = page.visit();
    let mut frame = frame_of(
        "https://shop.example/inner",
        &html.replace("SNIPPET", SNIPPET),
    );
    for (name, value) in inner {
        let headers = &mut frame.hop.headers;
        headers.retain(|(known, _)| known != name);
        headers.push(((*name).to_owned(), (*value).to_owned()));
    }
    visit.frames.push(frame);
    diagnose(&Question::new(page.url, &visit))
}

fn summary(diagnosis: &Diagnosis) -> String {
    let found: Vec<_> = diagnosis
        .findings
        .iter()
        .filter(|finding| finding.status != CheckStatus::Ok)
        .map(|finding| format!("{} {}", finding.code, finding.status))
        .collect();
    format!("{}: {}", diagnosis.verdict, found.join(", "))
}

const SHOWN: &str = "shown: snippet_missing warn";
const MISSING: &str = "not_shown: snippet_missing fail";

#[test]
fn the_answer_of_a_frame_decides_whether_it_is_shown() {
    for (inner, expected) in [
        (("X-Frame-Options", "DENY"), MISSING),
        (("X-Frame-Options", "deny, SAMEORIGIN"), MISSING),
        (("X-Frame-Options", "SAMEORIGIN"), SHOWN),
        (("X-Frame-Options", "sameorigin, SAMEORIGIN"), SHOWN),
        (("X-Frame-Options", "ALLOW-FROM https://a.example"), SHOWN),
        (
            ("Content-Security-Policy", "frame-ancestors 'none'"),
            MISSING,
        ),
        (("Content-Security-Policy", "frame-ancestors"), MISSING),
        (
            (
                "Content-Security-Policy",
                "frame-ancestors https://a.example",
            ),
            MISSING,
        ),
        (("Content-Security-Policy", "frame-ancestors 'self'"), SHOWN),
        (
            ("Content-Security-Policy", "frame-ancestors 'self'; sandbox"),
            "not_shown: snippet_inert fail",
        ),
        (
            (
                "Content-Security-Policy",
                "frame-ancestors https://*.example",
            ),
            SHOWN,
        ),
        (
            (
                "Content-Security-Policy-Report-Only",
                "frame-ancestors 'none'",
            ),
            SHOWN,
        ),
        (("Content-Type", "text/plain"), MISSING),
        (("Content-Type", "application/json"), MISSING),
        (("Content-Disposition", "attachment"), MISSING),
        (
            ("Content-Security-Policy", "sandbox"),
            "not_shown: snippet_inert fail",
        ),
    ] {
        let diagnosis = framed(&[], &[inner], "SNIPPET");
        assert_eq!(summary(&diagnosis), expected, "{inner:?} {diagnosis:#?}");
    }
    // The policy makes the older header ineffective.
    let both = [
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", "frame-ancestors 'self'"),
    ];
    assert_eq!(summary(&framed(&[], &both, "SNIPPET")), SHOWN);
    let diagnosis = framed(&[], &both[..1], "SNIPPET");
    let evidence = evidence_of(&diagnosis, Code::SnippetMissing);
    assert_eq!(evidence, "X-Frame-Options: DENY");
}

#[test]
fn a_frame_is_judged_by_its_own_policy() {
    let closed = ("Content-Security-Policy", "script-src 'self'");
    let blocked = "not_shown: snippet_missing warn, csp_script_blocked fail";
    let diagnosis = framed(&[], &[closed], "SNIPPET");
    assert_eq!(summary(&diagnosis), blocked);
    let mut findings = diagnosis.findings.iter();
    let found = findings.find(|finding| finding.code == Code::CspScriptBlocked);
    let detail = found.map(|found| found.detail.as_str()).unwrap_or_default();
    assert!(
        detail.starts_with("in the frame `https://shop.example/inner`, "),
        "{detail}"
    );
    let meta = "<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\">SNIPPET";
    assert_eq!(summary(&framed(&[], &[], meta)), blocked);
    // Frames with an address of their own inherit nothing.
    for policy in [
        "default-src 'self'",
        "script-src 'none'; connect-src 'none'",
    ] {
        let outer = [("Content-Security-Policy", policy)];
        let diagnosis = framed(&outer, &[], "SNIPPET");
        assert_eq!(summary(&diagnosis), SHOWN, "{policy} {diagnosis:#?}");
    }
    let srcdoc = format!("<iframe srcdoc='{SNIPPET}'></iframe>");
    let page = case(&srcdoc).header("Content-Security-Policy", "script-src 'self'");
    page.finds(blocked);
    case(&srcdoc).finds(SHOWN);
    let meta = format!(
        "<iframe srcdoc='<meta http-equiv=Content-Security-Policy content=\"script-src x.example\">{SNIPPET}'></iframe>"
    );
    case(&meta).finds(blocked);
}

#[test]
fn a_page_may_block_its_own_frame() {
    let outer = [(
        "Content-Security-Policy",
        "frame-src https://widgets.example",
    )];
    let diagnosis = framed(&outer, &[], "SNIPPET");
    assert_eq!(summary(&diagnosis), MISSING);
    let mut findings = diagnosis.findings.iter();
    let found = findings.find(|finding| finding.code == Code::SnippetMissing);
    let hint = found.and_then(|found| found.hint.as_deref());
    let hint = hint.unwrap_or_default();
    assert!(hint.ends_with("or add `'self'` to `frame-src`"), "{hint}");
}

#[test]
fn a_frame_that_leads_to_another_site_says_nothing() {
    let page = case("<p>Shop</p><iframe src=/inner></iframe>");
    let mut visit = page.visit();
    let mut frame = frame_of("https://shop.example/inner", SNIPPET);
    frame.hop.url = "https://other.example/".parse().expect("a URL");
    visit.frames.push(frame);
    let diagnosis = diagnose(&Question::new(page.url, &visit));
    assert_eq!(diagnosis.verdict, PageVerdict::NotShown, "{diagnosis:#?}");
    assert_eq!(diagnosis.widget_id, None);
}

#[test]
fn framesets_have_no_place_for_a_widget() {
    let frame = "<frame src='https://inner.example/a'>";
    case(&format!("<frameset cols='*'>{frame}SNIPPET</frameset>"))
        .finds("not_shown: snippet_inert fail, page_frame_only fail");
    case(&format!(
        "<head>SNIPPET</head><frameset cols='*'>{frame}</frameset>"
    ))
    .finds("not_shown: page_frame_only fail");
    let of_own_site = "<frameset cols='*'><frame src=/inner></frameset>";
    let shown = framed_in(of_own_site, &[], &[], "<p>Shop</p>SNIPPET");
    assert_eq!(summary(&shown), SHOWN);
    // What comes after text is ignored.
    check("<p>Shop</p><frameset></frameset>SNIPPET", "shown");
}
