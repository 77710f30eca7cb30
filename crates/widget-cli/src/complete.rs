//! Completions in shells: commands and options, the names of profiles, and ids from the service.
//!
//! A shell waits for the answer while somebody types, so nothing here takes longer than
//! [`DEADLINE`], asks anything, or says why there is no answer.

use std::{env, ffi::OsStr, sync::mpsc, thread, time::Duration};

use clap::{Arg, Command, CommandFactory, builder::StyledStr};
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompleteEnv, CompletionCandidate, PathCompleter, Shell,
    engine::ValueCompleter, env::Shells,
};
use widget_api::{
    agents::AgentsQuery, client::Client, conversations::ConversationsQuery, unreadable::Listed,
    widgets::WidgetsQuery,
};

use crate::{
    cli::Cli,
    commands::time,
    failure::Failure,
    online::{
        ServiceOptions, Session,
        profile::{self, Profiles},
        reference::{id_of, title},
    },
    printer::printable,
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
    command
        .mut_args(with_completer)
        .mut_subcommands(with_completers)
}

fn with_completer(argument: Arg) -> Arg {
    let names = argument.get_value_names().unwrap_or_default();
    let value = names.first().map_or("", |name| name.as_str());
    match (argument.get_id().as_str(), value) {
        ("profile", _) => argument.add(ArgValueCandidates::new(profiles)),
        (_, "CONVERSATION") => argument.add(ArgValueCompleter::new(conversations)),
        ("agent", "ID") | (_, "AGENT") => argument.add(ArgValueCompleter::new(agents)),
        (_, "WIDGET" | "WIDGET@N" | "URL_OR_WIDGET" | "FILE_OR_ID" | "A" | "B") => {
            argument.add(ArgValueCompleter::new(widgets_and_files))
        }
        _ => argument,
    }
}

fn profiles() -> Vec<CompletionCandidate> {
    let profiles = Profiles::read().unwrap_or_default();
    let candidate = |(name, profile): (&String, &profile::Profile)| {
        CompletionCandidate::new(name).help(Some(describe(&profile.service)))
    };
    profiles.0.iter().map(candidate).collect()
}

fn widgets_and_files(current: &OsStr) -> Vec<CompletionCandidate> {
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
    let found = ask(async move |client| client.list_web_widgets(&query).next().await.ok()?);
    let found = found.unwrap_or_default();
    candidates(
        &beginning,
        found
            .iter()
            .map(|widget| (id_of(widget).to_string(), title(widget).unwrap_or_default())),
    )
}

fn agents(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(beginning) = beginning_of_id(current) else {
        return Vec::new();
    };
    let query = AgentsQuery {
        limit: Some(MAX_OFFERED),
        id_prefix: beginning.parse().ok(),
        ..AgentsQuery::default()
    };
    let found = ask(async move |client| client.list_agents(&query).next().await.ok()?);
    let found = found.unwrap_or_default();
    candidates(
        &beginning,
        found.iter().filter_map(|agent| match agent {
            Listed::Readable(agent) => Some((agent.id.to_string(), agent.name.as_str())),
            Listed::Unreadable(_) => None,
        }),
    )
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
    let named: Vec<(String, String)> = found
        .iter()
        .filter_map(|conversation| match conversation {
            Listed::Readable(conversation) => Some((
                conversation.id.to_string(),
                format!("{}, {}", time(conversation.created_at), conversation.status),
            )),
            Listed::Unreadable(_) => None,
        })
        .collect();
    let named = named.iter().map(|(id, about)| (id.clone(), about.as_str()));
    candidates(&beginning, named)
}

/// What was typed, if an id can begin so.
fn beginning_of_id(current: &OsStr) -> Option<String> {
    let text = current.to_str()?;
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    text.bytes().all(is_part).then(|| text.to_owned())
}

fn candidates<'t>(
    beginning: &str,
    found: impl Iterator<Item = (String, &'t str)>,
) -> Vec<CompletionCandidate> {
    found
        .filter(|(id, _)| id.starts_with(beginning))
        .map(|(id, title)| CompletionCandidate::new(id).help(Some(describe(title))))
        .collect()
}

/// A text from outside as one short line: shells read the answer line by line.
fn describe(text: &str) -> StyledStr {
    let line = printable(text).replace('\n', " ");
    let short: String = line.chars().take(MAX_TITLE).collect();
    short.into()
}

/// Asks the service of the profile that is named on the line. The thread may go on when the time
/// is over: it ends with the program.
fn ask<T: Send + 'static>(
    question: impl AsyncFnOnce(&Client) -> Option<T> + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let answer = || {
            let options = ServiceOptions {
                profile: typed("--profile").or_else(|| profile::variable("WIDGET_PROFILE")),
                ca_file: typed("--ca-file")
                    .or_else(|| profile::variable("WIDGET_CA_FILE"))
                    .map(Into::into),
                timeout: u32::try_from(DEADLINE.as_secs()).ok(),
            };
            let access = profile::find_access_without_asking(options.profile.as_deref()).ok()?;
            let session =
                Session::new(&options, access.service, access.key, access.profile).ok()?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime.block_on(question(&session.client))
        };
        // Nobody listens any more when the time is over.
        let _ = sender.send(answer());
    });
    receiver.recv_timeout(DEADLINE).ok()?
}

/// The value of an option on the line that is being typed, which follows the shell's `--`.
fn typed(option: &str) -> Option<String> {
    let mut words = env::args().skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == option {
            return words.next();
        }
        let value = word.strip_prefix(option);
        if let Some(value) = value.and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}
