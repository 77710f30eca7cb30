//! Everything that is stored about conversations, for their visitor: one, or all that a filter
//! selects, one in memory at a time.

use std::collections::VecDeque;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    response::IntoResponse,
};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, header};
use widget_api::{
    ProblemCode, Scope,
    conversations::Message,
    erasures::{ConversationExport, ExportRequest},
};
use widget_core::{conversation::selection::Selection, id::ConversationId};

use super::{
    erasure::{BODY_LIMIT, select},
    record::{build_conversation, require_conversation},
};
use crate::{
    causes::with_causes,
    state::AppState,
    storage::{
        ConversationRecord, Erasable, ListPosition, StoreError, StoredConversation, SweepPosition,
    },
    web::{
        api::{self, ApiRouter},
        auth::{Caller, WatchedKey},
        extract::{PathId, StrictJson},
        problem::Problem,
    },
};

/// The media type of an answer that has one JSON object in each line.
const NDJSON: &str = "application/x-ndjson";

/// How many conversations are looked at together: with metadata of 128 KiB these are 3 MiB.
const BATCH: u32 = 25;

/// How many conversations may be passed over before something is sent: clients and proxies give up
/// on an answer of which nothing arrives.
const MAX_PASSED: usize = 250;

/// What is sent then: a space before a line or at the end is nothing to a reader of JSON.
const SEARCHING: &[u8] = b" ";

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/conversations/{id}/export",
                "exportConversation",
                "Reads everything that is stored about a conversation and its visitor",
            )
            .scope(Scope::ConversationsManage)
            .answer::<ConversationExport>(200, "The conversation with all turns and values.")
            .problems([ProblemCode::NotFound, ProblemCode::ConversationErased]),
            one,
        )
        .route(
            api::post(
                "/core/conversations/export",
                "exportConversations",
                "Reads everything that is stored about the conversations that a filter selects",
            )
            .scope(Scope::ConversationsManage)
            .body::<ExportRequest>()
            .answer_as::<ConversationExport>(
                200,
                "One conversation in each line, the oldest first; an answer that breaks off is \
                 not complete. While nothing is found, spaces come before the next line or the \
                 end.",
                NDJSON,
            )
            .problems([ProblemCode::SelectionInvalid]),
            selected,
        )
}

async fn one(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<ConversationExport>, Problem> {
    let conversation = require_conversation(&state, &caller, id).await?;
    Ok(Json(build_export(&state, &caller, &conversation).await?))
}

async fn selected(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    StrictJson(body): StrictJson<ExportRequest, BODY_LIMIT>,
) -> Result<impl IntoResponse, Problem> {
    let mut export = Export {
        selection: select(body.filter)?,
        state,
        key: WatchedKey::new(caller, &headers, Scope::ConversationsManage),
        next: Some(SweepPosition::default()),
        waiting: VecDeque::new(),
        passed: 0,
    };
    // What fails at once is a problem, and not an answer that breaks off.
    export.read_batch().await?;
    let lines = stream::try_unfold(export, async |mut export| {
        let line = export.next().await;
        line.inspect_err(|error| tracing::warn!(error = with_causes(error), "an export breaks off"))
            .map(|line| line.map(|line| (line, export)))
    });
    let media_type = HeaderValue::from_static(NDJSON);
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(lines)))
}

/// Why an export breaks off.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("the key ended meanwhile")]
    KeyEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An export that continues while its lines are sent.
struct Export {
    state: AppState,
    key: WatchedKey,
    selection: Selection,
    /// Where what was not read yet begins, unless all was.
    next: Option<SweepPosition<ListPosition>>,
    waiting: VecDeque<Erasable>,
    /// How many conversations did not fit since something was sent.
    passed: usize,
}

impl Export {
    /// Reads what comes next; `false` when there is nothing.
    async fn read_batch(&mut self) -> Result<bool, StoreError> {
        let Some(position) = &self.next else {
            return Ok(false);
        };
        let (organization, selection) = (&self.key.caller().organization_id, &self.selection);
        let found = self
            .state
            .storage
            .list_erasable(organization, selection, position, BATCH)
            .await?;
        self.next = found.next;
        self.waiting.extend(found.items);
        Ok(true)
    }

    /// What is sent next, nothing at the end: a line, or a sign that the search continues.
    async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        let next = self.find_line().await?;
        self.passed = 0;
        Ok(next)
    }

    async fn find_line(&mut self) -> Result<Option<Bytes>, ExportError> {
        while self.passed < MAX_PASSED {
            let (keys, now) = (self.state.storage.as_ref(), self.state.now());
            // Always before more is read, and from time to time.
            let is_valid = if self.waiting.is_empty() && self.next.is_some() {
                self.key.is_valid(keys, now).await
            } else {
                self.key.may_continue(keys, now).await
            };
            if !is_valid {
                return Err(ExportError::KeyEnded);
            }
            let Some(next) = self.waiting.pop_front() else {
                if self.read_batch().await? {
                    continue;
                }
                return Ok(None);
            };
            if !next.fits(&self.selection) {
                self.passed += 1;
                continue;
            }
            let caller = self.key.caller();
            let organization = &caller.organization_id;
            let found = self
                .state
                .storage
                .find_organization_conversation(organization, next.id())
                .await;
            let conversation = match found {
                Ok(Some(StoredConversation::Kept(conversation))) => conversation,
                // Erased meanwhile; or it cannot be read, which is logged.
                Ok(None | Some(StoredConversation::Erased(_)))
                | Err(StoreError::Corrupt { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let export = build_export(&self.state, caller, &conversation).await?;
            let mut line = serde_json::to_vec(&export).map_err(|error| {
                StoreError::corrupt("conversations", &conversation.id, "custom_metadata", &error)
            })?;
            line.push(b'\n');
            return Ok(Some(line.into()));
        }
        Ok(Some(Bytes::from_static(SEARCHING)))
    }
}

async fn build_export(
    state: &AppState,
    caller: &Caller,
    conversation: &ConversationRecord,
) -> Result<ConversationExport, StoreError> {
    let messages = state.storage.list_messages(conversation.id).await?;
    Ok(ConversationExport {
        conversation: build_conversation(state, conversation, caller)?,
        origin: conversation.origin.to_string(),
        messages: messages.into_iter().map(Message::from).collect(),
    })
}
