//! Lists of which people look for items: by a part of what they remember.

use serde_json::{Value, json};
use sqlx::Connection as _;
use time::Duration;
use widget_api::{Scope, conversations::FIRST_WORDS_CHARACTERS};

use super::conversations::start;
use crate::{
    database::{Connection, Database},
    support::{Answer, Service, id},
};

fn ids(list: &Value) -> Vec<String> {
    list.as_array().expect("an array").iter().map(id).collect()
}

/// The items of every page of a list.
async fn all(service: &Service, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = service.get(&path).await;
        let Value::Array(page) = answer.json(200) else {
            panic!("not a list: {}", answer.text)
        };
        items.extend(page);
        next = next_path(&answer);
    }
    items
}

fn next_path(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().expect("it is ASCII");
    let path = link
        .strip_prefix("<https://widgets.example")
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(path.expect("the form of a link").to_owned())
}

fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[tokio::test]
async fn widgets_are_found_by_what_people_remember() {
    let service = Service::start().await;
    let titled = |title: &str| json!({"v1": {"chat": {"title": title}}});
    let shop = service
        .widget(json!({"config": titled("Größe wählen")}))
        .await;
    service.clock.advance(Duration::minutes(3));
    let any = service
        .widget(json!({"domains": ["*"], "published": false}))
        .await;
    service.clock.advance(Duration::minutes(3));
    let pattern = service
        .widget(json!({
            "domains": ["https://*.shop.example", "http://localhost:3000"],
            "config": titled("Ask us"),
        }))
        .await;
    let (shop, any, pattern) = (&shop, &any, &pattern);
    for (query, expected) in [
        (String::new(), vec![pattern, any, shop]),
        ("title=GRÖSSE".to_owned(), vec![]),
        (format!("title={}", encoded("größE")), vec![shop]),
        ("title=ask".to_owned(), vec![pattern]),
        ("title=100%25".to_owned(), vec![]),
        ("domain=https://shop.example".to_owned(), vec![any, shop]),
        ("domain=http://shop.example".to_owned(), vec![any]),
        ("domain=shop.example".to_owned(), vec![any, shop]),
        ("domain=www.shop.example".to_owned(), vec![pattern, any]),
        ("domain=localhost".to_owned(), vec![pattern, any]),
        ("domain=https://*.shop.example".to_owned(), vec![pattern]),
        ("domain=*".to_owned(), vec![any]),
        (format!("id_prefix={}", id(shop)), vec![shop]),
        (
            format!("id_prefix={}", id(any)[..10].to_uppercase()),
            vec![any],
        ),
        ("id_prefix=ffff".to_owned(), vec![]),
        (
            format!(
                "agent_version_id={}",
                pattern["agent_version_id"].as_str().expect("one")
            ),
            vec![pattern],
        ),
        (
            format!(
                "updated_after={}",
                shop["updated_at"].as_str().expect("one")
            ),
            vec![pattern, any],
        ),
        (
            "published=true&domain=shop.example&title=gr".to_owned(),
            vec![shop],
        ),
        ("published=false&blocked=false".to_owned(), vec![any]),
    ] {
        let list = service
            .get(&format!("/core/web-widgets?{query}"))
            .await
            .json(200);
        let expected: Vec<String> = expected.into_iter().map(id).collect();
        assert_eq!(ids(&list), expected, "{query}");
    }
    for (query, pointer, code) in [
        ("id_prefix=019", "/id_prefix", "id_invalid"),
        ("id_prefix=019x", "/id_prefix", "id_invalid"),
        ("agent_version_id=x", "/agent_version_id", "id_invalid"),
        ("blocked=1", "/blocked", "value_invalid"),
        ("updated_after=yesterday", "/updated_after", "value_invalid"),
        ("titel=x", "/titel", "key_unknown"),
    ] {
        let answer = service.get(&format!("/core/web-widgets?{query}")).await;
        answer.problem_at(422, "query_invalid", pointer, code);
    }
    let answer = service.get("/core/web-widgets?domain=a@b").await;
    answer.problem_at(422, "domains_invalid", "/domain", "userinfo");
    let agent = any["agent_id"].as_str().expect("one");
    let list = service
        .get(&format!("/core/agents?id_prefix={}", &agent[..9]))
        .await
        .json(200);
    assert_eq!(ids(&list), [agent]);
    let list = service.get("/core/agents?id_prefix=ffff").await.json(200);
    assert_eq!(list, json!([]));
}

/// A page of a search ends where it has as many items as asked for, and the next one begins there.
#[tokio::test]
async fn a_search_is_paged() {
    let service = Service::start().await;
    let mut expected = Vec::new();
    for number in 0..7 {
        service.clock.advance(Duration::seconds(1));
        let title = if number % 2 == 0 { "even" } else { "odd" };
        let config = json!({"v1": {"chat": {"title": title}}});
        let widget = service.widget(json!({"config": config})).await;
        if number % 2 == 0 {
            expected.insert(0, id(&widget));
        }
    }
    let first = service.get("/core/web-widgets?title=even&limit=3").await;
    assert_eq!(ids(&first.json(200)), expected[..3]);
    assert!(next_path(&first).is_some());
    for limit in [1, 2, 3, 4, 200] {
        let found = all(
            &service,
            &format!("/core/web-widgets?title=even&limit={limit}"),
        )
        .await;
        assert_eq!(ids(&Value::Array(found)), expected, "{limit}");
    }
}

#[tokio::test]
async fn a_list_says_what_a_table_shows() {
    let service = Service::start().await;
    let config = json!({"v1": {"chat": {"title": "Ask the shop"}}});
    let live = service.widget(json!({"config": config})).await;
    let (agent, version) = service.agent(false).await;
    let blocked = service
        .widget(json!({"agent_id": agent, "agent_version_id": version}))
        .await;
    let unpublished = service.widget(json!({"published": false})).await;
    let of = async |query: &str| {
        service
            .get(&format!("/core/web-widgets{query}"))
            .await
            .json(200)
    };
    let find = |list: &Value, widget: &Value| {
        let mut items = list.as_array().expect("an array").iter();
        let found = items.find(|item| item["id"] == widget["id"]);
        found.expect("it is listed").clone()
    };
    let list = of("").await;
    let codes = |item: &Value| -> Vec<Value> {
        let blockers = item["blockers"].as_array().expect("an array");
        blockers
            .iter()
            .map(|blocker| blocker["code"].clone())
            .collect()
    };
    let item = find(&list, &live);
    assert_eq!(
        (&item["title"], &item["state"], codes(&item)),
        (&json!("Ask the shop"), &json!("live"), vec![])
    );
    assert_eq!(
        (
            &item["agent_name"],
            &item["agent_version_number"],
            &item["agent_version_label"]
        ),
        (&json!("Concierge"), &json!(1), &Value::Null)
    );
    assert_eq!(
        (&item["revision"], &item["domains"]),
        (&json!(1), &live["domains"])
    );
    let item = find(&list, &blocked);
    assert_eq!(
        (&item["state"], codes(&item)),
        (&json!("blocked"), vec![json!("agent_version_draft")])
    );
    let item = find(&list, &unpublished);
    assert_eq!(
        (&item["state"], codes(&item)),
        (&json!("unpublished"), vec![json!("not_published")])
    );
    assert_eq!(ids(&of("?blocked=true").await), [id(&blocked)]);
    assert_eq!(ids(&of("?blocked=true&published=false").await), [""; 0]);

    // A damaged config is a blocker, too.
    let mut connection = Connection::connect(service.database().url())
        .await
        .expect("it opens");
    sqlx::query("UPDATE web_widgets SET config = '{' WHERE published AND config LIKE '%Ask%'")
        .execute(&mut connection)
        .await
        .expect("it has the table");
    connection.close().await.expect("it closes");
    let mut found = ids(&of("?blocked=true").await);
    found.sort_unstable();
    let mut expected = [id(&blocked), id(&live)];
    expected.sort_unstable();
    assert_eq!(found, expected);

    // It is exact at once when the version is published.
    let publish = format!("/core/agents/{agent}/versions/{version}/publish");
    service.post(&publish, &json!({})).await.json(200);
    assert_eq!(ids(&of("?blocked=true").await), [id(&live)]);
    assert_eq!(
        ids(&of("?published=true&blocked=false").await),
        [id(&blocked)]
    );

    service
        .delete(&format!("/core/web-widgets/{}", id(&blocked)))
        .await
        .expect(204);
    let list = of("?deleted=true").await;
    assert_eq!(ids(&list), [id(&blocked)]);
    assert_eq!(
        (&list[0]["state"], &list[0]["revision"]),
        (&Value::Null, &json!(1))
    );
    assert_eq!(of("?deleted=true&blocked=true").await, json!([]));
    assert_eq!(
        ids(&of("?deleted=true&domain=shop.example").await),
        [id(&blocked)]
    );
}

#[tokio::test]
async fn conversations_are_found_by_their_content() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let other = service.widget(json!({})).await;
    let mut of = Vec::new();
    for (number, widget) in [(1, &widget), (2, &widget), (3, &other)] {
        of.push(start(&service, widget, number, "https://shop.example").await);
    }
    for (at, text) in [
        (0, "Wo ist meine BESTELLUNG?"),
        (1, "100% wolle"),
        (2, "Bestellung 7"),
    ] {
        let body = json!({"id": "1", "role": "visitor", "text": text});
        let path = format!("/core/conversations/{}/messages", of[at]);
        service.post(&path, &body).await.json(200);
    }
    set_metadata(
        &service,
        r#"{"email":"a@b.example","forms":{"order":{"number":"17"}}}"#,
        2,
    )
    .await;
    let names: Vec<String> = of.iter().map(ToString::to_string).collect();
    let metadata = |text: &str| format!("metadata={}", encoded(text));
    for (query, expected) in [
        (String::new(), vec![2, 1, 0]),
        ("text=bestellung".to_owned(), vec![2, 0]),
        ("text=100%25".to_owned(), vec![1]),
        ("text=_".to_owned(), vec![]),
        (
            format!("text=bestellung&web_widget_id={}", id(&other)),
            vec![2],
        ),
        (
            "text=bestellung&created_before=2026-01-31T09:30:02Z".to_owned(),
            vec![0],
        ),
        (metadata(r#"{"/email": "a@b.example"}"#), vec![1]),
        (metadata(r#"{"/email": "A@b.example"}"#), vec![]),
        (format!("form={}", encoded(r#"{"number": "17"}"#)), vec![1]),
        ("visitor=17".to_owned(), vec![1]),
        ("visitor=17&text=bestellung".to_owned(), vec![]),
        (format!("id_prefix={}", names[1]), vec![1]),
        (format!("id_prefix={}", &names[1][..6]), vec![2, 1, 0]),
        ("is_open=true".to_owned(), vec![2, 1, 0]),
        ("is_open=false".to_owned(), vec![]),
    ] {
        let found = all(&service, &format!("/core/conversations?{query}")).await;
        let expected: Vec<&String> = expected.into_iter().map(|at: usize| &names[at]).collect();
        assert_eq!(
            ids(&Value::Array(found)).iter().collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
    let found = all(&service, "/core/conversations?text=bestellung&limit=1").await;
    assert_eq!(ids(&Value::Array(found)), [&names[2][..], &names[0][..]]);

    let read = service.new_key("acme", &[Scope::ConversationsRead]).await;
    for query in [
        "text=x",
        "visitor=x",
        "form={}&visitor=x",
        "metadata=%7B%22/a%22:1%7D",
    ] {
        let path = format!("/core/conversations?{query}");
        let answer = service
            .call_with(Some(&read), "GET", &path, None, &[])
            .await;
        answer.problem(403, "insufficient_scope");
    }
    for (query, pointer, code) in [
        ("text=%20", "/text", "value_invalid"),
        ("metadata=x", "/metadata", "json_invalid"),
        ("metadata=[]", "/metadata", "json_invalid"),
        ("metadata=%7B%22a%22:1%7D", "/metadata/a", "pointer_invalid"),
        ("is_open=x", "/is_open", "value_invalid"),
        ("id_prefix=12", "/id_prefix", "id_invalid"),
    ] {
        let answer = service.get(&format!("/core/conversations?{query}")).await;
        answer.problem_at(422, "query_invalid", pointer, code);
    }

    // One that was erased is found by what remains of it, and not by what it had.
    service
        .delete(&format!("/core/conversations/{}", names[0]))
        .await
        .expect(204);
    let found = all(&service, "/core/conversations?text=bestellung").await;
    assert_eq!(ids(&Value::Array(found)), [&names[2][..]]);
    let found = all(&service, "/core/conversations?is_open=false").await;
    assert_eq!(ids(&Value::Array(found)), [&names[0][..]]);
    // The limits end what nobody has ended yet.
    service.clock.advance(Duration::hours(2));
    let found = all(&service, "/core/conversations?is_open=true").await;
    assert_eq!(found, Vec::<Value>::new());
}

/// A list says what was said first, so that nobody has to open every conversation.
#[tokio::test]
async fn a_list_shows_the_first_words_of_visitors() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let long = "ß".repeat(FIRST_WORDS_CHARACTERS + 1);
    let mut names = Vec::new();
    for (number, turns) in [
        (
            1,
            vec![
                ("agent", "Hello"),
                ("visitor", "Where is it?"),
                ("visitor", "Now"),
            ],
        ),
        (2, vec![("visitor", &long)]),
        (3, vec![("agent", "Hello")]),
        (4, vec![("visitor", "Erase this")]),
    ] {
        let id = start(&service, &widget, number, "https://shop.example").await;
        for (turn, (role, text)) in turns.into_iter().enumerate() {
            let body = json!({"id": turn.to_string(), "role": role, "text": text});
            let path = format!("/core/conversations/{id}/messages");
            service.post(&path, &body).await.json(200);
        }
        names.push(id);
    }
    service
        .delete(&format!("/core/conversations/{}", names[3]))
        .await
        .expect(204);
    let first_words = |list: &Value| -> Vec<Option<String>> {
        let list = list.as_array().expect("an array");
        let words = |item: &Value| {
            item.get("first_words")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        list.iter().map(words).collect()
    };
    let cut = "ß".repeat(FIRST_WORDS_CHARACTERS);
    let expected = [None, None, Some(cut), Some("Where is it?".to_owned())];
    let list = service.get("/core/conversations").await.json(200);
    assert_eq!(first_words(&list), expected);
    let list = service
        .get("/core/conversations?is_open=true")
        .await
        .json(200);
    assert_eq!(first_words(&list), expected[1..]);
    let list = service
        .get("/core/conversations?text=where")
        .await
        .json(200);
    assert_eq!(first_words(&list), expected[3..]);

    let read = service.new_key("acme", &[Scope::ConversationsRead]).await;
    let list = service
        .call_with(Some(&read), "GET", "/core/conversations", None, &[])
        .await
        .json(200);
    assert_eq!(first_words(&list), [const { None }; 4]);
}

async fn set_metadata(service: &Service, metadata: &str, number: u128) {
    let database: &Database = service.database();
    let mut connection = Connection::connect(database.url()).await.expect("it opens");
    sqlx::query("UPDATE conversations SET custom_metadata = $1 WHERE id = $2")
        .bind(metadata)
        .bind(uuid::Uuid::from_u128(number))
        .execute(&mut connection)
        .await
        .expect("it has the table");
    connection.close().await.expect("it closes");
}
