//! `widget agents`, and lists of widgets by agent and state.

use expect_test::expect;
use widget_api::{WidgetPatch, agents::NewAgentVersion};

use crate::{
    Folder,
    service::{Service, block_on},
};

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn list_and_publish() {
    let mut service = Service::start();
    let reader = service.create_key("reader", &["agents:read"]);
    service.check(
        &["agents", "list"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no agents
    "#]],
    );
    let widget = service.create_widget("shop", &["https://shop.example"]);
    let agent = widget.agent_id.to_string();
    let client = service.client();
    let draft = NewAgentVersion {
        livekit_agent_name: "shop-2".to_owned(),
        label: Some("friendlier".to_owned()),
    };
    let draft = block_on(client.create_agent_version(widget.agent_id, &draft)).expect("a version");
    service.mask(draft.id.to_string(), "VERSION-DRAFT");
    let patch = WidgetPatch {
        agent_version_id: Some(draft.id),
        published: Some(true),
        ..WidgetPatch::default()
    };
    block_on(client.update_web_widget(widget.id, None, &patch)).expect("it is changed");

    service.check(
        &["agents", "list", "--output", "table"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ID  NAME  CREATED
        AGENT-SHOP  agent of shop  TIME
        ---- stderr ----
        1 agent
    "#]],
    );
    service.check(
        &["agents", "versions", &agent],
        &expect![[r#"
        exit 0
        ---- stdout ----
        NUMBER  STATUS  LABEL  WORKER  PUBLISHED  ID
        2  draft  friendlier  shop-2  VERSION-DRAFT
        1  published  shop  TIME  VERSION-SHOP
    "#]],
    );
    service.check(
        &["agents", "versions", "ffffffff"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: there is no agent `ffffffff`

            hint: `widget agents list` shows them:
              SHORT  "agent of shop"
        "#]],
    );
    let list = |more: &[&str], expected: &expect_test::Expect| {
        service.check(&[&["list", "--output", "table"], more].concat(), expected);
    };
    list(
        &["--blocked"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            WIDGET-SHOP  Ask shop  blocked: draft version  agent of shop 2 (friendlier)  https://shop.example  TIME
            ---- stderr ----
            1 widget
        "#]],
    );
    list(
        &["--agent", &agent, "--version", "2"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            WIDGET-SHOP  Ask shop  blocked: draft version  agent of shop 2 (friendlier)  https://shop.example  TIME
            ---- stderr ----
            1 widget
        "#]],
    );
    list(
        &["--agent", &agent, "--version", "1"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no widgets
    "#]],
    );
    list(
        &["--agent", &agent, "--version", "9"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: agent AGENT-SHOP has no version `9`

            hint: `widget agents versions AGENT-SHOP` shows them:
              SHORT  2  "friendlier"  (draft)
              SHORT  1  (published)
        "#]],
    );
    list(
        &["--version", "2"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--version 2` names a version only together with its agent

            hint: name the agent with `--agent`, or the version by its whole id
        "#]],
    );
    list(
        &["--title", "SHOP", "--updated-after", "1h"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            WIDGET-SHOP  Ask shop  blocked: draft version  agent of shop 2 (friendlier)  https://shop.example  TIME
            ---- stderr ----
            1 widget
        "#]],
    );
    list(
        &["--title", "blog"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no widgets
    "#]],
    );
    list(
        &["--domain", "shop.example", "--unpublished"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            no widgets
        "#]],
    );

    let folder = Folder::new();
    let publish = ["agents", "publish", &agent, "2"];
    let mut command = service.command(&folder, &[&publish[..], &["--yes"]].concat());
    command.env("WIDGET_API_KEY", reader);
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stdout ----
            + version 2 "friendlier" of agent AGENT-SHOP is published
            ! a published version cannot be changed
            ! published widgets that pin it become live
            ---- stderr ----
            error: this needs a key with the scope `agents:manage`

            hint: `widget whoami` shows what the key may do
        "#]],
    );
    service.check(
        &publish,
        &expect![[r#"
            exit 2
            ---- stdout ----
            + version 2 "friendlier" of agent AGENT-SHOP is published
            ! a published version cannot be changed
            ! 1 published widget pins it, and becomes live unless something else blocks it
            ---- stderr ----
            error: a change needs an answer, and there is no terminal to ask at; nothing was written

            hint: `widget agents publish AGENT-SHOP 2 --yes` makes it without asking
        "#]],
    );
    let dry_run = [&publish[..], &["--dry-run", "--output", "json"]].concat();
    service.check(&dry_run, &expect![[r#"
        exit 0
        ---- stdout ----
        {"agent_id":"AGENT-SHOP","agent_version_id":"VERSION-DRAFT","written":false,"effects":["a published version cannot be changed","1 published widget pins it, and becomes live unless something else blocks it"]}
        ---- stderr ----
        + version 2 "friendlier" of agent AGENT-SHOP is published
        ! a published version cannot be changed
        ! 1 published widget pins it, and becomes live unless something else blocks it
    "#]]);
    service.check(
        &[&publish[..], &["--yes"]].concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            + version 2 "friendlier" of agent AGENT-SHOP is published
            ! a published version cannot be changed
            ! 1 published widget pins it, and becomes live unless something else blocks it
            ✓ version 2 "friendlier" of agent AGENT-SHOP is published
        "#]],
    );
    service.check(
        &[&publish[..], &["--yes"]].concat(),
        &expect![[r#"
            exit 0
            ---- stderr ----
            version 2 "friendlier" of agent AGENT-SHOP is published already; nothing was written
        "#]],
    );
    list(
        &["--published"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
        WIDGET-SHOP  Ask shop  live  agent of shop 2 (friendlier)  https://shop.example  TIME
        ---- stderr ----
        1 widget
    "#]],
    );
}
