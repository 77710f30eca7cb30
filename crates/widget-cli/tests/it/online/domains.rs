//! `widget domains`.

use expect_test::expect;
use widget_api::WidgetPatch;

use crate::service::{Service, block_on};

/// The address without `www.` is missing, which visitors use.
#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn the_list_of_domains() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://www.shop.example"]);
    let id = widget.id.to_string();
    let publish = WidgetPatch {
        published: Some(true),
        ..WidgetPatch::default()
    };
    let published = service.client();
    let published = block_on(published.update_web_widget(widget.id, None, &publish));
    published.expect("it is published");
    let domains = |rest: &[&'static str]| -> Vec<String> {
        let words = ["domains", &id].into_iter().chain(rest.iter().copied());
        words.map(str::to_owned).collect()
    };
    let check = |rest: &[&'static str], expected: &expect_test::Expect| {
        let words = domains(rest);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        service.check(&words, expected);
    };
    check(
        &["list"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            https://www.shop.example
            ---- stderr ----
            warning: `https://www.shop.example` is listed, `https://shop.example` is not; they are different sites
              hint: add `https://shop.example` if the page can be reached there too: `widget domains WIDGET-SHOP add https://shop.example`
            1 site
        "#]],
    );
    service.check(
        &["list", "--domain", "https://shop.example/cart"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            no widgets
            hint: with and without `www.` are different sites: widget list --domain www.shop.example
        "#]],
    );
    service.check(
        &["list", "--domain", "other.example"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            no widgets
        "#]],
    );
    check(
        &["add", "Shop.Example/cart", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /domains: "https://shop.example"
            ! visitors of 1 more site see it within 5 s
            ✓ widget WIDGET-SHOP lists these sites; this is revision 3
            ---- stderr ----
            `Shop.Example/cart` is stored as `https://shop.example`
        "#]],
    );
    check(
        &["add", "https://shop.example", "--yes"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        widget WIDGET-SHOP lists these sites already; nothing was written
    "#]],
    );
    check(
        &["add", "blog.example", "--www", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /domains: "https://blog.example"
            + /domains: "https://www.blog.example"
            ! visitors of 2 more sites see it within 5 s
            ✓ widget WIDGET-SHOP lists these sites; this is revision 4
            ---- stderr ----
            `blog.example` is stored as `https://blog.example`
        "#]],
    );
    // The first letter is a Cyrillic one.
    check(
        &["add", "https://ѕhop.example", "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /domains: "https://xn--hop-ehd.example"
            ! visitors of 1 more site see it within 5 s
            ---- stderr ----
            `https://ѕhop.example` is stored as `https://xn--hop-ehd.example`
            warning: `https://shop.example` is listed, and this is `https://xn--hop-ehd.example`: the name only looks alike and is another site
              hint: add it only if you mean this other site
            warning: `https://xn--hop-ehd.example` is shown to visitors as `ѕhop.example`; check that it is the name you mean
            warning: `https://xn--hop-ehd.example` is listed, `https://www.xn--hop-ehd.example` is not; they are different sites
              hint: add `https://www.xn--hop-ehd.example` if the page can be reached there too: `widget domains WIDGET-SHOP add https://www.xn--hop-ehd.example`
            nothing was written (--dry-run)
        "#]],
    );
    check(
        &["add", "https://shpo.example", "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /domains: "https://shpo.example"
            ! visitors of 1 more site see it within 5 s
            ---- stderr ----
            warning: `https://shop.example` is listed, and this is `https://shpo.example`: the spelling differs
              hint: add it only if you mean this other site
            warning: `https://shpo.example` is listed, `https://www.shpo.example` is not; they are different sites
              hint: add `https://www.shpo.example` if the page can be reached there too: `widget domains WIDGET-SHOP add https://www.shpo.example`
            nothing was written (--dry-run)
        "#]],
    );
    check(
        &["add", "*.co.uk", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `*.co.uk` cannot be on the list: `*.co.uk` would allow sites of different owners

        hint: list your own sites there one by one, without `*`
    "#]],
    );
    check(
        &["add", "https://*.apps.example", "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /domains: "https://*.apps.example"
            ! visitors of every site that matches `https://*.apps.example` see it within 5 s
            ---- stderr ----
            nothing was written (--dry-run)
        "#]],
    );
    check(
        &["add", "http://localhost:3000"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            + /domains: "http://localhost:3000"
            ! visitors of 1 more site see it within 5 s
            ---- stderr ----
            warning: `http://localhost:3000` is the visitor's own machine: good for development only
              hint: remove it before the widget goes live: `widget domains WIDGET-SHOP remove http://localhost:3000`
            error: a change needs an answer, and there is no terminal to ask at; nothing was written

            hint: `widget domains WIDGET-SHOP add http://localhost:3000 --yes` makes it without asking
        "#]],
    );
    check(
        &["remove", "https://shop.exmple", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: widget WIDGET-SHOP does not list `https://shop.exmple`; nothing was written

        hint: did you mean `https://shop.example`?
    "#]],
    );
    check(
        &["remove", "blog.example", "www.blog.example", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            - /domains: "https://blog.example"
            - /domains: "https://www.blog.example"
            ! visitors of 2 sites stop seeing it within 5 s
            ✓ widget WIDGET-SHOP no longer lists these sites; this is revision 5
        "#]],
    );
    check(
        &["list", "--output", "json"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        {"entry":"https://www.shop.example","warnings":[]}
        {"entry":"https://shop.example","warnings":[]}
    "#]],
    );
    check(
        &[
            "remove",
            "www.shop.example",
            "shop.example",
            "--yes",
            "--output",
            "json",
        ],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"widget_id":"WIDGET-SHOP","written":true,"revision":6,"changes":[{"pointer":"/domains","change":"replaced","from":["https://www.shop.example","https://shop.example"],"to":[]}],"effects":["visitors of 2 sites stop seeing it within 5 s"],"warnings":[{"code":"no_domains","pointer":"/domains","detail":"the list of domains is empty: it allows no site, so the widget is shown nowhere","hint":"add the address of the page, such as `https://shop.example`"}]}
            ---- stderr ----
            - /domains: "https://www.shop.example"
            - /domains: "https://shop.example"
            ! visitors of 2 sites stop seeing it within 5 s
            warning: the list of domains is empty: it allows no site, so the widget is shown nowhere
              hint: add the address of the page, such as `https://shop.example`: `widget domains WIDGET-SHOP add https://YOUR-SITE`
        "#]],
    );
    check(
        &["list"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            warning: the list of domains is empty: it allows no site, so the widget is shown nowhere
              hint: add the address of the page, such as `https://shop.example`: `widget domains WIDGET-SHOP add https://YOUR-SITE`
        "#]],
    );
}
