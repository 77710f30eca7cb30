//! The registry of agents over HTTP.

use serde_json::json;

use crate::support::{Service, id};

#[tokio::test]
async fn an_agent_lives_from_creation_to_deletion() {
    let service = Service::start().await;
    let answer = service
        .post("/core/agents", &json!({"name": "  Concierge "}))
        .await;
    let agent = answer.json(201);
    let path = format!("/core/agents/{}", id(&agent));
    assert_eq!(answer.header("location"), path);
    assert_eq!(agent["name"], "Concierge");
    assert_eq!(agent["created_at"], "2026-01-31T09:30:00Z");
    assert_eq!(service.get(&path).await.json(200), agent);
    assert_eq!(service.get("/core/agents").await.json(200), json!([agent]));
    assert_eq!(
        service.get(&format!("{path}/versions")).await.json(200),
        json!([])
    );
    service.delete(&path).await.expect(204);
    service.get(&path).await.problem(404, "not_found");
    service.delete(&path).await.problem(404, "not_found");
    service
        .get(&format!("{path}/versions"))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn versions_count_and_are_published_once() {
    let service = Service::start().await;
    let agent = id(&service
        .post("/core/agents", &json!({"name": "a"}))
        .await
        .json(201));
    let versions = format!("/core/agents/{agent}/versions");
    let first = service
        .post(&versions, &json!({"livekit_agent_name": "one"}))
        .await
        .json(201);
    let second = service
        .post(
            &versions,
            &json!({"livekit_agent_name": "two", "label": "beta"}),
        )
        .await
        .json(201);
    assert_eq!(
        (&first["number"], &second["number"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        (&first["status"], &first["label"], &second["label"]),
        (&json!("draft"), &json!(null), &json!("beta"))
    );
    assert_eq!(first["agent_id"], agent.as_str());

    let publish = format!("{versions}/{}/publish", id(&first));
    let published = service.call("POST", &publish, None, &[]).await.json(200);
    assert_eq!(published["status"], "published");
    service.clock.advance(time::Duration::minutes(5));
    assert_eq!(
        service.call("POST", &publish, None, &[]).await.json(200),
        published
    );
    assert_eq!(
        service.get(&versions).await.json(200),
        json!([second, published])
    );

    let (other, _) = service.agent(false).await;
    let foreign = format!("/core/agents/{other}/versions/{}/publish", id(&second));
    service
        .call("POST", &foreign, None, &[])
        .await
        .problem(404, "not_found");
    service
        .call("POST", &format!("{versions}/nonsense/publish"), None, &[])
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn an_agent_in_use_is_not_deleted() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let agent = format!(
        "/core/agents/{}",
        widget["agent_id"].as_str().expect("a string")
    );
    service.delete(&agent).await.problem(409, "agent_in_use");
    // A widget may pin the version of another agent; that is a blocker, and the version still in
    // use.
    let (other, other_version) = service.agent(true).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    service
        .put(&path, &json!({"agent_version_id": other_version}))
        .await
        .json(200);
    service
        .delete(&format!("/core/agents/{other}"))
        .await
        .problem(409, "agent_in_use");
    service.delete(&path).await.expect(204);
    service.delete(&agent).await.expect(204);
    service
        .delete(&format!("/core/agents/{other}"))
        .await
        .expect(204);
}

#[tokio::test]
async fn names_are_checked() {
    let service = Service::start().await;
    for name in ["", "   ", "a\u{7}b", &"x".repeat(201)] {
        service
            .post("/core/agents", &json!({"name": name}))
            .await
            .problem_at(422, "body_invalid", "/name", "value_invalid");
    }
    service.post("/core/agents", &json!({})).await.problem_at(
        422,
        "body_invalid",
        "/name",
        "key_missing",
    );
    service
        .post("/core/agents", &json!({"name": "a", "nome": "b"}))
        .await
        .problem_at(422, "body_invalid", "/nome", "key_unknown");
}
