//! Conversations: created, listed, resumed, ended.

use time::{Duration, OffsetDateTime};
use widget_core::{
    conversation::{
        Activity, EndReason, Lifecycle, LifecycleLimits, Mode, Presence, Status,
        budget::{BudgetError, Budgets, StartRange},
    },
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
};
use widget_http::storage::{
    ConversationFilter, ConversationRecord, CreateConversationError, ListPage, NewConversation,
    NewRoom, ResumeConversation, ResumeError, StartPlace, Storage, StoredConversation,
    SweepPosition, Transition, UsedTicket,
};

use super::{ALL, micros, number, organization};
use crate::support::START;

pub(crate) fn new_conversation(
    organization: &OrganizationId,
    id: u128,
    widget: u128,
    origin: &str,
) -> NewConversation {
    let now = START + Duration::seconds(i64::try_from(id).expect("a small number"));
    NewConversation {
        conversation: ConversationRecord {
            id: ConversationId::from_uuid(number(id)),
            organization_id: organization.clone(),
            web_widget_id: WidgetId::from_uuid(number(widget)),
            preview_id: None,
            agent_id: AgentId::from_uuid(number(1)),
            agent_version_id: AgentVersionId::from_uuid(number(2)),
            livekit_agent_name: "concierge".to_owned(),
            origin: origin.parse().expect("an origin"),
            lifecycle: Lifecycle::created(now),
            mode: Mode::Voice,
            custom_metadata: r#"{"page":{"a":1}}"#.to_owned(),
            generation: 1,
            repeat_used: false,
            created_at: now,
        },
        room: NewRoom {
            name: format!("room-{id}"),
            page_changed: false,
            message_waiting: false,
        },
        ticket: UsedTicket {
            id: format!("ticket-{id}"),
            expires_at: now + Duration::minutes(1),
        },
        place: None,
        budgets: Budgets::default(),
        limits: LifecycleLimits::default(),
    }
}

#[expect(clippy::too_many_lines, reason = "one story, in order")]
pub(super) async fn life(storage: &dyn Storage) {
    let ours = organization("talks");
    let new = new_conversation(&ours, 0x400, 0x4FF, "https://a.example");
    let id = new.conversation.id;
    storage.create_conversation(&new).await.expect("it is new");
    super::workers::activity(storage, &new).await;
    assert_eq!(
        storage.find_conversation(id).await.expect("works"),
        Some(new.conversation.clone())
    );
    assert_eq!(
        storage
            .find_organization_conversation(&organization("others"), id)
            .await
            .expect("works"),
        None
    );
    assert_eq!(
        storage
            .find_organization_conversation(&ours, id)
            .await
            .expect("works"),
        Some(StoredConversation::Kept(Box::new(new.conversation.clone())))
    );

    // The same ticket creates no second conversation, nor a part of one.
    let mut replay = new_conversation(&ours, 0x401, 0x4FF, "https://a.example");
    replay.ticket.clone_from(&new.ticket);
    let refused = storage.create_conversation(&replay).await;
    assert!(
        matches!(refused, Err(CreateConversationError::TicketReplayed)),
        "{refused:?}"
    );
    assert_eq!(
        storage
            .find_conversation(replay.conversation.id)
            .await
            .expect("works"),
        None
    );
    let room = storage.find_newest_room(replay.conversation.id).await;
    assert_eq!(room.expect("works"), None);

    let later = new_conversation(&ours, 0x402, 0x4FE, "https://b.example");
    storage
        .create_conversation(&later)
        .await
        .expect("it is new");
    let ids = async |filter: ConversationFilter, page| -> Vec<u128> {
        let found = storage
            .list_conversations(&ours, &filter, page)
            .await
            .expect("works");
        found
            .iter()
            .map(|listed| listed.position.1.as_u128())
            .collect()
    };
    let any = ConversationFilter::default;
    assert_eq!(ids(any(), ALL).await, [0x402, 0x400]);
    let created_at = later.conversation.created_at;
    let before = Some((micros(created_at), number(0x402)));
    assert_eq!(ids(any(), ListPage { before, limit: 5 }).await, [0x400]);
    let widget = Some(WidgetId::from_uuid(number(0x4FE)));
    assert_eq!(
        ids(
            ConversationFilter {
                web_widget_id: widget,
                ..any()
            },
            ALL
        )
        .await,
        [0x402]
    );
    let after = Some(new.conversation.created_at);
    assert_eq!(
        ids(
            ConversationFilter {
                created_after: after,
                ..any()
            },
            ALL
        )
        .await,
        [0x402]
    );
    let before = Some(later.conversation.created_at);
    assert_eq!(
        ids(
            ConversationFilter {
                created_before: before,
                ..any()
            },
            ALL
        )
        .await,
        [0x400]
    );

    let now = START + Duration::hours(1);
    let joined = storage
        .transition_conversation(id, now, &LifecycleLimits::default(), &|lifecycle| {
            lifecycle.joined(now)
        })
        .await
        .expect("works");
    let joined = joined.expect("it exists");
    let activity = Activity {
        joined_at: now,
        active_at: now,
    };
    assert_eq!(
        (joined.lifecycle.status(), joined.lifecycle.activity()),
        (Status::InProgress, Some(activity))
    );
    let mut another = new_conversation(&ours, 0x403, 0x4FF, "https://a.example");
    another.budgets.open_on_widget = 1;
    let refused = storage.create_conversation(&another).await;
    let busy = BudgetError::WidgetBusy { max: 1 };
    assert!(
        matches!(&refused, Err(CreateConversationError::OverBudget(error)) if *error == busy),
        "{refused:?}"
    );
    another.budgets = Budgets::default();
    another.budgets.open_in_organization = Some(1);
    let refused = storage.create_conversation(&another).await;
    let busy = BudgetError::OrganizationBusy { max: 1 };
    assert!(
        matches!(&refused, Err(CreateConversationError::OverBudget(error)) if *error == busy),
        "{refused:?}"
    );
    let end = now + Duration::minutes(1);
    let ended = storage
        .transition_conversation(id, end, &LifecycleLimits::default(), &|lifecycle| {
            lifecycle.end(end, EndReason::Visitor, &LifecycleLimits::default())
        })
        .await;
    let ended = ended.expect("works").expect("it exists");
    assert_eq!(
        (
            ended.lifecycle.status(),
            ended.lifecycle.ended_at(),
            ended.lifecycle.end_reason(),
            ended.lifecycle.activity()
        ),
        (
            Status::Completed,
            Some(end),
            Some(EndReason::Visitor),
            Some(activity)
        )
    );
    assert_eq!(
        storage.find_conversation(id).await.expect("works"),
        Some(ended.clone())
    );
    assert_eq!(
        storage
            .find_newest_room(id)
            .await
            .expect("works")
            .expect("it exists")
            .removal_due_at,
        Some(end)
    );
    let again = storage
        .transition_conversation(id, now, &LifecycleLimits::default(), &|lifecycle| {
            lifecycle.joined(now)
        })
        .await
        .expect("works");
    assert_eq!(again, Some(ended));
    let nobody = ConversationId::from_uuid(number(0x4AA));
    assert_eq!(
        storage
            .transition_conversation(nobody, now, &LifecycleLimits::default(), &|lifecycle| {
                lifecycle
            })
            .await
            .expect("works"),
        None
    );
    another.budgets.open_on_widget = 1;
    let created = storage.create_conversation(&another).await;
    created.expect("none is open, and no refusal has used up the ticket");
}

pub(super) async fn resuming(storage: &dyn Storage) {
    let new = new_conversation(&organization("resuming"), 0x500, 0x5FF, "https://a.example");
    let id = new.conversation.id;
    storage.create_conversation(&new).await.expect("it is new");
    let now = new.conversation.created_at + Duration::minutes(1);
    let resume = |generation, name: &str| ResumeConversation {
        id,
        generation,
        repeat: false,
        mode: Mode::Text,
        room: NewRoom {
            name: name.to_owned(),
            page_changed: name == "third",
            message_waiting: name == "third",
        },
        ticket: UsedTicket {
            id: format!("for {name}"),
            expires_at: now,
        },
        place: None,
        budgets: Budgets::default(),
        now,
        limits: LifecycleLimits::default(),
    };
    let resumed = storage
        .resume_conversation(&resume(1, "second"))
        .await
        .expect("generation 1 is current");
    assert_eq!(
        (
            resumed.generation,
            resumed.mode,
            resumed.lifecycle.token_at()
        ),
        (2, Mode::Text, now)
    );
    let stale = storage.resume_conversation(&resume(1, "third")).await;
    assert!(matches!(stale, Err(ResumeError::Stale)), "{stale:?}");
    // A refused request uses up nothing.
    let mut retry = resume(2, "third");
    retry.repeat = true;
    let resumed = storage
        .resume_conversation(&retry)
        .await
        .expect("generation 2 is current");
    assert_eq!((resumed.generation, resumed.repeat_used), (3, true));
    let mut replay = resume(3, "fourth");
    replay.ticket = retry.ticket;
    let refused = storage.resume_conversation(&replay).await;
    assert!(
        matches!(refused, Err(ResumeError::TicketReplayed)),
        "{refused:?}"
    );
    let newest = storage
        .find_newest_room(id)
        .await
        .expect("works")
        .expect("it has rooms");
    assert_eq!(
        (
            newest.name.as_str(),
            newest.generation,
            newest.page_changed,
            newest.message_waiting,
            newest.removal_due_at
        ),
        ("third", 3, true, true, None)
    );
    let due = storage
        .find_rooms_to_remove(now, &SweepPosition::default(), 100)
        .await
        .expect("works");
    for old in ["room-1280", "second"] {
        let room = due.iter().find(|room| room.name == old);
        assert_eq!(
            room.map(|room| room.removal_due_at),
            Some(Some(now)),
            "{old}"
        );
    }
    storage
        .transition_conversation(id, now, &LifecycleLimits::default(), &|lifecycle| {
            lifecycle.end(now, EndReason::Agent, &LifecycleLimits::default())
        })
        .await
        .expect("works");
    let over = storage.resume_conversation(&resume(3, "fifth")).await;
    assert!(matches!(over, Err(ResumeError::Ended(_))), "{over:?}");
}

/// Where a test starts conversations.
pub(crate) fn place(address: &str, network: Option<&str>) -> StartPlace {
    StartPlace {
        address: address.parse().expect("it needs no quoting"),
        network: network.map(|network| network.parse().expect("it needs no quoting")),
    }
}

/// A resume in text by a ticket of its own.
pub(crate) fn resume_at(
    id: ConversationId,
    generation: i64,
    place: Option<StartPlace>,
    budgets: Budgets,
    now: OffsetDateTime,
) -> ResumeConversation {
    ResumeConversation {
        id,
        generation,
        repeat: false,
        mode: Mode::Text,
        room: NewRoom {
            name: format!("room {id} {generation}"),
            page_changed: false,
            message_waiting: false,
        },
        ticket: UsedTicket {
            id: format!("resumes {id} {generation}"),
            expires_at: now,
        },
        place,
        budgets,
        now,
        limits: LifecycleLimits::default(),
    }
}

/// What waits to be joined is bounded where it was started: until it is joined, ends or is due.
pub(super) async fn places(storage: &dyn Storage) {
    let ours = organization("places");
    let limits = LifecycleLimits::default();
    let mut budgets = Budgets::default();
    (budgets.unjoined_per_address, budgets.unjoined_per_network) = (2, 3);
    let new = |id, place| {
        let mut new = new_conversation(&ours, id, 0xBFF, "https://a.example");
        // All at one time, so that each fails at the same time.
        new.conversation.created_at = START;
        new.conversation.lifecycle = Lifecycle::created(START);
        (new.place, new.budgets) = (place, budgets);
        new
    };
    let create = async |id, place| storage.create_conversation(&new(id, place)).await;
    let refusal = |outcome: Result<(), CreateConversationError>| match outcome {
        Err(CreateConversationError::OverBudget(BudgetError::TooManyUnjoined {
            range,
            max,
            resets_in,
        })) => (range, max, resets_in),
        other => panic!("{other:?}"),
    };
    let one = || Some(place("one", Some("wide")));
    let (per_address, per_network) = (
        (StartRange::Address, 2, limits.join_within),
        (StartRange::Network, 3, limits.join_within),
    );
    create(0xB00, one()).await.expect("the first");
    create(0xB01, one()).await.expect("the second");
    assert_eq!(refusal(create(0xB02, one()).await), per_address);
    // Refused, it is not there, and its ticket is not used up.
    let id = |number_of| ConversationId::from_uuid(number(number_of));
    let refused = storage.find_conversation(id(0xB02)).await;
    assert_eq!(refused.expect("works"), None);
    let other = || Some(place("other", Some("wide")));
    create(0xB03, other()).await.expect("another address");
    assert_eq!(refusal(create(0xB04, other()).await), per_network);
    create(0xB05, Some(place("narrow", None)))
        .await
        .expect("another network");
    create(0xB06, None).await.expect("nothing is counted");

    // Who joins or ends makes room.
    let steps: [(u128, Transition<'_>); 2] = [
        (0xB00, &|lifecycle| lifecycle.joined(START)),
        (0xB01, &|lifecycle| {
            lifecycle.end(START, EndReason::Visitor, &limits)
        }),
    ];
    for (number, step) in steps {
        let stepped = storage
            .transition_conversation(id(number), START, &limits, step)
            .await;
        assert!(stepped.expect("works").is_some());
    }
    create(0xB02, one()).await.expect("its ticket is unused");
    create(0xB07, one()).await.expect("one joined, one ended");
    assert_eq!(refusal(create(0xB08, one()).await), per_address);

    // A resume of what nobody joined moves it to where it is resumed, if there is room.
    let resume = async |number_of, generation, place, now| {
        let request = resume_at(id(number_of), generation, place, budgets, now);
        storage.resume_conversation(&request).await
    };
    let refused = resume(0xB06, 1, one(), START).await;
    assert!(
        matches!(refused, Err(ResumeError::OverBudget(_))),
        "{refused:?}"
    );
    // Its own place counts for it, and one that was joined waits nowhere.
    resume(0xB02, 1, one(), START).await.expect("it was there");
    resume(0xB00, 1, one(), START).await.expect("it was joined");
    let far = || Some(place("far", None));
    resume(0xB02, 2, far(), START).await.expect("there is room");
    resume(0xB07, 1, far(), START).await.expect("there is room");
    assert_eq!(refusal(create(0xB08, far()).await), per_address);
    create(0xB08, one()).await.expect("two are elsewhere");

    // What is due makes room before anybody has stored its end.
    let due = START + limits.join_within;
    let mut later = new(0xB09, far());
    later.conversation.created_at = due - Duration::SECOND;
    let refused = storage.create_conversation(&later).await;
    assert_eq!(refusal(refused).2, Duration::SECOND);
    later.conversation.created_at = due;
    storage
        .create_conversation(&later)
        .await
        .expect("two are due");

    for number in 0xB00..=0xB09_u128 {
        storage
            .transition_conversation(id(number), due, &limits, &|lifecycle| {
                lifecycle.end(due, EndReason::Agent, &limits)
            })
            .await
            .expect("works");
    }
}

/// Which of the conversations 0x600 to 0x6FF are due, in pages of two.
pub(super) async fn due(storage: &dyn Storage, now: OffsetDateTime) -> Vec<u128> {
    let mut found = Vec::new();
    let mut next = Some(SweepPosition::default());
    while let Some(position) = next {
        let page = storage
            .find_due_conversations(now, &position, 2)
            .await
            .expect("works");
        found.extend(page.iter().map(|id| id.as_uuid().as_u128()));
        next = page.next;
    }
    found.retain(|id| id & 0xF00 == 0x600);
    found
}

pub(super) async fn limits(storage: &dyn Storage) {
    let limits = LifecycleLimits::default();
    let ours = organization("limits");
    for id in [0x600, 0x601, 0x602, 0x603] {
        storage
            .create_conversation(&new_conversation(&ours, id, 0x6FF, "https://a.example"))
            .await
            .expect("new");
    }
    let id = |id| ConversationId::from_uuid(number(id));
    let joined = START + Duration::hours(1);
    let steps: [(u128, Transition<'_>); 3] = [
        (0x601, &|lifecycle| lifecycle.joined(joined)),
        (0x602, &|lifecycle| lifecycle.joined(joined).left(joined)),
        (0x603, &|lifecycle| {
            lifecycle.end(joined, EndReason::Agent, &limits)
        }),
    ];
    for (number, step) in steps {
        storage
            .transition_conversation(id(number), joined, &limits, step)
            .await
            .expect("works");
    }
    for (now, expected) in [
        (START + Duration::minutes(9), &[][..]),
        (joined + Duration::minutes(9), &[0x600]),
        (joined + Duration::minutes(10), &[0x600, 0x601]),
        (joined + Duration::minutes(30), &[0x600, 0x601, 0x602]),
    ] {
        assert_eq!(due(storage, now).await, expected, "{now}");
    }

    // With longer limits it is found too early, is not ended, and is found again later.
    let now = joined + Duration::minutes(30);
    let mut longer = limits;
    longer.max_silence = Duration::minutes(40);
    let kept = storage
        .settle_conversation(id(0x601), Presence::AsReported, now, &longer)
        .await
        .expect("works")
        .expect("it exists");
    assert_eq!(kept.lifecycle.status(), Status::InProgress);
    assert_eq!(due(storage, now).await, [0x600, 0x602]);
    let now = joined + Duration::minutes(40);
    assert_eq!(due(storage, now).await, [0x600, 0x602, 0x601]);

    for number in [0x600, 0x601, 0x602] {
        let ended = storage
            .settle_conversation(id(number), Presence::AsReported, now, &longer)
            .await
            .expect("works")
            .expect("it exists");
        assert!(ended.lifecycle.status().is_terminal());
        let again = storage
            .settle_conversation(id(number), Presence::AsReported, now, &longer)
            .await;
        assert_eq!(again.expect("works"), Some(ended));
    }
    assert_eq!(due(storage, now).await, [0; 0]);
    let failed = storage
        .find_conversation(id(0x600))
        .await
        .expect("works")
        .expect("it exists");
    assert_eq!(
        (failed.lifecycle.status(), failed.lifecycle.end_reason()),
        (Status::Failed, Some(EndReason::NeverJoined))
    );
    let nobody = id(0x6AA);
    let missing = storage
        .settle_conversation(nobody, Presence::AsReported, now, &limits)
        .await;
    assert_eq!(missing.expect("works"), None);
}
