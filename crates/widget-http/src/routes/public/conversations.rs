//! Conversations of the window: start one, look at it, end it.

use axum::{Json, extract::State};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, value::RawValue};
use widget_api::{
    FieldError, ProblemCode,
    visitors::{ConversationStart, Empty, EndedConversation, Joining, VisitorConversation},
};
use widget_core::finding::Code;
use widget_core::{
    conversation::{
        self, EndReason, Lifecycle,
        metadata::{self, MetadataError},
    },
    id::ConversationId,
    serve::{Admission, Dispatch},
};

use super::token::OwnConversation;
use super::{
    bodies::{PreparedRoom, build_target, build_visitor_conversation, require_livekit},
    forms,
    page::{PAGE_PROBLEMS, PublicPath, require_admission, require_widget},
    tickets::require_ticket,
};
use crate::{
    state::AppState,
    storage::{ConversationRecord, NewConversation, NewRoom, StartPlace, UsedTicket},
    visitors::{public_widgets::AdmittedWidget, refusals, signing::VerifiedTicket},
    web::{
        api::{self, ApiRouter, Credential},
        auth::bearer,
        caller::{AddressPrefix, CountedAddress},
        cors::OwnWindow,
        extract::StrictJson,
        problem::Problem,
    },
};

/// A form of 16 KiB, the page's 4 KiB, and the JSON around them.
const BODY_LIMIT: usize = 24 * 1024;

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::post(
                "/core/public/web-widgets/{id}/conversations",
                "startConversation",
                "Starts a conversation",
            )
            .credential(Credential::EmbedTicket)
            .body::<ConversationStart>()
            .answer::<Joining>(201, "Everything that is needed to join.")
            .problems(PAGE_PROBLEMS)
            .problems([
                ProblemCode::OriginNotOwn,
                ProblemCode::LivekitNotConfigured,
                ProblemCode::ModeDisabled,
                ProblemCode::FormInvalid,
                ProblemCode::FormNotExpected,
                ProblemCode::CustomMetadataTooLarge,
                ProblemCode::WidgetBusy,
                ProblemCode::BudgetUsedUp,
            ]),
            create,
        )
        .route(
            api::get(
                "/core/public/web-widgets/{id}/conversations/{cid}",
                "getVisitorConversation",
                "Reads the conversation for its own visitor",
            )
            .credential(Credential::ConversationToken)
            .answer::<VisitorConversation>(200, "The conversation."),
            show,
        )
        .route(
            api::post(
                "/core/public/web-widgets/{id}/conversations/{cid}/end",
                "endVisitorConversation",
                "Ends the conversation for its visitor; a repetition changes nothing",
            )
            .credential(Credential::ConversationToken)
            .body::<Empty>()
            .answer::<EndedConversation>(200, "The conversation is over."),
            end,
        )
}

async fn create(
    State(state): State<AppState>,
    path: PublicPath,
    _: OwnWindow,
    address: AddressPrefix,
    CountedAddress(counted): CountedAddress,
    headers: HeaderMap,
    StrictJson(body): StrictJson<ConversationStart, BODY_LIMIT>,
) -> Result<(StatusCode, Json<Joining>), Problem> {
    state.rate_limits.conversations.check(&address)?;
    let ticket = require_ticket(&state, &path, bearer(&headers)).await?;
    let widget = require_widget(&state, &path).await?;
    let admission = require_admission(&widget, &ticket.claims().origin)?;
    let livekit = require_livekit(&state)?;
    let conversation = build_conversation(&state, &admission, &body)?;
    require_budget(&state, &admission).await?;
    let dispatch = Dispatch::start(&admission, build_target(&conversation))?;
    let prepared = PreparedRoom::new(&state, livekit, &dispatch, conversation.generation).await?;
    let new = NewConversation {
        conversation,
        room: NewRoom {
            name: prepared.room.as_str().to_owned(),
            page_changed: false,
        },
        ticket: build_used_ticket(&ticket),
        place: hash_place(&state, counted).await?,
        budgets: state.settings.limits.budgets,
        limits: state.lifecycle_limits,
    };
    state.storage.create_conversation(&new).await?;
    let body = build_visitor_conversation(&state, &new.conversation, Vec::new());
    Ok((StatusCode::CREATED, Json(prepared.into_body(livekit, body))))
}

/// Where the caller starts or resumes a conversation, as storage counts it.
pub(super) async fn hash_place(
    state: &AppState,
    counted: Option<AddressPrefix>,
) -> Result<Option<StartPlace>, Problem> {
    let Some(address) = counted else {
        return Ok(None);
    };
    let place = state.signer.hash_place(address).await;
    Ok(Some(place.map_err(refusals::token_refused)?))
}

/// The ticket as storage remembers it.
pub(super) fn build_used_ticket(ticket: &VerifiedTicket) -> UsedTicket {
    let claims = ticket.claims();
    UsedTicket {
        id: claims.id.to_string(),
        expires_at: claims.expires_at,
    }
}

/// A conversation on the widget as it is now, with what the visitor and the page sent.
fn build_conversation(
    state: &AppState,
    admission: &AdmittedWidget<'_>,
    body: &ConversationStart,
) -> Result<ConversationRecord, Problem> {
    let (now, record) = (state.now(), admission.widget());
    let config = record.config.current();
    let form = body.form.as_deref().map(RawValue::get);
    let metadata = metadata::build_metadata(config, form, body.custom_metadata.as_ref());
    let mode = conversation::choose_mode(config, body.mode)?;
    let agent_name = admission.livekit_agent_name().map(str::to_owned);
    Ok(ConversationRecord {
        id: ConversationId::from_uuid(state.new_id()?),
        organization_id: record.organization_id.clone(),
        web_widget_id: record.id,
        agent_id: record.agent_id,
        agent_version_id: record.agent_version_id,
        livekit_agent_name: agent_name
            .ok_or_else(|| Problem::internal("a live widget's version has no agent name"))?,
        origin: admission.origin().clone(),
        lifecycle: Lifecycle::created(now),
        mode,
        custom_metadata: Value::Object(metadata?).to_string(),
        generation: 1,
        repeat_used: false,
        created_at: now,
    })
}

impl From<MetadataError> for Problem {
    fn from(error: MetadataError) -> Self {
        let detail = error.to_string();
        match error {
            MetadataError::FormInvalid(findings) => forms::invalid(findings, "/form"),
            MetadataError::FormNotExpected => Self::new(ProblemCode::FormNotExpected, detail)
                .with_error(FieldError::new(
                    "/form",
                    Code::ValueNotAllowed,
                    "leave it out",
                )),
            MetadataError::PageTooLarge { .. } => Self::new(
                ProblemCode::CustomMetadataTooLarge,
                "the page sends too much; see `errors`",
            )
            .with_error(FieldError::new("/custom_metadata", Code::TooLong, detail)),
        }
    }
}

/// The bounds of the widget and of its organization; counted before writing, so that a burst may
/// overshoot by as many as race. The bound of where it is started is counted in storage.
async fn require_budget(state: &AppState, admission: &Admission<'_>) -> Result<(), Problem> {
    let (widget, now) = (admission.widget(), state.now());
    let budgets = state.settings.limits.budgets;
    state.rate_limits.widget_conversations.check(&widget.id)?;
    let open = state.storage.count_joined_conversations(widget.id).await?;
    budgets.require_open(open)?;
    if let Some(since) = budgets.counted_since(now) {
        let today = state
            .storage
            .count_conversations_since(&widget.organization_id, since)
            .await?;
        budgets.require_day(today, now)?;
    }
    Ok(())
}

async fn show(
    State(state): State<AppState>,
    OwnConversation(conversation): OwnConversation,
) -> Result<Json<VisitorConversation>, Problem> {
    let messages = state.storage.list_messages(conversation.id).await?;
    Ok(Json(build_visitor_conversation(
        &state,
        &conversation,
        messages,
    )))
}

async fn end(
    State(state): State<AppState>,
    OwnConversation(conversation): OwnConversation,
    StrictJson(Empty {}): StrictJson<Empty, 1024>,
) -> Result<Json<EndedConversation>, Problem> {
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    let ended = state
        .storage
        .transition_conversation(conversation.id, now, limits, &|lifecycle| {
            lifecycle.end(now, EndReason::Visitor, limits)
        })
        .await?
        .ok_or_else(refusals::conversation_token_invalid)?;
    state.room_cleaner.wake();
    Ok(Json(EndedConversation {
        id: ended.id,
        status: ended.lifecycle.status(),
    }))
}
