//! Completions in shells: commands and options, the names of profiles, what the service has, and
//! the values of configs.
//!
//! A shell waits for the answer while somebody types, so nothing here takes longer than
//! [`DEADLINE`], asks anything, or says why there is no answer.

mod line;
mod pointers;

use std::{env, ffi::OsStr, sync::mpsc, thread, time::Duration};

use clap::{Arg, Command, CommandFactory, builder::StyledStr};
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompleteEnv, CompletionCandidate, PathCompleter, Shell,
    engine::ValueCompleter, env::Shells,
};
use widget_api::{
    agents::{Agent, AgentVersionsQuery, AgentsQuery},
    client::Client,
    conversations::ConversationsQuery,
    revisions::RevisionsQuery,
    unreadable::{Listed, WidgetRecord},
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::id::AgentId;

use crate::{
    cli::Cli,
    commands::time,
    failure::Failure,
    online::{
        ServiceOptions, Session,
        profile::{self, Profiles},
        reference::{id_of, title},
        seen::{self, Kind, Named},
    },
    printer::printable_lines,
};

/// The variable in which the script of a shell names the shell.
const VARIABLE: &str = "WIDGET_COMPLETE";

/// The name of the program, which the script looks up in `PATH`.
const PROGRAM: &str = "widget";

/// How long a shell waits at most.
const DEADLINE: Duration = Duration::from_secs(2);

/// How many ids a shell is offered: more do not help anybody.
const MAX_OFFERED: u32 = 100;

/// How many characters of a title are shown beside an id.
const MAX_TITLE: usize = 60;

/// Answers a shell that asks for completions. `None` when nobody asks for any.
pub(crate) fn answer_shell() -> Option<Result<(), ()>> {
    let current = env::current_dir().ok();
    let answered = CompleteEnv::with_factory(|| with_completers(Cli::command()))
        .var(VARIABLE)
        .bin(PROGRAM)
        .completer(PROGRAM)
        .try_complete(env::args_os(), current.as_deref());
    match answered {
        Ok(false) => None,
        Ok(true) => Some(Ok(())),
        Err(_) => Some(Err(())),
    }
}

/// The script that connects a shell with [`answer_shell`].
pub(crate) fn script(shell: Shell) -> Result<String, Failure> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let completer = shells
        .completer(&name)
        .ok_or_else(|| Failure::unexpected(format_args!("no completions for `{name}`")))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Adds what completes the values of arguments: it follows from their names, so that a command
/// that names a widget completes widgets.
fn with_completers(command: Command) -> Command {
    let removes = command.get_name() == "remove";
    command
        .mut_args(|argument| {
            if removes && value_name(&argument) == "ENTRY" {
                argument.add(ArgValueCompleter::new(listed_entries))
            } else {
                with_completer(argument)
            }
        })
        .mut_subcommands(with_completers)
}

fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map(ToString::to_string).unwrap_or_default()
}

fn with_completer(argument: Arg) -> Arg {
    if argument.get_id() == "profile" {
        return argument.add(ArgValueCandidates::new(profiles));
    }
    let completer = match value_name(&argument).as_str() {
        "CONVERSATION" => ArgValueCompleter::new(conversations),
        "AGENT" => ArgValueCompleter::new(agents),
        "VERSION" => ArgValueCompleter::new(versions),
        "PREVIEW" => ArgValueCompleter::new(previews),
        "POINTER" => ArgValueCompleter::new(pointers),
        "POINTER=VALUE" => ArgValueCompleter::new(assignments),
        "WIDGET" | "WIDGET@N" | "URL_OR_WIDGET" | "A" | "B" => {
            ArgValueCompleter::new(widgets_and_files)
        }
        _ => return argument,
    };
    argument.add(completer)
}

fn profiles() -> Vec<CompletionCandidate> {
    let profiles = Profiles::read().unwrap_or_default();
    let candidate = |(name, profile): (&String, &profile::Profile)| {
        CompletionCandidate::new(name).help(Some(describe(&profile.service)))
    };
    profiles.0.iter().map(candidate).collect()
}

fn widgets_and_files(current: &OsStr) -> Vec<CompletionCandidate> {
    if let Some((widget, number)) = current.to_str().and_then(|text| text.split_once('@')) {
        return revisions(widget, number);
    }
    let mut candidates = widgets(current);
    candidates.extend(PathCompleter::file().complete(current));
    candidates
}

fn widgets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(beginning) = beginning_of_id(current) else {
        return Vec::new();
    };
    let query = WidgetsQuery {
        limit: Some(MAX_OFFERED),
        id_prefix: beginning.parse().ok(),
        ..WidgetsQuery::default()
    };
    let found = ask_or_recall(Kind::Widget, async move |client| {
        let found = client.list_web_widgets(&query).next().await.ok()??;
        let named = found.iter().map(|widget| {
            let title = title(widget).unwrap_or_default();
            (id_of(widget).to_string(), title.to_owned())
        });
        Some(named.collect())
    });
    candidates(&beginning, &found)
}

/// Revisions of a widget, as `WIDGET@N`.
fn revisions(widget: &str, number: &str) -> Vec<CompletionCandidate> {
    let query = RevisionsQuery {
        limit: Some(MAX_OFFERED),
        before: None,
    };
    let name = widget.to_owned();
    let found = ask(async move |client| {
        let widget = find_widget(client, &name).await?;
        client
            .list_revisions(id_of(&widget), &query)
            .next()
            .await
            .ok()?
    });
    let found = found.unwrap_or_default();
    let fits = found
        .iter()
        .filter(|revision| revision.number.to_string().starts_with(number));
    fits.map(|revision| {
        let at = revision.created_at.map(time).unwrap_or_default();
        let by = revision.api_key_name.as_deref().unwrap_or_default();
        CompletionCandidate::new(format!("{widget}@{}", revision.number))
            .help(Some(describe(&format!("{at} {by}"))))
    })
    .collect()
}

/// The one widget whose id is this, or begins so.
async fn find_widget(client: &Client, name: &str) -> Option<WidgetRecord<ListedWidget>> {
    let query = WidgetsQuery {
        limit: Some(2),
        id_prefix: Some(name.split('@').next()?.parse().ok()?),
        ..WidgetsQuery::default()
    };
    let mut found = client.list_web_widgets(&query).next().await.ok()??;
    if found.len() == 1 { found.pop() } else { None }
}

/// The widget on the line.
async fn widget_of_line(client: &Client) -> Option<WidgetRecord<ListedWidget>> {
    find_widget(client, &line::argument("widget")?).await
}

/// Names of agents, and their ids.
fn agents(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(text) = current.to_str().map(str::to_owned) else {
        return Vec::new();
    };
    let found = ask_or_recall(Kind::Agent, async |client| {
        let agents = list_agents(client).await?.into_iter();
        let named = agents.map(|agent| (agent.id.to_string(), agent.name));
        Some(named.collect())
    });
    let names = found
        .iter()
        .map(|(_, name)| name)
        .filter(|name| !text.is_empty() && name.starts_with(&text));
    names
        .map(|name| CompletionCandidate::new(name).help(Some("an agent".into())))
        .chain(candidates(&text, &found))
        .collect()
}

async fn list_agents(client: &Client) -> Option<Vec<Agent>> {
    let query = AgentsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        ..AgentsQuery::default()
    };
    let found = client.list_agents(&query).next().await.ok()??;
    Some(found.into_iter().filter_map(readable).collect())
}

/// Versions of the agent that is on the line, or of that of the widget there.
fn versions(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(text) = current.to_str() else {
        return Vec::new();
    };
    let found = ask(async move |client| {
        let agent = match line::argument("agent") {
            Some(name) => find_agent(client, &name).await?,
            None => match widget_of_line(client).await? {
                WidgetRecord::Readable(listed) => listed.widget.agent_id,
                WidgetRecord::Unreadable(_) => return None,
            },
        };
        let query = AgentVersionsQuery {
            limit: Some(MAX_OFFERED),
            before: None,
        };
        client
            .list_agent_versions(agent, &query)
            .next()
            .await
            .ok()?
    });
    let mut offered = Vec::new();
    for version in found.unwrap_or_default().into_iter().filter_map(readable) {
        let label = version.label.unwrap_or_default();
        let (number, id) = (version.number.to_string(), version.id.to_string());
        let names = [
            (&number, true),
            (&label, !text.is_empty()),
            (&id, text.len() >= 4),
        ];
        for (name, is_offered) in names {
            if is_offered && !name.is_empty() && name.starts_with(text) {
                let about = format!("{} {label}", version.status);
                offered.push(CompletionCandidate::new(name).help(Some(describe(about.trim()))));
            }
        }
    }
    offered
}

async fn find_agent(client: &Client, name: &str) -> Option<AgentId> {
    if let Ok(id) = name.parse() {
        return Some(id);
    }
    let agents = list_agents(client).await?;
    let lower = name.to_ascii_lowercase();
    let fits = |agent: &&Agent| agent.name == name || agent.id.to_string().starts_with(&lower);
    let found: Vec<&Agent> = agents.iter().filter(fits).collect();
    match found[..] {
        [only] => Some(only.id),
        _ => None,
    }
}

/// Links of drafts of the widget on the line.
fn previews(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(beginning) = beginning_of_id(current) else {
        return Vec::new();
    };
    let found = ask(async move |client| {
        let widget = widget_of_line(client).await?;
        client.list_previews(id_of(&widget)).await.ok()
    });
    let named: Vec<Named> = found
        .unwrap_or_default()
        .iter()
        .map(|preview| {
            let about = format!("ends {}", time(preview.expires_at));
            (preview.id.to_string(), about)
        })
        .collect();
    candidates(&beginning, &named)
}

/// The sites that the widget on the line lists.
fn listed_entries(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(text) = current.to_str() else {
        return Vec::new();
    };
    let found = ask(async move |client| {
        Some(match widget_of_line(client).await? {
            WidgetRecord::Readable(listed) => listed.widget.domains.clone(),
            WidgetRecord::Unreadable(widget) => widget.domains.unwrap_or_default(),
        })
    });
    let found = found.unwrap_or_default().into_iter();
    found
        .filter(|entry| entry.starts_with(text))
        .map(CompletionCandidate::new)
        .collect()
}

/// Pointers to the values of a config.
fn pointers(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_str().unwrap_or_default();
    let all = pointers::of_config().into_iter();
    all.filter(|(pointer, _)| pointer.starts_with(text))
        .map(|(pointer, about)| CompletionCandidate::new(pointer).help(Some(describe(&about))))
        .collect()
}

/// The same for `set`, where a value follows, and what else of a widget can be set.
fn assignments(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_str().unwrap_or_default();
    let of_widget = [
        ("/published", "Whether its owner wants it to be shown."),
        (
            "/agent_id",
            "The agent; the version is to be one of its own.",
        ),
        (
            "/agent_version_id",
            "The version of the agent; `widget pin` finds it by name.",
        ),
    ];
    let of_widget = of_widget.map(|(pointer, about)| (pointer.to_owned(), about.to_owned()));
    let all = of_widget.into_iter().chain(pointers::of_config());
    all.filter(|(pointer, _)| pointer.starts_with(text))
        .map(|(pointer, about)| {
            CompletionCandidate::new(format!("{pointer}=")).help(Some(describe(&about)))
        })
        .collect()
}

fn readable<T>(listed: Listed<T>) -> Option<T> {
    match listed {
        Listed::Readable(value) => Some(value),
        Listed::Unreadable(_) => None,
    }
}

fn conversations(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(beginning) = beginning_of_id(current) else {
        return Vec::new();
    };
    let query = ConversationsQuery {
        limit: Some(MAX_OFFERED),
        id_prefix: beginning.parse().ok(),
        ..ConversationsQuery::default()
    };
    let found = ask(async move |client| client.list_conversations(&query).next().await.ok()?);
    let found: Vec<_> = found.unwrap_or_default();
    let named: Vec<Named> = found
        .iter()
        .filter_map(|conversation| match conversation {
            Listed::Readable(conversation) => Some((
                conversation.id.to_string(),
                format!("{}, {}", time(conversation.created_at), conversation.status),
            )),
            Listed::Unreadable(_) => None,
        })
        .collect();
    candidates(&beginning, &named)
}

/// What was typed, if an id can begin so.
fn beginning_of_id(current: &OsStr) -> Option<String> {
    let text = current.to_str()?;
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    text.bytes().all(is_part).then(|| text.to_owned())
}

fn candidates(beginning: &str, found: &[Named]) -> Vec<CompletionCandidate> {
    let fits = found.iter().filter(|(id, _)| id.starts_with(beginning));
    fits.take(MAX_OFFERED as usize)
        .map(|(id, title)| CompletionCandidate::new(id).help(Some(describe(title))))
        .collect()
}

/// A text from outside as one short line: shells read the answer line by line.
fn describe(text: &str) -> StyledStr {
    let line = printable_lines(text).replace('\n', " ");
    let short: String = line.chars().take(MAX_TITLE).collect();
    short.into()
}

/// Asks the service of the profile that is named on the line.
fn ask<T: Send + 'static>(
    question: impl AsyncFnOnce(&Client) -> Option<T> + Send + 'static,
) -> Option<T> {
    ask_or(question, |_| None)
}

/// Like [`ask`]; without the key, which only a person may be able to unlock, the answer is what
/// commands saw last.
fn ask_or_recall(
    kind: Kind,
    question: impl AsyncFnOnce(&Client) -> Option<Vec<Named>> + Send + 'static,
) -> Vec<Named> {
    let found = ask_or(question, move |profile| seen::recall(profile, kind));
    found.unwrap_or_default()
}

/// Asks the service, or answers without it where the key cannot be had. The thread may continue
/// when the time is over: it ends with the program.
fn ask_or<T: Send + 'static>(
    question: impl AsyncFnOnce(&Client) -> Option<T> + Send + 'static,
    without_key: impl FnOnce(Option<&str>) -> Option<T> + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let answer = || {
            let options = ServiceOptions {
                profile: line::option("--profile").or_else(|| profile::variable("WIDGET_PROFILE")),
                ca_file: line::option("--ca-file")
                    .or_else(|| profile::variable("WIDGET_CA_FILE"))
                    .map(Into::into),
                timeout: u32::try_from(DEADLINE.as_secs()).ok(),
            };
            let named = options.profile.as_deref();
            let Ok(access) = profile::find_access_without_asking(named) else {
                return without_key(named);
            };
            let session =
                Session::new(&options, access.service, access.key, access.profile).ok()?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime.block_on(question(&session.client))
        };
        // Nobody listens anymore when the time is over.
        let _ = sender.send(answer());
    });
    receiver.recv_timeout(DEADLINE).ok()?
}
