//! `widget stats` and `widget refusals`.

use expect_test::{Expect, expect};
use regex::Regex;
use serde_json::json;
use widget_core::{conversation::Role, origin::Origin};

use super::conversations;
use crate::{
    Folder, outcome,
    service::{Service, block_on},
};

#[track_caller]
fn check(service: &Service, arguments: &[&str], expected: &Expect) {
    let folder = Folder::new();
    let text = service.masked(&outcome(&mut service.command(&folder, arguments)));
    // Days are those of the run.
    let day = Regex::new(r"\d{4}-\d\d-\d\d").expect("a pattern");
    expected.assert_eq(&day.replace_all(&text, "DAY"));
}

#[cfg(unix)]
#[test]
fn count_and_refuse() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    let id = widget.id.to_string();
    check(
        &service,
        &["refusals", &id],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no visit was refused since TIME
    "#]],
    );
    service.publish(&widget);
    let launcher = |origin: &str| {
        let origin = Origin::parse_page(origin).expect("an origin");
        let client = service.client();
        block_on(client.get_launcher_config(widget.id, &origin)).is_ok()
    };
    assert!(launcher("https://shop.example"));
    assert!(!launcher("https://other.example"));
    service.stop();
    service.start_again();
    check(
        &service,
        &["stats", &id, "--since", "1s"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            DAY  SHOWN  OPENED  STARTED  ANSWERED  MESSAGES  VOICE  RATING  REFUSED
            DAY  1  0  0  0  0  0m00s  1
            total  1  0  0  0  0  0m00s  1
            refused: 1 site not listed
        "#]],
    );
    check(
        &service,
        &["stats", &id, "--since", "1s", "--output", "json"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"from":"TIME","to":"TIME","interval":"day","total":{"launchers_shown":1,"windows_opened":0,"conversations_started":{"text":0,"voice":0},"conversations_answered":0,"conversations_ended":{"visitor":0,"agent":0,"idle":0,"silence":0,"max_length":0,"never_joined":0,"budget_used_up":0},"voice_seconds":0,"messages":{"visitor":0,"agent":0},"first_answers":{"counts":[]},"feedback":{"submitted":0,"ratings":[]},"refusals":[{"code":"origin_not_listed","count":1}]},"points":[{"starts_at":"TIME","numbers":{"launchers_shown":1,"windows_opened":0,"conversations_started":{"text":0,"voice":0},"conversations_answered":0,"conversations_ended":{"visitor":0,"agent":0,"idle":0,"silence":0,"max_length":0,"never_joined":0,"budget_used_up":0},"voice_seconds":0,"messages":{"visitor":0,"agent":0},"first_answers":{"counts":[]},"feedback":{"submitted":0,"ratings":[]},"refusals":[{"code":"origin_not_listed","count":1}]}}]}
        "#]],
    );
    check(
        &service,
        &["refusals", &id],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ORIGIN  REASON  VISITS  FIRST  LAST
            https://other.example  site not listed  1  TIME  TIME
            ---- stderr ----
            1 visit was refused since TIME
            `widget doctor WIDGET-SHOP --page https://other.example` says what to change
        "#]],
    );
    let json = ["refusals", &id, "--since", "1d", "--output", "json"];
    check(
        &service,
        &json,
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"since":"TIME","total":1,"refusals":[{"origin":"https://other.example","code":"origin_not_listed","count":1,"uncertain":0,"first_at":"TIME","last_at":"TIME"}],"others":0}
        "#]],
    );
    let weak = service.create_key("weak", &["agents:read"]);
    let folder = Folder::new();
    for command in ["stats", "refusals"] {
        let mut command = service.command(&folder, &[command, &id]);
        command.env("WIDGET_API_KEY", &weak);
        service.check_command(
            &mut command,
            &expect![[r#"
                exit 2
                ---- stderr ----
                error: this needs a key with the scope `web_widgets:read`

                hint: `widget whoami` shows what the key may do
            "#]],
        );
    }
}

/// How conversations ended, and how long agents took to answer.
#[test]
fn conversations_are_counted() {
    let (mut service, widget) = conversations::shop();
    for name in ["ANSWERED", "SILENT"] {
        let id = conversations::start(&mut service, &widget, name, &json!({}));
        if name == "ANSWERED" {
            conversations::say(&service, id, Role::Visitor, "Hello");
            conversations::say(&service, id, Role::Agent, "How can I help?");
        }
        block_on(service.client().end_conversation(id)).expect("it ends");
    }
    let folder = Folder::new();
    let stats = ["stats", &widget.id.to_string(), "--since", "1s"];
    let text = service.masked(&outcome(&mut service.command(&folder, &stats)));
    let day = Regex::new(r"\d{4}-\d\d-\d\d").expect("a pattern");
    // How fast this machine is does not matter here.
    let seconds = Regex::new(r"within \d+ s").expect("a pattern");
    let text = day.replace_all(&text, "DAY");
    expect![[r#"
        exit 0
        ---- stdout ----
        DAY  SHOWN  OPENED  STARTED  ANSWERED  MESSAGES  VOICE  RATING  REFUSED
        DAY  0  0  2  1  2  0m00s  0
        total  0  0  2  1  2  0m00s  0
        ended: 2 by the agent
        first answer: half within N s, 90 % within N s
    "#]]
    .assert_eq(&seconds.replace_all(&text, "within N s"));
}

/// What cannot be asked for is wrong usage, and no service is asked.
#[test]
fn times_are_checked() {
    let folder = Folder::new();
    for (arguments, expected) in [
        (
            &["stats", "0197a8b2", "--since", "2y"][..],
            expect![[r#"
                exit 2
                ---- stderr ----
                error: `--since` can be at most 400 days ago
            "#]],
        ),
        (
            &["stats", "0197a8b2", "--since", "2y", "--until", "1d"],
            expect![[r#"
                exit 2
                ---- stderr ----
                error: `--since` can be at most 400 days before `--until`
            "#]],
        ),
        (
            &["stats", "0197a8b2", "--since", "60d", "--hourly"],
            expect![[r#"
                exit 2
                ---- stderr ----
                error: `--since` can be at most 31 days ago
            "#]],
        ),
        (
            &["stats", "0197a8b2", "--since", "1d", "--until", "2d"],
            expect![[r#"
                exit 2
                ---- stderr ----
                error: `--since` must be earlier than `--until`
            "#]],
        ),
        (
            &["refusals", "0197a8b2", "--since", "2y"],
            expect![[r#"
                exit 2
                ---- stderr ----
                error: `--since` can be at most 400 days ago
            "#]],
        ),
        (
            &["refusals", "0197a8b2", "--since", "9000-01-01"],
            expect![[r#"
                exit 2
                ---- stderr ----
                error: `--since` is in the future
            "#]],
        ),
    ] {
        folder.check(arguments, &expected);
    }
}
