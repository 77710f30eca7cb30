//! `widget pin`: which version of its agent a widget has.

use clap::Args;
use widget_api::{
    ProblemCode, WidgetPatch,
    agents::{AgentVersion, AgentVersionsQuery},
    unreadable::Listed,
};
use widget_core::{
    agent::VersionStatus,
    id::{AgentId, AgentVersionId},
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        change::{self, ChangeOptions, PendingChange},
        reference::{Reference, short_ids},
    },
    printer::Printer,
};

pub(crate) const HELP: &str = "\
A version is named by its id, by its label, or by the beginning of its id (four characters or more). \
A widget keeps its version until it is pinned to another one.

Examples:
  widget pin 0197a8b2 --newest
  widget pin 0197a8b2 'May 2026' --dry-run";

/// The shortest beginning of an id that names a version.
const MIN_PREFIX: usize = 4;

/// How many versions are listed that could have been meant.
const MAX_LISTED: usize = 10;

/// Arguments of `pin`.
#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// The id of a version of the widget's agent, the beginning of one, or a label
    #[arg(value_name = "VERSION", required_unless_present = "newest")]
    pub(crate) version: Option<String>,
    /// The newest version that is published
    #[arg(long, conflicts_with = "version")]
    pub(crate) newest: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// A version that was found; only its id when the key may not see versions.
struct Found {
    id: AgentVersionId,
    is_draft: bool,
}

/// Pins a version.
pub(super) fn run(
    arguments: &Pin,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let before = reference.find_widget(session, printer).await?;
        let agent = before.value.agent_id;
        let found = match &arguments.version {
            Some(text) => find(text, agent, session).await?,
            None => find_newest(agent, session).await?,
        };
        let draft = "the version is a draft: the widget is not shown until it is published";
        let pending = PendingChange {
            before: &before,
            patch: WidgetPatch {
                agent_version_id: Some(found.id),
                ..WidgetPatch::default()
            },
            effects: found
                .is_draft
                .then(|| draft.to_owned())
                .into_iter()
                .collect(),
            done: &format!("has the version {}", found.id),
            options: arguments.change,
        };
        change::write(pending, session, printer).await
    })
}

/// The newest version of an agent that is published.
pub(super) async fn find_newest_published(
    agent: AgentId,
    session: &Session,
) -> Result<AgentVersionId, Failure> {
    find_newest(agent, session).await.map(|found| found.id)
}

/// The version that a text names.
pub(super) async fn find_version(
    text: &str,
    agent: AgentId,
    session: &Session,
) -> Result<AgentVersionId, Failure> {
    find(text, agent, session).await.map(|found| found.id)
}

async fn find_newest(agent: AgentId, session: &Session) -> Result<Found, Failure> {
    let versions = list(agent, session).await?;
    let newest = versions
        .iter()
        .find(|version| version.status == VersionStatus::Published);
    match newest {
        Some(version) => Ok(found(version)),
        None => Err(Failure::bad_input(format_args!(
            "agent {agent} has no published version"
        ))),
    }
}

async fn find(text: &str, agent: AgentId, session: &Session) -> Result<Found, Failure> {
    let id: Option<AgentVersionId> = text.parse().ok();
    let versions = match (list(agent, session).await, id) {
        (Ok(versions), _) => versions,
        // The id is enough; the service says in its answer what is wrong with the version.
        (Err(error), Some(id)) if error.code() == Some(ProblemCode::InsufficientScope) => {
            let is_draft = false;
            return Ok(Found { id, is_draft });
        }
        (Err(error), _) => return Err(error.into()),
    };
    if let Some(id) = id {
        let known = versions.iter().find(|version| version.id == id);
        return known
            .map(found)
            .ok_or_else(|| missing(text, agent, &versions));
    }
    let labelled: Vec<_> = versions
        .iter()
        .filter(|version| version.label.as_deref() == Some(text))
        .collect();
    let beginning = text.to_ascii_lowercase();
    let matching = if labelled.is_empty() && text.len() >= MIN_PREFIX {
        versions
            .iter()
            .filter(|version| version.id.to_string().starts_with(&beginning))
            .collect()
    } else {
        labelled
    };
    match &matching[..] {
        [only] => Ok(found(only)),
        [] => Err(missing(text, agent, &versions)),
        several => Err(Failure::bad_input(format_args!(
            "`{text}` names {} versions; use the id of one:\n{}",
            several.len(),
            lines(several.iter().copied())
        ))),
    }
}

fn found(version: &AgentVersion) -> Found {
    Found {
        id: version.id,
        is_draft: version.status == VersionStatus::Draft,
    }
}

/// The versions of an agent, the newest first. Those that cannot be read cannot be pinned.
async fn list(
    agent: AgentId,
    session: &Session,
) -> Result<Vec<AgentVersion>, widget_api::client::Error> {
    let query = AgentVersionsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        before: None,
    };
    let pages = session.client.list_agent_versions(agent, &query);
    let versions = pages.collect(None).await?.into_iter();
    Ok(versions
        .filter_map(|version| match version {
            Listed::Readable(version) => Some(version),
            Listed::Unreadable(_) => None,
        })
        .collect())
}

fn missing(text: &str, agent: AgentId, versions: &[AgentVersion]) -> Failure {
    let failure = Failure::bad_input(format_args!("agent {agent} has no version `{text}`"));
    if versions.is_empty() {
        failure.hint("it has no version at all")
    } else {
        failure.hint(format_args!("it has\n{}", lines(versions)))
    }
}

fn lines<'v>(versions: impl IntoIterator<Item = &'v AgentVersion>) -> String {
    let versions: Vec<&AgentVersion> = versions.into_iter().collect();
    let ids: Vec<String> = versions.iter().map(|found| found.id.to_string()).collect();
    let mut lines: Vec<String> = short_ids(&ids)
        .into_iter()
        .zip(&versions)
        .take(MAX_LISTED)
        .map(|(id, version)| match &version.label {
            Some(label) => format!("  {id} \"{label}\" ({})", version.status),
            None => format!("  {id} ({})", version.status),
        })
        .collect();
    if versions.len() > MAX_LISTED {
        lines.push(format!("  … and {} more", versions.len() - MAX_LISTED));
    }
    lines.join("\n")
}
