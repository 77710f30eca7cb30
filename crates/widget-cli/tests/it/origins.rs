//! `widget origins`: lists of sites without a widget.

use expect_test::expect;

use crate::Folder;

#[test]
fn pages_are_tested_with_entries() {
    let folder = Folder::new();
    folder.check(
        &[
            "origins",
            "test",
            "--allow",
            "shop.example",
            "https://*.shop.example",
            "--page",
            "https://www.shop.example/cart",
            "https://shop.example:8443",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            ✓ `https://www.shop.example` is allowed by `https://*.shop.example`
            ✗ no entry allows `https://shop.example:8443`
        "#]],
    );
    folder.check(
        &[
            "origins",
            "test",
            "--allow",
            "*",
            "--page",
            "x.example",
            "--output",
            "json",
        ],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"page":"x.example","origin":"https://x.example","admitted":true,"entry":"*","code":"origin_listed","detail":"`https://x.example` is allowed by `*`"}
        "#]],
    );
    folder.check(
        &[
            "origins",
            "test",
            "--allow",
            "*.co.uk",
            "a b",
            "--page",
            "x.example",
        ],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[wildcard_public_suffix]: `*.co.uk` would allow sites of different owners
            --> *.co.uk

            hint: list your own sites there one by one, without `*`

            error[control_or_space]: the entry contains a space; write one site per entry
            --> a b
        "#]],
    );
}

#[test]
fn entries_are_shown_as_stored() {
    let folder = Folder::new();
    folder.check(
        &[
            "origins",
            "normalize",
            "Shop.Example",
            "https://shop.example:443/cart",
            "bücher.example",
            "user@shop.example",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            https://shop.example
            https://shop.example
            https://xn--bcher-kva.example
            ---- stderr ----
            error[userinfo]: the entry contains `@`; a site is written without a user name
            --> user@shop.example
        "#]],
    );
    folder.check_with_input(
        &["origins", "normalize", "--output", "json"],
        "shop.example\n\nhttp:/x\n",
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"entry":"shop.example","canonical":"https://shop.example","errors":[]}
            {"entry":"http:/x","canonical":null,"errors":[{"code":"scheme_malformed","detail":"`http:` must be followed by `//`","hint":"write `http://` before the host"}]}
        "#]],
    );
}

#[test]
fn another_suffix_list() {
    let list = "// ===BEGIN ICANN DOMAINS===\nexample\nshop.example\n// ===END ICANN DOMAINS===\n\
                // ===BEGIN PRIVATE DOMAINS===\n// ===END PRIVATE DOMAINS===\n";
    let folder = Folder::new()
        .with("list.dat", list)
        .with("cut.dat", &list[..60]);
    let rest = ["--allow", "*.shop.example", "--page", "a.shop.example"];
    folder.check(
        &[&["origins", "test", "--suffix-list", "list.dat"], &rest[..]].concat(),
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[wildcard_public_suffix]: `*.shop.example` would allow sites of different owners
            --> *.shop.example

            hint: list your own sites there one by one, without `*`
        "#]],
    );
    folder.check(
        &[&["origins", "test", "--suffix-list", "cut.dat"], &rest[..]].concat(),
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `cut.dat`: the file is not a complete public suffix list: it lacks the line `// ===END ICANN DOMAINS===`

            hint: download https://publicsuffix.org/list/public_suffix_list.dat again, or omit `--suffix-list` to use the built-in list
        "#]],
    );
}

#[test]
fn several_sites_in_one_entry() {
    Folder::new().check(
        &["origins", "normalize", "a.example,www.a.example"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[host_invalid]: `a.example,www.a.example` is not a host name: only letters, digits, hyphens and dots are possible
            --> a.example,www.a.example

            hint: write each site as an entry of its own
        "#]],
    );
}
