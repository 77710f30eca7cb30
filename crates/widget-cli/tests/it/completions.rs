//! Completions: the program is asked as the script of a shell asks it.

use std::{fs, net::TcpListener, path::Path, process::Stdio};

use axum::response::IntoResponse;
use expect_test::{Expect, expect};
use regex::Regex;
use widget_api::Widget;

use crate::{
    Folder, SHOP, WIDGET,
    faults::FaultServer,
    outcome,
    service::{Service, block_on},
};

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

/// A service with two widgets, and an account of it: a profile with its key in a file, as where no
/// keyring is.
struct Account {
    service: Service,
    folder: Folder,
    shop: Widget,
    blog: Widget,
}

/// Where the cache of the profile `default` is.
const CACHE: &str = ".cache/widget/completions/default.json";

impl Account {
    fn new() -> Self {
        let mut service = Service::start();
        let shop = service.create_widget("shop", &["https://shop.example"]);
        let blog = service.create_widget("blog", &[]);
        let account = Self {
            service,
            folder: Folder::new(),
            shop,
            blog,
        };
        account.log_in("default");
        account
    }

    #[track_caller]
    fn log_in(&self, profile: &str) {
        let url = self.service.url();
        let mut login = without_account(&self.folder);
        login.args(["login", "--profile", profile, "--service", &url]);
        login.write_stdin(self.service.key.clone());
        login.assert().success();
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        let mut command = without_account(&self.folder);
        command.args(arguments).assert().success();
    }

    /// Makes profiles say that a key is in another place. No keyring is there in tests.
    fn move_keys(&self, from: &str, to: &str) {
        self.edit("config/widget/profiles.json", |profiles| {
            profiles.replace(&format!(r#""key": "{from}""#), &format!(r#""key": "{to}""#))
        });
    }

    /// Changes a file, and must.
    #[track_caller]
    fn edit(&self, path: &str, change: impl FnOnce(&str) -> String) {
        let before = self.folder.read(path);
        let after = change(&before);
        assert_ne!(before, after, "{path}");
        fs::write(self.folder.path().join(path), after).expect("it is written");
    }

    fn has_cache(&self) -> bool {
        self.folder.path().join(CACHE).exists()
    }

    #[track_caller]
    fn check(&self, words: &[&str], expected: &Expect) {
        self.check_command(&mut without_account(&self.folder), words, expected);
    }

    #[track_caller]
    fn check_command(&self, command: &mut assert_cmd::Command, words: &[&str], expected: &Expect) {
        let shown = self.service.masked(&fish(command, words));
        expected.assert_eq(&shown.replace('\t', "  "));
    }

    /// Checks which widgets are offered for the first characters of all ids.
    #[track_caller]
    fn check_widgets(&self, expected: &Expect) {
        self.check(&["show", &self.shop.id.to_string()[..4]], expected);
    }
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

/// A keyring may ask for a password, which a completion must not: ids are those that commands saw.
#[test]
fn with_the_key_in_a_keyring_ids_are_those_seen_last() {
    let mut account = Account::new();
    account.move_keys("file", "keyring");
    account.check_widgets(&expect![[""]]);
    account.move_keys("keyring", "file");
    account.run(&["list"]);
    account.run(&["agents", "list"]);
    account.move_keys("file", "keyring");
    // Nobody is asked.
    account.service.kill();
    account.check_widgets(&expect![[r#"
        WIDGET-BLOG  Ask blog
        WIDGET-SHOP  Ask shop
    "#]]);
    let id = account.shop.id.to_string();
    account.check(
        &["show", &id[..30]],
        &expect![[r#"
        WIDGET-SHOP  Ask shop
    "#]],
    );
    account.check(
        &["list", "--agent", "agent of s"],
        &expect![[r#"
        agent of shop  an agent
    "#]],
    );
    let agent = account.shop.agent_id.to_string();
    account.check(
        &["list", "--agent", &agent[..30]],
        &expect![[r#"
        AGENT-SHOP  agent of shop
    "#]],
    );
    // Of what only the service knows, nothing is said.
    account.check(&["show", &format!("{id}@")], &expect![[""]]);
    account.check(&["conversations", "show", "0"], &expect![[""]]);
    // With a key at hand the service is asked, and what it does not answer is not made up.
    account.move_keys("keyring", "file");
    account.check_widgets(&expect![[""]]);
}

/// What a command reads or changes comes first, and what it deletes goes.
#[test]
fn what_was_seen_follows_the_commands() {
    let account = Account::new();
    let shop = account.shop.id.to_string();
    let agent = account.shop.agent_id.to_string();
    let check = |expected: Expect| {
        account.move_keys("file", "keyring");
        account.check_widgets(&expected);
        account.move_keys("keyring", "file");
    };
    account.run(&["show", &shop]);
    check(expect![[r#"
        WIDGET-SHOP  Ask shop
    "#]]);
    account.run(&["list"]);
    account.run(&["set", &shop, "/config/v1/chat/title=Ask me", "--yes"]);
    check(expect![[r#"
        WIDGET-SHOP  Ask me
        WIDGET-BLOG  Ask blog
    "#]]);
    // What was not written was not seen.
    account.run(&["set", &shop, "/config/v1/chat/title=Ask us", "--dry-run"]);
    account.run(&["delete", &shop, "--dry-run"]);
    check(expect![[r#"
        WIDGET-SHOP  Ask me
        WIDGET-BLOG  Ask blog
    "#]]);
    account.run(&["delete", &shop, "--yes"]);
    account.run(&["list", "--deleted"]);
    check(expect![[r#"
        WIDGET-BLOG  Ask blog
    "#]]);
    account.run(&["undelete", &shop, "--yes"]);
    check(expect![[r#"
        WIDGET-SHOP  Ask me
        WIDGET-BLOG  Ask blog
    "#]]);
    // A part of the list leaves the rest; the whole list is all that there is.
    let client = account.service.client();
    block_on(client.delete_web_widget(account.blog.id, None)).expect("it is deleted");
    account.run(&["list", "--title", "Ask me"]);
    check(expect![[r#"
        WIDGET-SHOP  Ask me
        WIDGET-BLOG  Ask blog
    "#]]);
    account.run(&["list"]);
    check(expect![[r#"
        WIDGET-SHOP  Ask me
    "#]]);
    account.run(&["delete", &shop, "--yes"]);
    let file = format!(
        "agent_id: {agent}\nagent_version_id: {}\nconfig: {{v1: {{chat: {{title: Of a file}}}}}}\n",
        account.shop.agent_version_id
    );
    let folder = account.folder.path().join("widgets");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("new.yaml"), file).expect("a file");
    account.run(&["apply", "widgets", "--yes"]);
    account.edit("widgets/new.yaml", |file| file.replace("Of a", "Of the"));
    account.run(&["apply", "widgets", "--yes"]);
    account.run(&["create", "--title", "New", "--agent", &agent, "--yes"]);
    account.move_keys("file", "keyring");
    let shown = fish(&mut without_account(&account.folder), &["show", &shop[..4]]);
    let titles = shown.lines().filter_map(|line| line.split('\t').nth(1));
    assert_eq!(
        titles.collect::<Vec<_>>(),
        ["New", "Of the file"],
        "{shown}"
    );
    // The agent was found by its id, among all agents.
    account.check(
        &["list", "--agent", "agent of"],
        &expect![[r#"
        agent of blog  an agent
        agent of shop  an agent
    "#]],
    );
}

/// What was seen with one key of one service is offered with no other, and ends.
#[test]
fn what_was_seen_is_of_one_account() {
    let account = Account::new();
    let with_environment = |service: &str, key: &str| {
        let mut command = without_account(&account.folder);
        command
            .env("WIDGET_SERVICE", service)
            .env("WIDGET_API_KEY", key);
        command
    };
    let (url, key) = (account.service.url(), &account.service.key);
    for (service, key) in [(&*url, &**key), ("", key), (&url, "")] {
        let mut list = with_environment(service, key);
        list.arg("list").assert().success();
    }
    assert!(!account.has_cache());
    account.run(&["list"]);
    assert!(account.has_cache());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = fs::metadata(account.folder.path().join(CACHE)).expect("a file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    assert!(!account.folder.read(CACHE).contains(key));

    account.log_in("staging");
    account.move_keys("file", "keyring");
    let beginning = &account.shop.id.to_string()[..4];
    let nothing = expect![[""]];
    account.check(&["show", "--profile", "staging", beginning], &nothing);
    account.check(&["show", "--profile", "missing", beginning], &nothing);
    let mut other = with_environment("http://127.0.0.1:9", "");
    account.check_command(&mut other, &["show", beginning], &nothing);
    let both = expect![[r#"
        WIDGET-BLOG  Ask blog
        WIDGET-SHOP  Ask shop
    "#]];
    account.check_widgets(&both);
    // One that is typed comes before the environment.
    let mut other = with_environment("http://127.0.0.1:9", "ak_other.key");
    let words = ["--profile", "default", "show", beginning];
    account.check_command(&mut other, &words, &both);

    // The profile was changed to another service by hand.
    let cached = account.folder.read(CACHE);
    account.edit(CACHE, |cache| cache.replace(&url, "http://127.0.0.1:9"));
    account.check_widgets(&nothing);
    account.edit(CACHE, |_| "{".to_owned());
    account.check_widgets(&nothing);
    account.edit(CACHE, |_| cached.clone());
    account.check_widgets(&both);
    let time = Regex::new(r#""seen_at":"[0-9-]+T"#).expect("a pattern");
    account.edit(CACHE, |cache| {
        let old = time.replace(cache, r#""seen_at":"2020-01-01T"#);
        old.into_owned()
    });
    account.check_widgets(&expect![[r#"
        WIDGET-SHOP  Ask shop
    "#]]);

    account.move_keys("keyring", "file");
    account.run(&["list"]);
    assert!(account.has_cache());
    account.log_in("default");
    assert!(!account.has_cache());
    account.run(&["list"]);
    assert!(account.has_cache());
    account.run(&["logout", "--profile", "staging"]);
    assert!(account.has_cache());
    account.run(&["logout"]);
    assert!(!account.has_cache());
}

/// A cache is nothing that a command needs.
#[test]
fn a_cache_that_cannot_be_written_stops_nothing() {
    let account = Account::new();
    let folder = account.folder.path();
    fs::write(folder.join(".cache"), "a file, no folder").expect("a file");
    let text = outcome(without_account(&account.folder).args(["list", "--limit", "1"]));
    assert!(text.starts_with("exit 0\n"), "{text}");
    assert!(!text.contains(".cache"), "{text}");
    account.run(&["logout"]);
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
    let programs = Path::new(WIDGET).parent().expect("a folder").display();
    let complete = |line: &str| {
        let script = r#"
            source <(widget completions bash)
            COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
            _clap_complete_widget widget "${COMP_WORDS[COMP_CWORD]}"
            printf '%s\n' "${COMPREPLY[@]}"
        "#;
        let output = folder
            .process("bash", &["--norc", "-c", script, "bash", line])
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
