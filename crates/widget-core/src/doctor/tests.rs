//! What is found on pages: each case is a page as sites have it.

mod frames;
mod pages;
mod policies;
mod reports;
mod sites;
mod tags;

use time::Duration;

use super::*;
use crate::origin::SuffixList;

const ID: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
const OTHER: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c";
const SNIPPET: &str = r#"<script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>"#;

/// A page of a shop, and what is known about its widget.
#[derive(Debug, Clone)]
struct Case {
    url: &'static str,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    services: Vec<Url>,
    widget_id: Option<WidgetId>,
    answers: ServiceAnswers,
    scripts: Vec<PageScript>,
}

fn case(html: &str) -> Case {
    Case {
        url: "https://shop.example/cart",
        status: 200,
        headers: vec![(
            "Content-Type".to_owned(),
            "text/html; charset=utf-8".to_owned(),
        )],
        body: html
            .replace("SNIPPET", SNIPPET)
            .replace("$ID", ID)
            .into_bytes(),
        services: Vec::new(),
        widget_id: None,
        answers: ServiceAnswers::default(),
        scripts: Vec::new(),
    }
}

impl Case {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn at(mut self, url: &'static str) -> Self {
        self.url = url;
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a profile: the service and the widget are known.
    fn expected(mut self) -> Self {
        self.services = vec!["https://widgets.example/".parse().expect("a URL")];
        self.widget_id = Some(ID.parse().expect("an id"));
        self
    }

    /// With a script that the page loads.
    fn script(mut self, url: &str, text: &str) -> Self {
        self.scripts.push(PageScript {
            url: url.parse().expect("a URL"),
            status: 200,
            headers: Vec::new(),
            text: text.replace("$ID", ID),
            is_cut: false,
        });
        self
    }

    fn visit(&self) -> Visit {
        Visit {
            hops: vec![Hop {
                url: self.url.parse().expect("a URL"),
                status: self.status,
                headers: self.headers.clone(),
            }],
            body: self.body.clone(),
            scripts: self.scripts.clone(),
            ..Visit::default()
        }
    }

    fn diagnose(&self) -> Diagnosis {
        let visit = self.visit();
        diagnose(&Question {
            services: &self.services,
            widget_id: self.widget_id,
            answers: &self.answers,
            suffixes: SuffixList::builtin(),
            ..Question::new(self.url, &visit)
        })
    }

    /// Compares everything that is not `ok`, and the verdict.
    #[track_caller]
    fn finds(&self, expected: &str) -> Diagnosis {
        let diagnosis = self.diagnose();
        let found: Vec<_> = diagnosis
            .findings
            .iter()
            .filter(|finding| finding.status != CheckStatus::Ok)
            .map(|finding| format!("{} {}", finding.code, finding.status))
            .collect();
        let summary = format!("{}: {}", diagnosis.verdict, found.join(", "));
        assert_eq!(
            summary.trim_end_matches(": "),
            expected,
            "{}\n{diagnosis:#?}",
            String::from_utf8_lossy(&self.body)
        );
        diagnosis
    }
}

/// The answer at the address of a frame.
fn frame_of(url: &str, html: &str) -> PageFrame {
    let url: Url = url.parse().expect("a URL");
    PageFrame {
        url: url.clone(),
        hop: Hop {
            url,
            status: 200,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
        },
        html: html.to_owned(),
    }
}

#[track_caller]
fn check(html: &str, expected: &str) {
    case(html).finds(expected);
}

#[track_caller]
fn evidence_of(diagnosis: &Diagnosis, code: Code) -> &str {
    let mut findings = diagnosis.findings.iter();
    let found = findings.find(|finding| finding.code == code && finding.status != CheckStatus::Ok);
    found
        .and_then(|found| found.evidence.as_deref())
        .expect("evidence")
}

#[test]
fn codes_are_listed_in_the_order_of_the_enum() {
    let positions: Vec<_> = CODES
        .iter()
        .map(|code| Code::ALL.iter().position(|known| known == code))
        .collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert_eq!(CODES.len(), 28);
    assert_eq!(CODES[0].as_str(), "page_unreachable");
    assert_eq!(CODES[27].as_str(), "clock_skewed");
}

#[test]
fn a_page_with_the_snippet_shows_it() {
    for html in [
        "SNIPPET",
        "<!DOCTYPE html><html><head>SNIPPET</head><body></body></html>",
        "<p>a</p></body></html>SNIPPET",
        "<SCRIPT ASYNC SRC='https://widgets.example/public/embed/$ID'></SCRIPT>",
        "<script src=https://widgets.example/public/embed/$ID></script>",
        "<script src='//widgets.example/public/embed/$ID'></script>",
        "<script src='\n https://widgets.example/public/embed/$ID '></script>",
        "<base href='https://widgets.example/'><script src=public/embed/$ID></script>",
        "<script src='https://widgets.example/public/embed/$ID?locale=de&amp;theme=dark'></script>",
        "<script type='' src='https://widgets.example/public/embed/$ID'></script>",
        "<script type=' Text/JavaScript ' src='https://widgets.example/public/embed/$ID'></script>",
        "<script type=module src='https://widgets.example/public/embed/$ID'></script>",
        "<script data-cfasync=false defer src='https://widgets.example/public/embed/$ID'></script>",
        "<!-- SNIPPET -->SNIPPET",
        "<noscript>SNIPPET</noscript>SNIPPET",
        "<svg><title/><style/></svg>SNIPPET",
        "<svg><title>a</svg>SNIPPET",
        "<title><b></title>SNIPPET",
        "<textarea>&lt;/script></textarea>SNIPPET",
        "<script>document.write('<script src=\"/x.js\"><\\/script>')</script>SNIPPET",
        "<script src='https://www.googletagmanager.com/gtm.js?id=GTM-1'></script>SNIPPET",
    ] {
        check(html, "shown");
        case(html).expected().finds("shown");
    }
}

#[test]
fn several_widgets_are_fine_and_the_same_one_twice_is_not() {
    let other = SNIPPET.replace(ID, OTHER);
    check(&format!("SNIPPET{other}"), "shown");
    case(&format!("{other}SNIPPET")).expected().finds("shown");
    check("SNIPPET<p>SNIPPET", "shown: snippet_duplicate warn");
    case("SNIPPETSNIPPET")
        .expected()
        .finds("shown: snippet_duplicate warn");
}

#[test]
fn a_page_without_the_snippet_does_not_show_it() {
    for html in [
        "",
        "<p>Welcome to our shop",
        "<script src=/jquery.js></script><p>Welcome to our shop</p>",
        "<script async src='https://www.googletagmanager.com/gtag/js?id=G-1'></script><p>Welcome",
        "<textarea>SNIPPET</textarea>",
        "<pre>&lt;script async src=\"https://widgets.example/public/embed/$ID\"></pre>",
        "<p>Paste https://widgets.example/public/embed/$ID",
        "<script type='application/ld+json'>{\"a\": \"https://widgets.example/public/embed/$ID\"}</script><p>x",
        "<script type='application/json'>\"<script src=https:\\/\\/widgets.example\\/public\\/embed\\/$ID>\"</script><p>x",
        "<link rel=preload as=script href='https://widgets.example/public/embed/$ID'><p>x",
        "<div data-html='<script src=https://widgets.example/public/embed/$ID>'></div><p>x",
    ] {
        check(html, "not_shown: snippet_missing fail");
    }
    let diagnosis = case("<p>Welcome")
        .expected()
        .finds("not_shown: snippet_missing fail");
    assert_eq!(
        diagnosis.findings[1].hint.as_deref(),
        Some(format!("paste this line into the page: {SNIPPET}").as_str())
    );
}

#[test]
fn what_browsers_do_not_run_is_found() {
    check("<!-- SNIPPET -->", "not_shown: snippet_commented_out fail");
    check(
        "<!--[if IE]>SNIPPET<![endif]--><p>x",
        "not_shown: snippet_commented_out fail",
    );
    for html in [
        "<template>SNIPPET</template>",
        "<noscript>SNIPPET</noscript>",
        "<head><noscript>SNIPPET</noscript></head>",
        "<script type='text/x-template' src='https://widgets.example/public/embed/$ID'></script>",
        "<script type='text/javascript; charset=utf-8' src='https://widgets.example/public/embed/$ID'></script>",
        "<script language=vbscript src='https://widgets.example/public/embed/$ID'></script>",
        "<script nomodule src='https://widgets.example/public/embed/$ID'></script>",
        "<script type='text/partytown' src='https://widgets.example/public/embed/$ID'></script>",
        "<script src='/empty.js' data-original='https://widgets.example/public/embed/$ID'></script>",
    ] {
        check(html, "not_shown: snippet_inert fail");
    }
}

#[test]
fn consent_managers_are_named() {
    for (name, attributes) in [
        (
            "OneTrust",
            "type='text/plain' class='optanon-category-C0004' src=",
        ),
        (
            "Cookiebot",
            "type='text/plain' data-cookieconsent='marketing' src=",
        ),
        (
            "Cookiebot",
            "type='text/plain' data-cookieconsent='statistics' data-src=",
        ),
        (
            "Usercentrics",
            "type='text/plain' data-usercentrics='Web Widgets' src=",
        ),
        (
            "Complianz",
            "type='text/plain' class='cmplz-script' data-category='marketing' src=",
        ),
        (
            "iubenda",
            "type='text/plain' class='_iub_cs_activate' data-suppressedsrc=",
        ),
        (
            "Borlabs Cookie",
            "type='text/template' data-borlabs-cookie-script-blocker-id='x' data-src=",
        ),
        (
            "Klaro",
            "type='text/plain' data-type='application/javascript' data-name='chat' data-src=",
        ),
        (
            "CookieYes",
            "type='text/plain' data-cookieyes='cookieyes-functional' src=",
        ),
        (
            "CookieFirst",
            "type='text/plain' data-cookiefirst-category='functional' src=",
        ),
        (
            "Real Cookie Banner",
            "type='text/plain' consent-required='1' consent-original-src-_=",
        ),
        (
            "consentmanager",
            "type='text/plain' class='cmplazyload' data-cmp-vendor='1' data-cmp-src=",
        ),
        ("A consent manager", "type='text/plain' src="),
    ] {
        let html =
            format!("<script {attributes}'https://widgets.example/public/embed/$ID'></script>");
        let diagnosis = case(&html).finds("not_shown: snippet_inert fail");
        let detail = &diagnosis.findings[1].detail;
        assert!(detail.starts_with(&format!("{name} holds")), "{detail}");
        let widget_id = diagnosis.widget_id.map(|id| id.to_string());
        assert_eq!(widget_id.as_deref(), Some(ID));
    }
    check(
        "<script type='text/plain' data-cookieconsent='x'>var s = document.createElement('script'); s.src = 'https://widgets.example/public/embed/$ID';</script>",
        "not_shown: snippet_inert fail",
    );
}

#[test]
fn optimizers_that_delay_are_named() {
    for (name, attributes) in [
        (
            "Cloudflare Rocket Loader",
            "type='7d9a61b34c0bd2cc2a5a1a3d-text/javascript' src=",
        ),
        ("WP Rocket", "type='rocketlazyloadscript' data-rocket-src="),
        ("LiteSpeed Cache", "type='litespeed/javascript' data-src="),
        (
            "Perfmatters",
            "type='pmdelayedscript' data-perfmatters-type='text/javascript' src=",
        ),
        (
            "NitroPack",
            "type='nitropack/inlinescript' nitro-exclude src=",
        ),
        (
            "FlyingPress",
            "data-loading-method='user-interaction' data-src=",
        ),
        ("Phast", "type='text/phast' src="),
        ("An optimizer", "data-type='lazy' data-src="),
    ] {
        let html = format!(
            "<script async {attributes}'https://widgets.example/public/embed/$ID'></script>"
        );
        let diagnosis = case(&html).finds("shown: snippet_delayed warn");
        let detail = &diagnosis.findings[1].detail;
        assert!(detail.starts_with(&format!("{name} delays")), "{detail}");
    }
}

#[test]
fn copies_do_not_know_their_service() {
    for html in [
        "<script src='https://shop.example/wp-content/cache/min/1/public/embed/$ID.js?ver=1'></script>",
        "<script src='/wp-content/litespeed/localres/public/embed/$ID'></script>",
        "<script src='https://cdn.shop.example/cache/x/public/embed/$ID'></script>",
        "<script src='/a.js' data-web-widget='$ID'></script>",
    ] {
        check(html, "not_shown: snippet_copied fail");
        case(html)
            .expected()
            .finds("not_shown: snippet_copied fail");
    }
    case("<script src='/public/embed/$ID'></script>")
        .expected()
        .finds("not_shown: snippet_inert fail");
    // Without a profile, the site itself may be the service.
    check("<script src='/public/embed/$ID'></script>", "shown");
    check(
        "<meta data-web-widget='$ID' data-service='https://widgets.example'><p>x",
        "unknown: snippet_copied unknown",
    );
    check(
        "<meta data-web-widget='$ID'><p>x",
        "not_shown: snippet_copied fail",
    );
    let diagnosis =
        case("<p>x<script src='/wp-content/cache/autoptimize/js/autoptimize_1.js'></script>")
            .finds("not_shown: snippet_missing fail");
    assert!(diagnosis.findings[1].detail.contains("Autoptimize"));
}

#[test]
fn scripts_that_the_page_loads_say_more() {
    const LOADER: &str = r"q(document.querySelectorAll('script,[data-web-widget]'),/^(.+)\/public\/embed\/([\w-]+)/)";
    const BUNDLE: &str = "let s=e('script');s.src=`${service}/public/embed/${id}`";
    let joined = "https://shop.example/wp-content/cache/min/1.js";
    let page = case(
        "<p>x<script src=/wp-content/cache/min/1.js></script><script src='https://cdn.example/a.js'></script><script src=/b.js></script>",
    );
    let urls: Vec<_> = parts_to_read(&page.visit())
        .scripts
        .iter()
        .map(Url::to_string)
        .collect();
    assert_eq!(
        urls,
        [
            joined,
            "https://shop.example/b.js",
            "https://cdn.example/a.js"
        ]
    );
    page.finds("not_shown: snippet_missing fail");
    page.clone()
        .script(joined, "jQuery")
        .finds("not_shown: snippet_missing fail");
    page.clone()
        .script(joined, LOADER)
        .finds("not_shown: snippet_copied fail");
    page.clone()
        .script(joined, BUNDLE)
        .finds("unknown: snippet_by_script unknown");
    let inserting = page
        .clone()
        .script(joined, r#"{"html":"\u003Cscript src=\"https:\/\/widgets.example\/public\/embed\/$ID\"\u003E"}"#)
        .finds("unknown: snippet_by_script unknown");
    assert_eq!(
        inserting.widget_id.map(|id| id.to_string()).as_deref(),
        Some(ID)
    );
    let mut named = page.script(joined, LOADER);
    named.body.extend(
        format!("<meta data-web-widget='{ID}' data-service='https://widgets.example'>").bytes(),
    );
    named.finds("shown");
    assert_eq!(find_snippets(&named.visit()).len(), 1);
    assert!(
        parts_to_read(&case("SNIPPET<script src=/b.js></script>").visit())
            .scripts
            .is_empty()
    );
}

#[test]
fn pages_are_named_as_people_type_them() {
    for (text, expected) in [
        ("shop.example/cart?a=1", "https://shop.example/cart?a=1"),
        (" http://127.0.0.1:8080 ", "http://127.0.0.1:8080/"),
        ("Bücher.example", "https://xn--bcher-kva.example/"),
    ] {
        assert_eq!(parse_page(text).map(String::from).as_deref(), Ok(expected));
    }
    for text in ["", "a b", "ftp://shop.example", "https://u@shop.example"] {
        assert!(parse_page(text).is_err(), "{text}");
    }
}

#[test]
fn other_widgets_and_services_are_named() {
    let other = SNIPPET.replace(ID, OTHER);
    case(&other)
        .expected()
        .finds("not_shown: snippet_other_widget fail");
    check(&other, "shown");
    check(
        &SNIPPET.replace(ID, "YOUR_ID"),
        "not_shown: snippet_other_widget fail",
    );
    let foreign = SNIPPET.replace("widgets.example", "old.example.net");
    case(&foreign)
        .expected()
        .finds("not_shown: snippet_other_service fail");
    check(&foreign, "shown");
    case(&format!("{foreign}SNIPPET"))
        .expected()
        .finds("shown: snippet_other_service warn");
}

#[test]
fn what_needs_scripts_is_not_known() {
    for html in [
        "<script src='https://www.googletagmanager.com/gtm.js?id=GTM-1'></script><p>Welcome",
        "<script>(function(w,d,s,l,i){w[l].push({'gtm.start':1})})(window)</script><p>Welcome",
        "<div id=root></div><script type=module src=/assets/index-1a2b.js></script>",
        "<div id='app'></div><script src=/js/app.js></script>",
        "<app-root></app-root><script src=main.js type=module></script>",
        "<p>Welcome</p><script id=__NEXT_DATA__ type=application/json>{}</script><script src=/_next/static/a.js></script>",
        "<p>x<script>var s=document.createElement('script');s.src='https://widgets.example/public/embed/$ID';document.head.append(s)</script>",
        "<p>x<script>var urls = [\"https:\\/\\/widgets.example\\/public\\/embed\\/$ID?shop=a.myshopify.com\"];</script>",
        "<p>x<script>self.__next_f.push([1,\"[\\\"$\\\",{\\\"src\\\":\\\"https://widgets.example/public/embed/$ID\\\"}]\"])</script>",
        "<!-- SNIPPET --><script src='https://www.googletagmanager.com/gtm.js?id=GTM-1'></script><p>x",
    ] {
        let diagnosis = case(html).diagnose();
        let found = diagnosis
            .findings
            .iter()
            .find(|finding| finding.code == Code::SnippetByScript);
        let found = found.unwrap_or_else(|| panic!("{html}: {diagnosis:#?}"));
        assert_eq!(found.status, CheckStatus::Unknown);
        assert_eq!(diagnosis.verdict, PageVerdict::Unknown, "{html}");
        assert!(found.hint.as_ref().is_some_and(|hint| hint.contains("F12")));
    }
}

#[test]
fn the_launcher_may_be_hidden() {
    let with = |attribute: &str| SNIPPET.replace("async", attribute);
    check(&with("data-hidden"), "shown: snippet_missing warn");
    check(
        &with("data-hidden-on='^/cart'"),
        "shown: snippet_missing warn",
    );
    check(&with("data-hidden-on='^/checkout'"), "shown");
    check(
        &with("data-hidden-on='^/(cart|legal)/'"),
        "shown: snippet_missing warn",
    );
    check(
        &SNIPPET.replace("\"></", "?hidden\"></"),
        "shown: snippet_missing warn",
    );
}

#[test]
fn integrity_is_compared_with_what_is_served() {
    let pinned = |more: &str| {
        SNIPPET.replace("\"></", "/3f2a.js\"></").replace(
            "async",
            &format!("async integrity='sha256-x sha384-good' {more}"),
        )
    };
    let given = |status, hash: &str| ServiceAnswers {
        script: Answer::Given(ScriptAnswer {
            status,
            hashes: vec!["sha256-x".to_owned(), format!("sha384-{hash}")],
            headers: Vec::new(),
            text: None,
        }),
        ..ServiceAnswers::default()
    };
    let mut case = case(&pinned("crossorigin"));
    case.finds("unknown: integrity_unknown unknown");
    case.answers = given(200, "good");
    case.finds("shown");
    case.answers = given(200, "bad");
    case.finds("not_shown: integrity_unknown fail");
    case.answers = given(404, "good");
    case.finds("not_shown: integrity_unknown fail");
    case.answers = ServiceAnswers {
        known_hashes: vec!["sha384-good".to_owned()],
        ..ServiceAnswers::default()
    };
    case.finds("shown");
    let mut bare = self::case(&pinned(""));
    bare.answers = given(200, "good");
    bare.finds("not_shown: integrity_unknown fail");
}

#[test]
fn frames_are_found() {
    for html in [
        "<html><frameset rows='100%'><frame src='https://real.example.net/'></frameset></html>",
        "<body><iframe src='https://real.example.net/' width='100%'></iframe></body>",
    ] {
        check(
            html,
            "not_shown: snippet_missing fail, page_frame_only fail",
        );
    }
    check(
        "<iframe src='https://video.example.net/'></iframe>SNIPPET",
        "shown",
    );
    let with = |name, value| case("SNIPPET").header(name, value);
    with(
        "Content-Security-Policy",
        "frame-ancestors 'self' https://portal.example.net",
    )
    .finds("shown: page_frame_only warn");
    with("Content-Security-Policy", "frame-ancestors 'self'").finds("shown");
    with("X-Frame-Options", "SAMEORIGIN").finds("shown");
    with("X-Frame-Options", "ALLOW-FROM https://portal.example.net")
        .finds("shown: page_frame_only warn");
}

#[test]
fn the_page_itself_may_be_the_problem() {
    case("SNIPPET")
        .status(500)
        .finds("unknown: page_status fail");
    case("<p>gone")
        .status(404)
        .finds("unknown: page_status fail, snippet_missing unknown");
    case("<p>blocked")
        .status(403)
        .finds("unknown: page_status fail, snippet_missing unknown");
    let mut json = case("{}");
    json.headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    json.finds("not_shown: page_not_html fail");
    check(
        "<meta http-equiv=refresh content='0; URL=/shop/'>",
        "unknown: page_redirected warn, snippet_missing unknown",
    );
    check("<meta http-equiv=refresh content='300'>SNIPPET", "shown");

    let hop = |url: &str, status| Hop {
        url: url.parse().expect("a URL"),
        status,
        headers: Vec::new(),
    };
    let visit = Visit {
        hops: vec![
            hop("http://shop.example/?token=secret", 301),
            hop("https://shop.example/", 308),
            hop("https://www.shop.example/", 200),
        ],
        body: SNIPPET.as_bytes().to_vec(),
        ..Visit::default()
    };
    let diagnosis = diagnose(&Question::new("shop.example", &visit));
    let finding = &diagnosis.findings[1];
    assert_eq!(
        (finding.code, finding.status),
        (Code::PageRedirected, CheckStatus::Warn)
    );
    assert_eq!(
        finding.evidence.as_deref(),
        Some("308 https://shop.example/ → https://www.shop.example/")
    );
    let visit = Visit {
        failure: Some(PageFailure {
            reason: "no such host".to_owned(),
            cause: FailureCause::Name,
        }),
        ..Visit::default()
    };
    let diagnosis = diagnose(&Question::new("https://shop.example", &visit));
    assert_eq!(diagnosis.verdict, PageVerdict::Unknown);
    assert_eq!(diagnosis.findings[0].code, Code::PageUnreachable);
}

#[test]
fn encodings_of_pages_are_read() {
    let utf16 = |html: &str, to: fn(u16) -> [u8; 2], mark: &[u8]| {
        let mut bytes = mark.to_vec();
        bytes.extend(html.encode_utf16().flat_map(to));
        bytes
    };
    let mut page = case("");
    for body in [
        [b"\xef\xbb\xbf", SNIPPET.as_bytes()].concat(),
        [b"<p>caf\xe9</p>", SNIPPET.as_bytes()].concat(),
        utf16(SNIPPET, u16::to_le_bytes, &[0xff, 0xfe]),
        utf16(SNIPPET, u16::to_be_bytes, &[0xfe, 0xff]),
    ] {
        page.body = body;
        page.finds("shown");
    }
    page.headers = vec![(
        "Content-Type".to_owned(),
        "text/html; charset=UTF-16LE".to_owned(),
    )];
    page.body = utf16(SNIPPET, u16::to_le_bytes, &[]);
    page.finds("shown");
}

#[test]
fn the_service_and_what_is_behind_it_count() {
    let mut page = case("SNIPPET");
    page.answers = ServiceAnswers {
        launcher: Answer::Given(LauncherAnswer::Shown { icon_url: None }),
        livekit: Answer::Given(LiveKitAnswer::Reachable),
        clock_difference: Some(Duration::seconds(-3)),
        ..ServiceAnswers::default()
    };
    page.finds("shown");
    page.answers.clock_difference = Some(Duration::seconds(90));
    page.finds("shown: clock_skewed warn");
    page.answers.livekit = Answer::Given(LiveKitAnswer::NotSetUp);
    page.finds("shown: livekit_unreachable warn, clock_skewed warn");
    page.answers.livekit = Answer::Failed("no route".to_owned());
    page.finds("not_shown: livekit_unreachable fail, clock_skewed warn");
    page.answers = ServiceAnswers {
        launcher: Answer::Failed("no route".to_owned()),
        ..ServiceAnswers::default()
    };
    page.finds("not_shown: service_unreachable fail");
    page.answers.launcher = Answer::Given(LauncherAnswer::Refused("widget_unavailable".to_owned()));
    page.finds("not_shown: widget_unavailable fail");
    page.answers.launcher = Answer::Given(LauncherAnswer::Refused("rate_limited".to_owned()));
    page.finds("unknown: widget_unavailable unknown");
}

#[test]
fn any_bytes_are_read() {
    use proptest::prelude::*;
    let parts = prop_oneof![
        Just("<script src=".to_owned()),
        Just("/public/embed/".to_owned()),
        Just("https://widgets.example".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("<svg>".to_owned()),
        Just("<noscript>".to_owned()),
        Just("nonce=".to_owned()),
        Just("<meta http-equiv=refresh content=".to_owned()),
        Just("</script>".to_owned()),
        any::<String>(),
    ];
    let strategy = (
        proptest::collection::vec(parts, 0..12),
        "[ -~]{0,60}",
        "[ -~]{0,40}",
    );
    proptest!(|((parts, policy, permissions) in strategy)| {
        let page = case(&parts.concat())
            .header("Content-Security-Policy", &policy)
            .header("Content-Security-Policy", &format!("script-src {policy}"))
            .header("Permissions-Policy", &format!("microphone={permissions}"));
        let diagnosis = page.diagnose();
        let rank = |finding: &PageFinding| CODES.iter().position(|code| *code == finding.code);
        let is_sorted = diagnosis.findings.is_sorted_by_key(|finding| rank(finding).unwrap_or(99));
        prop_assert!(is_sorted);
    });
}
