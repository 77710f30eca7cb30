//! Tags that are almost a snippet: with a fault that can be named, or of somebody else.

use super::*;

const FOREIGN: &str = "<script src='https://forms.vendor.example/public/embed/form.js'></script>";
const PLACEHOLDER: &str = "<script src='https://widgets.example/public/embed/YOUR_ID'></script>";

/// The details and hints of everything that is wrong.
fn words(page: &Case) -> String {
    let diagnosis = page.diagnose();
    let wrong = diagnosis.findings.into_iter();
    let wrong = wrong.filter(|finding| finding.status != CheckStatus::Ok);
    let lines = wrong.map(|finding| {
        let hint = finding.hint.unwrap_or_default();
        let evidence = finding.evidence.unwrap_or_default();
        format!("{}\n{hint}\n{evidence}\n", finding.detail)
    });
    lines.collect()
}

fn target_of(page: &Case) -> Option<WidgetId> {
    find_target(&page.visit(), &page.services, page.widget_id)?.widget_id
}

#[test]
fn what_is_not_an_id_never_is_the_widget_in_question() {
    for html in [
        format!("{FOREIGN}SNIPPET"),
        format!("{PLACEHOLDER}SNIPPET"),
        format!("SNIPPET{PLACEHOLDER}{FOREIGN}"),
        format!("{PLACEHOLDER}<!-- SNIPPET -->"),
        format!(
            "{PLACEHOLDER}<script type=text/plain data-cookieconsent=x src='https://widgets.example/public/embed/$ID'></script>"
        ),
    ] {
        let mut page = case(&html);
        assert_eq!(target_of(&page), ID.parse().ok(), "{html}");
        page.services = vec!["https://widgets.example/".parse().expect("a URL")];
        assert_eq!(target_of(&page), ID.parse().ok(), "{html}");
    }
    let mut page = case(&format!("{FOREIGN}SNIPPET"));
    page.finds("shown");
    page.answers.launcher = Answer::Given(LauncherAnswer::Refused("widget_unavailable".to_owned()));
    page.finds("not_shown: widget_unavailable fail");
    page.expected().finds("not_shown: widget_unavailable fail");
    let alone = format!("{FOREIGN}<p>Welcome to our shop");
    check(&alone, "not_shown: snippet_missing fail");
    assert!(!words(&case(&alone)).contains("source"));
    case(&alone)
        .expected()
        .finds("not_shown: snippet_missing fail");
    // The service's script at such an address is no copy.
    case(PLACEHOLDER)
        .script(
            "https://widgets.example/public/embed/YOUR_ID",
            "/public/embed/ data-web-widget",
        )
        .finds("not_shown: snippet_other_widget fail");
}

#[test]
fn what_stands_in_the_place_of_the_id_is_quoted() {
    for (written, expected) in [
        ("{{WIDGET_ID}}", "the id of a widget: `{{WIDGET_ID}}`"),
        ("{$ID}", "is not the id of a widget: `{"),
        ("&lt;id&gt;", "`<id>`"),
        ("${id}", "`${id}`"),
        ("%WIDGET_ID%", "`%WIDGET_ID%`"),
        (":id", "`:id`"),
        ("YOUR_ID", "`YOUR_ID`"),
        ("", "ends before the id"),
        ("?id=$ID", "ends before the id"),
        (
            "0197a8b2-\u{200b}6c1e-7d3f-8a4b-5c6d7e8f9a0b",
            "has an invisible character, U+200B",
        ),
    ] {
        let tag =
            format!("<script src=\"https://widgets.example/public/embed/{written}\"></script>");
        let page = case(&tag);
        page.finds("not_shown: snippet_other_widget fail");
        let mut page = page;
        page.answers.script = Answer::Given(ScriptAnswer {
            status: 404,
            hashes: Vec::new(),
            headers: Vec::new(),
            text: None,
        });
        page.finds("not_shown: snippet_other_widget fail");
        page.answers.script = Answer::NotAsked;
        let page = page.expected();
        page.finds("not_shown: snippet_other_widget fail");
        let words = words(&page);
        assert!(words.contains(expected), "{words}");
        assert!(words.contains(SNIPPET), "{words}");
    }
}

#[test]
fn all_widgets_of_a_page_are_named() {
    let tag = |id: &str| SNIPPET.replace(ID, id);
    let third = ID.replace("9a0b", "9a0d");
    let mut page = case(&format!("SNIPPET{0}{0}{1}", tag(OTHER), tag(&third)));
    page.answers.others = vec![(
        third.parse().expect("an id"),
        LauncherAnswer::Refused("widget_unavailable".to_owned()),
    )];
    page.finds("shown: snippet_other_widget warn");
    let named = |page: &Case| {
        let findings = page.diagnose().findings.into_iter();
        let others = findings.filter(|found| found.code == Code::SnippetOtherWidget);
        others.count()
    };
    assert_eq!(named(&page), 2);
    assert_eq!(named(&page.expected()), 2);
}

#[test]
fn typing_errors_of_the_address_are_named() {
    for (src, expected) in [
        (
            "https:/widgets.example",
            "`https:/widgets.example` instead of `https://widgets.example`",
        ),
        ("https//widgets.example", "`https//widgets.example` instead"),
        (
            "https://https://widgets.example",
            "`https://https://widgets.example` instead",
        ),
        (
            "http://https://widgets.example",
            "`http://https://widgets.example` instead",
        ),
        ("htps://widgets.example", "`htps://widgets.example` instead"),
        (
            "https:// widgets.example",
            "`https:// widgets.example` instead",
        ),
        (
            "widgets.example",
            "`widgets.example` instead of `https://widgets.example`",
        ),
    ] {
        let page = case(&format!("<script src='{src}/public/embed/$ID'></script>"));
        assert_eq!(target_of(&page), ID.parse().ok());
        for page in [page.clone(), page.expected()] {
            let diagnosis = page.finds("not_shown: snippet_inert fail");
            assert_eq!(
                diagnosis.service.as_deref(),
                Some("https://widgets.example")
            );
            let words = words(&page);
            assert!(words.contains(expected), "{words}");
        }
    }
    // Browsers leave out the end of a line.
    check(
        "<script src='https://wid\ngets.example/public/embed/$ID'></script>",
        "shown",
    );
}

#[test]
fn quotes_that_are_part_of_the_address_are_the_fault() {
    for (open, close) in [
        ("\u{ab}", "\u{bb}"),
        ("`", "`"),
        ("\u{e2}\u{20ac}\u{153}", "\u{e2}\u{20ac}"),
        ("\u{201c}", "\u{201d}"),
    ] {
        let tag =
            format!("<script src={open}https://widgets.example/public/embed/$ID{close}></script>");
        let page = case(&tag);
        page.finds("not_shown: snippet_inert fail");
        assert!(
            words(&page).contains("which HTML does not read as quotes"),
            "{}",
            words(&page)
        );
    }
    // The service reads the id before it.
    check(
        &SNIPPET
            .replace(ID, &format!("{ID}\""))
            .replace("src=\"", "src='")
            .replace("\"\">", "\"'>"),
        "shown",
    );
}

#[test]
fn what_is_not_closed_is_named() {
    for (html, expected) in [
        (
            "<iframe src='https://a.example/' />SNIPPET<p>x",
            "close `<iframe>` before the snippet: `</iframe>`",
        ),
        (
            "<form><textarea name=q>SNIPPET<p>x</p></form>",
            "close `<textarea>` before",
        ),
        (
            "<noscript><img src=/p.gif>SNIPPET<p>x",
            "`</noscript>` is missing",
        ),
        (
            "<!-- header <p>x</p>SNIPPET<footer>y</footer>",
            "`-->` is missing",
        ),
        (
            "<script>document.write(\"<!--<script>\");</script>SNIPPET<p>x",
            "keep `</script>` from ending it",
        ),
    ] {
        let page = case(html);
        let words = words(&page);
        assert!(words.contains(expected), "{words}");
        assert!(words.contains("/public/embed/"), "{words}");
    }
    for closed in [
        "<iframe src='https://a.example/'>SNIPPET</iframe>",
        "<noscript>SNIPPET</noscript>",
        "<!-- SNIPPET -->",
    ] {
        let words = words(&case(closed));
        assert!(
            !words.contains("close ") && !words.contains("is missing"),
            "{words}"
        );
    }
}

#[test]
fn a_tag_that_browsers_do_not_find_is_looked_for_in_the_source() {
    for html in [
        "<img src=/l.png alt=\"Our shop><p>x</p>\nSNIPPET<p class=\"x\">y</p>",
        "<p>x</p>\n<script async src='/js/a.js' src='https://widgets.example/public/embed/$ID'></script>",
        "<p>x</p>\n<script src='https://widgets.example/public%2Fembed%2F$ID'></script>",
        "<p>x</p>\n<script src='https://widgets.example/embed/$ID'></script>",
        "<p>x</p>\n<link rel=preconnect href='https://widgets.example'>",
    ] {
        let page = case(html).expected();
        page.finds("not_shown: snippet_missing fail");
        let words = words(&page);
        assert!(words.contains("line 2 of its source has `"), "{words}");
        assert!(words.contains("widgets.example"), "{words}");
    }
    let words = words(&case("<p>x</p>").expected());
    assert!(!words.contains("source"), "{words}");
}

#[test]
fn an_attribute_of_another_vendor_names_no_widget() {
    check(
        "<div data-web-widget='true'></div>",
        "not_shown: snippet_missing fail",
    );
    check(
        "<script src=/zd.js data-web-widget='true'></script><p>Welcome to our shop",
        "not_shown: snippet_missing fail",
    );
}

#[test]
fn a_tag_without_service_whose_address_is_not_a_copy_says_so() {
    let tag = "<script src='https://widgets.example/v1/loader.js' data-web-widget='$ID'></script>";
    let mut page = case(tag).script("https://widgets.example/v1/loader.js", "Not found");
    page.scripts[0].status = 404;
    page.finds("not_shown: snippet_copied fail");
    assert!(
        words(&page).contains("with the error 404"),
        "{}",
        words(&page)
    );
}

#[test]
fn a_template_is_a_shadow_root_where_browsers_make_one() {
    let root = "<template shadowrootmode=open>";
    let inert = "not_shown: snippet_inert fail";
    let list = "<li>x".repeat(100);
    check(
        &format!("<div><ul>{list}</ul>{root}SNIPPET</template></div>"),
        "shown",
    );
    for (html, expected) in [
        (format!("<div>{root}SNIPPET</template></div>"), "shown"),
        (
            format!("<p>x</p><my-chat>{root}SNIPPET</template></my-chat>"),
            "shown",
        ),
        (
            format!("<div><br><img src=/x>{root}SNIPPET</template></div>"),
            "shown",
        ),
        (format!("<ul>{root}SNIPPET</template></ul>"), inert),
        (
            format!("<div><a href=/>{root}SNIPPET</template></a></div>"),
            inert,
        ),
        (
            format!("<div>{root}<p>x</template>{root}SNIPPET</template></div>"),
            inert,
        ),
        (
            format!("<div>{root}<ul><li>x</ul>SNIPPET</template></div>"),
            "shown",
        ),
        (format!("<ul>{root}</template></ul>SNIPPET"), "shown"),
        (
            format!("<div><template></div>{root}SNIPPET</template></template></div>"),
            inert,
        ),
    ] {
        check(&html, expected);
    }
}

#[test]
fn annotations_are_html_when_they_say_so() {
    let inert = "not_shown: snippet_inert fail";
    check(
        "<math><annotation-xml>SNIPPET</annotation-xml></math>",
        inert,
    );
    check(
        "<math><annotation-xml encoding='Text/HTML'>SNIPPET</annotation-xml></math>",
        "shown",
    );
}

#[test]
fn names_of_xml_count() {
    let tag = SNIPPET.replace("async", "async=\"async\"");
    for (html, expected) in [
        (
            format!("<html xmlns='http://www.w3.org/1999/xhtml'>{tag}</html>"),
            "shown",
        ),
        (
            format!("<html>{tag}</html>"),
            "not_shown: snippet_inert fail",
        ),
        (
            format!(
                "<html xmlns='http://www.w3.org/1999/xhtml'>{}</html>",
                tag.replace("script", "SCRIPT")
            ),
            "not_shown: snippet_inert fail",
        ),
    ] {
        let mut page = case(&html);
        page.finds("shown");
        page.headers[0].1 = "application/xhtml+xml".to_owned();
        page.finds(expected);
    }
}
