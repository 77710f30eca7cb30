//! Pages that were judged wrongly once.

use super::*;
use crate::{explain::explain, go_live::PinnedVersion, origin::AllowedOrigins, widget::NewWidget};

/// A page that sends its visitors to another address.
fn redirected(to: &str, html: &str) -> Visit {
    let start = "https://shop.example/cart".parse().expect("a URL");
    let mut visit = case(html).visit();
    visit.hops[0].url = to.parse().expect("a URL");
    visit.hops.insert(
        0,
        Hop {
            url: start,
            status: 302,
            headers: vec![("Location".to_owned(), to.to_owned())],
        },
    );
    visit
}

fn summary(diagnosis: &Diagnosis) -> String {
    let found = diagnosis.findings.iter();
    let found = found.filter(|finding| finding.status != CheckStatus::Ok);
    let found: Vec<_> = found
        .map(|finding| format!("{} {}", finding.code, finding.status))
        .collect();
    format!("{}: {}", diagnosis.verdict, found.join(", "))
}

#[test]
fn the_place_of_a_login_is_never_to_be_listed() {
    let suffixes = SuffixList::builtin();
    let id: WidgetId = ID.parse().expect("an id");
    let widget = NewWidget {
        domains: AllowedOrigins::parse(&["https://shop.example"], suffixes).expect("a list"),
        published: true,
        ..NewWidget::new(
            "acme".parse().expect("a name"),
            OTHER.parse().expect("an id"),
            OTHER.parse().expect("an id"),
        )
    }
    .into_widget(id, time::OffsetDateTime::UNIX_EPOCH);
    let services = ["https://widgets.example/".parse().expect("a URL")];
    let service = "https://widgets.example".parse().expect("an origin");
    let refused = ServiceAnswers {
        launcher: Answer::Given(LauncherAnswer::Refused("widget_unavailable".to_owned())),
        ..ServiceAnswers::default()
    };
    let look = |to: &str, html: &str, has_key: bool| {
        let visit = redirected(to, html);
        let version = PinnedVersion::Published;
        let explanation = explain(Some(&widget), version, to, &service, suffixes);
        diagnose(&Question {
            services: &services,
            widget_id: Some(id),
            answers: &refused,
            explanation: has_key.then_some(&explanation),
            ..Question::new("https://shop.example/cart", &visit)
        })
    };
    let form = "<form><input type=password></form>";
    for to in [
        "https://other.example/authorize/login?state=SECRET",
        "https://accounts.shop.example/?state=SECRET",
    ] {
        for (has_key, code) in [(true, "origin_not_listed"), (false, "widget_unavailable")] {
            let diagnosis = look(to, form, has_key);
            assert_eq!(
                summary(&diagnosis),
                format!("unknown: page_redirected warn, snippet_missing unknown, {code} unknown")
            );
            let all = format!("{diagnosis:?}");
            assert!(
                diagnosis.fixes.is_empty() && !all.contains("has to be listed"),
                "{all}"
            );
            assert!(!all.contains("SECRET"), "{all}");
        }
    }
    // The site itself is to be listed, whatever the path is.
    for to in [
        "https://www.shop.example/login",
        "https://www.shop.example/cart",
    ] {
        let diagnosis = look(to, "SNIPPET", true);
        assert_eq!(
            summary(&diagnosis),
            "not_shown: page_redirected warn, origin_not_listed fail",
        );
    }
}

#[test]
fn more_walls_are_recognized() {
    let expected = "unknown: page_status fail, snippet_missing unknown";
    for (name, status, header, html) in [
        (
            "Anubis",
            200,
            "",
            "<title>Not a bot</title><p>Loading...<script async type=module src='/.within.website/x/cmd/anubis/static/js/main.mjs'></script>",
        ),
        (
            "Imunify360",
            200,
            "",
            "<p>One moment, please...<script>x.open('GET','/z0f7?wsidchk=1')</script>",
        ),
        (
            "Vercel",
            429,
            "x-vercel-mitigated",
            "<p>We're verifying your browser",
        ),
        (
            "Vercel",
            403,
            "",
            "<script src='/.well-known/vercel/security/static/challenge.v2.min.js'></script>",
        ),
        (
            "Kasada",
            429,
            "",
            "<script>window.KPSDK={};</script><script src='/149e9513/ips.js'></script>",
        ),
        (
            "SiteGround",
            202,
            "SG-Captcha",
            "<meta http-equiv=refresh content='0;/.well-known/sgcaptcha/?r=%2F'>",
        ),
        (
            "SiteGround",
            202,
            "",
            "<meta http-equiv=refresh content='0;/.well-known/sgcaptcha/?r=%2F'>",
        ),
        (
            "InfinityFree",
            200,
            "",
            "<script src='/aes.js'></script><script>function toNumbers(d){}document.cookie=\"__test=SECRET\"; location.href=\"https://shop.example/?i=1\"</script>",
        ),
    ] {
        let mut case = case(html).status(status);
        if !header.is_empty() {
            case = case.header(header, "challenge");
        }
        let diagnosis = case.finds(expected);
        let all = format!("{diagnosis:?}");
        assert!(diagnosis.findings[1].detail.starts_with(name), "{all}");
        assert!(all.contains("or let this program pass in"), "{all}");
        assert!(
            !all.contains("SECRET") && !all.contains("try again"),
            "{all}"
        );
    }
    // Pages with texts of their own are pages.
    let text = "Coffee from our own roastery. ".repeat(20);
    let page = format!("<p>{text}SNIPPET<script>window.KPSDK={{}};</script>");
    case(&page).finds("shown");
}

#[test]
fn a_function_that_a_button_calls_is_no_redirect() {
    let page = "<h1>Hi</h1><button onclick='go()'>Enter</button><script>function go(){window.location.href='/shop'}</script>";
    check(page, "not_shown: snippet_missing fail");
    check(&format!("{page}SNIPPET"), "shown");
    check(
        "<body onload='go()'><script>function go(){window.location.href='/shop'}</script>",
        "unknown: page_redirected warn, snippet_missing unknown",
    );
}

#[test]
fn evidence_has_nothing_beside_it() {
    const SRC: &str = "https://widgets.example/public/embed/$ID";
    for (html, shown) in [
        (
            "<p>x<script>window.cfg={apiKey:'SECRET',csrfToken:\"SECRET\",user:{email:\"ann@mail.example\"},chat:'SRC'};var s=document.createElement('script');s.src=cfg.chat</script>",
            SRC,
        ),
        (
            "<p>x<script>dataLayer=[{userEmail:'ann@mail.example',authToken:'SECRET'}];(function(w,d,s,l,i){w[l].push({'gtm.start':1})})(window,document,'script','dataLayer','GTM-ABC123');</script>",
            "GTM-ABC123",
        ),
        (
            "<p>x<div data-state='{\"token\":\"SECRET\",\"email\":\"ann@mail.example\",\"src\":\"SRC\"}'></div>",
            SRC,
        ),
        (
            "<p>x<img alt='ann@mail.example' data-token=SECRET data-a='SRC'>",
            SRC,
        ),
        (
            "<p>x<script>document.cookie=\"a=SECRET\"; location.href=\"/shop?k=SECRET\"</script>",
            "location.href=\"/shop?…\"",
        ),
    ] {
        let diagnosis = case(&html.replace("SRC", SRC)).diagnose();
        let all = format!("{:?}", diagnosis.findings);
        assert!(
            !all.contains("SECRET") && !all.contains("mail.example"),
            "{all}"
        );
        let evidence = diagnosis
            .findings
            .iter()
            .filter_map(|found| found.evidence.as_ref());
        let shown = shown.replace("$ID", ID);
        assert!(
            evidence.clone().any(|evidence| evidence.contains(&shown)),
            "{all}"
        );
    }
}

#[test]
fn a_script_that_adds_the_snippet_may_be_blocked_itself() {
    const SRC: &str = "https://widgets.example/public/embed/$ID";
    const REST: &str = "; connect-src https://widgets.example; frame-src https://widgets.example";
    let gtm = "(function(w,d,s,l,i){w[l].push({'gtm.start':1});j.src='https://www.googletagmanager.com/gtm.js?id='+i;d.head.append(j)})(window,document,'script','dataLayer','GTM-ABC123');";
    let makes =
        format!("var s=document.createElement('script');s.src='{SRC}';document.head.append(s)");
    let copies = format!(
        "var s=document.createElement('script');s.nonce=document.currentScript.nonce;s.src='{SRC}';document.head.append(s)"
    );
    // Of `makes`, with the id.
    let hash = "4sDxGrSOwgCfkhmpRBJCXGGG2zu0gAv77uKBG33L5AQ=";
    let page = |policy: &str, attributes: &str, script: &str, expected: &str| {
        case(&format!("<p>x<script {attributes}>{script}</script>"))
            .header("Content-Security-Policy", &format!("{policy}{REST}"))
            .finds(expected)
    };
    let unknown = "unknown: snippet_by_script unknown";
    let blocked = "not_shown: snippet_by_script unknown, csp_script_blocked fail";
    let nonce = "unknown: snippet_by_script unknown, csp_script_blocked unknown";
    let listed = "script-src 'self' https://widgets.example";
    let diagnosis = page(listed, "", &makes, blocked);
    let all = format!("{diagnosis:?}");
    assert!(
        all.contains("blocks the inline script that adds the snippet"),
        "{all}"
    );
    page(&format!("{listed} 'unsafe-inline'"), "", &makes, unknown);
    page(&format!("{listed} 'sha256-{hash}'"), "", &makes, unknown);
    page(
        &format!("{listed} 'nonce-abc'"),
        "nonce=abc",
        &makes,
        unknown,
    );
    page(
        &format!("{listed} 'nonce-abc'"),
        "nonce=old",
        &makes,
        blocked,
    );
    // The tag manager itself is not in the list.
    page(
        "script-src 'self' https://www.googletagmanager.com",
        "",
        gtm,
        blocked,
    );
    page(
        "script-src 'self'",
        "src='https://www.googletagmanager.com/gtm.js?id=1'",
        "",
        blocked,
    );
    page(
        "script-src 'self' https://www.googletagmanager.com",
        "src='https://www.googletagmanager.com/gtm.js?id=1'",
        "",
        unknown,
    );
    // A nonce may be handed on.
    page("script-src 'nonce-abc'", "nonce=abc", &copies, nonce);
    page("script-src 'nonce-abc'", "nonce=abc", &makes, blocked);
    page("script-src 'nonce-abc'", "nonce=old", &copies, blocked);
    for (script, expected) in [
        (gtm, nonce),
        (
            "x",
            "not_shown: snippet_missing fail, csp_script_blocked fail",
        ),
    ] {
        case(&format!("<p>x<script nonce=abc>{script}</script>"))
            .expected()
            .header(
                "Content-Security-Policy",
                &format!("script-src 'nonce-abc'{REST}"),
            )
            .finds(expected);
    }
    // Something else may add it.
    case(&format!("<p>x<script>{gtm}</script><div id=__next></div>"))
        .header("Content-Security-Policy", "script-src 'self'")
        .finds(unknown);
}

#[test]
fn policies_that_are_often_misread_are_explained() {
    let hint = |policy: &str| {
        let case = case("SNIPPET").header("Content-Security-Policy", policy);
        let diagnosis = case.finds("not_shown: csp_script_blocked fail");
        diagnosis.fixes[0].fix.to_string()
    };
    let add = "add `https://widgets.example` to `script-src`";
    assert_eq!(hint("script-src 'self'"), add);
    assert_eq!(
        hint("script-src 'self', script-src https://widgets.example"),
        format!(
            "{add}; a comma in the header begins another policy, and each policy has to allow it"
        )
    );
    for source in ["*.widgets.example", "https://*.widgets.example:443/public/"] {
        assert_eq!(
            hint(&format!("script-src 'self' {source}")),
            format!("{add}; `{source}` allows only the hosts below it, not the host itself")
        );
    }
    assert_eq!(hint("script-src *.other.example"), add);
    let own = "script-src 'self'; connect-src 'self'; frame-src 'self'";
    for (url, expected) in [
        ("http://widgets.example/", "shown: insecure_page warn"),
        ("https://widgets.example/", "shown"),
    ] {
        case("SNIPPET")
            .at(url)
            .header("Content-Security-Policy", own)
            .finds(expected);
    }
    for url in ["http://widgets.example:8080/", "http://shop.example/"] {
        let diagnosis = case("SNIPPET")
            .at(url)
            .header("Content-Security-Policy", own)
            .diagnose();
        assert_eq!(diagnosis.verdict, PageVerdict::NotShown);
    }
}

#[test]
fn what_is_at_the_address_of_the_script_has_to_be_it() {
    let with = |text: &str| {
        let mut case = case("SNIPPET");
        case.answers.script = Answer::Given(ScriptAnswer {
            status: 200,
            hashes: Vec::new(),
            headers: Vec::new(),
            text: Some(text.to_owned()),
        });
        case
    };
    let expected = "not_shown: service_unreachable fail";
    for (text, what) in [
        ("", "nothing"),
        (" \n", "nothing"),
        ("<html>Request blocked", "HTML"),
        ("var other = 1", "another text"),
    ] {
        let all = format!("{:?}", with(text).finds(expected));
        assert!(
            all.contains(&format!("it answers with {what} instead of its script")),
            "{all}"
        );
    }
    // A part of it may be all that was read.
    for text in [
        "f(/\\/public\\/embed\\//,'data-web-widget')",
        "a='/public/embed/'",
    ] {
        with(text).finds("shown");
    }
}

#[test]
fn isolation_counts_where_browsers_count_it() {
    const NAME: &str = "Cross-Origin-Embedder-Policy";
    let with = |html: &str, policy: Option<&str>| {
        let mut case = case(html).header(NAME, "require-corp");
        let mut headers = vec![("content-type".to_owned(), "text/javascript".to_owned())];
        headers.extend(
            policy.map(|policy| ("Cross-Origin-Resource-Policy".to_owned(), policy.to_owned())),
        );
        case.answers.script = Answer::Given(ScriptAnswer {
            status: 200,
            hashes: Vec::new(),
            headers,
            text: None,
        });
        case.answers.window = Answer::Given(vec![
            (NAME.to_owned(), "require-corp".to_owned()),
            (
                "Cross-Origin-Resource-Policy".to_owned(),
                "cross-origin".to_owned(),
            ),
        ]);
        case
    };
    let blocked = "not_shown: coep_blocks_window fail";
    with("SNIPPET", Some("cross-origin")).finds("shown");
    with("SNIPPET", None).finds(blocked);
    with("SNIPPET", Some("same-origin")).finds(blocked);
    let cors = SNIPPET.replace("async", "crossorigin async");
    with(&cors, None).finds("shown");
    with(&SNIPPET.replace("async", "type=module"), None).finds("shown");
    with("SNIPPET", None)
        .at("https://widgets.example/")
        .finds("shown");
    let mut credentialless = with("SNIPPET", None);
    credentialless.headers[1].1 = "credentialless".to_owned();
    credentialless.finds("shown");
    // A window without the headers, on pages of which the header does not count.
    let bare = |case: Case| {
        let mut case = case;
        case.answers.window = Answer::Given(Vec::new());
        case
    };
    bare(with("SNIPPET", Some("cross-origin"))).finds(blocked);
    bare(with("SNIPPET", None))
        .header(NAME, "require-corp")
        .finds("shown");
    bare(with("SNIPPET", None))
        .at("http://shop.example/")
        .finds("shown: insecure_page warn");
}

#[test]
fn the_type_of_a_page_is_the_last_valid_one() {
    const PAGE: &str = "<html xmlns='http://www.w3.org/1999/xhtml'><body><p>x</p><script async='async' src='https://widgets.example/public/embed/$ID'></script></body></html>";
    let with = |html: &str, types: &[&str]| {
        let mut case = case(html);
        case.headers.clear();
        for kind in types {
            case = case.header("Content-Type", kind);
        }
        case
    };
    for types in [
        &["text/plain", "text/html; charset=utf-8"][..],
        &["text/plain, text/html"],
        &["text/html", "*/*"],
        &["text/html", "html"],
        &["html"],
        &[""],
    ] {
        with("SNIPPET", types).finds("shown");
    }
    let other = "not_shown: page_not_html fail";
    for types in [
        &["text/html", "text/plain"][..],
        &["application/pdf"],
        &["text/xml"],
    ] {
        with("<p>SNIPPET</p>", types).finds(other);
    }
    with("SNIPPET", &["html"])
        .header("X-Content-Type-Options", "nosniff")
        .finds(other);
    for kind in [
        "text/xml; charset=utf-8",
        "application/xml",
        "application/xhtml+xml",
    ] {
        with(PAGE, &[kind]).finds("shown");
        let page = PAGE.replace(" async='async'", " async");
        with(&page, &[kind]).finds("not_shown: snippet_inert fail");
    }
}

#[test]
fn the_advice_names_what_is_there() {
    let frame = "<noscript><iframe src='https://www.googletagmanager.com/ns.html?id=GTM-ABC123'></iframe></noscript>";
    let diagnosis = case(&format!("<p>x{frame}")).finds("not_shown: snippet_missing fail");
    let all = format!("{diagnosis:?}");
    assert!(
        all.contains("add the script of Google Tag Manager to the page"),
        "{all}"
    );
    let held = SNIPPET.replace("async", "type=text/plain data-category=functional");
    let diagnosis = case(&held).finds("not_shown: snippet_inert fail");
    let all = format!("{diagnosis:?}");
    assert!(
        !all.contains("exempt the script in a consent manager"),
        "{all}"
    );
    assert!(all.contains("replace the tag by the plain one"), "{all}");
}
