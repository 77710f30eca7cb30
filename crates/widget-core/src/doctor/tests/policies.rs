//! Policies of pages.

use super::*;

const ALL: &str = "script-src https://widgets.example; connect-src https://widgets.example; frame-src https://widgets.example";

/// A policy, a page, and what is found.
const CASES: &[(&str, &str, &str)] = &[
    ("", "SNIPPET", "shown"),
    (ALL, "SNIPPET", "shown"),
    ("default-src *", "SNIPPET", "shown"),
    ("default-src https:", "SNIPPET", "shown"),
    (
        "img-src 'none'; style-src 'none'; require-trusted-types-for 'script'",
        "SNIPPET",
        "shown",
    ),
    (
        "upgrade-insecure-requests; block-all-mixed-content",
        "SNIPPET",
        "shown",
    ),
    ("default-src https://*.example", "SNIPPET", "shown"),
    ("default-src widgets.example:443", "SNIPPET", "shown"),
    ("default-src https://widgets.example:*", "SNIPPET", "shown"),
    ("default-src http://widgets.example", "SNIPPET", "shown"),
    ("default-src https://WIDGETS.example/", "SNIPPET", "shown"),
    (
        "script-src https://widgets.example/public/",
        "SNIPPET",
        "shown",
    ),
    (
        "frame-ancestors 'none'; base-uri 'none'",
        "SNIPPET",
        "shown",
    ),
    (
        "default-src 'self'; script-src 'nonce-abc'; connect-src https://widgets.example; frame-src https://widgets.example",
        "NONCE",
        "shown",
    ),
    (
        "script-src 'nonce-abc' 'strict-dynamic' https: 'unsafe-inline'",
        "NONCE",
        "shown",
    ),
    ("child-src https://widgets.example", "SNIPPET", "shown"),
    (
        "default-src 'self'",
        "SNIPPET",
        "not_shown: csp_script_blocked fail, csp_connect_blocked fail, csp_frame_blocked fail",
    ),
    (
        "default-src 'none'; script-src *; connect-src *",
        "SNIPPET",
        "not_shown: csp_frame_blocked fail",
    ),
    (
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src *; script-src-elem 'self'",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    ("script-src 'none'; script-src-elem *", "SNIPPET", "shown"),
    (
        "script-src https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src https://widgets.example/other/",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src https://widgets.example:8443",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src https://widgets.example:99999",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src https://*.widgets.example",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src 'nonce-abc'",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src 'nonce-abc' 'strict-dynamic' https://widgets.example",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "script-src 'sha256-AAAA'",
        "SNIPPET",
        "not_shown: csp_script_blocked fail",
    ),
    (
        "connect-src 'self'",
        "SNIPPET",
        "not_shown: csp_connect_blocked fail",
    ),
    (
        "frame-src 'self'",
        "SNIPPET",
        "not_shown: csp_frame_blocked fail",
    ),
    (
        "child-src 'self'",
        "SNIPPET",
        "not_shown: csp_frame_blocked fail",
    ),
    (
        "frame-src https://widgets.example; child-src 'none'",
        "SNIPPET",
        "shown",
    ),
    (
        "default-src *, frame-src 'none'",
        "SNIPPET",
        "not_shown: csp_frame_blocked fail",
    ),
    ("sandbox", "SNIPPET", "not_shown: csp_sandboxed fail"),
    (
        "sandbox allow-scripts",
        "SNIPPET",
        "not_shown: csp_sandboxed fail",
    ),
    (
        "sandbox allow-scripts allow-same-origin allow-forms",
        "SNIPPET",
        "shown",
    ),
];

#[test]
fn content_policies_are_evaluated() {
    let nonce = SNIPPET.replace("async", "async nonce=abc");
    let name = "Content-Security-Policy";
    for (policy, html, expected) in CASES.iter().copied() {
        let html = &html.replace("NONCE", &nonce);
        case(html).header(name, policy).finds(expected);
        case(html).expected().header(name, policy).finds(expected);
        case(html)
            .header("Content-Security-Policy-Report-Only", policy)
            .finds("shown");
    }
    let two = case("SNIPPET")
        .header(name, ALL)
        .header("content-security-policy", "frame-src 'self'");
    let diagnosis = two.finds("not_shown: csp_frame_blocked fail");
    assert_eq!(
        evidence_of(&diagnosis, Code::CspFrameBlocked),
        "Content-Security-Policy: frame-src 'self'"
    );
    let secret = case("SNIPPET").header(name, "script-src 'nonce-secret'");
    let diagnosis = secret.finds("not_shown: csp_script_blocked fail");
    assert!(
        !format!("{diagnosis:?}").contains("secret"),
        "{diagnosis:?}"
    );
}

#[test]
fn policies_in_html_count_in_the_head() {
    let meta =
        |policy: &str| format!("<meta http-equiv='Content-Security-Policy' content=\"{policy}\">");
    let frame = meta("frame-src 'self'");
    check(
        &format!("<head>{frame}SNIPPET"),
        "not_shown: csp_frame_blocked fail",
    );
    check(
        &format!("<head></head>{frame}SNIPPET"),
        "not_shown: csp_frame_blocked fail",
    );
    check(&format!("<body>{frame}SNIPPET"), "shown");
    check(&format!("<p>x</p>{frame}SNIPPET"), "shown");
    check(&format!("<template>{frame}</template>SNIPPET"), "shown");
    check(
        &format!("<head>{}SNIPPET", meta("sandbox; frame-ancestors 'none'")),
        "shown",
    );
    check(
        "<meta http-equiv='Content-Security-Policy-Report-Only' content=\"default-src 'none'\">SNIPPET",
        "shown",
    );
    // The tag is before the policy: it runs, and the script for the window is blocked.
    let diagnosis = case(&format!("<head>SNIPPET{}", meta("script-src 'self'")))
        .finds("not_shown: csp_script_blocked fail");
    let finding = &diagnosis.findings[2];
    assert!(
        finding.detail.contains("second script"),
        "{}",
        finding.detail
    );
    let pinned = SNIPPET
        .replace("\"></", "/3f2a.js\"></")
        .replace("async", "integrity=sha384-good crossorigin");
    let mut pinned = case(&format!("<head>{pinned}{}", meta("script-src 'self'")));
    pinned.answers.known_hashes = vec!["sha384-good".to_owned()];
    pinned.finds("shown");
    let mut hashed = pinned
        .clone()
        .header("Content-Security-Policy", "script-src 'sha384-good'");
    hashed.finds("shown: csp_script_blocked warn");
    hashed.headers.pop();
    hashed = hashed.header("Content-Security-Policy", "script-src 'sha384-bad'");
    hashed.finds("not_shown: csp_script_blocked fail");
}

#[test]
fn images_are_checked_when_the_launcher_has_one() {
    let mut case = case("SNIPPET").header("Content-Security-Policy", "img-src 'self'");
    case.finds("shown");
    case.answers.launcher = Answer::Given(LauncherAnswer::Shown {
        icon_url: Some("https://cdn.example/i.svg".parse().expect("a URL")),
    });
    let diagnosis = case.finds("shown: csp_image_blocked warn");
    let finding = diagnosis
        .findings
        .iter()
        .find(|finding| finding.code == Code::CspImageBlocked);
    let hint = finding.and_then(|finding| finding.hint.as_deref());
    assert_eq!(hint, Some("add `https://cdn.example` to `img-src`"));
}

#[test]
fn other_policies_are_evaluated() {
    let with = |name, value| case("SNIPPET").header(name, value);
    with("Permissions-Policy", "microphone=(), autoplay=(self)")
        .finds("shown: permissions_policy_microphone warn, permissions_policy_autoplay warn");
    with("Permissions-Policy", "geolocation=()").finds("shown");
    with("Cross-Origin-Opener-Policy", "same-origin").finds("shown");
    with("Cross-Origin-Embedder-Policy", "unsafe-none").finds("shown");
    with("Cross-Origin-Embedder-Policy-Report-Only", "require-corp").finds("shown");
    for policy in [
        "require-corp",
        "credentialless",
        "require-corp; report-to=\"x\"",
    ] {
        let mut isolated = with("Cross-Origin-Embedder-Policy", policy);
        isolated.finds("shown: coep_blocks_window warn");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        isolated.answers.window = Answer::Given(vec![
            header("cross-origin-embedder-policy", "credentialless"),
            header("cross-origin-resource-policy", "cross-origin"),
        ]);
        isolated.finds("shown");
        isolated.answers.window = Answer::Given(Vec::new());
        isolated.finds("not_shown: coep_blocks_window fail");
    }
    let plain = SNIPPET.replace("https", "http");
    check(&plain, "not_shown: mixed_content fail");
    case(&plain)
        .header("Content-Security-Policy", "upgrade-insecure-requests")
        .finds("not_shown: mixed_content fail");
    case(&plain)
        .at("http://shop.example/")
        .finds("shown: insecure_page warn");
    check(&plain.replace("widgets.example", "127.0.0.1:8080"), "shown");
}
