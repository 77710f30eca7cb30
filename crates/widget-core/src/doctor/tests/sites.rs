//! Pages as sites, their tools and the walls before them answer.

use super::*;

/// A page, and what is found.
const CASES: &[(&str, &str)] = &[
    // Scripts that send visitors on.
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
        assert_eq!(frames_to_read(&visit).len(), 1);
        visit.frames.push(PageFrame {
            url: "https://shop.example/widget.html".parse().expect("a URL"),
            html: SNIPPET.to_owned(),
        });
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
    assert_eq!(scripts_to_read(&case(COPY).visit()).len(), 1);
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
fn a_copy_without_a_service_is_said_once() {
    let html = COPY.replace("data-service='https://widgets.example'", "");
    let diagnosis = case(&html)
        .script("https://shop.example/loader.js", LOADER)
        .finds("not_shown: snippet_copied fail");
    assert_eq!(diagnosis.fixes.len(), 1);
}

#[test]
fn scripts_that_nobody_read_may_have_the_snippet() {
    let scripts: String = (0..150)
        .map(|at| format!("<script src='/assets/{at}.js'></script>"))
        .collect();
    let page = case(&format!("<p>Welcome{scripts}"));
    let mut visit = page.visit();
    assert_eq!(scripts_to_read(&visit).len(), 150);
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
}
