//! Conversations of a preview: real ones, marked, and counted to nothing but their link.

use super::*;

async fn shown(service: &Service, started: &Started) -> Value {
    let path = format!("/core/conversations/{}", started.id);
    service.get(&path).await.json(200)
}

#[tokio::test]
async fn a_conversation_of_a_preview_is_marked_as_one() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    let of_preview = link.start().await;
    let of_widget = visitor.start().await;
    assert_eq!(shown(&service, &of_preview).await["preview"], json!(true));
    assert_eq!(shown(&service, &of_widget).await.get("preview"), None);
    let list = service.get("/core/conversations").await.json(200);
    let marked = list.as_array().expect("a list").iter();
    let marked: Vec<_> = marked.map(|it| it.get("preview").is_some()).collect();
    assert_eq!(marked, [false, true]);

    // It is resumed with a ticket of the same preview, and erased as any other.
    let tail = format!("/conversations/{}/resume", of_preview.id);
    let ticket = json!({"ticket": link.ticket().await});
    let resumed: Started = link
        .window(&tail, &of_preview.token, ticket)
        .await
        .json(200)
        .into();
    link.end(&resumed).await;
    let erase = format!("/core/conversations/{}", of_preview.id);
    service.delete(&erase).await;
    let erased = shown(&service, &of_preview).await;
    assert!(erased["erased_at"].is_string(), "{erased}");
    assert_eq!(erased["preview"], json!(true));
}

#[tokio::test]
async fn a_conversation_ends_with_its_preview() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({"config": draft_config()})).await;
    let started = link.start().await;
    let ticket = link.ticket().await;
    // A change of the widget leaves it alone, and so does one of the draft.
    let widget = format!("/core/web-widgets/{}", link.widget);
    let closed = json!({"published": false});
    service.put(&widget, &closed).await.json(200);
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    assert!(!is_to_be_removed(&service, &started.room).await);

    service.delete(&link.record()).await.expect(204);
    assert!(is_to_be_removed(&service, &started.room).await);
    let starts = link.window("/conversations", &ticket, json!({})).await;
    starts.problem(403, "widget_unavailable");
    let tail = format!("/conversations/{}/forms/draft", started.id);
    let data = json!({"data": {"name": "A"}});
    let form = link.window(&tail, &started.token, data).await;
    form.problem(403, "widget_unavailable");

    // Nobody joins one whose preview has ended.
    let short = Link::of(&visitor, json!({"expires_in": 60})).await;
    let late = short.start().await;
    service.clock.advance(Duration::minutes(1));
    deliver(&service, &event("2", "participant_joined", &late.room)).await;
    assert!(is_to_be_removed(&service, &late.room).await);
    // One that continued loses its room when the preview is removed.
    let short = Link::of(&visitor, json!({"expires_in": 60})).await;
    let open = short.start().await;
    join(&service, &open).await;
    service.clock.advance(Duration::minutes(10));
    background::forget_expired(&service.state)
        .await
        .expect("storage works");
    assert!(is_to_be_removed(&service, &open.room).await);
}

#[tokio::test]
async fn a_link_allows_two_open_conversations_and_twenty_a_day() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.conversations_per_minute = 1_000;
        settings.limits.tickets_per_minute = 1_000;
    })
    .await;
    let node = service.another_node().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let link = Link::of(&visitor, json!({})).await;
    let elsewhere = link.on(&node);

    // Of many at once on two nodes, exactly two are started.
    let starts = (0..6).map(|number| {
        let link = if number % 2 == 0 { &link } else { &elsewhere };
        async move {
            loop {
                let answer = link.try_start(json!({})).await;
                if answer.status != 503 {
                    return answer;
                }
            }
        }
    });
    let answers = join_all(starts).await;
    let (started, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(started.len(), 2);
    for answer in refused {
        answer.problem(429, "widget_busy");
        assert_eq!(
            answer.header("ratelimit-policy"),
            "\"preview-open-conversations\";q=2"
        );
    }
    // Another link has its own.
    let other = Link::of(&visitor, json!({})).await;
    other.start().await;
    // What nobody joins is over after some minutes, also before it is swept.
    service.clock.advance(Duration::minutes(4));
    for _ in 2..20 {
        let started = link.start().await;
        link.end(&started).await;
        service.clock.advance(Duration::seconds(10));
    }
    let answer = link.try_start(json!({})).await;
    answer.problem(429, "budget_used_up");
    assert_eq!(
        answer.header("ratelimit-policy"),
        "\"preview-day\";q=20;w=86400"
    );
    other.start().await;
    service.clock.advance(Duration::hours(15));
    link.start().await;
}

#[tokio::test]
async fn a_preview_counts_to_no_budget_and_to_no_number() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.budgets.open_on_widget = 1;
    })
    .await;
    let config =
        json!({"v1": {"modes": {"voice": true}, "post_conversation_feedback": {"enabled": true}}});
    let visitor = Visitor::of(&service, config).await;
    let limits = format!("/core/web-widgets/{}/limits", id(&visitor.widget));
    let set = json!({"conversations_per_day": 1, "voice_minutes_per_day": 5});
    service.put(&limits, &set).await.json(200);
    let link = Link::of(&visitor, json!({})).await;
    let before = scrape(&service).await;

    let started: Started = link
        .try_start(json!({"mode": "voice"}))
        .await
        .json(201)
        .into();
    join(&service, &started).await;
    let tail = format!("/conversations/{}/voice", started.id);
    let voice = link
        .window(&tail, &started.token, json!({}))
        .await
        .json(200);
    assert_eq!(voice["reserved_until"], Value::Null);
    // Its voice needs no minutes that were reserved.
    let mut speaks = event("3", "track_published", &started.room);
    speaks["track"] = json!({"sid": "TR_1", "source": "MICROPHONE"});
    deliver(&service, &speaks).await;
    assert!(!is_to_be_removed(&service, &started.room).await);
    let today = service.get(&limits).await.json(200)["today"].clone();
    for what in ["conversations", "voice_seconds"] {
        let used = &today[what];
        assert_eq!(
            (&used["used"], &used["reserved"]),
            (&json!(0), &json!(0)),
            "{today}"
        );
    }
    link.end(&started).await;
    // What comes after the end counts neither.
    let tail = format!("/conversations/{}/feedback", started.id);
    let stars = json!({"data": {"rating": 5}});
    link.window(&tail, &started.token, stars).await.expect(201);
    let late = json!({"id": "late", "role": "agent", "text": "Bye"});
    let messages = format!("/core/conversations/{}/messages", started.id);
    service.post(&messages, &late).await.json(200);
    let numbers = format!("/core/web-widgets/{}/statistics", id(&visitor.widget));
    let total = service.get(&numbers).await.json(200)["total"].clone();
    assert_eq!(total["feedback"]["submitted"], 0, "{total}");
    assert_eq!(total["messages"]["agent"], 0, "{total}");
    assert_eq!(total["conversations_ended"]["visitor"], 0, "{total}");
    let after = scrape(&service).await;
    for series in [
        "widget_conversations_started_total",
        "widget_conversations_joined_total",
        "widget_conversations_ended_total{status=\"completed\",reason=\"visitor\"}",
        "widget_decisions_total{code=\"served\"}",
    ] {
        let change = value(&after, series) - value(&before, series);
        assert!(change.abs() < 1e-9, "{series} changed by {change}");
    }

    // The visitor's own conversation is the first of the day and the only one that is open; and
    // that of a preview may start beside it.
    let own: Started = visitor.start().await;
    join(&service, &own).await;
    let counted = value(
        &scrape(&service).await,
        "widget_conversations_started_total",
    );
    assert!((counted - value(&after, "widget_conversations_started_total") - 1.0).abs() < 1e-9);
    link.start().await;
    // A limit that is set later counts what began before, without previews.
    let set = json!({"conversations_per_day": 2});
    service.put(&limits, &set).await.json(200);
    let today = service.get(&limits).await.json(200)["today"].clone();
    assert_eq!(today["conversations"]["used"], json!(1), "{today}");
}
