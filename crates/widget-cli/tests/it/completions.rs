//! Completions: the program is asked as the script of a shell asks it.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

use axum::response::IntoResponse;
use expect_test::{Expect, expect};

use crate::{Folder, SHOP, faults::FaultServer, outcome, service::Service};

/// Asks as the script of fish does: it shows each candidate with what is said about it.
fn fish(command: &mut assert_cmd::Command, words: &[&str]) -> String {
    let output = command
        .env("WIDGET_COMPLETE", "fish")
        .args(["--", "widget"])
        .args(words)
        .output()
        .expect("a run");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A command without an account, and the folder of its settings.
fn without_account(folder: &Folder) -> assert_cmd::Command {
    let mut command = folder.command(&[]);
    command.env("XDG_CONFIG_HOME", folder.path().join("config"));
    command
}

#[track_caller]
fn check(service: &Service, folder: &Folder, words: &[&str], expected: &Expect) {
    let shown = fish(&mut service.command(folder, &[]), words);
    expected.assert_eq(&service.masked(&shown).replace('\t', "  "));
}

#[test]
fn ids_come_from_the_service() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &["https://shop.example"]);
    service.create_widget("blog", &["https://blog.example"]);
    let folder = Folder::new().with("widget.json", "{}");
    let id = shop.id.to_string();
    check(
        &service,
        &folder,
        &["show", &id[..30]],
        &expect![[r#"
        WIDGET-SHOP  Ask shop
    "#]],
    );
    // Both begin so, and files can be named as well.
    check(
        &service,
        &folder,
        &["show", &id[..4]],
        &expect![[r#"
        WIDGET-BLOG  Ask blog
        WIDGET-SHOP  Ask shop
    "#]],
    );
    check(
        &service,
        &folder,
        &["show", ""],
        &expect![[r#"
        WIDGET-BLOG  Ask blog
        WIDGET-SHOP  Ask shop
        widget.json
        --output  The format of the answer
        --color  When to use colors
        --quiet  Write only errors to standard error: no summary, no assumptions, no progress
        --profile  The profile to use, as `widget login` made it
        --ca-file  Also trust the certificates in this file (PEM)
        --timeout  How long to wait for an answer, with everything that is repeated [default: 30]
        --help  Print help (see more with '--help')
    "#]],
    );
    check(
        &service,
        &folder,
        &["doctor", &id[..30]],
        &expect![[r#"
        WIDGET-SHOP  Ask shop
    "#]],
    );
    check(
        &service,
        &folder,
        &["show", "w"],
        &expect![[r#"
        widget.json
    "#]],
    );
    let agent = shop.agent_id.to_string();
    let words = ["list", "--agent", &agent[..30]];
    check(
        &service,
        &folder,
        &words,
        &expect![[r#"
        AGENT-SHOP  agent of shop
    "#]],
    );
    // No other value is an id.
    check(&service, &folder, &["list", "--domain", ""], &expect![[""]]);
    check(
        &service,
        &folder,
        &["expl"],
        &expect![[r#"
        explain  Explain why a widget is or is not shown on a page
    "#]],
    );
    check(
        &service,
        &folder,
        &["list", "--un"],
        &expect![[r#"
        --unpublished  Only widgets that their owner does not want to be shown
    "#]],
    );
}

/// What an argument can be follows from the other words of the line.
#[test]
fn values_follow_from_the_line() {
    let mut service = Service::start();
    let shop = service.create_widget(
        "shop",
        &["https://shop.example", "https://www.shop.example"],
    );
    let (id, agent) = (shop.id.to_string(), shop.agent_id.to_string());
    let folder = Folder::new();
    let run = |arguments: &[&str]| {
        let text = outcome(&mut service.command(&folder, arguments));
        assert!(text.starts_with("exit 0"), "{text}");
        text
    };
    run(&["set", &id, "/config/v1/theme=dark", "--yes"]);
    let preview = run(&["preview", &id, "--output", "json", "--quiet"]);
    let preview = preview.lines().nth(2).expect("an answer");
    let preview: serde_json::Value = serde_json::from_str(preview).expect("JSON");
    let preview = preview["id"].as_str().expect("an id").to_owned();
    service.mask(preview.clone(), "PREVIEW");
    let check = |words: &[&str], expected: Expect| check(&service, &folder, words, &expected);
    check(
        &["pin", &id, "1"],
        expect![[r#"
        1  published
    "#]],
    );
    check(
        &["agents", "publish", "agent of shop", "1"],
        expect![[r#"
        1  published
    "#]],
    );
    check(
        &["list", "--agent", &agent, "--version", "1"],
        expect![[r#"
            1  published
        "#]],
    );
    check(
        &["list", "--agent", "agent of"],
        expect![[r#"
        agent of shop  an agent
    "#]],
    );
    check(
        &["restore", &format!("{id}@")],
        expect![[r#"
        WIDGET-SHOP@2  TIME tests
        WIDGET-SHOP@1  TIME tests
    "#]],
    );
    check(
        &["diff", &format!("{id}@1"), &format!("{id}@2")],
        expect![[r#"
            WIDGET-SHOP@2  TIME tests
        "#]],
    );
    check(
        &["domains", &id, "remove", "https://w"],
        expect![[r#"
        https://www.shop.example
    "#]],
    );
    check(
        &["preview", &id, "--site", ""],
        expect![[r#"
        phone  A phone: 390 × 844 pixels
        desktop  A desktop: 1280 × 800 pixels
    "#]],
    );
    check(
        &["preview", &id, "--end", &preview[..8]],
        expect![[r#"
        PREVIEW  ends TIME
    "#]],
    );
    check(
        &["set", &id, "/config/v1/chat/ti"],
        expect![[r#"
        /config/v1/chat/title=  The heading.
    "#]],
    );
    check(
        &["set", &id, "/pub"],
        expect![[r#"
        /published=  Whether its owner wants it to be shown.
    "#]],
    );
    check(
        &["unset", &id, "/config/v1/th"],
        expect![[r#"
        /config/v1/theme  Which palette the widget is drawn in; `system` follows the v
    "#]],
    );
}

/// What somebody wrote into a title is one line, and nothing that a terminal obeys.
#[test]
fn titles_are_printable() {
    let widget = SHOP.replace("Ask the shop", "a\\u001b[2J\\nb\\u202e");
    let listed = r#""title": "", "blockers": [], "agent_name": null, "agent_version_number": null,
        "agent_version_label": null, "revision": 1, "id":"#;
    let widget = widget.replacen("\"id\":", listed, 1);
    let service = FaultServer::always(move || {
        let json = [("content-type", "application/json")];
        (json, format!("[{widget}]")).into_response()
    });
    let shown = fish(&mut service.command(&[]), &["show", "0197"]);
    expect![[r#"
        0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b  a\u{1b}[2J b\u{202e}
    "#]]
    .assert_eq(&shown.replace('\t', "  "));
}

#[test]
fn profiles_are_completed() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &[]);
    let folder = Folder::new();
    for name in ["default", "staging"] {
        let url = service.url();
        let mut login = without_account(&folder);
        login.args(["login", "--profile", name, "--service", &url]);
        login.write_stdin(service.key.clone()).assert().success();
    }
    let check = |words: &[&str], expected: Expect| {
        let shown = fish(&mut without_account(&folder), words);
        expected.assert_eq(&service.masked(&shown).replace('\t', "  "));
    };
    check(
        &["list", "--profile", ""],
        expect![[r#"
        default  http://SERVICE
        staging  http://SERVICE
    "#]],
    );
    check(
        &["list", "--profile", "s"],
        expect![[r#"
        staging  http://SERVICE
    "#]],
    );
    // The profile on the line is the one that is asked, and a wrong one is not.
    let id = &shop.id.to_string()[..30];
    check(
        &["--profile", "staging", "show", id],
        expect![[r#"
        WIDGET-SHOP  Ask shop
    "#]],
    );
    check(&["show", "--profile=missing", id], expect![[""]]);
}

/// Neither a message nor a long wait while somebody types.
#[test]
fn without_an_answer_nothing_is_said() {
    let folder = Folder::new();
    assert_eq!(fish(&mut without_account(&folder), &["show", "0197"]), "");
    // It accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("http://{}", silent.local_addr().expect("it listens"));
    for service in [&*silent, "http://127.0.0.1:9", "not an address"] {
        let mut command = without_account(&folder);
        command
            .env("WIDGET_SERVICE", service)
            .env("WIDGET_API_KEY", "ak_key.secret");
        assert_eq!(fish(&mut command, &["show", "0197"]), "", "{service}");
    }
    let output = without_account(&folder)
        .env("WIDGET_COMPLETE", "unknown")
        .output()
        .expect("a run");
    assert_eq!((output.stdout, output.stderr), (Vec::new(), Vec::new()));
}

/// The script in a real shell: sourced, and called as the shell calls it.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &[]);
    let folder = Folder::new();
    let widget = assert_cmd::cargo::cargo_bin("widget");
    let programs = widget.parent().expect("a folder").display().to_string();
    let complete = |line: &str| {
        let script = r#"
            source <(widget completions bash)
            COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
            _clap_complete_widget widget "${COMP_WORDS[COMP_CWORD]}"
            printf '%s\n' "${COMPREPLY[@]}"
        "#;
        let output = Command::new("bash")
            .args(["--norc", "-c", script, "bash", line])
            .current_dir(folder.path())
            .env(
                "PATH",
                format!("{programs}:{}", std::env::var("PATH").expect("PATH")),
            )
            .env("WIDGET_SERVICE", service.url())
            .env("WIDGET_API_KEY", &service.key)
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        service.masked(&String::from_utf8_lossy(&output.stdout))
    };
    let id = shop.id.to_string();
    expect![[r#"
        WIDGET-SHOP
    "#]]
    .assert_eq(&complete(&format!("widget show {}", &id[..30])));
    expect![[r#"
        profiles
    "#]]
    .assert_eq(&complete("widget prof"));
}
