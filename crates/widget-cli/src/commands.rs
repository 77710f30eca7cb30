//! One file for each command: calls the rules and shows the answer.

pub(crate) mod agents;
pub(crate) mod conversations;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod domains;
pub(crate) mod edit;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod manual;
pub(crate) mod migrate;
pub(crate) mod open;
pub(crate) mod origins;
pub(crate) mod pin;
pub(crate) mod plan;
pub(crate) mod preview;
pub(crate) mod publish;
pub(crate) mod restore;
pub(crate) mod schema;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod snippet;
pub(crate) mod stats;
pub(crate) mod validate;

use widget_api::{
    Timestamp,
    revisions::{Change, ChangeKind},
};
use widget_core::config;

use crate::{
    cli::{Command, Global, Origins},
    exit::ExitCode,
    failure::Failure,
    online::change,
    printer::Printer,
};

/// Runs a command. Those that ask a service get the global options.
pub(crate) fn run(
    command: Command,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    match command {
        Command::List(arguments) => list::run(&arguments, global, printer),
        Command::Show(arguments) => show::run(&arguments, global, printer),
        Command::Doctor(arguments) => doctor::run(&arguments, global, printer),
        Command::History(arguments) => history::run(&arguments, global, printer),
        Command::Create(arguments) => create::run(&arguments, global, printer),
        Command::Set(arguments) => set::set(&arguments, global, printer),
        Command::Unset(arguments) => set::unset(&arguments, global, printer),
        Command::Edit(arguments) => edit::run(&arguments, global, printer),
        Command::Domains(arguments) => domains::run(&arguments, global, printer),
        Command::Publish(arguments) => publish::run(&arguments, true, global, printer),
        Command::Unpublish(arguments) => publish::run(&arguments, false, global, printer),
        Command::Pin(arguments) => pin::run(&arguments, global, printer),
        Command::Restore(arguments) => restore::run(&arguments, global, printer),
        Command::Delete(arguments) => delete::delete(&arguments, global, printer),
        Command::Undelete(arguments) => delete::undelete(&arguments, global, printer),
        Command::Open(arguments) => open::run(&arguments, global, printer),
        Command::Preview(arguments) => preview::run(&arguments, global, printer),
        Command::Export(arguments) => export::run(&arguments, global, printer),
        Command::Plan(arguments) => plan::plan(&arguments, global, printer),
        Command::Apply(arguments) => plan::apply(&arguments, global, printer),
        Command::Conversations(command) => conversations::run(&command, global, printer),
        Command::Stats(arguments) => stats::stats(&arguments, global, printer),
        Command::Refusals(arguments) => stats::refusals(&arguments, global, printer),
        Command::Agents(command) => agents::run(&command, global, printer),
        Command::Login(arguments) => login::login(&arguments, global, printer),
        Command::Logout => login::logout(global, printer),
        Command::Profiles => login::profiles(printer),
        Command::Whoami => login::whoami(global, printer),
        Command::Validate(arguments) => validate::run(&arguments, false, global, printer),
        Command::Lint(arguments) => validate::run(&arguments, true, global, printer),
        Command::Migrate(arguments) => migrate::run(&arguments, printer),
        Command::Diff(arguments) => diff::run(&arguments, global, printer),
        Command::Schema(arguments) => schema::run(&arguments, printer),
        Command::Explain(arguments) => explain::run(&arguments, global, printer),
        Command::Snippet(arguments) => snippet::run(&arguments, global, printer),
        Command::Origins(Origins::Test(arguments)) => origins::test(&arguments, printer),
        Command::Origins(Origins::Normalize(arguments)) => origins::normalize(&arguments, printer),
        Command::Completions(arguments) => manual::completions(&arguments, printer),
        Command::Man(arguments) => manual::man(&arguments, printer),
    }
}

/// A time for people: to the second, in UTC.
pub(crate) fn time(Timestamp(time): Timestamp) -> String {
    let format =
        time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    time.to_offset(time::UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

/// A difference as the service writes it, as lines like those of `widget diff`.
fn change_body_lines(change: &Change) -> Vec<String> {
    let (from, to) = (change.from.clone(), change.to.clone());
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    change::change_lines(&config::Change {
        pointer: change.pointer.clone(),
        kind: match change.change {
            ChangeKind::Added => config::ChangeKind::Added(to),
            ChangeKind::Removed => config::ChangeKind::Removed(from),
            ChangeKind::Replaced => config::ChangeKind::Replaced { from, to },
        },
    })
}
