//! Deleted widgets over HTTP: listed, restored, and served to nobody.

use serde_json::{Value, json};
use time::Duration;
use widget_api::Scope;

use super::visitor::support::{Visitor, with_livekit};
use crate::support::{Service, id, records};

/// The list of deleted widgets.
const DELETED: &str = "/core/web-widgets?deleted=true";

#[tokio::test]
async fn a_deleted_widget_is_listed_and_restored_unpublished() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({"v1": {"theme": "dark"}})).await;
    let (widget, conversation) = (&visitor.widget, visitor.start().await);
    let path = format!("/core/web-widgets/{}", id(widget));
    let restore = format!("{path}/restore");
    assert_eq!(service.get(DELETED).await.json(200), json!([]));
    service.clock.advance(Duration::minutes(1));
    let key = service.new_key("acme", &[Scope::WebWidgetsManage]).await;
    let answer = service.call_with(Some(&key), "DELETE", &path, None, &[]);
    answer.await.expect(204);

    let key_id = key.strip_prefix("ak_").and_then(|key| key.split_once('.'));
    let (key_id, _) = key_id.expect("a key");
    let mut listed = widget.clone();
    listed["deleted_at"] = json!("2026-01-31T09:31:00Z");
    listed["deleted_by"] = json!(key_id);
    listed["deleted_by_name"] = json!("test");
    let found = service.get(DELETED).await.json(200);
    assert_eq!(records(&found), json!([listed]));
    let others = service.get("/core/web-widgets?deleted=false").await;
    assert_eq!(others.json(200), json!([]));
    service.get(&path).await.problem(404, "not_found");
    service
        .get(&format!("{path}/revisions"))
        .await
        .problem(404, "not_found");
    service
        .put(&path, &json!({}))
        .await
        .problem(404, "not_found");
    service.delete(&path).await.problem(404, "not_found");
    let answer = visitor.ask_for_ticket("https://shop.example").await;
    assert_eq!(answer.status, 403);
    service
        .get(&format!("/core/conversations/{}", conversation.id))
        .await
        .expect(200);

    service.clock.advance(Duration::minutes(1));
    let answer = service.call("POST", &restore, None, &[("if-match", "\"r7\"")]);
    answer.await.problem(412, "precondition_failed");
    let answer = service.call("POST", &restore, None, &[("if-match", "\"r1\"")]);
    let answer = answer.await;
    let mut restored = widget.clone();
    restored["published"] = json!(false);
    restored["updated_at"] = json!("2026-01-31T09:32:00Z");
    assert_eq!(answer.json(200), restored);
    assert_eq!(answer.header("etag"), "\"r2\"");
    assert_eq!(service.get(DELETED).await.json(200), json!([]));
    let revisions = service.get(&format!("{path}/revisions")).await.json(200);
    let numbers = |at: usize| (&revisions[at]["number"], &revisions[at]["restored_from"]);
    assert_eq!(numbers(0), (&json!(2), &json!(1)));
    assert_eq!(numbers(1), (&json!(1), &Value::Null));
    assert_eq!(revisions[0]["changes"][0]["pointer"], "/published");

    // Repeated, because an answer may be lost, it changes nothing, also after another change.
    let answer = service.call("POST", &restore, None, &[]).await;
    assert_eq!(
        (answer.json(200), answer.header("etag")),
        (restored, "\"r2\"")
    );
    let published = service.put(&path, &json!({"published": true})).await;
    let answer = service.call("POST", &restore, None, &[]).await;
    assert_eq!(answer.json(200), published.json(200));
    let answer = service.call("POST", &restore, None, &[("if-match", "\"r1\"")]);
    answer.await.problem(412, "precondition_failed");
    visitor
        .ask_for_ticket("https://shop.example")
        .await
        .expect(201);
}

#[tokio::test]
async fn a_deleted_widget_keeps_no_agent_and_is_restored_with_a_blocker() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let agent = widget["agent_id"].as_str().expect("an id");
    let agent = format!("/core/agents/{agent}");
    service.delete(&agent).await.problem(409, "agent_in_use");
    service.delete(&path).await.expect(204);
    service.delete(&agent).await.expect(204);
    let restore = format!("{path}/restore");
    let restored = service.call("POST", &restore, None, &[]).await.json(200);
    assert_eq!(restored["agent_id"], widget["agent_id"]);
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    assert_eq!(report["live"], false);
    let codes = report["blockers"].as_array().expect("an array").iter();
    let codes: Vec<_> = codes.map(|blocker| blocker["code"].clone()).collect();
    assert_eq!(codes, ["not_published", "agent_not_found"]);
    // It can be edited, and is repaired by another agent.
    let changed = service.put(&path, &json!({"published": true})).await;
    assert_eq!(changed.json(200)["published"], true);
    let (agent, version) = service.agent(true).await;
    let pin = json!({"agent_id": agent, "agent_version_id": version});
    service.put(&path, &pin).await.expect(200);
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    assert_eq!(report["live"], true);
}

#[tokio::test]
async fn deleted_widgets_are_paged_and_belong_to_their_organization() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        service.clock.advance(Duration::minutes(1));
        let widget = id(&service.widget(json!({})).await);
        service
            .delete(&format!("/core/web-widgets/{widget}"))
            .await
            .expect(204);
        ids.insert(0, widget);
    }
    let page = service.get(&format!("{DELETED}&limit=2")).await;
    let found = page.json(200);
    assert_eq!([id(&found[0]), id(&found[1])], ids[..2]);
    let link = page.header("link");
    let next = link.split(['<', '>']).nth(1).expect("an address");
    let next = next
        .strip_prefix("https://widgets.example")
        .expect("its own");
    assert!(next.contains("deleted=true"), "{next}");
    let found = service.get(next).await.json(200);
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(id(&found[0]), ids[2]);

    let restore = format!("/core/web-widgets/{}/restore", ids[0]);
    let theirs = service.new_key("others", Scope::ALL).await;
    let answer = service.call_with(Some(&theirs), "GET", DELETED, None, &[]);
    assert_eq!(answer.await.json(200), json!([]));
    let answer = service.call_with(Some(&theirs), "POST", &restore, None, &[]);
    answer.await.problem(404, "not_found");
    let reader = service.new_key("acme", &[Scope::WebWidgetsRead]).await;
    let answer = service.call_with(Some(&reader), "POST", &restore, None, &[]);
    answer.await.problem(403, "insufficient_scope");
}

#[tokio::test]
async fn of_two_nodes_that_restore_a_widget_one_writes() {
    let service = Service::start().await;
    let node = service.another_node().await;
    let path = format!("/core/web-widgets/{}", id(&service.widget(json!({})).await));
    let restore = format!("{path}/restore");
    for revision in 2..6 {
        service.delete(&path).await.expect(204);
        let (one, other) = tokio::join!(
            service.call("POST", &restore, None, &[]),
            node.call("POST", &restore, None, &[]),
        );
        let expected = format!("\"r{revision}\"");
        for answer in [one, other] {
            answer.expect(200);
            assert_eq!(answer.header("etag"), expected);
        }
        let revisions = service.get(&format!("{path}/revisions")).await.json(200);
        assert_eq!(revisions.as_array().map(Vec::len), Some(revision));
    }
}
