//! Conversations of the window: start one, look at it, end it.

use axum::{Json, extract::State};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, value::RawValue};
use widget_api::{
    FieldError, ProblemCode,
    visitors::{ConversationStart, Empty, EndedConversation, Joining, VisitorConversation},
};
use widget_core::finding::Code;
use widget_core::{
    conversation::{
        self, EndReason, Lifecycle,
        budget::Budgets,
        metadata::{self, MetadataError},
    },
    id::ConversationId,
    serve::{self, Admission, Dispatch},
};

use super::token::OwnConversation;
use super::{
    bodies::{PreparedRoom, build_target, build_visitor_conversation, require_livekit},
    forms,
    page::{PAGE_PROBLEMS, PublicPath, require_admission_of_ticket, require_widget_of_ticket},
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
                ProblemCode::VoiceBudgetUsedUp,
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
    state.rate_limits.check_start(address)?;
    let ticket = require_ticket(&state, &path, bearer(&headers)).await?;
    let widget = require_widget_of_ticket(&state, &path, &ticket).await?;
    let admission = require_admission_of_ticket(&state, &widget, &ticket).await?;
    let livekit = require_livekit(&state)?;
    let conversation = build_conversation(&state, &admission, &body)?;
    let budgets = require_budget(&state, &admission).await?;
    let dispatch = Dispatch::start(&admission, build_target(&conversation))?;
    let prepared = PreparedRoom::new(&state, livekit, &dispatch, conversation.generation).await?;
    let new = NewConversation {
        conversation,
        room: NewRoom {
            name: prepared.room.as_str().to_owned(),
            page_changed: false,
            // A start says it in its metadata.
            message_waiting: false,
        },
        ticket: build_used_ticket(&ticket),
        place: hash_place(&state, counted).await?,
        budgets,
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
    let mut page = body.custom_metadata.clone();
    if admission.preview_id().is_some() {
        page = page.map(without_token);
    }
    let metadata = metadata::build_metadata(config, form, page.as_ref());
    let mode = conversation::choose_mode(config, body.mode)?;
    let agent_name = admission.livekit_agent_name().map(str::to_owned);
    Ok(ConversationRecord {
        id: ConversationId::from_uuid(state.new_id()?),
        organization_id: record.organization_id.clone(),
        web_widget_id: record.id,
        preview_id: admission.preview_id(),
        agent_id: record.agent_id,
        agent_version_id: record.agent_version_id,
        livekit_agent_name: agent_name.ok_or_else(|| match admission.preview_id() {
            // The version of a draft may be gone by now.
            Some(_) => refusals::unknown_preview(),
            None => Problem::internal("a live widget's version has no agent name"),
        })?,
        origin: admission.origin().clone(),
        lifecycle: Lifecycle::created(now),
        mode,
        custom_metadata: Value::Object(metadata?).to_string(),
        generation: 1,
        repeat_used: false,
        created_at: now,
    })
}

/// What a page of a preview says of itself, without the token in its address: everybody who may
/// read the conversation would have the link.
fn without_token(mut page: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::String(url)) = page.get_mut("url") {
        *url = serve::without_preview_token(url);
    }
    page
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

/// The rates of the widget and of its organization. What this returns, how many conversations may
/// be open and what may be used on one day, is counted where the conversation is stored.
async fn require_budget(state: &AppState, admission: &Admission<'_>) -> Result<Budgets, Problem> {
    let (widget, organization) = (admission.widget(), &admission.widget().organization_id);
    let limits = state.find_visitor_limits(organization, widget.id).await?;
    let (rates, budgets) = (&state.rate_limits, limits.budgets);
    // The link of a preview has limits of its own, which are counted in storage.
    if admission.preview_id().is_some() {
        return Ok(budgets.of_preview());
    }
    match limits.widget_per_minute {
        Some(rate) => rates.set_widget_conversations.check(&widget.id, rate)?,
        None => rates.widget_conversations.check(&widget.id)?,
    }
    if let Some(rate) = limits.organization_per_minute {
        rates
            .set_organization_conversations
            .check(organization, rate)?;
    }
    Ok(budgets)
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
