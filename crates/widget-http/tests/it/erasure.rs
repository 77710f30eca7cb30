//! Erasing and exporting conversations, and how long their content is kept.

use serde_json::{Value, json};
use time::Duration;
use widget_api::Scope;
use widget_http::background;

use crate::support::{Answer, Service, id};
use crate::visitor::support::{Started, Visitor, with_livekit};

pub(crate) mod forgotten;
mod jobs;
mod races;
mod retention;
mod schema;
mod settled;

/// A config with every form that a visitor can fill in.
pub(crate) fn with_forms() -> Value {
    let field = json!({"id": "email", "type": "text", "label": "E-mail"});
    json!({"v1": {
        "pre_conversation_form": {"id": "before", "fields": [field]},
        "forms": [{"id": "order", "fields": [field]}],
        "post_conversation_feedback": {"enabled": true},
    }})
}

/// A conversation in which `text` is said and sent everywhere.
pub(crate) async fn say_everywhere(visitor: &Visitor<'_>, text: &str) -> Started {
    let start = json!({"form": {"email": text}, "custom_metadata": {"title": text}});
    let started: Started = visitor.try_start(start).await.json(201).into();
    let below = format!("/conversations/{}", started.id);
    let message = json!({"id": format!("of {text}"), "role": "agent", "text": text});
    let messages = format!("/core{below}/messages");
    visitor.service.post(&messages, &message).await.json(200);
    let turns = json!({"messages": [{"id": "1", "role": "visitor", "text": text}]});
    let window = async |tail: &str, body: Value| {
        let tail = format!("{below}{tail}");
        visitor.window(&tail, &started.token, body).await
    };
    window("/messages", turns).await.json(200);
    let form = json!({"data": {"email": text}});
    window("/forms/order", form).await.json(200);
    visitor.end(&started).await.json(200);
    let feedback = json!({"data": {"rating": 5, "comment": text}});
    window("/feedback", feedback).await.json(201);
    started
}

pub(crate) fn path(started: &Started) -> String {
    format!("/core/conversations/{}", started.id)
}

/// Every write of the worker and of the window, and every read with a token.
async fn try_everything(visitor: &Visitor<'_>, started: &Started) -> Vec<(&'static str, Answer)> {
    let (service, below) = (visitor.service, format!("/conversations/{}", started.id));
    let message = json!({"id": "late", "role": "agent", "text": "Hello"});
    let turns = json!({"messages": [{"id": "late", "role": "visitor", "text": "Hello"}]});
    let values = json!({"data": {"email": "a@b.example"}});
    let window = async |tail: &str, body: Value| {
        let tail = format!("{below}{tail}");
        visitor.window(&tail, &started.token, body).await
    };
    let path = path(started);
    vec![
        (
            "worker reads",
            service.get(&format!("{path}/messages")).await,
        ),
        (
            "worker reports",
            service.post(&format!("{path}/messages"), &message).await,
        ),
        (
            "worker ends",
            service.post(&format!("{path}/end"), &json!({})).await,
        ),
        ("export", service.get(&format!("{path}/export")).await),
        ("window reads", visitor.read(started).await),
        ("window reports", window("/messages", turns).await),
        ("form", window("/forms/order", values.clone()).await),
        (
            "feedback",
            window("/feedback", json!({"data": {"rating": 5}})).await,
        ),
        ("window ends", window("/end", json!({})).await),
        ("resume", visitor.try_resume(started).await),
    ]
}

#[tokio::test]
async fn an_erased_conversation_is_a_tombstone_and_nothing_writes_to_it() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let said = say_everywhere(&visitor, "a secret").await;
    let open = visitor.start().await;
    let kept = service.get(&path(&open)).await.json(200);
    assert_eq!(kept["is_open"], true);
    for started in [&said, &open] {
        let before = service.get(&path(started)).await.json(200);
        service.clock.advance(Duration::SECOND);
        service.delete(&path(started)).await.expect(204);
        let tombstone = service.get(&path(started)).await.json(200);
        service.clock.advance(Duration::SECOND);
        service.delete(&path(started)).await.expect(204);
        assert_eq!(service.get(&path(started)).await.json(200), tombstone);
        for kept in ["id", "web_widget_id", "agent_version_id", "created_at"] {
            assert_eq!(tombstone[kept], before[kept], "{kept}");
        }
        assert_eq!(tombstone["is_open"], false);
        let key = service.key().strip_prefix("ak_").expect("a key");
        let (key, _) = key.split_once('.').expect("a key");
        assert_eq!(tombstone["erased_by"], key);
        assert!(tombstone["erased_at"].is_string());
        assert!(tombstone.get("custom_metadata").is_none());
        let room = service
            .storage
            .find_newest_room(started.id.parse().expect("an id"))
            .await;
        let room = room.expect("storage works").expect("it is known");
        assert!(room.is_removed(), "{room:?}");
        for (what, answer) in try_everything(&visitor, started).await {
            assert_eq!(answer.status, 410, "{what}: {}", answer.text);
            answer.problem(410, "conversation_erased");
        }
    }
    let listed = service.get("/core/conversations").await.json(200);
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one["erased_at"].is_string()));

    let unknown = "/core/conversations/0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01";
    service.delete(unknown).await.problem(404, "not_found");
    let other = service.new_key("other", Scope::ALL).await;
    let target = path(&said);
    let answer = service.call_with(Some(&other), "DELETE", &target, None, &[]);
    answer.await.problem(404, "not_found");
    let scopes = [Scope::ConversationsReadSensitive, Scope::ConversationsWrite];
    let worker = service.new_key("acme", &scopes).await;
    for (method, path) in [
        ("DELETE", path(&said)),
        ("GET", format!("{}/export", path(&said))),
        ("POST", "/core/conversations/erase".to_owned()),
        ("POST", "/core/conversations/export".to_owned()),
        ("PUT", "/core/organization/retention".to_owned()),
    ] {
        let answer = service.call_with(Some(&worker), method, &path, Some("{}"), &[]);
        answer.await.problem(403, "insufficient_scope");
    }
}

/// Runs the jobs until there is nothing to do.
pub(crate) async fn run_jobs(service: &Service) {
    for round in 0.. {
        let erased = background::run_erasure_jobs(&service.state).await;
        if erased.expect("storage works") == 0 {
            break;
        }
        assert!(round < 100, "it erases for ever");
    }
}

async fn erase(service: &Service, filter: &Value, dry_run: bool) -> Value {
    let body = json!({"filter": filter, "dry_run": dry_run});
    let answer = service.post("/core/conversations/erase", &body).await;
    let job = answer.json(202);
    assert_eq!(job["status"], "running");
    let job_path = answer.header("location").to_owned();
    assert_eq!(job_path, format!("/core/erasure-jobs/{}", id(&job)));
    run_jobs(service).await;
    let done = service.get(&job_path).await.json(200);
    assert_eq!(done["status"], "completed");
    done
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, in order")]
async fn a_filter_erases_exactly_what_it_selects() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let mut all = Vec::new();
    for text in ["a@b.example", "c@d.example", "A@b.example"] {
        all.push(say_everywhere(&visitor, text).await);
        service.clock.advance(Duration::hours(1));
    }
    let elsewhere = Visitor::of(&service, with_forms()).await;
    all.push(say_everywhere(&elsewhere, "a@b.example").await);
    let exported = async |filter: &Value| {
        let body = json!({"filter": filter});
        let answer = service.post("/core/conversations/export", &body).await;
        answer.expect(200);
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let lines = answer.text.lines();
        let lines = lines.map(|line| serde_json::from_str(line).expect("JSON"));
        lines.collect::<Vec<Value>>()
    };
    let time = |hours: i64| {
        let time = crate::support::START + Duration::hours(hours);
        let format = &time::format_description::well_known::Rfc3339;
        time.format(format).expect("a time of today")
    };
    let later = time(2);
    let widget = id(&visitor.widget);
    for (filter, expected) in [
        (json!({"metadata": {"/email": "a@b.example"}}), vec![0, 3]),
        (json!({"metadata": {"/page/title": "c@d.example"}}), vec![1]),
        (json!({"metadata": {"/email": "a@b"}}), vec![]),
        (json!({"form": {"email": "a@b.example"}}), vec![0, 3]),
        (
            json!({"form": {"comment": "c@d.example", "rating": 5}}),
            vec![1],
        ),
        // Only here an address is the same in upper and lower case.
        (json!({"visitor": "A@b.example"}), vec![0, 2, 3]),
        (json!({"metadata": {"/email": "A@b.example"}}), vec![2]),
        (json!({"web_widget_id": widget}), vec![0, 1, 2]),
        (
            json!({"web_widget_id": widget, "visitor": "a@b.example"}),
            vec![0, 2],
        ),
        (json!({"created_before": later}), vec![0, 1]),
        (json!({"created_after": later}), vec![3]),
    ] {
        let found = exported(&filter).await;
        let found: Vec<_> = found.iter().map(|one| &one["conversation"]["id"]).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|index: &usize| &all[*index].id)
            .collect();
        assert_eq!(found, expected, "{filter}");
        let counted = erase(&service, &filter, true).await;
        assert_eq!(counted["matched"], expected.len(), "{filter}");
        assert_eq!(counted["erased"], 0);
    }
    let one = exported(&json!({"visitor": "c@d.example"})).await;
    let metadata = &one[0]["conversation"]["custom_metadata"];
    assert_eq!(metadata["forms"]["order"]["email"], "c@d.example");
    assert_eq!(metadata["feedback_form"]["comment"], "c@d.example");
    assert_eq!(one[0]["messages"].as_array().map(Vec::len), Some(2));
    assert_eq!(one[0]["origin"], "https://shop.example");
    let single = service.get(&format!("{}/export", path(&all[1]))).await;
    assert_eq!(single.json(200), one[0]);

    let done = erase(&service, &json!({"visitor": "a@b.example"}), false).await;
    assert_eq!((&done["matched"], &done["erased"]), (&json!(3), &json!(3)));
    for (index, started) in all.iter().enumerate() {
        let read = service.get(&path(started)).await.json(200);
        assert_eq!(read["erased_at"].is_string(), index != 1, "{read}");
    }
    assert_eq!(
        exported(&json!({"visitor": "a@b.example"})).await,
        [json!(null); 0]
    );

    for (filter, pointer, code) in [
        (json!({}), "/filter", "value_missing"),
        (json!({"metadata": {}}), "/filter", "value_missing"),
        (
            json!({"metadata": {"email": 1}}),
            "/filter/metadata/email",
            "pointer_invalid",
        ),
    ] {
        let body = json!({"filter": filter});
        for tail in ["erase", "export"] {
            let answer = service
                .post(&format!("/core/conversations/{tail}"), &body)
                .await;
            answer.problem_at(422, "selection_invalid", pointer, code);
        }
    }
    for body in [
        json!({}),
        json!({"filter": {"email": "x"}}),
        json!({"filter": {"visitor": null}}),
    ] {
        let answer = service.post("/core/conversations/erase", &body).await;
        answer.problem(422, "body_invalid");
    }
    let other = service.new_key("other", Scope::ALL).await;
    let job = format!("/core/erasure-jobs/{}", id(&done));
    let answer = service.call_with(Some(&other), "GET", &job, None, &[]);
    answer.await.problem(404, "not_found");
    // What fits and belongs to another organization is neither counted, exported nor erased.
    let by_other = async |method: &str, path: &str, body: Value| {
        let body = (method == "POST").then(|| body.to_string());
        let answer = service.call_with(Some(&other), method, path, body.as_deref(), &[]);
        answer.await
    };
    let filter = json!({"visitor": "c@d.example"});
    let body = json!({"filter": filter});
    let answer = by_other("POST", "/core/conversations/export", body).await;
    answer.expect(200);
    assert_eq!(answer.text, "");
    for dry_run in [true, false] {
        let body = json!({"filter": filter, "dry_run": dry_run});
        let job = by_other("POST", "/core/conversations/erase", body).await;
        let job = job.header("location").to_owned();
        run_jobs(&service).await;
        let done = by_other("GET", &job, json!(null)).await.json(200);
        assert_eq!((&done["matched"], &done["erased"]), (&json!(0), &json!(0)));
    }
    let kept = service.get(&path(&all[1])).await.json(200);
    assert!(kept["erased_at"].is_null(), "{kept}");
}

#[tokio::test]
async fn a_repeated_request_finds_its_job() {
    let service = Service::start().await;
    let key = [("idempotency-key", "erase a@b.example")];
    let request = async |visitor: &str| {
        let body = json!({"filter": {"visitor": visitor}}).to_string();
        let path = "/core/conversations/erase";
        service.call("POST", path, Some(&body), &key).await
    };
    let job = request("a@b.example").await.json(202);
    run_jobs(&service).await;
    let again = request("a@b.example").await.json(202);
    assert_eq!(id(&again), id(&job));
    assert_eq!(again["status"], "completed");
    let reused = request("c@d.example").await;
    reused.problem(422, "idempotency_key_reused");
}
