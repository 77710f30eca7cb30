//! How people name agents, versions and conversations: by an id or its beginning, or by a number.

use std::str::FromStr;

use widget_api::{
    agents::{AgentVersionsQuery, AgentsQuery},
    client::Pages,
    conversations::ConversationsQuery,
    unreadable::Listed,
};
use widget_core::id::{AgentId, AgentVersionId, ConversationId, IdError, IdPrefix};

use super::Session;
use crate::failure::Failure;

/// An id, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdText<T> {
    Whole(T),
    Prefix(IdPrefix),
}

impl<T: FromStr> FromStr for IdText<T> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.parse() {
            Ok(id) => Ok(Self::Whole(id)),
            Err(_) => text.parse().map(Self::Prefix),
        }
    }
}

/// The version of an agent: its number, or its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionText {
    Number(i64),
    Id(AgentVersionId),
}

impl FromStr for VersionText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse(), text.parse()) {
            (Ok(number), _) if number > 0 => Ok(Self::Number(number)),
            (_, Ok(id)) => Ok(Self::Id(id)),
            _ => Err("a version is named by its number, such as `3`, or by its id".to_owned()),
        }
    }
}

/// Finds an agent.
pub(crate) async fn find_agent(
    session: &Session,
    text: &IdText<AgentId>,
) -> Result<AgentId, Failure> {
    match text {
        IdText::Whole(id) => Ok(*id),
        IdText::Prefix(prefix) => {
            let query = AgentsQuery {
                id_prefix: Some(*prefix),
                ..AgentsQuery::default()
            };
            let found = session.client.list_agents(&query);
            require_one(found, "agent", *prefix, |agent| agent.id).await
        }
    }
}

/// Finds the id of a version of an agent.
pub(crate) async fn find_version(
    session: &Session,
    agent: AgentId,
    text: VersionText,
) -> Result<AgentVersionId, Failure> {
    let number = match text {
        VersionText::Id(id) => return Ok(id),
        VersionText::Number(number) => number,
    };
    let query = AgentVersionsQuery {
        limit: Some(1),
        before: Some(number.saturating_add(1)),
    };
    let mut pages = session.client.list_agent_versions(agent, &query);
    let newest = pages.next().await?.unwrap_or_default().into_iter().next();
    match newest {
        Some(Listed::Readable(version)) if version.number == number => Ok(version.id),
        _ => Err(
            Failure::bad_input(format_args!("agent {agent} has no version {number}"))
                .hint(format_args!("`widget agents versions {agent}` shows them")),
        ),
    }
}

/// Finds a conversation.
pub(crate) async fn find_conversation(
    session: &Session,
    text: &IdText<ConversationId>,
) -> Result<ConversationId, Failure> {
    match text {
        IdText::Whole(id) => Ok(*id),
        IdText::Prefix(prefix) => {
            let query = ConversationsQuery {
                id_prefix: Some(*prefix),
                ..ConversationsQuery::default()
            };
            let found = session.client.list_conversations(&query);
            require_one(found, "conversation", *prefix, |found| found.id).await
        }
    }
}

/// The one record whose id begins so.
async fn require_one<T, I>(
    pages: Pages<'_, Listed<T>>,
    kind: &str,
    prefix: IdPrefix,
    id_of: impl Fn(&T) -> I,
) -> Result<I, Failure>
where
    T: serde::de::DeserializeOwned,
    I: FromStr + ToString,
{
    /// How many are named that could have been meant.
    const MAX_LISTED: usize = 10;
    let found = pages.collect(Some(MAX_LISTED + 1)).await?;
    let ids: Vec<String> = found
        .iter()
        .map(|record| match record {
            Listed::Readable(record) => id_of(record).to_string(),
            Listed::Unreadable(record) => record.id.clone(),
        })
        .collect();
    match &ids[..] {
        [] => Err(Failure::bad_input(format_args!(
            "no {kind} has an id that begins with `{prefix}`"
        ))
        .hint(format_args!("`widget {kind}s list` shows them"))),
        [only] => only
            .parse()
            .map_err(|_| Failure::unexpected(format_args!("`{only}` is not an id"))),
        several => Err(Failure::bad_input(format_args!(
            "`{prefix}` is the beginning of several {kind}s' ids; use more of it:\n  {}",
            several.join("\n  ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";

    #[test]
    fn ids_and_their_beginnings_are_recognized() {
        let parse = |text: &str| text.parse::<IdText<AgentId>>();
        assert_eq!(parse(ID), Ok(IdText::Whole(ID.parse().expect("an id"))));
        let prefix = "0197a8b2".parse().expect("a prefix");
        assert_eq!(parse("0197a8b2"), Ok(IdText::Prefix(prefix)));
        assert!(parse("019").is_err());
        assert!(parse("shop").is_err());
    }

    #[test]
    fn versions_are_numbers_or_ids() {
        let parse = |text: &str| text.parse::<VersionText>();
        assert_eq!(parse("3"), Ok(VersionText::Number(3)));
        assert_eq!(parse(ID), Ok(VersionText::Id(ID.parse().expect("an id"))));
        for text in ["0", "-1", "draft", "0197a8b2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
