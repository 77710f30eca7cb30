//! What a change of a widget does to visitors, one sentence each.

use widget_api::{Widget, conversations::ConversationsQuery};
use widget_core::{conversation::Status, id::WidgetId};

use super::Session;
use crate::{failure::Failure, printer::count};

/// What visitors notice of a change from one state of a widget to another.
pub(crate) async fn find_effects(
    before: &Widget,
    after: &Widget,
    session: &Session,
) -> Result<Vec<String>, Failure> {
    let listed_sites = |number| count(number, "listed site", "listed sites");
    match (before.published, after.published) {
        (false, false) => {
            return Ok(vec![
                "the widget is not published, so visitors see nothing of it".to_owned(),
            ]);
        }
        (false, true) => {
            return Ok(vec![format!(
                "visitors of {} see it within 5 s, if nothing else keeps it from being live",
                listed_sites(after.domains.len())
            )]);
        }
        (true, false) => {
            let ending = ending_conversations(session, before.id).await?;
            return Ok(vec![format!(
                "visitors no longer see it within 5 s; {ending}"
            )]);
        }
        (true, true) => {}
    }
    let mut effects = Vec::new();
    let difference = |one: &Widget, other: &Widget| {
        let missing = |entry: &&String| !other.domains.contains(entry);
        one.domains.iter().filter(missing).count()
    };
    let (added, removed) = (difference(after, before), difference(before, after));
    if added > 0 {
        effects.push(format!(
            "visitors of {} see it within 5 s",
            count(added, "more site", "more sites")
        ));
    }
    if removed > 0 {
        let ending = match open_conversations(session, before.id).await? {
            Some(0) => "no conversation is going on",
            _ => "conversations that are going on there end",
        };
        let sites = count(removed, "site", "sites");
        effects.push(format!(
            "visitors of {sites} no longer see it within 5 s; {ending}"
        ));
    }
    if after.domains.is_empty() && removed > 0 {
        effects.push("no site is left: the widget is shown nowhere".to_owned());
    }
    let agents = |widget: &Widget| (widget.agent_id, widget.agent_version_id);
    if agents(before) != agents(after) {
        effects.push(
            "new conversations are with the other version; those that are going on stay with theirs"
                .to_owned(),
        );
    }
    if before.config != after.config {
        effects.push(format!(
            "visitors of {} see the change on the next page that they load",
            listed_sites(after.domains.len())
        ));
    }
    Ok(effects)
}

/// How many conversations of a widget are going on; `None` when the key may not see them.
pub(crate) async fn open_conversations(
    session: &Session,
    id: WidgetId,
) -> Result<Option<usize>, Failure> {
    let mut open = 0;
    for status in [Status::TokenCreated, Status::InProgress] {
        let query = ConversationsQuery {
            limit: Some(widget_api::MAX_PAGE_LIMIT),
            web_widget_id: Some(id),
            status: Some(status),
            ..ConversationsQuery::default()
        };
        match session
            .client
            .list_conversations(&query)
            .collect(None)
            .await
        {
            Ok(found) => open += found.len(),
            Err(error) if error.code() == Some(widget_api::ProblemCode::InsufficientScope) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(open))
}

/// What ends when a widget is no longer shown, as a sentence.
pub(crate) async fn ending_conversations(
    session: &Session,
    id: WidgetId,
) -> Result<String, Failure> {
    Ok(match open_conversations(session, id).await? {
        None => "conversations that are going on end".to_owned(),
        Some(0) => "no conversation is going on".to_owned(),
        Some(1) => "1 conversation is going on; it ends".to_owned(),
        Some(number) => format!(
            "{} are going on; they end",
            count(number, "conversation", "conversations")
        ),
    })
}
