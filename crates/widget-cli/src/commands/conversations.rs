//! `widget conversations`: what visitors and agents said, as it is stored and while it happens.

pub(crate) mod erase;
pub(crate) mod export;
mod filter;
mod follow;
mod list;
pub(crate) mod show;

use clap::Subcommand;
use widget_api::{
    client::Error,
    conversations::{Conversation, Message},
};
use widget_core::conversation::{Reporter, Role};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online,
    printer::{BOLD, CYAN, Printer, printable},
};

pub(crate) const HELP: &str = "\
Examples:
  widget conversations list 0197a8b2 --open
  widget conversations show 0197c3d4";

/// The commands below `conversations`.
#[derive(Debug, Subcommand)]
pub(crate) enum Conversations {
    /// List conversations, the newest first
    #[command(after_long_help = list::HELP)]
    List(list::List),
    /// Show a conversation and what was said in it
    #[command(after_long_help = show::HELP)]
    Show(show::Show),
    /// Show what happens in a conversation, while it happens
    #[command(after_long_help = follow::HELP)]
    Follow(follow::Follow),
    /// Write everything that is stored about conversations to a file
    #[command(after_long_help = export::HELP)]
    Export(export::Export),
    /// Erase what was said and sent in conversations
    #[command(after_long_help = erase::HELP)]
    Erase(erase::Erase),
}

/// Runs a command below `conversations`.
pub(super) fn run(
    command: &Conversations,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    online::run(
        &global.service,
        printer,
        async |session, printer| match command {
            Conversations::List(arguments) => list::run(arguments, session, printer).await,
            Conversations::Show(arguments) => show::run(arguments, session, printer).await,
            Conversations::Follow(arguments) => follow::run(arguments, session, printer).await,
            Conversations::Export(arguments) => export::run(arguments, session, printer).await,
            Conversations::Erase(arguments) => erase::run(arguments, session, printer).await,
        },
    )
}

/// Whether the service may be there again in a while.
fn may_return(error: &Error) -> bool {
    error.is_passing() || matches!(error, Error::Timeout { .. })
}

/// Where a conversation stands, in a word or two.
fn state(conversation: &Conversation) -> String {
    match (&conversation.end_reason, conversation.joined_at) {
        _ if conversation.erased_at.is_some() => "erased".to_owned(),
        (Some(reason), _) => format!("ended: {reason}"),
        (None, _) if !conversation.is_open => "ended".to_owned(),
        (None, None) => "open, nobody joined yet".to_owned(),
        (None, Some(_)) => "open".to_owned(),
    }
}

/// Writes what somebody said: who and when in one line, the text below.
fn show_message(message: &Message, printer: &mut Printer) -> Result<(), Failure> {
    let color = match message.role {
        Role::Visitor => BOLD,
        Role::Agent => CYAN,
    };
    let reported = match (message.role, message.reported_by) {
        // Anybody could have written it.
        (Role::Agent, Reporter::Visitor) => ", as the visitor's window reports",
        _ => "",
    };
    let time = super::time(message.created_at);
    let role = message.role;
    printer.line(format_args!("{color}{role}{color:#}  {time}{reported}"))?;
    for line in message.text.lines() {
        printer.line(format_args!("  {}", printable(line)))?;
    }
    Ok(())
}
