//! `widget create`.

use expect_test::expect;

use crate::{
    Folder, outcome,
    service::{Service, block_on},
};

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn create_widgets() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &["https://shop.example"]);
    let agent = shop.agent_id.to_string();
    let run = |folder: &Folder, arguments: &[&str]| {
        let words = ["create"].iter().chain(arguments);
        let words: Vec<&str> = words.copied().collect();
        let text = service.masked(&outcome(&mut service.command(folder, &words)));
        let id = regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
        id.expect("a pattern")
            .replace_all(&text, "NEW")
            .into_owned()
    };
    let empty = Folder::new();
    let by_name = [
        "--title",
        "Ask us",
        "--agent",
        "agent of shop",
        "--domain",
        "Blog.example",
    ];
    let yes = [&by_name[..], &["--yes"]].concat();
    expect![[r#"
        exit 2
        ---- stdout ----
        + /agent_id: "AGENT-SHOP"
        + /agent_version_id: "VERSION-SHOP"
        + /domains: "https://blog.example"
        + /published: false
        + /config/v1: {"chat":{"title":"Ask us"}}
        ! the widget is not published, so visitors see nothing of it
        ---- stderr ----
        warning: `https://blog.example` is listed, `https://www.blog.example` is not; they are different sites
          hint: add `https://www.blog.example` if the page can be reached there too
        error: a change needs an answer, and there is no terminal to ask at; nothing was written

        hint: `widget create --title 'Ask us' --agent 'agent of shop' --domain Blog.example --yes` makes it without asking
    "#]].assert_eq(&run(&empty, &by_name));
    expect![[r#"
        exit 0
        ---- stdout ----
        + /agent_id: "AGENT-SHOP"
        + /agent_version_id: "VERSION-SHOP"
        + /domains: "https://blog.example"
        + /published: false
        + /config/v1: {"chat":{"title":"Ask us"}}
        ! the widget is not published, so visitors see nothing of it
        ✓ a widget was created

        id: NEW
        <script async src="http://SERVICE/public/embed/NEW"></script>
        ---- stderr ----
        warning: `https://blog.example` is listed, `https://www.blog.example` is not; they are different sites
          hint: add `https://www.blog.example` if the page can be reached there too
        `widget publish NEW` shows it to visitors
    "#]]
    .assert_eq(&run(&empty, &yes));
    let json = [&by_name[..], &["--dry-run", "--output", "json"]].concat();
    expect![[r#"
        exit 0
        ---- stdout ----
        {"written":false,"web_widget":{"agent_id":"AGENT-SHOP","agent_version_id":"VERSION-SHOP","domains":["https://blog.example"],"published":false,"config":{"v1":{"chat":{"title":"Ask us"}}}},"warnings":[{"code":"twin_missing","pointer":"/domains/0","detail":"`https://blog.example` is listed, `https://www.blog.example` is not; they are different sites","hint":"add `https://www.blog.example` if the page can be reached there too"}]}
        ---- stderr ----
        + /agent_id: "AGENT-SHOP"
        + /agent_version_id: "VERSION-SHOP"
        + /domains: "https://blog.example"
        + /published: false
        + /config/v1: {"chat":{"title":"Ask us"}}
        ! the widget is not published, so visitors see nothing of it
        warning: `https://blog.example` is listed, `https://www.blog.example` is not; they are different sites
          hint: add `https://www.blog.example` if the page can be reached there too
    "#]].assert_eq(&run(&empty, &json));
    expect![[r#"
        exit 2
        ---- stderr ----
        error: a widget needs an agent

        hint: name one with `--agent`, by its id or its name; `widget agents list` shows the agents
    "#]]
    .assert_eq(&run(&empty, &["--title", "Ask us"]));
    expect![[r#"
        exit 1
        ---- stderr ----
        error: there is no agent `nobody`

        hint: `widget agents list` shows them:
          SHORT  "agent of shop"
    "#]]
    .assert_eq(&run(&empty, &["--agent", "nobody"]));
    expect![[r#"
        exit 1
        ---- stderr ----
        error: this is not valid; nothing was written
          /domains/0: `*.co.uk` would allow sites of different owners

        hint: list your own sites there one by one, without `*`
    "#]]
    .assert_eq(&run(&empty, &["--agent", &agent, "--domain", "*.co.uk"]));
    // The widget of a file, with another title.
    let record = serde_json::to_string(&shop).expect("JSON");
    let folder = Folder::new()
        .with("shop.json", record)
        .with("config.yaml", "v1:\n  theme: Dark\n");
    let arguments = ["--file", "shop.json", "--title", "Second", "--yes"];
    expect![[r#"
        exit 0
        ---- stdout ----
        + /agent_id: "AGENT-SHOP"
        + /agent_version_id: "VERSION-SHOP"
        + /domains: "https://shop.example"
        + /published: false
        + /config/v1: {"chat":{"title":"Second"}}
        ! the widget is not published, so visitors see nothing of it
        ✓ a widget was created

        id: NEW
        <script async src="http://SERVICE/public/embed/NEW"></script>
        ---- stderr ----
        warning: `https://shop.example` is listed, `https://www.shop.example` is not; they are different sites
          hint: add `https://www.shop.example` if the page can be reached there too
        `widget publish NEW` shows it to visitors
    "#]]
    .assert_eq(&run(&folder, &arguments));
    expect![[r#"
        exit 1
        ---- stderr ----
        error[value_not_allowed]: `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> config.yaml:2:10
          |
        2 |  theme: Dark
          |  ^^^^ /config/v1/theme

        hint: did you mean `dark`?

    "#]].assert_eq(&run(&folder, &["--file", "config.yaml", "--agent", &agent]));
    // The same request twice creates one.
    let key = [
        "--agent",
        &agent,
        "--idempotency-key",
        "key-of-a-script",
        "--yes",
        "--output",
        "json",
    ];
    let before = count_widgets(&service);
    assert_eq!(run(&empty, &key), run(&empty, &key));
    assert_eq!(count_widgets(&service), before + 1);
}

fn count_widgets(service: &Service) -> usize {
    let client = service.client();
    let query = widget_api::widgets::WidgetsQuery::default();
    let widgets = block_on(client.list_web_widgets(&query).collect(None));
    widgets.expect("widgets").len()
}
