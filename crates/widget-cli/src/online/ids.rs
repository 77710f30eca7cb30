//! How people name agents, versions, conversations and previews: by a name or a label, by a number,
//! by an id, or by the beginning of one. Every command that names one uses these functions.

use std::str::FromStr;

use widget_api::{
    agents::{AgentVersion, AgentVersionsQuery, AgentsQuery},
    client::{Error, Pages},
    conversations::{Conversation, ConversationsQuery},
    unreadable::Listed,
};
use widget_core::{
    agent::VersionStatus,
    id::{AgentId, AgentVersionId, ConversationId, IdError, IdPrefix, PreviewId, WidgetId},
};

use super::{Session, short_ids::short_ids};
use crate::failure::Failure;

/// How many are listed that could have been meant.
const MAX_LISTED: usize = 10;

/// How similar a text must be to a name that is suggested instead.
const SIMILAR: f64 = 0.6;

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

/// A version that was found; only its id when the key may not see versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundVersion {
    pub(crate) id: AgentVersionId,
    pub(crate) is_draft: bool,
    number: Option<i64>,
    label: Option<String>,
}

impl FoundVersion {
    /// Whether it is known to be published.
    pub(crate) fn is_published(&self) -> bool {
        self.number.is_some() && !self.is_draft
    }

    /// How people know it: `version 3 "June 2026"`.
    pub(crate) fn describe(&self) -> String {
        match (self.number, &self.label) {
            (Some(number), Some(label)) => format!("version {number} \"{label}\""),
            (Some(number), None) => format!("version {number}"),
            (None, _) => format!("the version {}", self.id),
        }
    }
}

impl From<&AgentVersion> for FoundVersion {
    fn from(version: &AgentVersion) -> Self {
        Self {
            id: version.id,
            is_draft: version.status == VersionStatus::Draft,
            number: Some(version.number),
            label: version.label.clone(),
        }
    }
}

/// Something that can be named.
#[derive(Debug, Clone, Default)]
struct Candidate {
    id: String,
    number: Option<i64>,
    /// An agent's name, or a version's label.
    name: Option<String>,
    /// What else people are shown of it.
    about: String,
}

/// The kind of things among which one is named.
struct Kind<'k> {
    /// `agents`
    many: &'k str,
    /// What has none with this name, such as `there is no agent`.
    none: &'k str,
    /// The command that lists them all.
    list: &'k str,
}

/// Finds the agent that a text names: by its name, its id or the beginning of that.
pub(crate) async fn find_agent(session: &Session, text: &str) -> Result<AgentId, Failure> {
    let query = AgentsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        ..AgentsQuery::default()
    };
    let listed = session.client.list_agents(&query).collect(None).await;
    let agents = match (listed, text.parse()) {
        (Ok(agents), _) => {
            session.seen.note_agents(&agents);
            agents
        }
        // The id is enough; the service says in its answer what is wrong with the agent.
        (Err(error), Ok(id)) if error.problem().is_some() => return Ok(id),
        (Err(error), _) => return Err(error.into()),
    };
    let agents: Vec<_> = agents.into_iter().filter_map(readable).collect();
    let candidates: Vec<Candidate> = agents
        .iter()
        .map(|agent| Candidate {
            id: agent.id.to_string(),
            name: Some(agent.name.clone()),
            ..Candidate::default()
        })
        .collect();
    let kind = Kind {
        many: "agents",
        none: "there is no agent",
        list: "widget agents list",
    };
    choose(text, &kind, &candidates).map(|place| agents[place].id)
}

/// Finds the version of an agent that a text names: by its number, its label, its id or the
/// beginning of that.
pub(crate) async fn find_version(
    session: &Session,
    agent: AgentId,
    text: &str,
) -> Result<FoundVersion, Failure> {
    let versions = match (list_versions(session, agent).await, text.parse()) {
        (Ok(versions), _) => versions,
        // The id is enough; the service says in its answer what is wrong with the version.
        (Err(error), Ok(id)) if error.problem().is_some() => {
            return Ok(FoundVersion {
                id,
                is_draft: false,
                number: None,
                label: None,
            });
        }
        (Err(error), _) => return Err(error.into()),
    };
    let candidates: Vec<Candidate> = versions
        .iter()
        .map(|version| Candidate {
            id: version.id.to_string(),
            number: Some(version.number),
            name: version.label.clone(),
            about: version.status.to_string(),
        })
        .collect();
    let none = format!("agent {agent} has no version");
    let list = format!("widget agents versions {agent}");
    let kind = Kind {
        many: "versions",
        none: &none,
        list: &list,
    };
    choose(text, &kind, &candidates).map(|place| FoundVersion::from(&versions[place]))
}

/// The newest version of an agent that is published.
pub(crate) async fn find_newest_version(
    session: &Session,
    agent: AgentId,
) -> Result<FoundVersion, Failure> {
    let versions = list_versions(session, agent).await?;
    let newest = versions
        .iter()
        .find(|version| version.status == VersionStatus::Published);
    newest.map(FoundVersion::from).ok_or_else(|| {
        let failure = Failure::bad_input(format_args!(
            "agent {agent} has no version that is published"
        ));
        match versions.first() {
            Some(draft) => failure.hint(format_args!(
                "`widget agents publish {agent} {}` publishes its newest draft",
                draft.number
            )),
            None => failure.hint("it has no version at all; add one through the API first"),
        }
    })
}

/// The versions of an agent, the newest first, to say of an id how people know it; none when the
/// key may not see them.
pub(crate) async fn known_versions(session: &Session, agent: AgentId) -> Vec<FoundVersion> {
    let versions = list_versions(session, agent).await.unwrap_or_default();
    versions.iter().map(FoundVersion::from).collect()
}

/// The versions of an agent, the newest first. Those that cannot be read cannot be named.
async fn list_versions(session: &Session, agent: AgentId) -> Result<Vec<AgentVersion>, Error> {
    let query = AgentVersionsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        before: None,
    };
    let pages = session.client.list_agent_versions(agent, &query);
    let versions = pages.collect(None).await?;
    Ok(versions.into_iter().filter_map(readable).collect())
}

fn readable<T>(listed: Listed<T>) -> Option<T> {
    match listed {
        Listed::Readable(value) => Some(value),
        Listed::Unreadable(_) => None,
    }
}

/// Finds the link of a draft that a text names: by its id or the beginning of that.
pub(crate) async fn find_preview(
    session: &Session,
    widget: WidgetId,
    text: &str,
) -> Result<PreviewId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let previews = session.client.list_previews(widget).await?;
    let candidates: Vec<Candidate> = previews
        .iter()
        .map(|preview| Candidate {
            id: preview.id.to_string(),
            about: format!("ends {}", crate::commands::time(preview.expires_at)),
            ..Candidate::default()
        })
        .collect();
    let none = format!("widget {widget} has no preview");
    let list = format!("widget preview {widget} --list");
    let kind = Kind {
        many: "previews",
        none: &none,
        list: &list,
    };
    choose(text, &kind, &candidates).map(|place| previews[place].id)
}

/// Finds a conversation.
pub(crate) async fn find_conversation(
    session: &Session,
    text: &IdText<ConversationId>,
) -> Result<ConversationId, Failure> {
    let prefix = match text {
        IdText::Whole(id) => return Ok(*id),
        IdText::Prefix(prefix) => *prefix,
    };
    let mut found = list_conversations(session, prefix)
        .collect(Some(MAX_LISTED + 1))
        .await?;
    if found.is_empty() {
        found = list_similar(session, prefix).await;
    }
    let candidates: Vec<Candidate> = found
        .iter()
        .map(|listed| match listed {
            Listed::Readable(conversation) => Candidate {
                id: conversation.id.to_string(),
                about: format!("began {}", crate::commands::time(conversation.created_at)),
                ..Candidate::default()
            },
            Listed::Unreadable(record) => Candidate {
                id: record.id.clone(),
                ..Candidate::default()
            },
        })
        .collect();
    let kind = Kind {
        many: "conversations",
        none: "there is no conversation",
        list: "widget conversations list",
    };
    let text = prefix.to_string();
    let id = &candidates[choose(&text, &kind, &candidates)?].id;
    id.parse()
        .map_err(|_| Failure::unexpected(format_args!("`{id}` is not an id")))
}

/// Conversations among which one may have been meant when no id begins so: those with the same
/// first half, one page of them.
async fn list_similar(session: &Session, prefix: IdPrefix) -> Vec<Listed<Conversation>> {
    const MAX_COMPARED: usize = widget_api::MAX_PAGE_LIMIT as usize;
    let digits = prefix.to_string();
    let length = IdPrefix::MIN_DIGITS.max(digits.len() / 2);
    let half = digits.get(..length).map(str::parse::<IdPrefix>);
    let Some(Ok(half)) = half else {
        return Vec::new();
    };
    let pages = list_conversations(session, half);
    pages.collect(Some(MAX_COMPARED)).await.unwrap_or_default()
}

/// Conversations whose id begins so.
pub(crate) fn list_conversations(
    session: &Session,
    prefix: IdPrefix,
) -> Pages<'_, Listed<Conversation>> {
    let query = ConversationsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        id_prefix: Some(prefix),
        ..ConversationsQuery::default()
    };
    session.client.list_conversations(&query)
}

/// The place of the one that a text names: what it is exactly comes before what only begins so.
fn choose(text: &str, kind: &Kind<'_>, all: &[Candidate]) -> Result<usize, Failure> {
    let places = |is_meant: &dyn Fn(&Candidate) -> bool| -> Vec<usize> {
        (0..all.len())
            .filter(|place| is_meant(&all[*place]))
            .collect()
    };
    let number: Option<i64> = text.parse().ok();
    let mut found = places(&|candidate| {
        candidate.id.eq_ignore_ascii_case(text)
            || candidate.name.as_deref() == Some(text)
            || number.is_some() && candidate.number == number
    });
    if found.is_empty() {
        let lower = text.to_lowercase();
        let is_name = |name: &String| name.to_lowercase() == lower;
        found = places(&|candidate| candidate.name.as_ref().is_some_and(is_name));
    }
    if found.is_empty()
        && let Ok(prefix) = text.parse::<IdPrefix>()
    {
        let digits = prefix.to_string();
        found = places(&|candidate| candidate.id.replace('-', "").starts_with(&digits));
    }
    match found[..] {
        [only] => Ok(only),
        [] => Err(missing(text, kind, all)),
        _ => {
            let meant: Vec<&Candidate> = found.iter().map(|place| &all[*place]).collect();
            let number = match found.len() {
                more if more > MAX_LISTED => format!("more than {MAX_LISTED}"),
                number => number.to_string(),
            };
            Err(Failure::bad_input(format_args!(
                "`{text}` names {number} {}; use more of the id of one:\n{}",
                kind.many,
                lines(&meant)
            )))
        }
    }
}

/// Says that nothing has this name: the nearest first, then what there is.
fn missing(text: &str, kind: &Kind<'_>, all: &[Candidate]) -> Failure {
    let failure = Failure::bad_input(format_args!("{} `{text}`", kind.none));
    let list = kind.list;
    if all.is_empty() {
        return failure.hint(format_args!("`{list}` shows the {}", kind.many));
    }
    let length = text.chars().count();
    let similarity = |candidate: &Candidate| {
        let name = candidate.name.as_deref().unwrap_or_default();
        let compare = |known: &str| {
            strsim::normalized_damerau_levenshtein(&text.to_lowercase(), &known.to_lowercase())
        };
        let compare_beginning =
            |known: &str| compare(&known.chars().take(length).collect::<String>());
        compare(name)
            .max(compare_beginning(name))
            .max(compare_beginning(&candidate.id))
    };
    let nearest = all
        .iter()
        .max_by(|left, right| similarity(left).total_cmp(&similarity(right)))
        .filter(|candidate| similarity(candidate) >= SIMILAR);
    let mut all: Vec<&Candidate> = all.iter().collect();
    if all.len() > MAX_LISTED {
        all.sort_by(|left, right| similarity(right).total_cmp(&similarity(left)));
    }
    let there_are = format!("`{list}` shows them:\n{}", lines(&all));
    match nearest {
        Some(nearest) => failure.hint(format_args!(
            "did you mean {}?\n{there_are}",
            match &nearest.name {
                Some(name) => format!("`{name}`"),
                None => format!("`{}`", nearest.id),
            }
        )),
        None => failure.hint(there_are),
    }
}

/// `  0197b9c3  3  "June 2026"  (draft)`, a line for each.
fn lines(candidates: &[&Candidate]) -> String {
    let ids: Vec<String> = candidates.iter().map(|found| found.id.clone()).collect();
    let short = short_ids(&ids);
    let mut lines: Vec<String> = candidates
        .iter()
        .zip(short)
        .take(MAX_LISTED)
        .map(|(candidate, id)| {
            let number = candidate.number.map(|number| format!("  {number}"));
            let name = candidate.name.as_ref().map(|name| format!("  \"{name}\""));
            let about = (!candidate.about.is_empty()).then(|| format!("  ({})", candidate.about));
            let parts = [number, name, about];
            format!("  {id}{}", parts.into_iter().flatten().collect::<String>())
        })
        .collect();
    if candidates.len() > MAX_LISTED {
        lines.push("  …".to_owned());
    }
    lines.join("\n")
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
    fn names_are_numbers_labels_ids_and_beginnings() {
        let version = |id: &str, number, label: Option<&str>| Candidate {
            id: id.to_owned(),
            number: Some(number),
            name: label.map(str::to_owned),
            about: "published".to_owned(),
        };
        let all = [
            version("0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b", 3, Some("June 2026")),
            version("0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c", 2, Some("3")),
            version("11111111-6c1e-7d3f-8a4b-5c6d7e8f9a0b", 1, None),
        ];
        let kind = Kind {
            many: "versions",
            none: "the agent has no version",
            list: "widget agents versions A",
        };
        let choose = |text: &str| choose(text, &kind, &all).map_err(|failure| failure.message);
        for (text, expected) in [
            ("1", 2),
            ("2", 1),
            ("June 2026", 0),
            ("june 2026", 0),
            ("1111", 2),
            ("11111111-6C", 2),
            (ID, 0),
        ] {
            assert_eq!(choose(text), Ok(expected), "{text}");
        }
        // A number and a label.
        let failure = choose("3").expect_err("two");
        assert!(failure.starts_with("`3` names 2 versions"), "{failure}");
        assert!(choose("0197").is_err());
        let failure = super::choose("Jun 2026", &kind, &all).expect_err("none");
        let hint = failure.hint.expect("a hint");
        assert!(hint.starts_with("did you mean `June 2026`?"), "{hint}");
        let failure = super::choose("June", &kind, &all).expect_err("a part of a label");
        let hint = failure.hint.expect("a hint");
        assert!(hint.starts_with("did you mean `June 2026`?"), "{hint}");
    }
}
