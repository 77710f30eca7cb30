//! `widget agents`: the agents of the registry and their versions.

use clap::{Args, Subcommand};
use serde::Serialize;
use widget_api::{
    ProblemCode,
    agents::{Agent, AgentVersion, AgentVersionsQuery, AgentsQuery},
    unreadable::Listed,
    widgets::WidgetsQuery,
};
use widget_core::id::{AgentId, AgentVersionId};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, change, ids,
        proposal::{ChangeOptions, Proposal},
        short_ids,
    },
    printer::{GREEN, Printer, count, grouped, printable},
    table::Column,
};

pub(crate) const HELP: &str = "\
Examples:
  widget agents list
  widget agents publish 'Shop assistant' 3";

pub(crate) const LIST_HELP: &str = "\
Examples:
  widget agents list
  widget agents list --output json";

pub(crate) const VERSIONS_HELP: &str = "\
Examples:
  widget agents versions 'Shop assistant'
  widget agents versions 0197a8b2 --output table      whole ids";

pub(crate) const PUBLISH_HELP: &str = "\
A published version cannot be changed. Widgets that pin it, and are published, become live.

Examples:
  widget agents publish 0197a8b2 3
  widget agents publish 0197a8b2 3 --dry-run";

/// The commands below `agents`.
#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// List agents
    #[command(after_long_help = LIST_HELP)]
    List,
    /// List the versions of an agent
    #[command(after_long_help = VERSIONS_HELP)]
    Versions(Versions),
    /// Publish a version of an agent
    #[command(after_long_help = PUBLISH_HELP)]
    Publish(Publish),
}

/// Arguments of `agents versions`.
#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// An agent's name, its id or the beginning of that
    #[arg(value_name = "AGENT")]
    pub(crate) agent: String,
}

/// Arguments of `agents publish`.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// An agent's name, its id or the beginning of that
    #[arg(value_name = "AGENT")]
    pub(crate) agent: String,
    /// The version's number, its label, its id or the beginning of that
    #[arg(value_name = "VERSION")]
    pub(crate) version: String,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// The answer of `agents publish`, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PublishedVersion"))]
pub(crate) struct PublishJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<AgentId>"))]
    agent_id: AgentId,
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<AgentVersionId>"))]
    agent_version_id: AgentVersionId,
    /// Whether it was written; not with `--dry-run`, and not when it was published before.
    written: bool,
    effects: Vec<String>,
}

/// Runs a command below `agents`.
pub(super) fn run(
    command: &Agents,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    online::run(
        &global.service,
        printer,
        async |session, printer| match command {
            Agents::List => list(session, printer).await,
            Agents::Versions(arguments) => versions(arguments, session, printer).await,
            Agents::Publish(arguments) => publish(arguments, session, printer).await,
        },
    )
}

async fn list(session: &Session, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let query = AgentsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        ..AgentsQuery::default()
    };
    let agents = session.client.list_agents(&query).collect(None).await?;
    session.seen.note_agents(&agents);
    if printer.is_data() {
        for agent in &agents {
            printer.data(agent)?;
        }
        return Ok(ExitCode::Yes);
    }
    if agents.is_empty() {
        printer.note("no agents")?;
        return Ok(ExitCode::Yes);
    }
    let ids: Vec<String> = agents.iter().map(id_of).collect();
    let shown = if printer.is_table() {
        ids.clone()
    } else {
        short_ids::short_ids(&ids)
    };
    let rows = agents
        .iter()
        .zip(shown)
        .map(|(agent, id): (&Listed<Agent>, _)| match agent {
            Listed::Readable(agent) => [id, agent.name.clone(), super::time(agent.created_at)],
            Listed::Unreadable(_) => [id, "unreadable".to_owned(), String::new()],
        });
    let columns = [
        Column::whole("ID"),
        Column::cut("NAME"),
        Column::whole("CREATED").or_left_out(1),
    ];
    printer.table(columns, rows)?;
    printer.note(count(agents.len(), "agent", "agents"))?;
    Ok(ExitCode::Yes)
}

fn id_of(agent: &Listed<Agent>) -> String {
    match agent {
        Listed::Readable(agent) => agent.id.to_string(),
        Listed::Unreadable(agent) => agent.id.clone(),
    }
}

async fn versions(
    arguments: &Versions,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let id = ids::find_agent(session, &arguments.agent).await?;
    let versions = list_versions(session, id).await?;
    if printer.is_data() {
        for version in &versions {
            printer.data(version)?;
        }
        return Ok(ExitCode::Yes);
    }
    if versions.is_empty() {
        printer.note(format_args!("agent {id} has no versions"))?;
        return Ok(ExitCode::Yes);
    }
    let rows = versions.iter().map(|version| match version {
        Listed::Readable(version) => [
            version.number.to_string(),
            version.status.to_string(),
            version.label.clone().unwrap_or_default(),
            version.livekit_agent_name.clone(),
            version.published_at.map(super::time).unwrap_or_default(),
            version.id.to_string(),
        ],
        Listed::Unreadable(version) => {
            let empty = String::new;
            let state = "unreadable".to_owned();
            [
                empty(),
                state,
                empty(),
                empty(),
                empty(),
                version.id.clone(),
            ]
        }
    });
    let columns = [
        Column::whole("NUMBER"),
        Column::whole("STATUS"),
        Column::cut("LABEL"),
        Column::cut("WORKER").or_left_out(1),
        Column::whole("PUBLISHED").or_left_out(2),
        Column::whole("ID").or_left_out(3),
    ];
    printer.table(columns, rows)?;
    Ok(ExitCode::Yes)
}

async fn list_versions(
    session: &Session,
    id: AgentId,
) -> Result<Vec<Listed<AgentVersion>>, Failure> {
    let query = AgentVersionsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        before: None,
    };
    let pages = session.client.list_agent_versions(id, &query);
    Ok(pages.collect(None).await?)
}

async fn publish(
    arguments: &Publish,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let agent_id = ids::find_agent(session, &arguments.agent).await?;
    let version = ids::find_version(session, agent_id, &arguments.version).await?;
    let version_id = version.id;
    let name = format!("{} of agent {agent_id}", version.describe());
    let mut answer = PublishJson {
        agent_id,
        agent_version_id: version_id,
        written: false,
        effects: Vec::new(),
    };
    if version.is_published() {
        printer.note(format_args!(
            "{name} is published already; nothing was written"
        ))?;
        return finish(&answer, printer);
    }
    answer.effects = effects(session, version_id).await?;
    let done = format!("{name} is published");
    let mut lines = vec![format!("{GREEN}+{GREEN:#} {}", printable(&done))];
    lines.extend(change::lines_of(&[], &answer.effects));
    let proposal = Proposal {
        lines,
        warnings: Vec::new(),
        question: "Publish it?",
        done: &done,
        options: arguments.change,
    };
    let sent = Box::pin(session.client.publish_agent_version(agent_id, version_id));
    let outcome = proposal.make(sent, session, printer).await?;
    let Some(written) = outcome.into_written()? else {
        return Ok(ExitCode::No);
    };
    answer.written = written;
    finish(&answer, printer)
}

fn finish(answer: &PublishJson, printer: &mut Printer) -> Result<ExitCode, Failure> {
    if printer.is_data() {
        printer.data(answer)?;
    }
    Ok(ExitCode::Yes)
}

/// What publishing a version does, one sentence each.
async fn effects(session: &Session, version: AgentVersionId) -> Result<Vec<String>, Failure> {
    let query = WidgetsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        agent_version_id: Some(version),
        published: Some(true),
        ..WidgetsQuery::default()
    };
    let widgets = match session.client.list_web_widgets(&query).collect(None).await {
        Ok(widgets) => match widgets.len() {
            0 => "no published widget pins it".to_owned(),
            1 => "1 published widget pins it, and becomes live unless something else blocks it"
                .to_owned(),
            number => format!(
                "{} published widgets pin it, and become live unless something else blocks them",
                grouped(number)
            ),
        },
        Err(error) if error.code() == Some(ProblemCode::InsufficientScope) => {
            "published widgets that pin it become live".to_owned()
        }
        Err(error) => return Err(error.into()),
    };
    Ok(vec![
        "a published version cannot be changed".to_owned(),
        widgets,
    ])
}
