//! The history of a widget over HTTP.

use serde_json::{Value, json};
use time::Duration;
use widget_api::Scope;

use super::visitor::support::{Visitor, with_livekit};
use crate::support::{Service, id};

#[tokio::test]
async fn every_write_is_recorded_and_can_be_undone() {
    let service = Service::start().await;
    let first = service
        .widget(json!({"config": {"v1": {"theme": "dark"}}}))
        .await;
    let path = format!("/core/web-widgets/{}", id(&first));
    service.clock.advance(Duration::minutes(1));
    let key = service.new_key("acme", &[Scope::WebWidgetsManage]).await;
    let change =
        json!({"published": false, "domains": ["*"], "config": {"v1": {"theme": "light", "x": 1}}});
    let changed = service
        .call_with(Some(&key), "PUT", &path, Some(&change.to_string()), &[])
        .await
        .json(200);
    service
        .put(&path, &json!({"published": null}))
        .await
        .expect(422);

    let revisions = format!("{path}/revisions");
    let list = service.get(&revisions).await.json(200);
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    let public = |key: &str| {
        key.strip_prefix("ak_")
            .and_then(|key| key.split_once('.'))
            .map(|(id, _)| id.to_owned())
    };
    assert_eq!(
        list[0],
        json!({
            "number": 2,
            "created_at": "2026-01-31T09:31:00Z",
            "api_key_id": public(&key),
            "api_key_name": "test",
            "restored_from": null,
            "changes": [
                {"pointer": "/domains", "change": "replaced", "from": ["https://shop.example"], "to": ["*"]},
                {"pointer": "/published", "change": "replaced", "from": true, "to": false},
                {"pointer": "/config/v1/theme", "change": "replaced", "from": "dark", "to": "light"},
                {"pointer": "/config/v1/x", "change": "added", "to": 1},
            ],
            "effects": [{"code": "stopped", "domains": ["https://shop.example"]}],
            "conversations_open": 0,
            "web_widget": changed,
        })
    );
    assert_eq!(
        (&list[1]["changes"], &list[1]["web_widget"]),
        (&json!([]), &first)
    );

    service.clock.advance(Duration::minutes(1));
    let restored = service
        .call("POST", &format!("{revisions}/1/restore"), None, &[])
        .await;
    let mut expected = first.clone();
    expected["updated_at"] = json!("2026-01-31T09:32:00Z");
    assert_eq!(restored.json(200), expected);
    assert_eq!(restored.header("etag"), "\"r3\"");
    let list = service.get(&revisions).await.json(200);
    assert_eq!(
        (&list[0]["number"], &list[0]["restored_from"]),
        (&json!(3), &json!(1))
    );

    let stale = [("if-match", "\"r2\"")];
    let answer = service
        .call("POST", &format!("{revisions}/2/restore"), None, &stale)
        .await;
    answer.problem(412, "precondition_failed");
    for missing in ["0", "4", "-1", "x", "99999999999999999999"] {
        let path = format!("{revisions}/{missing}/restore");
        service
            .call("POST", &path, None, &[])
            .await
            .problem(404, "not_found");
    }
    let other_key = service.new_key("other", Scope::ALL).await;
    service
        .call_with(Some(&other_key), "GET", &revisions, None, &[])
        .await
        .problem(404, "not_found");
    let path = format!("{revisions}/1/restore");
    service
        .call_with(Some(&other_key), "POST", &path, None, &[])
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_history_is_paged() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    for published in [false, true, false, true] {
        service
            .put(&path, &json!({"published": published}))
            .await
            .expect(200);
    }
    let mut numbers = Vec::new();
    let mut page = format!("{path}/revisions?limit=2");
    loop {
        let answer = service.get(&page).await;
        let list = answer.json(200);
        for revision in list.as_array().expect("an array") {
            let changes = revision["changes"].as_array().expect("an array").len();
            assert_eq!(changes, usize::from(revision["number"] != 1), "{revision}");
            numbers.push(revision["number"].clone());
        }
        let Some(link) = answer.headers.get("link") else {
            break;
        };
        let link = link.to_str().expect("ASCII");
        let next = link
            .strip_prefix("<https://widgets.example")
            .and_then(|link| link.strip_suffix(">; rel=\"next\""));
        page = next.expect("a link of this service").to_owned();
    }
    assert_eq!(Value::from(numbers), json!([5, 4, 3, 2, 1]));
    service
        .get(&format!("{path}/revisions?limit=0"))
        .await
        .problem(422, "query_invalid");
}

/// What a change did to visitors is in the history, and can be asked before.
#[tokio::test]
async fn a_change_says_what_it_does_to_visitors() {
    let service = Service::start_with(with_livekit).await;
    let (agent, draft) = service.agent(false).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    let preview = async |patch: &Value| {
        let path = format!("{path}/effects");
        service.post(&path, patch).await.json(200)
    };
    let newest = async || {
        let list = service.get(&format!("{path}/revisions")).await.json(200);
        list[0].clone()
    };
    let first = newest().await;
    let both = json!(["https://shop.example", "https://other.example"]);
    let went_live = json!([{"code": "went_live", "domains": both}]);
    assert_eq!(
        (&first["effects"], &first["conversations_open"]),
        (&went_live, &json!(0))
    );
    assert_eq!(first["api_key_name"], "test");
    assert_eq!(
        preview(&json!({})).await,
        json!({"effects": [], "conversations_open": 0})
    );

    visitor.start().await;
    visitor.start().await;
    for (patch, open, expected) in [
        (
            json!({"config": {"v1": {"chat": {"title": "Hi"}}}}),
            2,
            json!([{"code": "look_changed"}]),
        ),
        (
            json!({"domains": ["shop.example", "https://new.example"]}),
            2,
            json!([
                {"code": "domains_added", "domains": ["https://new.example"]},
                {"code": "domains_removed", "domains": ["https://other.example"]},
            ]),
        ),
        (
            json!({"agent_id": agent, "agent_version_id": draft}),
            2,
            json!([
                {"code": "stopped", "domains": ["https://shop.example", "https://new.example"]},
                {"code": "conversations_ended", "count": 2},
            ]),
        ),
        (json!({"domains": ["*"]}), 2, json!([])),
    ] {
        let said = preview(&patch).await;
        assert_eq!(
            said,
            json!({"effects": expected, "conversations_open": open}),
            "{patch}"
        );
        service.clock.advance(Duration::seconds(1));
        service.put(&path, &patch).await.json(200);
        let newest = newest().await;
        assert_eq!(
            (&newest["effects"], &newest["conversations_open"]),
            (&expected, &json!(open))
        );
    }
    // It goes live by publishing the version, which is no change of the widget: what follows does
    // not make it live.
    let publish = format!("/core/agents/{agent}/versions/{draft}/publish");
    service.post(&publish, &json!({})).await.json(200);
    let restyled = json!({"config": {}});
    let expected = json!([{"code": "look_changed"}]);
    assert_eq!(preview(&restyled).await["effects"], expected);
    service.put(&path, &restyled).await.json(200);
    assert_eq!(newest().await["effects"], expected);
    let faults = json!({"domains": ["a@b"]});
    let answer = service.post(&format!("{path}/effects"), &faults).await;
    answer.problem_at(422, "domains_invalid", "/domains/0", "userinfo");
    let missing = "/core/web-widgets/00000000-0000-0000-0000-000000000000/effects";
    service
        .post(missing, &json!({}))
        .await
        .problem(404, "not_found");
}
