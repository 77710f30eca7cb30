//! `widget stats` and `widget refusals`.

use expect_test::{Expect, expect};
use regex::Regex;
use widget_core::origin::Origin;

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
            DAY  1  0  0  0  0  0:00  1
            total  1  0  0  0  0  0:00  1
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
        &["stats", &id, "--since", "2y"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `from` is more than 400 days before the end, the maximum here; ask for less
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
            `widget explain WIDGET-SHOP --page https://other.example` says what to change
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
