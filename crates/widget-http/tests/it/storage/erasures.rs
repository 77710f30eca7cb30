//! Erasing conversations, jobs that do, and how long content is kept.

use serde_json::json;
use time::Duration;
use widget_core::{
    conversation::{
        EndReason, ErasedBy, Erasure, Lifecycle, LifecycleLimits, Presence, Reporter, Role,
        room::RoomEvent,
        selection::{Criteria, Selection},
        transcript::Message,
    },
    id::{ConversationId, ErasureJobId, WidgetId},
};
use widget_http::storage::{
    AppendError, CreateJobError, ForgetBefore, NewConversation, NewErasureJob, RepeatableRequest,
    ResumeConversation, SaveFeedbackError, SaveFormError, Storage, StoreError, StoredConversation,
    StoredRetention, SweepPosition, WebhookEvent,
};

use super::{conversations::new_conversation, number, organization};
use crate::support::START;

fn by_key() -> Erasure {
    Erasure {
        at: START + Duration::hours(2),
        by: ErasedBy::ApiKey("key".to_owned()),
    }
}

pub(super) fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        role: Role::Visitor,
        text: "Hello".to_owned(),
        created_at: START,
        reported_by: Reporter::Agent,
    }
}

/// Nothing writes to what was erased, and nothing reads from it.
pub(super) async fn erasing(storage: &dyn Storage) {
    let (ours, limits) = (organization("erasing"), LifecycleLimits::default());
    let new = new_conversation(&ours, 0xE00, 0xEFF, "https://a.example");
    let (id, now) = (new.conversation.id, new.conversation.created_at);
    storage.create_conversation(&new).await.expect("it is new");
    let messages = [message("1")];
    let said = storage.append_messages(id, &messages, now, &limits);
    assert_eq!(said.await.expect("it is open"), 1);

    let others = organization("others");
    let erasure = by_key();
    let erase = async |of| storage.erase_conversation(of, id, &erasure, &limits).await;
    assert!(!erase(Some(&others)).await.expect("works"));
    assert!(
        storage
            .find_conversation(id)
            .await
            .expect("works")
            .is_some()
    );
    assert!(erase(Some(&ours)).await.expect("works"));
    let found = storage.find_organization_conversation(&ours, id).await;
    let erased = found.expect("works");
    let Some(StoredConversation::Erased(tombstone)) = &erased else {
        panic!("it is not erased: {erased:?}");
    };
    assert_eq!(tombstone.erasure, erasure);
    assert!(!tombstone.lifecycle.is_open());
    let later = Erasure {
        at: erasure.at + Duration::HOUR,
        by: ErasedBy::Retention,
    };
    let again = storage.erase_conversation(None, id, &later, &limits).await;
    assert!(again.expect("works"));
    let found = storage.find_organization_conversation(&ours, id).await;
    assert_eq!(found.expect("works"), erased);
    let room = storage.find_newest_room(id).await.expect("works");
    assert!(room.expect("it is known").removal_due_at.is_some());

    nothing_is_written(storage, &new, &messages).await;
}

async fn nothing_is_written(storage: &dyn Storage, new: &NewConversation, messages: &[Message]) {
    let limits = LifecycleLimits::default();
    let (id, now) = (new.conversation.id, new.conversation.created_at);
    let find = storage.find_conversation(id).await;
    assert!(matches!(find, Err(StoreError::Erased(_))), "{find:?}");
    let said = storage.append_messages(id, messages, now, &limits).await;
    let is_erased = matches!(said, Err(AppendError::Store(StoreError::Erased(_))));
    assert!(is_erased, "{said:?}");
    let form = storage
        .save_form(id, "form", &json!({}), now, &limits)
        .await;
    let is_erased = matches!(form, Err(SaveFormError::Store(StoreError::Erased(_))));
    assert!(is_erased, "{form:?}");
    let rating = json!({"rating": 5});
    let feedback = storage
        .save_feedback(id, &rating, true, None, now, &limits)
        .await;
    let is_erased = matches!(
        feedback,
        Err(SaveFeedbackError::Store(StoreError::Erased(_)))
    );
    assert!(is_erased, "{feedback:?}");
    let end = |lifecycle: Lifecycle| lifecycle.end(now, EndReason::Agent, &limits);
    let ended = storage
        .transition_conversation(id, now, &limits, &end)
        .await;
    assert!(matches!(ended, Err(StoreError::Erased(_))), "{ended:?}");
    let ended = storage
        .settle_conversation(id, Presence::Absent, now, &limits)
        .await;
    assert!(matches!(ended, Err(StoreError::Erased(_))), "{ended:?}");
    let resume = ResumeConversation {
        id,
        generation: 1,
        repeat: false,
        mode: new.conversation.mode,
        room: widget_http::storage::NewRoom {
            name: "room of nobody".to_owned(),
            page_changed: false,
            message_waiting: false,
        },
        ticket: widget_http::storage::UsedTicket {
            id: "of an erased one".to_owned(),
            expires_at: now,
        },
        place: None,
        budgets: new.budgets,
        now,
        limits,
    };
    let resumed = storage.resume_conversation(&resume).await;
    assert!(
        matches!(
            resumed,
            Err(widget_http::storage::ResumeError::Store(
                StoreError::Erased(_)
            ))
        ),
        "{resumed:?}"
    );
    let event = WebhookEvent {
        id: "of an erased one",
        room: &new.room.name,
        happened: RoomEvent::VisitorJoined,
        room_life: None,
        stay: None,
    };
    let applied = storage.apply_webhook_event(&event, now, &limits).await;
    assert!(applied.expect("works"), "its room is removed again");
    assert_eq!(storage.list_messages(id).await.expect("works"), []);
    storage.empty_log().await.expect("works");
}

fn selection(change: impl FnOnce(&mut Criteria)) -> Selection {
    let mut criteria = Criteria::default();
    change(&mut criteria);
    Selection::new(criteria).expect("it says something")
}

/// A job erases what fits, once, and forgets what it looked for.
pub(super) async fn jobs(storage: &dyn Storage) {
    let (ours, limits) = (organization("jobs"), LifecycleLimits::default());
    for index in 0..4_u128 {
        let mut new = new_conversation(&ours, 0xE10 + index, 0xEFE, "https://a.example");
        new.conversation.custom_metadata = json!({"email": index % 2}).to_string();
        storage.create_conversation(&new).await.expect("it is new");
    }
    let job = NewErasureJob {
        id: ErasureJobId::from_uuid(number(0xE20)),
        organization_id: ours.clone(),
        api_key_id: "key".to_owned(),
        selection: "the selection".to_owned(),
        dry_run: false,
        created_at: START,
    };
    let request = RepeatableRequest {
        key: "erase".to_owned(),
        hash: [1; 32],
        now: START,
        forget_before: START - Duration::DAY,
    };
    let created = storage.create_erasure_job(&job, Some(&request)).await;
    let created = created.expect("it is new");
    let repeated = NewErasureJob {
        id: ErasureJobId::from_uuid(number(0xE21)),
        ..job.clone()
    };
    let again = storage.create_erasure_job(&repeated, Some(&request)).await;
    assert_eq!(again.expect("the same request"), created);
    let other = RepeatableRequest {
        hash: [2; 32],
        ..request.clone()
    };
    let refused = storage.create_erasure_job(&repeated, Some(&other)).await;
    assert!(
        matches!(refused, Err(CreateJobError::KeyReused)),
        "{refused:?}"
    );
    let others = organization("others");
    let find = async |of| storage.find_erasure_job(of, job.id).await.expect("works");
    assert_eq!(find(&others).await, None);
    assert_eq!(find(&ours).await, Some(created));

    let until = START + Duration::SECOND;
    let lease = async |now| storage.lease_erasure_job(now, until).await.expect("works");
    let running = lease(START).await.expect("there is one");
    assert_eq!(running.selection, "the selection");
    assert_eq!(lease(START).await, None);
    // The node that had it is gone.
    assert_eq!(lease(until).await.as_ref(), Some(&running));

    let odd = selection(|criteria| {
        criteria.metadata.insert("/email".to_owned(), json!(1));
        criteria.web_widget_id = Some(WidgetId::from_uuid(number(0xEFE)));
        criteria.created_after = Some(START);
        criteria.created_before = Some(START + Duration::DAY);
    });
    let page = async |position, limit| {
        let found = storage.list_erasable(&ours, &odd, &position, limit).await;
        found.expect("works")
    };
    let first = page(SweepPosition::default(), 3).await;
    assert_eq!(first.len(), 3);
    let next = SweepPosition::behind(first[2].position);
    assert_eq!(first.next.as_ref(), Some(&next));
    let rest = page(next, 3).await;
    assert_eq!((rest.len(), rest.next.as_ref()), (1, None));
    let fitting: Vec<ConversationId> = first
        .iter()
        .chain(rest.iter())
        .filter(|one| one.fits(&odd))
        .map(widget_http::storage::Erasable::id)
        .collect();
    assert_eq!(
        fitting,
        [0xE11, 0xE13].map(|id| ConversationId::from_uuid(number(id)))
    );
    let erasure = by_key();
    let erase = async |id| {
        let erased = storage.erase_for_job(&running, &odd, id, &erasure, &limits);
        erased.await.expect("works")
    };
    assert!(erase(fitting[0]).await);
    assert!(!erase(fitting[0]).await);
    assert!(!erase(ConversationId::from_uuid(number(0xE12))).await);
    assert!(!erase(ConversationId::from_uuid(number(0xE00))).await);
    let to = Some(first[2].position);
    for _ in 0..2 {
        // Another node is as far: it counts once.
        let advanced = storage.advance_erasure_job(&running, to, 1, START);
        advanced.await.expect("works");
    }
    let further = lease(START).await.expect("there is one");
    assert_eq!(Some(further.position), to);
    assert!(erase(fitting[1]).await);
    let done = storage.advance_erasure_job(&further, None, 0, until).await;
    done.expect("works");
    assert_eq!(lease(until).await, None);
    let job = find(&ours).await.expect("it can be read");
    assert_eq!((job.matched, job.erased), (3, 2));
    assert_eq!(job.finished_at, Some(until));
    assert_eq!(page(SweepPosition::default(), 9).await.len(), 2);
}

/// What is set is found, and what is due by it.
pub(super) async fn retention(storage: &dyn Storage) {
    let (ours, limits) = (organization("keeping"), LifecycleLimits::default());
    let widget = WidgetId::from_uuid(number(0xEFD));
    for (id, widget) in [(0xE30, 0xEFD), (0xE31, 0xEFC), (0xE32, 0xEFD)] {
        let new = new_conversation(&ours, id, widget, "https://a.example");
        storage.create_conversation(&new).await.expect("it is new");
    }
    let end = START + Duration::hours(3);
    for id in [0xE30, 0xE31] {
        let id = ConversationId::from_uuid(number(id));
        let ended = storage
            .settle_conversation(id, Presence::Absent, end, &limits)
            .await;
        ended.expect("works");
    }
    let set = async |widget, days| {
        let set = storage
            .set_retention(&ours, widget, days, "key", START)
            .await;
        set.expect("works");
    };
    let find = async |widget| storage.find_retention(&ours, widget).await.expect("works");
    set(None, Some(30)).await;
    set(Some(widget), Some(9)).await;
    set(Some(widget), Some(10)).await;
    assert_eq!(
        (find(None).await, find(Some(widget)).await),
        (Some(30), Some(10))
    );
    let all = storage.list_retentions(&SweepPosition::default(), 9).await;
    let all = all.expect("works");
    assert_eq!(all.next, None);
    let of = |web_widget_id, days| StoredRetention {
        organization_id: ours.clone(),
        web_widget_id,
        days,
    };
    let mine: Vec<_> = all
        .iter()
        .filter(|set| set.organization_id == ours)
        .collect();
    assert_eq!(mine, [&of(None, 30), &of(Some(widget), 10)]);
    let first = SweepPosition::behind((ours.clone(), None));
    let rest = storage.list_retentions(&first, 1).await;
    assert_eq!(rest.expect("works").items, [mine[1].clone()]);
    let due = async |of| {
        let found = storage.find_expired_conversations(of, end, 99).await;
        let found = found.expect("works").into_iter();
        found
            .map(|id| id.as_uuid().as_u128())
            .filter(|id| (0xE30..=0xE32).contains(id))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(None).await, [0xE30, 0xE31]);
    assert_eq!(due(Some(mine[0])).await, [0xE30, 0xE31]);
    assert_eq!(due(Some(mine[1])).await, [0xE30]);
    set(Some(widget), None).await;
    assert_eq!(find(Some(widget)).await, None);

    // What is done with is forgotten, and nothing else.
    let before = ForgetBefore {
        requests: START,
        rooms: START,
        jobs: START,
    };
    storage.forget_finished(before).await.expect("works");
}
