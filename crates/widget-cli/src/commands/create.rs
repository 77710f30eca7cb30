//! `widget create`: a new widget, from options or a file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{json, value::to_raw_value};
use widget_api::{NewWidget, decisions::Finding};
use widget_core::{
    config::{Config, Edit},
    id::WidgetId,
};

use super::{domains::canonical, set::invalid};
use crate::{
    check::check,
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, change, effects, ids,
        proposal::{self, ChangeOptions, Outcome, Proposal},
    },
    paths,
    printer::{Printer, count, printable},
    source::{document::Document, input::Format},
    subject::find_subjects,
    suffixes::Suffixes,
    widget_file::show_faults,
};

pub(crate) const HELP: &str = "\
Without --published the widget is not shown until `widget publish`. Without --version it has the \
newest published version of its agent.
The file is a config, or a widget as `widget show --output json` writes it: its config, domains and \
agent are used, and options come before them.

Examples:
  widget create --title 'Ask us' --agent 0197a8c0 --domain https://shop.example
  widget create --file shop.yaml --agent 'Shop assistant' --yes --output json

The request has an idempotency key: when its answer is lost and it is repeated, one widget is \
created. Name one with --idempotency-key to repeat the command itself within 24 hours.";

/// Arguments of `create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The title of the window
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// The agent: its name, its id or the beginning of that
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Option<String>,
    /// The version of the agent: its number, its label, its id or the beginning of that
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// A site that may show the widget; can be repeated
    #[arg(long = "domain", value_name = "ENTRY")]
    pub(crate) domains: Vec<String>,
    /// Show it as soon as it is created
    #[arg(long)]
    pub(crate) published: bool,
    /// A file with a config or a widget, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The format of the file, instead of deciding by its name
    #[arg(long, value_name = "FORMAT", value_enum, requires = "file")]
    pub(crate) format: Option<Format>,
    /// Create the widget once, however often a command with this key is repeated in 24 hours
    #[arg(long, value_name = "TEXT")]
    pub(crate) idempotency_key: Option<String>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// The answer for programs. Without `id` nothing was written.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CreatedWidget"))]
pub(crate) struct CreatedJson<'c> {
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<widget_api::schema::Text<WidgetId>>"))]
    id: Option<WidgetId>,
    web_widget: &'c NewWidget,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<String>,
    warnings: Vec<Finding>,
}

/// What a file says about a widget to create.
#[derive(Default)]
pub(super) struct Draft {
    agent: Option<String>,
    version: Option<String>,
    domains: Vec<String>,
    pub(super) config: Config,
}

/// Creates a widget.
pub(super) fn run(
    arguments: &Create,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let Some(draft) = read_draft(arguments, printer)? else {
        return Ok(ExitCode::No);
    };
    let agent = draft.agent.clone().ok_or_else(|| {
        Failure::unexpected("a widget needs an agent").hint(
            "name one with `--agent`, by its id or its name; `widget agents list` shows the agents",
        )
    })?;
    online::run(&global.service, printer, async |session, printer| {
        let agent_id = ids::find_agent(session, &agent).await?;
        let version = match &draft.version {
            Some(text) => ids::find_version(session, agent_id, text).await?,
            None => ids::find_newest_version(session, agent_id).await?,
        };
        let config = draft.config.to_value();
        let mut warnings = canonical(&draft.domains)?.warnings();
        warnings.append(draft.config.warnings());
        let warnings: Vec<Finding> = warnings.into_iter().map(Into::into).collect();
        let new = NewWidget {
            agent_id,
            agent_version_id: version.id,
            domains: draft.domains,
            published: arguments.published,
            config: Some(to_raw_value(&config).map_err(Failure::unexpected)?),
        };
        let key = arguments.idempotency_key.as_deref();
        let sent = Box::pin(session.client.create_web_widget_with_key(&new, key));
        let proposal = Proposal {
            lines: describe(&new, &draft.config),
            warnings: warnings.clone(),
            question: "Create this widget?",
            done: "a widget was created",
            options: arguments.change,
        };
        let created = match proposal.make(sent, session, printer).await? {
            Outcome::Written(created) => created.value,
            Outcome::Declined => return Ok(ExitCode::No),
            Outcome::Conflict(error) => return Err(error.into()),
            Outcome::Shown => {
                if printer.is_data() {
                    printer.data(&CreatedJson {
                        written: false,
                        id: None,
                        web_widget: &new,
                        snippet: None,
                        warnings,
                    })?;
                }
                return Ok(ExitCode::Yes);
            }
        };
        let is_new = |found: &Finding| !warnings.contains(found);
        let said: Vec<Finding> = created.warnings.into_iter().filter(is_new).collect();
        session.seen.note_widget(&created.widget);
        let id = created.widget.id;
        // The widget is there, whatever becomes of its snippet.
        let snippet = session.client.get_snippet(id).await;
        if printer.is_data() {
            printer.data(&CreatedJson {
                written: true,
                id: Some(id),
                web_widget: &new,
                snippet: snippet.ok().map(|snippet| snippet.html),
                warnings: [warnings, said].concat(),
            })?;
            return Ok(ExitCode::Yes);
        }
        printer.line(format_args!("\nid: {id}"))?;
        match snippet {
            Ok(snippet) => printer.line(printable(&snippet.html))?,
            Err(error) => printer.note(format_args!(
                "its snippet cannot be read now: {error}; `widget snippet {id}` prints it"
            ))?,
        }
        if !new.published {
            printer.note(format_args!("`widget publish {id}` shows it to visitors"))?;
        }
        proposal::show_warnings(&said, printer)?;
        Ok(ExitCode::Yes)
    })
}

/// The new widget, as lines.
fn describe(new: &NewWidget, config: &Config) -> Vec<String> {
    let added = |pointer: &str, value: serde_json::Value| widget_core::config::Change {
        pointer: pointer.to_owned(),
        kind: widget_core::config::ChangeKind::Added(value),
    };
    let mut changes = vec![
        added("/agent_id", json!(new.agent_id)),
        added("/agent_version_id", json!(new.agent_version_id)),
        added("/domains", json!(new.domains)),
        added("/published", json!(new.published)),
    ];
    changes.extend(widget_core::config::diff(&Config::default(), config));
    let effect = if new.published {
        let sites = effects::sites(&new.domains, "listed ");
        format!("visitors of {sites} see it within 5 s, if nothing else keeps it from being live")
    } else {
        "the widget is not published, so visitors see nothing of it".to_owned()
    };
    change::lines_of(&changes, &[effect])
}

/// What options and file say together; `None` when the file has faults, which are shown.
fn read_draft(arguments: &Create, printer: &mut Printer) -> Result<Option<Draft>, Failure> {
    let mut draft = match &arguments.file {
        None => Draft::default(),
        Some(file) => match read_file(file, arguments.format, printer)? {
            Some(draft) => draft,
            None => return Ok(None),
        },
    };
    if let Some(agent) = &arguments.agent {
        draft.agent = Some(agent.clone());
        // The version of the file is one of another agent.
        draft.version = None;
    }
    if let Some(version) = &arguments.version {
        draft.version = Some(version.clone());
    }
    if !arguments.domains.is_empty() {
        draft.domains.clone_from(&arguments.domains);
    }
    draft.domains = canonical(&draft.domains)?.entries().to_vec();
    if let Some(title) = &arguments.title {
        let set = Edit::Set {
            pointer: "/config/v1/chat/title".to_owned(),
            value: title.as_str().into(),
        };
        let edited = draft.config.edit([set]);
        draft.config = edited.map_err(|error| invalid(&error.findings()))?;
    }
    Ok(Some(draft))
}

pub(super) fn read_file(
    file: &Path,
    format: Option<Format>,
    printer: &mut Printer,
) -> Result<Option<Draft>, Failure> {
    let origin = paths::require_single(file)?;
    let name = origin.name();
    let input = paths::read(&origin, format).map_err(|error| error.into_failure(&name))?;
    let faults = 'faults: {
        let document = match Document::read(&input) {
            Ok(document) => document,
            Err(fault) => break 'faults fault.into(),
        };
        let subjects = match find_subjects(&document, None) {
            Ok(subjects) => subjects,
            Err(fault) => break 'faults fault.into(),
        };
        let [subject] = &subjects[..] else {
            return Err(Failure::bad_input(format_args!(
                "`{name}` contains a list of {}, and one widget is created at a time",
                count(subjects.len(), "entry", "entries")
            )));
        };
        let checked = check(subject, &Suffixes::default());
        match (checked.record, checked.config) {
            (Some(record), _) if record.faults.is_empty() => {
                let widget = record.widget;
                let text = |key: &str| -> Option<String> {
                    serde_json::from_str(subject.members.get(key)?.get()).ok()
                };
                return Ok(Some(Draft {
                    agent: text("agent_id"),
                    version: text("agent_version_id"),
                    domains: widget.domains.entries().to_vec(),
                    config: widget.config,
                }));
            }
            (None, Some(config)) => {
                return Ok(Some(Draft {
                    config: *config,
                    ..Draft::default()
                }));
            }
            _ => checked.faults,
        }
    };
    show_faults(&input, &name, &faults, printer)?;
    Ok(None)
}
