//! Pages as sites, their tools and the walls before them answer.

use super::*;

/// A page, and what is found.
const CASES: &[(&str, &str)] = &[
    // Scripts that redirect.
    (
        "<title>Redirecting</title><script>window.location.href=\"https://www.shop.example/\"</script>Redirecting",
        "unknown: page_redirected warn, snippet_missing unknown",
    ),
    (
        "<script>location = '/shop'</script>",
        "unknown: page_redirected warn, snippet_missing unknown",
    ),
    (
        "<script>setTimeout(function () { location.replace(\"/shop\") }, 0)</script>",
        "unknown: page_redirected warn, snippet_missing unknown",
    ),
    (
        "<body onload=\"location.assign('/shop')\">Please wait",
        "unknown: page_redirected warn, snippet_missing unknown",
    ),
    (
        "<p>x<script>location.href = next</script>",
        "unknown: page_redirected warn, snippet_missing unknown",
    ),
    (
        "<p>x<script>if (top !== self) top.location = self.location</script>",
        "not_shown: snippet_missing fail",
    ),
    (
        "<p>x<script>location.href = '/cart#top'</script>",
        "not_shown: snippet_missing fail",
    ),
    (
        "SNIPPET<script>location.href = '/shop'</script>",
        "shown: page_redirected warn",
    ),
    ("SNIPPET<script>location.href = next</script>", "shown"),
    // Frames in a sandbox.
    (
        "<p>x<iframe sandbox srcdoc='SRCDOC'></iframe>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<iframe sandbox='allow-forms allow-scripts' srcdoc='SRCDOC'></iframe>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<iframe sandbox='Allow-Scripts allow-same-origin' srcdoc='SRCDOC'></iframe>",
        "shown: snippet_missing warn",
    ),
    (
        "<p>x<iframe sandbox srcdoc='SRCDOC'></iframe><iframe srcdoc='SRCDOC'></iframe>",
        "shown: snippet_missing warn",
    ),
    // Quotes that are a part of the address.
    (
        "<p>x<script async src=\\\"https://widgets.example/public/embed/$ID\\\"></script>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<script async src=\\'https://widgets.example/public/embed/$ID\\'></script>",
        "not_shown: snippet_inert fail",
    ),
    (
        "<p>x<script async src='&quot;https://widgets.example/public/embed/$ID&quot;'></script>",
        "not_shown: snippet_inert fail",
    ),
    // What HTML reads as a comment.
    (
        "<p>x<![CDATA[ SNIPPET ]]>",
        "not_shown: snippet_commented_out fail",
    ),
    (
        "<script>//<![CDATA[\nvar a = 1;\n//]]></script>SNIPPET",
        "shown",
    ),
    // Copies that a tool holds back.
    (
        "<p>x<script type=text/plain src=/copy.js data-web-widget=$ID data-service=https://widgets.example></script>",
        "not_shown: snippet_inert fail",
    ),
];

#[test]
fn sites_are_read_as_browsers_read_them() {
    let document = SNIPPET.replace('"', "&quot;").replace('<', "&lt;");
    for (html, expected) in CASES {
        let html = html.replace("SRCDOC", &document);
        let diagnosis = case(&html).finds(expected);
        if html.contains("public/embed") || html.contains("SNIPPET") {
            let service = diagnosis.service.as_deref();
            assert_eq!(service, Some("https://widgets.example"), "{html}");
        }
        for finding in &diagnosis.findings {
            let evidence = finding.evidence.as_deref();
            assert_ne!(evidence, Some(""), "{html}");
        }
    }
}

#[test]
fn more_optimizers_are_named() {
    for (name, attributes) in [
        (
            "WP Meteor",
            "type='javascript/blocked' data-wpmeteor-type='text/javascript' data-wpmeteor-src=",
        ),
        (
            "RapidLoad",
            "type='rapidload/lazyscript' data-rapidload-src=",
        ),
        ("WP Compress", "type='wpc-delay-script' src="),
        ("Seraphinite Accelerator", "type='o/js-lzl' src="),
    ] {
        let html = format!(
            "<p>x<script async {attributes}'https://widgets.example/public/embed/$ID'></script>"
        );
        let diagnosis = case(&html).finds("shown: snippet_delayed warn");
        let detail = &diagnosis.findings[1].detail;
        assert!(detail.starts_with(&format!("{name} delays")), "{detail}");
    }
}

#[test]
fn tags_of_xml_close_themselves() {
    let page = |html: &str| {
        let mut page = case(html);
        page.headers[0].1 = "application/xhtml+xml; charset=utf-8".to_owned();
        page
    };
    let tag = SNIPPET.replace("></script>", "/>");
    let tag = tag.replace("async", "async=\"async\"");
    page(&tag).finds("shown");
    page(&format!("<script src=\"/a.js\"/><style/><textarea/>{tag}")).finds("shown");
    page(&format!("<template/>{tag}")).finds("shown");
    // In HTML, such a tag is open.
    check(&tag, "not_shown: snippet_inert fail");
}

#[test]
fn a_frame_in_a_sandbox_runs_nothing() {
    let page = |attributes: &str| {
        let page = case(&format!(
            "<p>x</p><iframe src=/widget.html {attributes}></iframe>"
        ));
        let mut visit = page.visit();
        assert_eq!(parts_to_read(&visit).frames.len(), 1);
        visit
            .frames
            .push(frame_of("https://shop.example/widget.html", SNIPPET));
        diagnose(&Question::new(page.url, &visit))
    };
    let closed = page("sandbox='allow-popups'");
    assert_eq!(closed.verdict, PageVerdict::NotShown, "{closed:#?}");
    let found = closed.findings.iter();
    let mut found = found.filter(|finding| finding.code == Code::SnippetInert);
    let found = found.next().expect("it is found");
    assert!(
        found
            .detail
            .contains("`allow-scripts` and `allow-same-origin`")
    );
    assert!(
        found
            .evidence
            .as_ref()
            .is_some_and(|tag| tag.contains("sandbox"))
    );
    assert_eq!(page("").verdict, PageVerdict::Shown);
}

const COPY: &str = "<p>x<script async src='/loader.js' data-web-widget='$ID' data-service='https://widgets.example'></script>";
const LOADER: &str = r"(function(){var e=/^(.+)\/public\/embed\/([\w-]+)/;window.webWidgetQueue;q('script,[data-web-widget]')})()";

/// An answer at the address of [`COPY`].
fn copy(status: u16, kind: &str, text: &str) -> Case {
    let mut page = case(COPY).script("https://shop.example/loader.js", text);
    page.scripts[0].status = status;
    page.scripts[0].headers = vec![("content-type".to_owned(), kind.to_owned())];
    page
}

#[test]
fn a_copy_has_to_be_the_script() {
    let script = "text/javascript";
    for (status, kind, text, expected) in [
        (200, script, LOADER, "shown"),
        (200, "text/html", LOADER, "shown"),
        (404, script, LOADER, "not_shown: snippet_copied fail"),
        (
            404,
            "text/html",
            "<h1>Not found",
            "not_shown: snippet_copied fail",
        ),
        (
            200,
            "text/html",
            " <!doctype html><p>Shop",
            "not_shown: snippet_copied fail",
        ),
        (
            200,
            script,
            "jQuery(function () {})",
            "not_shown: snippet_copied fail",
        ),
        (200, script, "", "not_shown: snippet_copied fail"),
        (200, "image/png", LOADER, "not_shown: snippet_copied fail"),
        // It may be a part of the loader, or a script that loads it.
        (
            200,
            script,
            "window.webWidgetQueue",
            "unknown: snippet_copied unknown",
        ),
    ] {
        copy(status, kind, text).finds(expected);
        copy(status, kind, text).expected().finds(expected);
    }
    let strict = ("X-Content-Type-Options".to_owned(), "nosniff".to_owned());
    let mut page = copy(200, "text/html", LOADER);
    page.scripts[0].headers.push(strict);
    page.finds("not_shown: snippet_copied fail");
    let mut page = copy(200, script, "jQuery");
    page.scripts[0].is_cut = true;
    page.finds("unknown: snippet_copied unknown");
    check(COPY, "unknown: snippet_copied unknown");
    assert_eq!(parts_to_read(&case(COPY).visit()).scripts.len(), 1);
}

#[test]
fn an_error_is_not_a_script_of_the_page() {
    let page = case("<p>x<script src=/a.js></script>");
    let mut page = page.script("https://shop.example/a.js", LOADER);
    page.finds("not_shown: snippet_copied fail");
    page.scripts[0].status = 404;
    page.finds("not_shown: snippet_missing fail");
}

#[test]
fn one_copy_that_runs_is_enough() {
    let copies = |from: usize, to: usize| {
        let tags = (from..to).map(|at| COPY.replace("loader", &format!("loader{at}")));
        tags.collect::<String>()
    };
    let failing = |mut page: Case| {
        for at in 0..3 {
            page = page.script(&format!("https://shop.example/loader{at}.js"), "jQuery");
        }
        page
    };
    let html = copies(0, 3).repeat(200);
    failing(case(&html)).finds("not_shown: snippet_copied fail");
    let running = format!("{html}{}", copies(3, 4).repeat(2));
    failing(case(&running)).finds("unknown: snippet_copied warn, snippet_copied unknown");
    let page = failing(case(&running)).script("https://shop.example/loader3.js", LOADER);
    page.finds("shown: snippet_copied warn");
    // Copies are the first to read, however many scripts there are.
    let scripts = (0..MAX_SCRIPTS).map(|at| format!("<script src='/assets/{at}.js'></script>"));
    let parts = parts_to_read(&case(&format!("{}{html}", scripts.collect::<String>())).visit());
    assert!(parts.scripts[2].path().starts_with("/loader"));
    assert_eq!((parts.scripts.len(), parts.left_out), (MAX_SCRIPTS, 3));
}

#[test]
fn a_copy_without_a_service_is_said_once() {
    let html = COPY.replace("data-service='https://widgets.example'", "");
    let diagnosis = case(&html)
        .script("https://shop.example/loader.js", LOADER)
        .finds("not_shown: snippet_copied fail");
    assert_eq!(diagnosis.fixes.len(), 1);
}

#[test]
fn scripts_that_nobody_read_may_have_the_snippet() {
    let scripts = (0..150).map(|at| format!("<script src='/assets/{at}.js'></script>"));
    let scripts = scripts.collect::<Vec<_>>().concat();
    let page = case(&format!("<p>Welcome{scripts}"));
    let mut visit = page.visit();
    let parts = parts_to_read(&visit);
    assert_eq!((parts.scripts.len(), parts.left_out), (MAX_SCRIPTS, 50));
    visit.scripts = page
        .script("https://shop.example/assets/0.js", "jQuery")
        .scripts;
    visit.unread_scripts = 149;
    let diagnosis = diagnose(&Question::new("https://shop.example/", &visit));
    assert_eq!(diagnosis.verdict, PageVerdict::Unknown);
    let finding = &diagnosis.findings[1];
    assert_eq!(finding.code, Code::SnippetByScript);
    assert!(finding.detail.contains("only 1 of 150"), "{finding:?}");
    assert!(diagnosis.fixes.is_empty());
    let mut cut =
        case("<p>x<script src=/a.js></script>").script("https://shop.example/a.js", "jQuery");
    cut.scripts[0].is_cut = true;
    cut.finds("unknown: snippet_by_script unknown");
}

/// The first finding of a code.
#[track_caller]
fn found(diagnosis: &Diagnosis, code: Code) -> &PageFinding {
    let mut findings = diagnosis.findings.iter();
    let found = findings.find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("{code}: {diagnosis:#?}"))
}

#[test]
fn an_error_page_has_policies_of_its_own() {
    let policy = "default-src 'none'; script-src 'nonce-abc' 'unsafe-eval'";
    for (status, html, name, value) in [
        (403, "<p>Just a moment", "cf-mitigated", "challenge"),
        (404, "<p>gone", "X", "x"),
        (
            200,
            "<script>window._cf_chl_opt = {}</script><p>Just a moment",
            "X",
            "x",
        ),
    ] {
        case(html)
            .expected()
            .status(status)
            .header("Content-Security-Policy", policy)
            .header(name, value)
            .finds("unknown: page_status fail, snippet_missing unknown");
    }
}

#[test]
fn walls_are_not_applications() {
    for (name, html) in [
        (
            "Cloudflare",
            "<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1?ray=8a'></script>",
        ),
        (
            "Imperva",
            "<script src='/_Incapsula_Resource?SWJIYLWA=7'></script><iframe id=main-iframe src='/_Incapsula_Resource?SWUDNSAI=31'>Request unsuccessful</iframe>",
        ),
        (
            "DataDome",
            "<p>Please enable JS</p><script src='https://ct.captcha-delivery.com/c.js'></script>",
        ),
    ] {
        for status in [200, 403] {
            let diagnosis = case(html)
                .status(status)
                .finds("unknown: page_status fail, snippet_missing unknown");
            let detail = &found(&diagnosis, Code::PageStatus).detail;
            assert!(detail.starts_with(name), "{detail}");
        }
    }
    // The same scripts are on pages that are shown.
    let text = "Freshly roasted coffee. ".repeat(20);
    check(
        &format!("<script src='https://ct.captcha-delivery.com/c.js'></script>{text}"),
        "not_shown: snippet_missing fail",
    );
    check(
        "<script src='https://ct.captcha-delivery.com/c.js'></script>SNIPPET",
        "shown",
    );
}

#[test]
fn an_address_without_a_service_is_named() {
    let page = "<p>x<script async src='/public/embed/$ID'></script>";
    let answers = |status, kind: &str| ServiceAnswers {
        script: Answer::Given(ScriptAnswer {
            status,
            hashes: Vec::new(),
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            text: None,
        }),
        launcher: Answer::Failed("it answers 404 without JSON".to_owned()),
        ..ServiceAnswers::default()
    };
    let mut open = case(page);
    open.answers = answers(404, "text/plain");
    let diagnosis = open.finds("not_shown: snippet_inert fail");
    assert_eq!(diagnosis.fixes.len(), 1);
    open.answers = answers(200, "text/html; charset=utf-8");
    open.finds("not_shown: snippet_inert fail");
    // What does not answer may be the service all the same.
    open.answers = answers(502, "text/plain");
    open.finds("not_shown: service_unreachable fail");
    let diagnosis = case(page).expected().finds("not_shown: snippet_inert fail");
    assert_eq!(diagnosis.fixes[0].fix, Fix::Line(SNIPPET.to_owned()));
    let both = case(&format!("{page}SNIPPET")).expected();
    both.finds("shown: snippet_inert warn");
}

#[test]
fn a_file_that_is_gone_is_not_a_fault_of_the_service() {
    for more in ["", "integrity='sha384-x' crossorigin"] {
        let html = SNIPPET
            .replace("\"></", "/3f2a.js\"></")
            .replace("async", &format!("async {more}"));
        let mut page = case(&html);
        page.answers = ServiceAnswers {
            script: Answer::Given(ScriptAnswer {
                status: 404,
                hashes: Vec::new(),
                headers: Vec::new(),
                text: None,
            }),
            launcher: Answer::Given(LauncherAnswer::Shown { icon_url: None }),
            ..ServiceAnswers::default()
        };
        page.finds("not_shown: integrity_unknown fail");
        page.answers.launcher = Answer::Failed("no route".to_owned());
        page.finds("not_shown: integrity_unknown fail, service_unreachable fail");
    }
}

#[test]
fn what_was_not_asked_in_time_is_unknown() {
    let shown = || Answer::Given(LauncherAnswer::Shown { icon_url: None });
    for (script, launcher, livekit, expected) in [
        (
            Answer::OutOfTime,
            Answer::OutOfTime,
            Answer::OutOfTime,
            "unknown: service_unreachable unknown",
        ),
        (
            Answer::NotAsked,
            shown(),
            Answer::OutOfTime,
            "unknown: livekit_unreachable unknown",
        ),
        (
            Answer::OutOfTime,
            Answer::Failed("no route".to_owned()),
            Answer::NotAsked,
            "not_shown: service_unreachable fail",
        ),
        (Answer::NotAsked, shown(), Answer::NotAsked, "shown"),
    ] {
        let mut page = case("SNIPPET");
        page.answers = ServiceAnswers {
            script,
            launcher,
            livekit,
            ..ServiceAnswers::default()
        };
        page.finds(expected);
    }
}

#[test]
fn other_widgets_of_the_page_are_named() {
    let other: WidgetId = OTHER.parse().expect("an id");
    let mut page = case(&format!("{}SNIPPET", SNIPPET.replace(ID, OTHER)));
    page.widget_id = Some(ID.parse().expect("an id"));
    page.services = vec!["https://widgets.example/".parse().expect("a URL")];
    let diagnosis = page.finds("shown");
    assert!(found(&diagnosis, Code::SnippetOtherWidget).hint.is_some());
    let mut named = case(&format!("SNIPPET{}", SNIPPET.replace(ID, OTHER)));
    named.answers.others = vec![(other, LauncherAnswer::Shown { icon_url: None })];
    let diagnosis = named.finds("shown");
    let finding = found(&diagnosis, Code::SnippetOtherWidget);
    assert!(finding.detail.contains(OTHER), "{finding:?}");
    assert!(finding.hint.is_some());
    let refused = LauncherAnswer::Refused("widget_unavailable".to_owned());
    named.answers.others = vec![(other, refused)];
    named.finds("shown: snippet_other_widget warn");
}

#[test]
fn a_redirect_within_the_site_is_named() {
    let diagnose = |path: &str, html: &str| {
        let page = case(html);
        let hop = |path: &str, status| Hop {
            url: format!("https://shop.example{path}")
                .parse()
                .expect("a URL"),
            status,
            headers: Vec::new(),
        };
        let visit = Visit {
            hops: vec![hop("/cart", 302), hop(path, 200)],
            ..page.visit()
        };
        diagnose(&Question::new("https://shop.example/cart", &visit))
    };
    let gate = diagnose("/password?return=secret", "SNIPPET");
    let finding = found(&gate, Code::PageRedirected);
    assert_eq!(finding.status, CheckStatus::Warn);
    assert!(finding.detail.contains("`https://shop.example/password?…`"));
    let moved = diagnose("/en/cart", "SNIPPET");
    let finding = found(&moved, Code::PageRedirected);
    assert_eq!(finding.status, CheckStatus::Ok);
    assert!(finding.detail.contains("`https://shop.example/en/cart`"));
    assert!(finding.hint.is_some());
    let slash = diagnose("/cart/", "SNIPPET");
    let mut codes = slash.findings.iter().map(|finding| finding.code);
    assert!(codes.all(|code| code != Code::PageRedirected));
}

#[test]
fn a_redirect_to_a_site_that_is_shown_is_fine() {
    let page = case("SNIPPET");
    let hop = |url: &str, status| Hop {
        url: url.parse().expect("a URL"),
        status,
        headers: Vec::new(),
    };
    let visit = Visit {
        hops: vec![
            hop("https://shop.example/", 301),
            hop("https://www.shop.example/", 200),
        ],
        ..page.visit()
    };
    let status = |launcher| {
        let answers = ServiceAnswers {
            launcher: Answer::Given(launcher),
            ..ServiceAnswers::default()
        };
        let diagnosis = diagnose(&Question {
            answers: &answers,
            ..Question::new("https://shop.example/", &visit)
        });
        found(&diagnosis, Code::PageRedirected).status
    };
    assert_eq!(
        status(LauncherAnswer::Shown { icon_url: None }),
        CheckStatus::Ok
    );
    let refused = LauncherAnswer::Refused("widget_unavailable".to_owned());
    assert_eq!(status(refused), CheckStatus::Warn);
}

#[test]
fn an_empty_answer_is_named() {
    for (status, html) in [(200, " \n"), (204, "")] {
        let diagnosis = case(html)
            .status(status)
            .finds("not_shown: snippet_missing fail");
        let detail = &found(&diagnosis, Code::SnippetMissing).detail;
        assert!(detail.contains("empty"), "{detail}");
    }
}

#[test]
fn what_helps_fits_the_fault() {
    let hint = |case: &Case, code| {
        let diagnosis = case.diagnose();
        let found = found(&diagnosis, code).clone();
        let parts = [Some(found.detail), found.evidence, found.hint];
        parts.into_iter().flatten().collect::<Vec<_>>().join("|")
    };
    let policy = |html: &str, policy: &str| case(html).header("Content-Security-Policy", policy);
    let stale = SNIPPET.replace("async", "async nonce=old");
    let twice = "script-src 'self'; script-src https://widgets.example";
    let mut text = case("SNIPPET");
    text.headers[0].1 = "text/plain; charset=utf-8".to_owned();
    let gtm = "<p>x<script>(function(w,l){w[l].push({'gtm.start':1});/* … */})(window,'dataLayer','GTM-ABC123')</script>";
    let long = SNIPPET.replace("async", &format!("data-x='{}'", "a".repeat(400)));
    for (case, code, expected) in [
        (
            policy(&stale, "script-src 'nonce-abc' 'strict-dynamic'"),
            Code::CspScriptBlocked,
            "a cache keeps it",
        ),
        (
            policy("SNIPPET", twice),
            Code::CspScriptBlocked,
            "ignore the second `script-src`",
        ),
        (text, Code::PageNotHtml, "`Content-Type: text/html"),
        (case(gtm), Code::SnippetByScript, "GTM-ABC123"),
        (
            case("").status(429).header("Retry-After", "120"),
            Code::PageStatus,
            "Retry-After: 120",
        ),
        (case("").status(503), Code::PageStatus, "not available"),
        (
            case("<html amp><p>x"),
            Code::SnippetMissing,
            "not in the AMP one",
        ),
        (
            case("<frameset><frame src='https://real.example.net/'></frameset>"),
            Code::PageFrameOnly,
            "let the address redirect",
        ),
        (case(&long), Code::SnippetMissing, "/public/embed/"),
    ] {
        let words = hint(&case, code);
        assert!(words.contains(expected), "{words}");
    }
    for (cause, expected) in [
        (FailureCause::Name, "spelling"),
        (FailureCause::Connection, "port"),
        (FailureCause::Certificate, "certificate"),
        (FailureCause::Timeout, "slow"),
        (FailureCause::Redirect, "redirects"),
        (FailureCause::Answer, "gzip"),
        (FailureCause::Other, "spelling"),
    ] {
        let reason = "x".to_owned();
        let visit = Visit {
            failure: Some(PageFailure { reason, cause }),
            ..Visit::default()
        };
        let diagnosis = diagnose(&Question::new("https://shop.example", &visit));
        let hint = diagnosis.findings[0].hint.as_deref();
        assert!(hint.is_some_and(|hint| hint.contains(expected)), "{hint:?}");
    }
}

#[test]
fn addresses_are_shown_without_secrets() {
    for (typed, shown) in [
        ("shop.example/cart", "shop.example/cart"),
        ("shop.example?", "shop.example?"),
        ("shop.example/a?t=1#f=2", "shop.example/a?…"),
        ("https://shop.example/#f=2", "https://shop.example/"),
        ("http://u:p@shop.example:80/a", "http://shop.example:80/a"),
        ("u:p@shop.example", "shop.example"),
        ("http://u:p@q@shop.example\\a", "http://shop.example\\a"),
    ] {
        assert_eq!(shown_page(typed), shown);
    }
    let frame = |address: &str| format!("<iframe src='https://other.example{address}'></iframe>");
    let refresh = |address: &str| format!("<meta http-equiv=refresh content='0; url={address}'>");
    for (html, command) in [
        (refresh("/a"), "widget doctor https://shop.example/a"),
        (refresh("/a?token=secret"), "widget doctor URL"),
        (frame("/a"), "widget doctor https://other.example/a"),
        (frame("/a?token=secret"), "widget doctor URL"),
    ] {
        let diagnosis = case(&html).diagnose();
        let mut hints = diagnosis
            .findings
            .iter()
            .filter_map(|found| found.hint.as_ref());
        assert!(hints.any(|hint| hint.ends_with(command)), "{diagnosis:#?}");
    }
    let mut page = case("SNIPPET");
    page.url = "https://shop.example/cart?token=secret#access_token=secret";
    page.services = vec!["https://other.example/".parse().expect("a URL")];
    let diagnosis = page.diagnose();
    assert_eq!(diagnosis.page, "https://shop.example/cart?…");
    assert!(!format!("{diagnosis:?}").contains("secret"));
}
