//! What the owner does with previews: creates, lists, replaces, ends them.

use super::*;

fn path(widget: &Value) -> String {
    format!("/core/web-widgets/{}/previews", id(widget))
}

#[tokio::test]
async fn a_preview_is_created_listed_replaced_and_ended() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({"v1": {"chat": {"title": "Live"}}})).await;
    let path = path(&visitor.widget);
    assert_eq!(service.get(&path).await.json(200), json!([]));

    let answer = service.post(&path, &json!({"expires_in": 3600})).await;
    let created = answer.json(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(created["expires_at"], "2026-01-31T10:30:00Z");
    let url = created["url"].as_str().expect("a link");
    let token = url.strip_prefix("https://widgets.example/public/preview/");
    assert_eq!(token.expect("a link").len(), 22, "128 bits in Base64");
    let keys = created.as_object().expect("an object").keys();
    assert_eq!(keys.collect::<Vec<_>>(), ["id", "url", "expires_at"]);

    service.clock.advance(Duration::MINUTE);
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    let list = service.get(&path).await.json(200);
    let ids: Vec<_> = list.as_array().expect("a list").iter().map(id).collect();
    assert_eq!(ids, [link.preview.clone(), id(&created)]);
    let key = service.key().split(['_', '.']).nth(1).expect("an id");
    assert_eq!(
        list[1],
        json!({
            "id": created["id"],
            "agent_version_id": visitor.widget["agent_version_id"],
            "created_at": "2026-01-31T09:30:00Z",
            "created_by": key,
            "updated_at": "2026-01-31T09:30:00Z",
            "expires_at": "2026-01-31T10:30:00Z",
        })
    );

    assert_eq!(link.get("/state").await.json(200), json!({"revision": 1}));
    service.clock.advance(Duration::MINUTE);
    let second = json!({"config": {"v1": {"chat": {"title": "Second"}}}});
    let replaced = service.put(&link.record(), &second).await.json(200);
    assert_eq!(replaced["updated_at"], "2026-01-31T09:32:00Z");
    assert_eq!(replaced["created_at"], "2026-01-31T09:31:00Z");
    assert_eq!(link.get("/state").await.json(200), json!({"revision": 2}));
    let title = link.launcher().await.json(200)["config"]["chat"]["title"].clone();
    assert_eq!(title, "Second");
    // What is left out is as the widget has it.
    service.put(&link.record(), &json!({})).await.json(200);
    let title = link.launcher().await.json(200)["config"]["chat"]["title"].clone();
    assert_eq!(title, "Live");

    service.delete(&link.record()).await.expect(204);
    service
        .delete(&link.record())
        .await
        .problem(404, "not_found");
    service
        .put(&link.record(), &json!({}))
        .await
        .problem(404, "not_found");
    let list = service.get(&path).await.json(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    service.clock.advance(Duration::HOUR);
    assert_eq!(service.get(&path).await.json(200), json!([]));
    let ended = format!("{path}/{}", id(&created));
    service
        .put(&ended, &json!({}))
        .await
        .problem(404, "not_found");
    service.delete(&ended).await.problem(404, "not_found");
}

#[tokio::test]
async fn the_screen_of_a_preview_is_in_its_link_alone() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let path = path(&visitor.widget);
    for screen in ["phone", "desktop"] {
        let created = service.post(&path, &json!({"site": screen})).await;
        let created = created.json(201);
        let url = created["url"].as_str().expect("a link");
        let (link, query) = url.split_once('?').expect("a query");
        let token = link.strip_prefix("https://widgets.example/public/preview/");
        assert_eq!(token.expect("a link").len(), 22);
        assert_eq!(query, format!("site={screen}"));
    }
    for faulty in [json!("tablet"), json!("Phone"), json!(""), json!(390)] {
        let answer = service.post(&path, &json!({"site": faulty})).await;
        let code = if faulty.is_string() {
            "value_invalid"
        } else {
            "type_invalid"
        };
        answer.problem_at(422, "body_invalid", "/site", code);
    }
    let list = service.get(&path).await;
    assert_eq!(list.json(200).as_array().map(Vec::len), Some(2));
    assert!(!list.text.contains("site"), "{}", list.text);
    // A draft has none: who looks at it chooses.
    let record = format!("{path}/{}", id(&list.json(200)[0]));
    let answer = service.put(&record, &json!({"site": "phone"})).await;
    answer.problem_at(422, "body_invalid", "/site", "key_unknown");
}

#[tokio::test]
async fn a_change_of_the_widget_does_not_change_its_previews() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({"v1": {"chat": {"title": "Live"}}})).await;
    let link = Link::of(&visitor, json!({})).await;
    let widget = format!("/core/web-widgets/{}", id(&visitor.widget));
    let (agent, version) = service.agent(true).await;
    let change = json!({
        "config": {"v1": {"chat": {"title": "Other"}}}, "published": false, "domains": [],
        "agent_id": agent, "agent_version_id": version,
    });
    service.put(&widget, &change).await.json(200);
    let before = link.launcher().await.json(200);
    assert_eq!(before["config"]["chat"]["title"], "Live");
    let list = service.get(&path(&visitor.widget)).await.json(200);
    assert_eq!(
        list[0]["agent_version_id"],
        visitor.widget["agent_version_id"]
    );
    // It ends with the widget, and does not come back with it.
    service.delete(&widget).await.expect(204);
    link.get("").await.expect(404);
    let restore = format!("{widget}/restore");
    service.call("POST", &restore, None, &[]).await;
    link.get("").await.expect(404);
}

#[tokio::test]
async fn what_a_preview_needs_is_checked() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let path = path(&visitor.widget);
    for seconds in [json!(59), json!(2_592_001), json!(0)] {
        service
            .post(&path, &json!({"expires_in": seconds}))
            .await
            .problem_at(422, "body_invalid", "/expires_in", "value_invalid");
    }
    service
        .post(&path, &json!({"expires_in": 2_592_000}))
        .await
        .json(201);
    let faulty = json!({"config": {"v1": {"theme": "red"}}});
    service
        .post(&path, &faulty)
        .await
        .problem(422, "config_invalid");
    let (_, of_other_agent) = service.agent(true).await;
    let link = Link::of(&visitor, json!({})).await;
    for version in [
        of_other_agent.as_str(),
        "0197a3c0-0000-7000-8000-00000000ffff",
    ] {
        let body = json!({"agent_version_id": version});
        for answer in [
            service.post(&path, &body).await,
            service.put(&link.record(), &body).await,
        ] {
            answer.problem(422, "agent_version_not_found");
        }
    }
    assert_eq!(link.get("/state").await.json(200), json!({"revision": 1}));
    let unknown = "/core/web-widgets/0197a3c0-0000-7000-8000-00000000ffff/previews";
    service
        .post(unknown, &json!({}))
        .await
        .problem(404, "not_found");
    service.get(unknown).await.problem(404, "not_found");

    // Of many at once no more are created than there may be; two are there.
    let many = (0..60).map(|_| async {
        loop {
            let answer = service.post(&path, &json!({})).await;
            if answer.status != 503 {
                return answer;
            }
        }
    });
    let many = join_all(many).await;
    let created = many.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 48);
    let refused = many.iter().filter(|answer| answer.status != 201);
    refused.for_each(|answer| {
        answer.problem(409, "previews_full");
    });
    service.clock.advance(Duration::DAY);
    service.post(&path, &json!({})).await.json(201);
}

#[tokio::test]
async fn previews_need_the_scopes_of_widgets_and_stay_in_their_organization() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({})).await;
    let path = path(&visitor.widget);
    let reader = service.new_key("acme", &[Scope::WebWidgetsRead]).await;
    let writer = service.new_key("acme", &[Scope::WebWidgetsManage]).await;
    let other = service
        .new_key("acme", &[Scope::ConversationsManage, Scope::AgentsManage])
        .await;
    let foreign = service.new_key("other", Scope::ALL).await;
    let record = link.record();
    for (method, path, body, statuses) in [
        ("POST", &path, Some("{}"), [403, 201, 403, 404]),
        ("GET", &path, None, [200, 200, 403, 404]),
        ("PUT", &record, Some("{}"), [403, 200, 403, 404]),
        ("DELETE", &record, None, [403, 204, 403, 404]),
    ] {
        // The writer comes last: it deletes.
        for (key, status) in [
            (&reader, statuses[0]),
            (&other, statuses[2]),
            (&foreign, statuses[3]),
            (&writer, statuses[1]),
        ] {
            let answer = service.call_with(Some(key), method, path, body, &[]).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {}", answer.text);
        }
    }
}

#[tokio::test]
async fn previews_that_have_ended_are_removed() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let short = Link::of(&visitor, json!({"expires_in": 60})).await;
    let long = Link::of(&visitor, json!({})).await;
    let forget = || async {
        background::forget_expired(&service.state)
            .await
            .expect("storage works");
        // Storage is asked as if it were the time at which both were there.
        let widget = short.widget.parse().expect("an id");
        let organization = "acme".parse().expect("an organization");
        let found = service.storage.list_previews(&organization, widget, START);
        let found = found.await.expect("storage works");
        found
            .into_iter()
            .map(|preview| preview.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(forget().await.len(), 2);
    service.clock.advance(Duration::minutes(10));
    assert_eq!(forget().await, std::slice::from_ref(&long.preview));
}
