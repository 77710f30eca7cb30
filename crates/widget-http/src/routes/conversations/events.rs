//! What happens in a conversation, as server-sent events while it happens.
//!
//! Each stream asks the database twice a second whether something has changed, whichever node wrote
//! it, and holds no connection to the database in between.

use std::{collections::VecDeque, convert::Infallible, hash::RandomState, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event as SentEvent, Sse},
    },
};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use schemars::json_schema;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};
use widget_api::{ProblemCode, Scope, events::ConversationEvent};
use widget_core::{
    conversation::{
        Erasure, Lifecycle, Mode,
        events::{Event, Heard, Position, Snapshot},
        transcript::Message,
    },
    id::ConversationId,
};

use super::record::find_conversation;
use crate::{
    causes::with_causes,
    state::AppState,
    storage::{ConversationMarks, StoreError, StoredConversation},
    web::{
        api::{self, ApiRouter},
        auth::{Caller, WatchedKey},
        event_streams::EventStream,
        extract::PathId,
        problem::Problem,
    },
};

/// How often the database is asked whether something has happened.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// After how long without an event a comment is sent, so that nobody on the way takes the
/// connection for a dead one.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// How long a stream waits for a database that does not answer.
const OUTAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// After how many events, and after how long, it is checked again while many of them wait for the
/// client whether it may still have them: the first ones of a long conversation are checked once.
const CHECKED_EVENTS: usize = 50;
const CHECKED_INTERVAL: Duration = Duration::from_millis(100);

/// How long a client waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// How many messages are read at once.
const BATCH: u32 = 500;

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::get(
            "/core/conversations/{id}/events",
            "followConversation",
            "Follows a conversation: what has happened in it, and then what happens, until it ends",
        )
        .scope(Scope::ConversationsRead)
        .header(
            "Last-Event-ID",
            "The `id` of the last event that the client has seen.",
            json_schema!({"type": "string"}),
        )
        .answer_as::<ConversationEvent>(
            200,
            "Server-sent events; the `data` of each is one JSON object.",
            EVENT_STREAM,
        )
        .answer_empty(204, "It is over, and the client has seen everything.")
        .problems([
            ProblemCode::NotFound,
            ProblemCode::EventIdInvalid,
            ProblemCode::EventStreamsFull,
            ProblemCode::EventStreamsExhausted,
        ]),
        follow,
    )
}

async fn follow(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    find_conversation(&state, &caller, id).await?;
    let position = parse_position(&headers)?;
    let stream = state.event_streams.open(&caller)?;
    let is_resumed = position != Position::default();
    let key = WatchedKey::new(caller, &headers, Scope::ConversationsRead);
    let mut follower = Follower::new(state, key, id, position, stream);
    // What fails at once is a problem, and not a stream that breaks off.
    follower.poll().await?;
    if is_resumed && follower.is_over && follower.waiting.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let events = stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would keep events until it has a buffer full of them.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    Ok((headers, Sse::new(events)).into_response())
}

fn parse_position(headers: &HeaderMap) -> Result<Position, Problem> {
    let invalid = || {
        let detail = "`Last-Event-ID` is not the id of an event of a conversation; leave it out to \
                      begin at the first event";
        Problem::new(ProblemCode::EventIdInvalid, detail)
    };
    match headers.get(LAST_EVENT_ID) {
        Some(value) if !value.is_empty() => {
            let text = value.to_str().map_err(|_| invalid())?;
            text.parse().map_err(|_| invalid())
        }
        _ => Ok(Position::default()),
    }
}

/// A client that follows a conversation.
struct Follower {
    state: AppState,
    key: WatchedKey,
    id: ConversationId,
    position: Position,
    heard: Heard<RandomState>,
    /// The number of the last message that was read.
    read_to: i64,
    /// Messages that were read and are not events yet.
    turns: Vec<(i64, Message)>,
    marks: Option<ConversationMarks>,
    stored: Option<Stored>,
    waiting: VecDeque<(String, Event)>,
    is_over: bool,
    is_first: bool,
    sent_at: Instant,
    /// How many events were sent since it was last checked, and when, that they may be.
    sent_unchecked: usize,
    looked_at: Instant,
    answered_at: Instant,
    stream: EventStream,
}

/// What was last read of the conversation.
struct Stored {
    created_at: OffsetDateTime,
    mode: Mode,
    lifecycle: Lifecycle,
    metadata: Option<Map<String, Value>>,
    erasure: Option<Erasure>,
}

impl From<StoredConversation> for Stored {
    fn from(stored: StoredConversation) -> Self {
        match stored {
            StoredConversation::Kept(conversation) => Self {
                created_at: conversation.created_at,
                mode: conversation.mode,
                lifecycle: conversation.lifecycle,
                metadata: serde_json::from_str(&conversation.custom_metadata).ok(),
                erasure: None,
            },
            StoredConversation::Erased(tombstone) => Self {
                created_at: tombstone.created_at,
                mode: tombstone.mode,
                lifecycle: tombstone.lifecycle,
                metadata: None,
                erasure: Some(tombstone.erasure),
            },
        }
    }
}

impl Follower {
    fn new(
        state: AppState,
        key: WatchedKey,
        id: ConversationId,
        position: Position,
        stream: EventStream,
    ) -> Self {
        let now = Instant::now();
        Self {
            state,
            key,
            id,
            position,
            heard: Heard::new(RandomState::new()),
            read_to: 0,
            turns: Vec::new(),
            marks: None,
            stored: None,
            waiting: VecDeque::new(),
            is_over: false,
            is_first: true,
            sent_at: now,
            sent_unchecked: 0,
            looked_at: now,
            answered_at: now,
            stream,
        }
    }

    /// The next event or heartbeat; nothing at the end of the stream.
    async fn next(&mut self) -> Option<SentEvent> {
        loop {
            if !self.waiting.is_empty() && !self.may_send().await {
                return None;
            }
            if let Some((id, event)) = self.waiting.pop_front() {
                self.sent_unchecked += 1;
                self.sent_at = Instant::now();
                self.stream.note_sent();
                return Some(self.build_event(id, event));
            }
            if self.is_over {
                return None;
            }
            tokio::select! {
                () = sleep(POLL_INTERVAL) => {}
                () = self.state.drain.begun() => return None,
            }
            if !self
                .key
                .may_continue(self.state.storage.as_ref(), self.state.now())
                .await
            {
                return None;
            }
            match self.poll().await {
                Ok(()) => self.answered_at = Instant::now(),
                Err(error) if self.answered_at.elapsed() > OUTAGE_TIMEOUT => {
                    let error = with_causes(&error);
                    tracing::warn!(error, "an event stream ends: the database does not answer");
                    return None;
                }
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::debug!(error, "an event stream waits for the database");
                }
            }
            let is_silent = self.waiting.is_empty() && !self.is_over;
            if is_silent && self.sent_at.elapsed() >= HEARTBEAT_INTERVAL {
                self.sent_at = Instant::now();
                return Some(SentEvent::default().comment(""));
            }
        }
    }

    fn build_event(&mut self, id: String, event: Event) -> SentEvent {
        let with_content = self.key.caller().may(Scope::ConversationsReadSensitive);
        let body = ConversationEvent::new(self.id, event, with_content);
        let sent = SentEvent::default().id(id).event(body.r#type.to_string());
        let sent = if std::mem::take(&mut self.is_first) {
            sent.retry(RETRY)
        } else {
            sent
        };
        let data = serde_json::to_string(&body).unwrap_or_default();
        sent.data(data)
    }

    /// Whether the client may have what waits for it: it was read when the client might, and a slow
    /// client gets it later. Takes out what was erased since.
    async fn may_send(&mut self) -> bool {
        let is_fresh = self.looked_at.elapsed() < CHECKED_INTERVAL;
        if is_fresh && self.sent_unchecked < CHECKED_EVENTS {
            return true;
        }
        if !self
            .key
            .is_valid(self.state.storage.as_ref(), self.state.now())
            .await
        {
            return false;
        }
        if let Err(error) = self.take_out_erased().await {
            let error = with_causes(&error);
            tracing::debug!(error, "an event stream sends what it had read before");
        }
        (self.sent_unchecked, self.looked_at) = (0, Instant::now());
        true
    }

    async fn take_out_erased(&mut self) -> Result<(), StoreError> {
        let storage = &self.state.storage;
        let marks = storage.find_conversation_marks(self.id).await?;
        if marks.is_some() && marks == self.marks {
            return Ok(());
        }
        let organization = &self.key.caller().organization_id;
        let stored = storage
            .find_organization_conversation(organization, self.id)
            .await?;
        match stored {
            Some(StoredConversation::Kept(_)) => {}
            Some(StoredConversation::Erased(_)) => {
                self.waiting.retain(|(_, event)| !has_content(event));
                // That it was erased is an event, too.
                self.is_over = false;
            }
            None => self.waiting.clear(),
        }
        Ok(())
    }

    /// Makes events of what has happened.
    async fn poll(&mut self) -> Result<(), StoreError> {
        let storage = &self.state.storage;
        let marks = storage.find_conversation_marks(self.id).await?;
        let has_changed = marks.is_none() || marks != self.marks;
        if has_changed {
            let organization = &self.key.caller().organization_id;
            let stored = storage
                .find_organization_conversation(organization, self.id)
                .await?;
            // Only now: what ends a conversation comes after what was said in it.
            loop {
                let read = storage
                    .list_messages_after(self.id, self.read_to, BATCH)
                    .await?;
                let is_last = read.len() < BATCH as usize;
                for (number, message) in read {
                    self.read_to = number;
                    if let Some(message) = message
                        && self.heard.is_new(&message)
                        && number > self.position.turn()
                    {
                        self.turns.push((number, message));
                    }
                }
                if is_last {
                    break;
                }
            }
            self.stored = stored.map(Stored::from);
            self.marks = marks;
        }
        let Some(stored) = &self.stored else {
            self.is_over = true;
            return Ok(());
        };
        let (now, limits) = (self.state.now(), &self.state.lifecycle_limits);
        let lifecycle = stored.lifecycle.expire(now, limits);
        if !has_changed && lifecycle.is_open() {
            return Ok(());
        }
        let snapshot = Snapshot {
            created_at: stored.created_at,
            mode: stored.mode,
            lifecycle,
            metadata: stored.metadata.clone(),
            erasure: stored.erasure.clone(),
        };
        let events = self
            .position
            .advance(&snapshot, std::mem::take(&mut self.turns));
        self.waiting.extend(events);
        (self.sent_unchecked, self.looked_at) = (0, Instant::now());
        self.is_over = !snapshot.lifecycle.is_open();
        Ok(())
    }
}

/// Whether an event has what somebody said or sent.
const fn has_content(event: &Event) -> bool {
    match event {
        Event::Turn { .. } | Event::Form { .. } | Event::Feedback { .. } => true,
        Event::Created { .. }
        | Event::Joined { .. }
        | Event::Mode { .. }
        | Event::Ended { .. }
        | Event::Erased { .. } => false,
    }
}
