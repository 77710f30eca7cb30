//! Pages as tools, editors and mistakes leave them.

use super::*;
use crate::config::Config;
use crate::mode::Mode;

/// A page, and what is found.
const CASES: &[(&str, &str)] = &[
    // Tags that are not closed.
    (
        "<p>x<script async src='https://widgets.example/public/embed/$ID'>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<script async src='https://widgets.example/public/embed/$ID'></p></body></html>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<script async src='https://widgets.example/public/embed/$ID'><script src=/a.js></script>",
        "shown",
    ),
    (
        "<script src=/a.js><p>x</p>SNIPPET",
        "not_shown: snippet_inert fail",
    ),
    (
        "<script>var a = 1;\nSNIPPET",
        "not_shown: snippet_inert fail",
    ),
    ("<script>SNIPPET</script>", "not_shown: snippet_inert fail"),
    (
        "<script type=text/x-template>SNIPPET</script>",
        "not_shown: snippet_inert fail",
    ),
    ("<title>x SNIPPET", "not_shown: snippet_missing fail"),
    ("<style>p {} SNIPPET", "not_shown: snippet_missing fail"),
    // Where `src` has no effect.
    ("<svg>SNIPPET</svg>", "not_shown: snippet_inert fail"),
    ("<svg><g>SNIPPET", "not_shown: snippet_inert fail"),
    (
        "<math><mrow>SNIPPET</mrow></math>",
        "not_shown: snippet_inert fail",
    ),
    ("<svg><foreignObject>SNIPPET</foreignObject></svg>", "shown"),
    ("<math><mtext>SNIPPET</mtext></math>", "shown"),
    ("<svg><path d=''><div>SNIPPET</div>", "shown"),
    ("<svg/>SNIPPET", "shown"),
    ("<svg><svg/></svg>SNIPPET", "shown"),
    (
        "<svg><script href='https://widgets.example/public/embed/$ID'></script></svg>",
        "shown",
    ),
    // Shadow roots.
    (
        "<div><template shadowrootmode=open>SNIPPET</template></div>",
        "shown",
    ),
    (
        "<div><template shadowrootmode=odd>SNIPPET</template></div>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<template><div><template shadowrootmode=open>SNIPPET</template></div></template>",
        "not_shown: snippet_inert fail",
    ),
    // Consent managers that stop scripts by themselves.
    (
        "<script id=Cookiebot src=https://consent.cookiebot.com/uc.js data-blockingmode=auto></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script id=Cookiebot src=https://consent.cookiebot.com/uc.js data-blockingmode=manual></script>SNIPPET",
        "shown",
    ),
    (
        "SNIPPET<script id=Cookiebot src=https://consent.cookiebot.com/uc.js data-blockingmode=auto></script>",
        "shown",
    ),
    (
        "<script src=https://consent.cookiebot.com/uc.js data-blockingmode=auto></script><script data-cookieconsent=ignore src='https://widgets.example/public/embed/$ID'></script>",
        "shown",
    ),
    (
        "<script src=https://cdn.cookielaw.org/consent/1/OtAutoBlock.js></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script src=https://cdn.cookielaw.org/consent/1/OtAutoBlock.js></script><script data-ot-ignore src='https://widgets.example/public/embed/$ID'></script>",
        "shown",
    ),
    (
        "<script src=https://privacy-proxy.usercentrics.eu/latest/uc-block.bundle.js></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script src=https://web.cmp.usercentrics.eu/modules/autoblocker.js></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script src=//cs.iubenda.com/autoblocking/1.js></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script src=//cs.iubenda.com/autoblocking/1.js></script><script class='a _iub_cs_skip' src='https://widgets.example/public/embed/$ID'></script>",
        "shown",
    ),
    (
        "<script src='https://app.termly.io/resource-blocker/1?autoBlock=on'></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script src='https://app.termly.io/resource-blocker/1'></script>SNIPPET",
        "shown",
    ),
    (
        "<script src=https://cdn.consentmanager.net/delivery/autoblocking/1.js data-cmp-ab=1></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    (
        "<script src=https://cmp.osano.com/1/2/osano.js></script>SNIPPET",
        "shown: snippet_inert warn",
    ),
    // Snippets in base64.
    (
        "<script type=text/template data-borlabs-cookie-type=content>BASE64</script>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<div data-borlabs-cookie-content='BASE64'></div>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<script defer src='data:text/javascript;base64,BASE64'></script>",
        "unknown: snippet_by_script unknown",
    ),
    (
        "<p>x<script type='litespeed/javascript' data-src='data:text/javascript;base64,BASE64'></script>",
        "shown: snippet_delayed warn",
    ),
    (
        "<p>x<script type=rocketlazyloadscript>s.src = 'https://widgets.example/public/embed/$ID'</script>",
        "shown: snippet_delayed warn",
    ),
    (
        "<p>x<script src=\u{201d}https://widgets.example/public/embed/$ID\u{201d}></script>",
        "not_shown: snippet_inert fail",
    ),
    // Frames with a page of their own.
    (
        "<p>x<iframe srcdoc='SRCDOC'></iframe>",
        "shown: snippet_missing warn",
    ),
    // Attributes of the tag.
    (
        "<script crossorigin=use-credentials src='https://widgets.example/public/embed/$ID'></script>",
        "not_shown: integrity_unknown fail",
    ),
    (
        "<script crossorigin=anonymous src='https://widgets.example/public/embed/$ID'></script>",
        "shown",
    ),
    ("<html ⚡><head>SNIPPET", "shown: snippet_missing warn"),
    ("<html amp><p>x", "not_shown: snippet_missing fail"),
    // What does not matter.
    (
        "<script src=/cdn-cgi/scripts/5c5dd728/cloudflare-static/email-decode.min.js></script>SNIPPET",
        "shown",
    ),
    (
        "<script>navigator.serviceWorker.register('/sw.js')</script>SNIPPET",
        "shown",
    ),
];

#[test]
fn pages_are_read_as_browsers_read_them() {
    let encoded = "PHNjcmlwdCBzcmM9Imh0dHBzOi8vd2lkZ2V0cy5leGFtcGxlL3B1YmxpYy9lbWJlZC8wMTk3YThiMi02YzFlLTdkM2YtOGE0Yi01YzZkN2U4ZjlhMGIiPjwvc2NyaXB0Pg==";
    let document = SNIPPET.replace('"', "&quot;").replace('<', "&lt;");
    for (html, expected) in CASES {
        let html = html.replace("BASE64", encoded).replace("SRCDOC", &document);
        let diagnosis = case(&html).finds(expected);
        if html.contains("public/embed") || html.contains(encoded) || html.contains("SNIPPET") {
            let id = diagnosis.widget_id.map(|id| id.to_string());
            assert_eq!(id.as_deref(), Some(ID), "{html}");
        }
    }
    // The end of a page that was cut is not the end of the page.
    let cut = case("<script async src='https://widgets.example/public/embed/$ID'>");
    let visit = Visit {
        is_cut: true,
        ..cut.visit()
    };
    let diagnosis = diagnose(&Question::new("https://shop.example/", &visit));
    assert_eq!(diagnosis.verdict, PageVerdict::Shown);
}

#[test]
fn headers_of_the_page_count() {
    let with = |name: &str, value: &str| case("SNIPPET").header(name, value);
    with("Refresh", "0; url=https://www.shop.example/").finds("shown: page_redirected warn");
    with("Refresh", "0; url=/cart").finds("shown");
    with("Refresh", "300").finds("shown");
    case("<p>x")
        .header("Refresh", "0;url=/shop")
        .finds("unknown: page_redirected warn, snippet_missing unknown");
    with("Content-Disposition", "attachment; filename=a.html")
        .finds("not_shown: page_not_html fail");
    with("Content-Disposition", "inline").finds("shown");
    with("X-Content-Type-Options", "nosniff").finds("shown");
    let untyped = |name: &str, value: &str| {
        let mut case = case("SNIPPET");
        case.headers.clear();
        case.header(name, value)
    };
    untyped("X-Content-Type-Options", "nosniff").finds("not_shown: page_not_html fail");
    untyped("Server", "x").finds("shown");
    case("SNIPPET")
        .status(302)
        .finds("unknown: page_status fail");
    let mut xml = case("SNIPPET");
    xml.headers[0].1 = "application/xhtml+xml".to_owned();
    xml.finds("not_shown: snippet_inert fail");
    xml.body = SNIPPET.replace("async", "async=\"async\"").into_bytes();
    xml.finds("shown");

    let challenge = case("<p>Just a moment")
        .status(403)
        .header("cf-mitigated", "challenge")
        .finds("unknown: page_status fail, snippet_missing unknown");
    assert!(challenge.findings[1].detail.starts_with("Cloudflare"));
    // What such a page runs says nothing about the page that visitors see.
    case("<script src=/challenge.js></script>")
        .status(503)
        .finds("unknown: page_status fail, snippet_missing unknown");
    let password = case("")
        .status(401)
        .header("WWW-Authenticate", "Basic")
        .finds("unknown: page_status fail, snippet_missing unknown");
    assert!(password.findings[1].detail.contains("password"));
}

#[test]
fn integrity_policies_count() {
    let policy = "blocked-destinations=(script), endpoints=(x)";
    let case = |html: &str, policy: &str| case(html).header("Integrity-Policy", policy);
    case("SNIPPET", policy).finds("not_shown: integrity_unknown fail");
    case("SNIPPET", "blocked-destinations=(style)").finds("shown");
    case("SNIPPET", "blocked-destinations=(script), sources=()").finds("shown");
    // A fault makes browsers ignore the header.
    case("SNIPPET", "blocked-destinations=('script')").finds("shown");
    let pinned = SNIPPET
        .replace("\"></", "/3f2a.js\"></")
        .replace("async", "integrity=sha384-good crossorigin");
    let mut pinned = case(&pinned, policy);
    pinned.answers.known_hashes = vec!["sha384-good".to_owned()];
    pinned.finds("shown");
}

#[test]
fn a_script_of_the_wrong_type_is_not_run() {
    let given = |headers: &[(&str, &str)]| {
        let mut case = case("SNIPPET");
        let headers = headers.iter();
        case.answers.script = Answer::Given(ScriptAnswer {
            status: 200,
            hashes: Vec::new(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            text: None,
        });
        case
    };
    let strict = ("X-Content-Type-Options", "nosniff");
    given(&[("content-type", "text/javascript; charset=utf-8"), strict]).finds("shown");
    given(&[("content-type", "text/html")]).finds("shown");
    given(&[("content-type", "text/html"), strict]).finds("not_shown: service_unreachable fail");
    given(&[("content-type", "image/png")]).finds("not_shown: service_unreachable fail");
}

#[test]
fn a_nonce_is_ignored_where_an_attribute_is_there_twice() {
    let policy = "script-src 'nonce-abc' 'strict-dynamic'";
    for (attributes, expected) in [
        ("nonce=abc", "shown"),
        ("nonce=abc nonce=abc", "not_shown: csp_script_blocked fail"),
        (
            "nonce=abc async async",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "nonce=abc data-x='<script'",
            "not_shown: csp_script_blocked fail",
        ),
    ] {
        let html = format!("<p id=a id=b>{}", SNIPPET.replace("async", attributes));
        case(&html)
            .header("Content-Security-Policy", policy)
            .finds(expected);
    }
}

#[test]
fn malformed_permissions_are_ignored() {
    let malformed = "microphone=(), camera='none'";
    let diagnosis = case("SNIPPET")
        .header("Permissions-Policy", malformed)
        .finds("shown");
    let finding = diagnosis
        .findings
        .iter()
        .find(|finding| finding.code == Code::PermissionsPolicyMicrophone)
        .expect("it is looked at");
    assert!(finding.detail.contains("ignore all of it"), "{finding:?}");
    assert!(finding.hint.is_some());
    let unquoted = "microphone=(self https://widgets.example)";
    let diagnosis = case("SNIPPET")
        .header("Permissions-Policy", unquoted)
        .finds("shown: permissions_policy_microphone warn");
    assert_eq!(
        evidence_of(&diagnosis, Code::PermissionsPolicyMicrophone),
        format!("Permissions-Policy: {unquoted}")
    );
}

#[test]
fn a_host_that_no_policy_can_name_is_found_also_without_an_explanation() {
    for (page, code) in [
        ("https://a_b.shop.example/", "page_host_unsupported"),
        ("https://shop.example./", "page_host_unsupported"),
        ("https://[::1]/", "ipv6_page"),
    ] {
        case("SNIPPET")
            .at(page)
            .finds(&format!("shown: {code} warn"));
    }
}

#[test]
fn an_upgrade_counts_on_plain_pages_too() {
    let plain = SNIPPET.replace("https", "http");
    let at = |html: &str| case(html).at("http://shop.example/");
    let name = "Content-Security-Policy";
    at(&plain)
        .header(name, "upgrade-insecure-requests")
        .finds("not_shown: mixed_content fail, insecure_page warn");
    at("SNIPPET")
        .header(name, "upgrade-insecure-requests")
        .finds("shown: insecure_page warn");
    at(&plain.replace("widgets.example", "127.0.0.1:8080"))
        .header(name, "upgrade-insecure-requests")
        .finds("shown: insecure_page warn");
}

#[test]
fn personal_data_is_never_evidence() {
    let tag = format!(
        "<script data-context='{{\"email\":\"ann@shop.example\"}}' {}",
        &SNIPPET[8..]
    );
    for html in [
        tag.clone(),
        format!("<!-- {tag} -->"),
        format!("<noscript>{tag}</noscript>"),
        format!("<template>{tag}</template>"),
        format!(
            "<p>x<script>document.write(`{}`)</script>",
            tag.replace("</", "<\\/")
        ),
        format!("{tag}{tag}"),
        tag.replace("src=", "type=text/plain src="),
        // The position of this tag in the text is lost.
        format!("\u{0}\r\n{tag}"),
    ] {
        let diagnosis = case(&html)
            .header("Content-Security-Policy", "frame-src 'self'")
            .diagnose();
        assert!(
            !format!("{diagnosis:?}").contains("ann@"),
            "{html}\n{diagnosis:#?}"
        );
    }
}

#[test]
fn a_site_that_asks_to_log_in_shows_another_page() {
    let page = case("<form>Password</form>");
    let hop = |url: &str, status| Hop {
        url: url.parse().expect("a URL"),
        status,
        headers: Vec::new(),
    };
    let visit = Visit {
        hops: vec![
            hop("https://shop.example/", 302),
            hop("https://shop.example/password", 200),
        ],
        ..page.visit()
    };
    let diagnosis = diagnose(&Question::new("https://shop.example/", &visit));
    assert_eq!(diagnosis.verdict, PageVerdict::Unknown);
}

#[test]
fn frames_of_the_same_site_are_read() {
    let page = case(
        "<p>Shop</p><iframe src=/widget.html></iframe><iframe src='https://other.example/'></iframe>",
    );
    let mut visit = page.visit();
    let urls: Vec<_> = parts_to_read(&visit)
        .frames
        .iter()
        .map(Url::to_string)
        .collect();
    assert_eq!(urls, ["https://shop.example/widget.html"]);
    visit
        .frames
        .push(frame_of("https://shop.example/widget.html", SNIPPET));
    let diagnosis = diagnose(&Question::new("https://shop.example/", &visit));
    assert_eq!(diagnosis.verdict, PageVerdict::Shown, "{diagnosis:#?}");
    assert_eq!(diagnosis.widget_id, ID.parse().ok());
    let finding = &diagnosis.findings[1];
    assert_eq!(
        (finding.code, finding.status),
        (Code::SnippetMissing, CheckStatus::Warn)
    );
    assert!(
        parts_to_read(&case("SNIPPET<iframe src=/a></iframe>").visit())
            .frames
            .is_empty()
    );
}

#[test]
fn modes_that_are_off_are_named() {
    let case = case("SNIPPET").header("Permissions-Policy", "microphone=()");
    let visit = case.visit();
    let diagnose_with = |actions: &str, modes: &[Mode]| {
        let is_on = |mode| modes.contains(&mode);
        let (text, voice) = (is_on(Mode::Text), is_on(Mode::Voice));
        let config = format!(
            r#"{{"v1": {{"modes": {{"text": {text}, "voice": {voice}}}, "quick_actions": [{actions}]}}}}"#
        );
        let config = Config::parse(&config).expect("a config");
        diagnose(&Question {
            config: Some(&config),
            ..Question::new(case.url, &visit)
        })
    };
    let diagnose = |modes: &[Mode]| diagnose_with("", modes);
    let silent = diagnose(&[Mode::Text]);
    assert_eq!(silent.verdict, PageVerdict::Shown);
    let last = silent.findings.last().expect("a finding");
    assert_eq!(
        (last.code, last.status),
        (Code::ModeDisabled, CheckStatus::Ok)
    );
    assert_eq!(
        last.hint,
        Some(format!(
            "to turn it on: widget set {ID} /config/v1/modes/voice=true"
        ))
    );
    let talk = r#"{"id": "talk", "label": "Talk to us", "action": {"type": "start_voice"}}"#;
    let dead = diagnose_with(talk, &[Mode::Text]);
    let last = dead.findings.last().expect("a finding");
    assert_eq!(last.status, CheckStatus::Warn);
    let evidence = last.evidence.as_deref().expect("the action");
    assert!(
        evidence.contains("`start_voice` does nothing"),
        "{evidence}"
    );
    // Whoever turns it on finds out that the page is in the way, too.
    let found = silent.findings.iter();
    let mut found = found.filter(|finding| finding.code == Code::PermissionsPolicyMicrophone);
    let found = found.next().expect("the page denies it");
    assert_eq!(found.status, CheckStatus::Ok);
    assert_eq!(
        found.evidence.as_deref(),
        Some("Permissions-Policy: microphone=()")
    );
    assert!(found.hint.is_some(), "{found:?}");
    // Without the microphone, a widget for talking only does nothing.
    assert_eq!(diagnose(&[Mode::Voice]).verdict, PageVerdict::NotShown);
    let both = diagnose(&[Mode::Text, Mode::Voice]);
    assert!(
        both.findings
            .iter()
            .all(|finding| finding.code != Code::ModeDisabled)
    );
}

#[test]
fn fixes_are_in_the_order_of_a_visit() {
    let mut case = case("SNIPPET").header(
        "Content-Security-Policy",
        "frame-src 'self'; script-src 'self'; connect-src 'self'",
    );
    case.answers.launcher = Answer::Failed("no route".to_owned());
    let diagnosis = case.diagnose();
    let codes: Vec<_> = diagnosis
        .fixes
        .iter()
        .map(|fix| fix.code.as_str())
        .collect();
    assert_eq!(
        codes,
        [
            "csp_script_blocked",
            "service_unreachable",
            "csp_connect_blocked",
            "csp_frame_blocked"
        ]
    );
    let missing = self::case("<p>x").expected().diagnose();
    assert_eq!(missing.fixes[0].fix, Fix::Line(SNIPPET.to_owned()));
    assert_eq!(missing.fixes.len(), 1);
}

/// Services of the caller's profiles.
fn profiles() -> Vec<(String, Url)> {
    let named = |name: &str, url: &str| (name.to_owned(), url.parse().expect("a URL"));
    vec![
        named("production", "https://production.example"),
        named("staging", "https://widgets.example"),
    ]
}

#[test]
fn a_snippet_of_another_service_has_two_readings() {
    let page = case("SNIPPET");
    let visit = page.visit();
    let profiles = profiles();
    let refused = ServiceAnswers {
        launcher: Answer::Given(LauncherAnswer::Refused("widget_unavailable".to_owned())),
        ..ServiceAnswers::default()
    };
    let question = Question {
        own_service: Some(&profiles[0].1),
        profiles: &profiles,
        answers: &refused,
        ..Question::new("https://shop.example/cart", &visit)
    };
    let diagnosis = diagnose(&question);
    let finding = diagnosis
        .findings
        .iter()
        .find(|finding| finding.code == Code::SnippetOtherService)
        .expect("it is found");
    assert_eq!(finding.status, CheckStatus::Fail);
    let first = diagnosis.fixes[0].fix.to_string();
    for part in [
        "the widget of `https://production.example`",
        "`https://widgets.example` is right",
        "widget doctor https://shop.example/cart --profile staging",
    ] {
        assert!(first.contains(part), "{first}");
    }
    let shown = ServiceAnswers {
        launcher: Answer::Given(LauncherAnswer::Shown { icon_url: None }),
        ..ServiceAnswers::default()
    };
    let diagnosis = diagnose(&Question {
        answers: &shown,
        ..question.clone()
    });
    assert_eq!(diagnosis.verdict, PageVerdict::Shown);
    // What is only text is still no snippet.
    let text = case("<pre>&lt;script src=\"https://widgets.example/public/embed/$ID\"></pre>");
    let text = text.visit();
    let diagnosis = diagnose(&Question {
        answers: &shown,
        visit: &text,
        ..question.clone()
    });
    assert_eq!(diagnosis.verdict, PageVerdict::NotShown);
    // Without a service of its own, the caller learns which profile has the key.
    let diagnosis = diagnose(&Question {
        own_service: None,
        ..question
    });
    assert_eq!(
        diagnosis.fixes[0].fix.to_command().as_deref(),
        Some("widget doctor https://shop.example/cart --profile staging")
    );
}

#[test]
fn a_page_of_another_environment_has_two_readings() {
    use crate::{
        explain::explain, go_live::PinnedVersion, origin::AllowedOrigins, widget::NewWidget,
    };
    let suffixes = SuffixList::builtin();
    let id: WidgetId = ID.parse().expect("an id");
    let page = case("SNIPPET").expected();
    let visit = page.visit();
    let profiles = profiles();
    let service = "https://widgets.example".parse().expect("an origin");
    let fix = |listed: &str, profiles: &[(String, Url)]| {
        let widget = NewWidget {
            domains: AllowedOrigins::parse(&[listed], suffixes).expect("a list"),
            published: true,
            ..NewWidget::new(
                "acme".parse().expect("a name"),
                OTHER.parse().expect("an id"),
                OTHER.parse().expect("an id"),
            )
        }
        .into_widget(id, time::OffsetDateTime::UNIX_EPOCH);
        let version = PinnedVersion::Published;
        let explanation = explain(Some(&widget), version, page.url, &service, suffixes);
        let diagnosis = diagnose(&Question {
            services: &page.services,
            widget_id: Some(id),
            explanation: Some(&explanation),
            profiles,
            ..Question::new(page.url, &visit)
        });
        diagnosis.fixes[0].fix.to_string()
    };
    let add = format!("widget domains {ID} add https://shop.example");
    assert_eq!(fix("https://staging.shop.example", &[]), add);
    assert_eq!(fix("https://www.shop.example", &profiles), add);
    let both = fix("https://staging.shop.example", &profiles);
    assert!(both.contains("add `https://shop.example`"), "{both}");
    assert!(both.contains("profile `production`"), "{both}");
    // Neither a name that looks alike nor one that is misspelled is listed by a command.
    let other = fix("https://sh0p.example", &[]);
    assert!(!other.starts_with("widget "), "{other}");
}
