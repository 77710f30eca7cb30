//! `widget plan` and `widget apply` for programs, with every kind of step at once.

use std::fs;

use expect_test::expect;

use crate::{Folder, outcome, service::Service};

#[test]
fn every_step_is_an_object() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &["https://shop.example"]);
    service.create_widget("blog", &["https://blog.example"]);
    service.create_widget("old", &["https://old.example"]);
    let folder = Folder::new();
    let whole_id = regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    let whole_id = whole_id.expect("a pattern");
    let run = |arguments: &[&str]| {
        let text = service.masked(&outcome(&mut service.command(&folder, arguments)));
        whole_id.replace_all(&text, "NEW").into_owned()
    };
    let exported = run(&["export", "widgets"]);
    assert!(exported.starts_with("exit 0\n"), "{exported}");
    let file = |name: &str| folder.path().join("widgets").join(name);
    let text = folder.read("widgets/ask-shop.yaml");
    fs::write(file("ask-shop.yaml"), text.replace("Ask shop", "Ask us")).expect("a file");
    fs::remove_file(file("ask-old.yaml")).expect("it was there");
    let (agent, version) = (shop.agent_id, shop.agent_version_id);
    let new = format!("agent_id: {agent}\nagent_version_id: {version}\n");
    fs::write(file("new.yaml"), new).expect("a file");
    expect![[r#"
        exit 1
        ---- stdout ----
        {"action":"create","widget_id":null,"path":"widgets/new.yaml","title":null,"written":false,"changes":[],"effects":[],"warnings":[],"service_changes":[],"overwritten":[]}
        {"action":"nothing","widget_id":"WIDGET-BLOG","path":"widgets/ask-blog.yaml","title":"Ask blog","written":false,"changes":[],"effects":[],"warnings":[],"service_changes":[],"overwritten":[]}
        {"action":"change","widget_id":"WIDGET-SHOP","path":"widgets/ask-shop.yaml","title":"Ask shop","written":false,"changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask shop","to":"Ask us"}],"effects":["the widget is not published, so visitors see nothing of it"],"warnings":[],"service_changes":[],"overwritten":[]}
        {"action":"delete","widget_id":"WIDGET-OLD","path":null,"title":"Ask old","written":false,"changes":[],"effects":["visitors notice nothing of it"],"warnings":[],"service_changes":[],"overwritten":[]}
        ---- stderr ----
        create widgets/new.yaml
        change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
          ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
          ! the widget is not published, so visitors see nothing of it
        delete widget WIDGET-OLD "Ask old"
          ! visitors notice nothing of it
        1 to create, 1 to change, 1 to delete, 1 unchanged
    "#]]
    .assert_eq(&run(&["plan", "widgets", "--prune", "--output", "json"]));
    expect![[r#"
        exit 0
        ---- stdout ----
        {"action":"create","widget_id":"NEW","path":"widgets/new.yaml","title":null,"written":true,"changes":[],"effects":[],"warnings":[],"service_changes":[],"overwritten":[]}
        {"action":"nothing","widget_id":"WIDGET-BLOG","path":"widgets/ask-blog.yaml","title":"Ask blog","written":false,"changes":[],"effects":[],"warnings":[],"service_changes":[],"overwritten":[]}
        {"action":"change","widget_id":"WIDGET-SHOP","path":"widgets/ask-shop.yaml","title":"Ask shop","written":true,"changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask shop","to":"Ask us"}],"effects":["the widget is not published, so visitors see nothing of it"],"warnings":[{"code":"agent_worker_missing","pointer":"/agent_version_id","detail":"no worker named `shop` has joined a room yet","hint":"normal before the first conversation; otherwise compare the worker's name"}],"service_changes":[],"overwritten":[]}
        {"action":"delete","widget_id":"WIDGET-OLD","path":null,"title":"Ask old","written":true,"changes":[],"effects":["visitors notice nothing of it"],"warnings":[],"service_changes":[],"overwritten":[]}
        ---- stderr ----
        create widgets/new.yaml
        change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
          ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
          ! the widget is not published, so visitors see nothing of it
        delete widget WIDGET-OLD "Ask old"
          ! visitors notice nothing of it
        1 to create, 1 to change, 1 to delete, 1 unchanged
        warning: no worker named `shop` has joined a room yet
          hint: normal before the first conversation; otherwise compare the worker's name
    "#]]
    .assert_eq(&run(&[
        "apply", "widgets", "--prune", "--yes", "--output", "json",
    ]));
    fs::write(file("faulty.yaml"), "config: {v1: {theme: Dark}}\n").expect("a file");
    expect![[r#"
        exit 1
        ---- stdout ----
        {"path":"widgets/faulty.yaml","valid":false,"errors":[{"code":"key_missing","detail":"the record has no `agent_id`, and every widget needs one","hint":null,"pointer":"/agent_id","line":1,"column":1,"end_line":1,"end_column":1},{"code":"key_missing","detail":"the record has no `agent_version_id`, and every widget needs one","hint":null,"pointer":"/agent_version_id","line":1,"column":1,"end_line":1,"end_column":1},{"code":"value_not_allowed","detail":"`\"Dark\"` is not allowed; `theme` must be one of `system`, `light`, `dark`","hint":"did you mean `dark`?","pointer":"/config/v1/theme","line":1,"column":22,"end_line":1,"end_column":26}]}
        ---- stderr ----
        error: the folder has errors; nothing was written
    "#]]
    .assert_eq(&run(&["plan", "widgets", "--output", "json"]));
}
