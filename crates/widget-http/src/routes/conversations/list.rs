//! The list of conversations, and the search for those with certain content.

use std::collections::HashMap;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::header;
use serde_json::{Map, Value};
use widget_api::{
    FieldError, Scope,
    conversations::{
        Conversation, ConversationsQuery, FIRST_WORDS_CHARACTERS, MAX_SEARCHED_CHARACTERS,
    },
    erasures::ConversationSelection,
    unreadable::Listed,
};
use widget_core::{
    conversation::{Status, selection::Selection, transcript},
    finding::{Code, Findings},
    id::{AgentId, AgentVersionId, ConversationId},
};

use super::record::build_stored;
use crate::{
    routes::{listed::build_listed, search::Search},
    state::AppState,
    storage::{ConversationFilter, ConversationRecord, StoreError, StoredConversation, StoredRow},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::StrictQuery,
        paging,
        problem::Problem,
    },
};

const PATH: &str = "/core/conversations";

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::get(
            PATH,
            "listConversations",
            "Lists conversations, the newest first, or those with certain content",
        )
        .scope(Scope::ConversationsRead)
        .query::<ConversationsQuery>()
        .answer::<Vec<Listed<Conversation>>>(
            200,
            "A page of conversations; the header `Link` names the next, also of a page with few \
             conversations or none.",
        )
        .with(header::LINK),
        list,
    )
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<ConversationsQuery>,
) -> Result<Response, Problem> {
    let page = paging::parse_page(query.limit, query.cursor.as_deref())?;
    let wanted = Wanted {
        is_open: query.is_open,
        agent_id: query.agent_id,
        agent_version_id: query.agent_version_id,
        status: query.status,
        selection: parse_selection(query.metadata, query.form, query.visitor)?,
        text: query.text.map(parse_text).transpose()?,
    };
    if wanted.has_content() {
        caller.require(Scope::ConversationsReadSensitive)?;
    }
    let filter = ConversationFilter {
        web_widget_id: query.web_widget_id,
        created_after: query.created_after.map(Into::into),
        created_before: query.created_before.map(Into::into),
        id_prefix: query.id_prefix,
        not_ended: wanted.is_open == Some(true)
            || wanted.status.is_some_and(|status| !status.is_terminal()),
        not_erased: wanted.has_content(),
    };
    let takes_all = wanted.is_everything();
    let mut search = Search::new(page, takes_all);
    while let Some(page) = search.next_page() {
        let organization = &caller.organization_id;
        let found = state
            .storage
            .list_conversations(organization, &filter, page)
            .await;
        let Some(found) = search.unless_late(found)? else {
            break;
        };
        // Of a search by content, few fit.
        let mut words = if wanted.has_content() {
            HashMap::new()
        } else {
            let rows = found.iter().map(|row| &row.item);
            find_first_words(&state, &caller, rows).await?
        };
        search.begin(&found);
        for row in found {
            let fits = if takes_all {
                Ok(true)
            } else {
                wanted.fits(&state, &row.item).await
            };
            let Some(fits) = search.unless_late(fits)? else {
                break;
            };
            if fits && wanted.has_content() {
                words = find_first_words(&state, &caller, [&row.item]).await?;
            }
            let item = fits.then(|| {
                build_listed(row.item, |conversation| {
                    let conversation = build_stored(&state, &conversation, &caller)?;
                    Ok(Conversation {
                        first_words: words.remove(&conversation.id),
                        ..conversation
                    })
                })
            });
            search.look_at(row.position, item.transpose()?.as_ref())?;
            if search.is_full() {
                break;
            }
        }
    }
    Ok(search.answer(&state.settings.public_url, PATH, raw.as_deref()))
}

/// What the visitors of these conversations said first, for those who may read it. A list without
/// it is better than none, so a database that is late for it fails no request.
async fn find_first_words<'r>(
    state: &AppState,
    caller: &Caller,
    rows: impl IntoIterator<Item = &'r StoredRow<StoredConversation>>,
) -> Result<HashMap<ConversationId, String>, StoreError> {
    if !caller.may(Scope::ConversationsReadSensitive) {
        return Ok(HashMap::new());
    }
    let kept: Vec<ConversationId> = rows
        .into_iter()
        .filter_map(|row| match row {
            StoredRow::Readable(StoredConversation::Kept(conversation)) => Some(conversation.id),
            _ => None,
        })
        .collect();
    let characters = FIRST_WORDS_CHARACTERS;
    match state.storage.find_first_words(&kept, characters).await {
        Err(StoreError::Unavailable(_) | StoreError::Busy(_)) => Ok(HashMap::new()),
        found => found,
    }
}

/// What is looked for beside what the database finds by an index: it would look through all that
/// the organization has for the few that fit.
struct Wanted {
    is_open: Option<bool>,
    agent_id: Option<AgentId>,
    agent_version_id: Option<AgentVersionId>,
    status: Option<Status>,
    selection: Option<Selection>,
    text: Option<String>,
}

impl Wanted {
    /// Whether it looks at what was said or sent.
    const fn has_content(&self) -> bool {
        self.selection.is_some() || self.text.is_some()
    }

    /// Whether every conversation fits.
    const fn is_everything(&self) -> bool {
        self.is_open.is_none()
            && self.agent_id.is_none()
            && self.agent_version_id.is_none()
            && self.status.is_none()
            && !self.has_content()
    }

    /// Whether a conversation fits; one that cannot be read or was erased fits no content.
    async fn fits(
        &self,
        state: &AppState,
        row: &StoredRow<StoredConversation>,
    ) -> Result<bool, StoreError> {
        let StoredRow::Readable(stored) = row else {
            return Ok(false);
        };
        let (agent, version, lifecycle) = match stored {
            StoredConversation::Kept(one) => (one.agent_id, one.agent_version_id, one.lifecycle),
            StoredConversation::Erased(one) => (one.agent_id, one.agent_version_id, one.lifecycle),
        };
        // As it is shown: ended by its limits, also when nobody has stored that yet.
        let lifecycle = lifecycle.expire(state.now(), &state.lifecycle_limits);
        let is_other = self
            .is_open
            .is_some_and(|wanted| wanted != lifecycle.is_open())
            || self
                .status
                .is_some_and(|wanted| wanted != lifecycle.status())
            || self.agent_id.is_some_and(|wanted| wanted != agent)
            || self
                .agent_version_id
                .is_some_and(|wanted| wanted != version);
        if is_other {
            return Ok(false);
        }
        match stored {
            StoredConversation::Kept(conversation) => self.fits_content(state, conversation).await,
            StoredConversation::Erased(_) => Ok(!self.has_content()),
        }
    }

    async fn fits_content(
        &self,
        state: &AppState,
        conversation: &ConversationRecord,
    ) -> Result<bool, StoreError> {
        if let Some(selection) = &self.selection {
            let metadata = serde_json::from_str(&conversation.custom_metadata);
            if !metadata.is_ok_and(|metadata: Value| selection.matches(&metadata)) {
                return Ok(false);
            }
        }
        let Some(text) = &self.text else {
            return Ok(true);
        };
        let messages = state.storage.list_messages(conversation.id).await?;
        Ok(transcript::has_text(&messages, text))
    }
}

fn parse_text(text: String) -> Result<String, Problem> {
    let characters = text.chars().count();
    if text.trim().is_empty() || characters > MAX_SEARCHED_CHARACTERS {
        let detail = format!(
            "`text` has {characters} characters; it must have 1 to {MAX_SEARCHED_CHARACTERS}, not \
             only spaces"
        );
        let fault = FieldError::new("/text", Code::ValueInvalid, detail);
        return Err(Problem::query_invalid(fault));
    }
    Ok(text)
}

/// The criteria about custom metadata, as a filter to erase has them; nothing when there are none.
fn parse_selection(
    metadata: Option<String>,
    form: Option<String>,
    visitor: Option<String>,
) -> Result<Option<Selection>, Problem> {
    let filter = ConversationSelection {
        metadata: parse_object("metadata", metadata)?,
        form: parse_object("form", form)?,
        visitor,
        ..ConversationSelection::default()
    };
    if filter == ConversationSelection::default() {
        return Ok(None);
    }
    let selection = Selection::try_from(filter).map_err(|findings: Findings| {
        let mut faults = findings.into_list().into_iter().map(FieldError::from);
        let first = faults.next();
        let first = first.unwrap_or_else(|| FieldError::new("", Code::ValueInvalid, "it is empty"));
        faults.fold(Problem::query_invalid(first), Problem::with_error)
    })?;
    Ok(Some(selection))
}

fn parse_object(name: &str, text: Option<String>) -> Result<Map<String, Value>, Problem> {
    let Some(text) = text else {
        return Ok(Map::new());
    };
    serde_json::from_str(&text).map_err(|error| {
        let detail = format!("`{name}` must be a JSON object: {error}");
        let fault = FieldError::new(format!("/{name}"), Code::JsonInvalid, detail);
        Problem::query_invalid(fault)
    })
}
