//! The commands and their options, in the form that clap reads.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use clap_complete::Shell;
use widget_core::go_live::PinnedVersion;

use crate::{
    commands::{
        agents, conversations, create, delete, doctor, domains, edit, export, history, list, login,
        open, pin, plan, preview, publish, restore, set, show, stats,
    },
    help,
    online::ServiceOptions,
    printer::{ColorWhen, OutputFormat},
    source::input::Format,
    subject::Kind,
};

/// Looks at and changes web widgets: why is it not shown, what to paste, who changed it.
///
/// Asks a service, or works offline on widgets that the API returned and on config files, with the
/// same rules as the service.
#[derive(Debug, Parser)]
#[command(
    name = "widget",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = false,
    infer_subcommands = false,
    after_help = help::EXIT_CODES,
    after_long_help = help::OVERVIEW,
    styles = help::STYLES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The format of the answer
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub(crate) output: OutputFormat,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: ColorWhen,
    /// Write only errors to standard error: no summary, no assumptions, no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// The commands. `help::GROUPS` has them in groups.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List widgets
    #[command(after_long_help = list::HELP)]
    List(list::List),
    /// Show a widget
    #[command(after_long_help = show::HELP)]
    Show(show::Show),
    /// Find out what keeps a page from showing its widget
    #[command(after_long_help = doctor::HELP)]
    Doctor(doctor::Doctor),
    /// Show who changed a widget, when, and what
    #[command(after_long_help = history::HELP)]
    History(history::History),
    /// Create a widget
    #[command(after_long_help = create::HELP)]
    Create(create::Create),
    /// Set values of a widget
    #[command(after_long_help = set::SET_HELP)]
    Set(set::Set),
    /// Remove values from a widget's config
    #[command(after_long_help = set::UNSET_HELP)]
    Unset(set::Unset),
    /// Change a widget in the editor
    #[command(after_long_help = edit::HELP)]
    Edit(edit::Edit),
    /// Show or change the list of sites that may show a widget
    #[command(after_long_help = domains::HELP)]
    Domains(domains::Domains),
    /// Let a widget be shown
    #[command(after_long_help = publish::PUBLISH_HELP)]
    Publish(publish::Publish),
    /// Let a widget no longer be shown
    #[command(after_long_help = publish::UNPUBLISH_HELP)]
    Unpublish(publish::Publish),
    /// Choose the version of the agent
    #[command(after_long_help = pin::HELP)]
    Pin(pin::Pin),
    /// Make a widget what it was in an earlier revision
    #[command(after_long_help = restore::HELP)]
    Restore(restore::Restore),
    /// Delete a widget
    #[command(after_long_help = delete::DELETE_HELP)]
    Delete(delete::Delete),
    /// Bring a deleted widget back
    #[command(after_long_help = delete::UNDELETE_HELP)]
    Undelete(delete::Delete),
    /// Open a site that shows a widget in the browser
    #[command(after_long_help = open::HELP)]
    Open(open::Open),
    /// Create a link that shows a draft of a widget
    #[command(after_long_help = preview::HELP)]
    Preview(preview::Preview),
    /// Write widgets into a folder of files
    #[command(after_long_help = export::HELP)]
    Export(export::Export),
    /// Show what `apply` would do
    #[command(after_long_help = plan::PLAN_HELP)]
    Plan(plan::Plan),
    /// Make widgets what a folder of files says
    #[command(after_long_help = plan::APPLY_HELP)]
    Apply(plan::Apply),
    /// List, show, follow, export and erase conversations
    #[command(subcommand, after_long_help = conversations::HELP)]
    Conversations(conversations::Conversations),
    /// Show numbers about a widget
    #[command(after_long_help = stats::STATS_HELP)]
    Stats(stats::Stats),
    /// Show the pages on which a widget was refused
    #[command(after_long_help = stats::REFUSALS_HELP)]
    Refusals(stats::Refusals),
    /// List agents and their versions, and publish one
    #[command(subcommand, after_long_help = agents::HELP)]
    Agents(agents::Agents),
    /// Keep the address of a service and a key
    #[command(after_long_help = login::LOGIN_HELP)]
    Login(login::Login),
    /// Forget a key
    #[command(after_long_help = login::LOGOUT_HELP)]
    Logout,
    /// List the services and where their keys are
    #[command(after_long_help = login::PROFILES_HELP)]
    Profiles,
    /// Show whose key is used, what it may do, and the version of the service
    #[command(after_long_help = login::WHOAMI_HELP)]
    Whoami,
    /// Check widgets and configs for errors
    #[command(after_long_help = help::VALIDATE)]
    Validate(Check),
    /// Check widgets and configs for errors and for probable mistakes
    #[command(after_long_help = help::LINT)]
    Lint(Check),
    /// Update configs to the current version
    #[command(after_long_help = help::MIGRATE)]
    Migrate(Migrate),
    /// Explain why a widget is or is not shown on a page
    #[command(after_long_help = help::EXPLAIN)]
    Explain(Explain),
    /// Show the differences between two widgets or two configs
    #[command(after_long_help = help::DIFF)]
    Diff(Diff),
    /// Print the line of HTML that shows a widget
    #[command(after_long_help = help::SNIPPET)]
    Snippet(Snippet),
    /// Print the JSON Schema of configs, widgets or the bodies of the API
    #[command(after_long_help = help::SCHEMA)]
    Schema(Schema),
    /// Try lists of allowed sites without a widget
    #[command(subcommand, after_long_help = help::ORIGINS)]
    Origins(Origins),
    /// Print the completions for a shell
    #[command(after_long_help = help::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual, or write all its pages to a folder
    #[command(after_long_help = help::MAN)]
    Man(Man),
}

/// How to read an input.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Reading {
    /// What the input is, instead of deciding by its keys
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) kind: Option<Kind>,
    /// The format of the input, instead of deciding by its name
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
}

/// The public suffix list to use.
#[derive(Debug, Args)]
pub(crate) struct SuffixFile {
    /// A newer public suffix list than the built-in one (<https://publicsuffix.org/list/>)
    #[arg(long, value_name = "FILE")]
    pub(crate) suffix_list: Option<PathBuf>,
}

/// Arguments of `validate` and `lint`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files, folders, patterns such as 'shops/*.json', - for standard input, or ids of widgets or
    /// their beginnings
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Exit with 1 also when there are only warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) suffixes: SuffixFile,
}

/// Arguments of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Files, folders, patterns such as 'shops/*.json', or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only list the files that would change; exit with 1 if there are any
    #[arg(long, conflicts_with = "write")]
    pub(crate) check: bool,
    /// Replace the files that change
    #[arg(long)]
    pub(crate) write: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A file with the widget as the API returns it, - for standard input, a widget's id or its
    /// beginning (with @N, revision N), or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// The address of the page, as in the visitor's address bar; the default is the page with the
    /// widget
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) page: Option<String>,
    /// Of a file: the address of the widget service, to print the policy lines that the page needs
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<String>,
    /// The state of the pinned agent version, which the file does not contain
    #[arg(long, value_name = "STATE", value_enum, help_heading = "Assumptions")]
    pub(crate) agent_version: Option<VersionState>,
    /// The id of the widget, when the file contains a list
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// The format of the input, instead of deciding by its name
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    #[command(flatten)]
    pub(crate) suffixes: SuffixFile,
}

/// What the service may know about the version that a widget pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VersionState {
    /// The version is published
    Published,
    /// The version exists and is a draft
    Draft,
    /// The agent has no such version
    Missing,
    /// The version belongs to another agent
    OtherAgent,
    /// The organization has no such agent
    AgentMissing,
}

impl From<VersionState> for PinnedVersion {
    fn from(state: VersionState) -> Self {
        match state {
            VersionState::Published => Self::Published,
            VersionState::Draft => Self::Draft,
            VersionState::Missing => Self::VersionMissing,
            VersionState::OtherAgent => Self::OtherAgent,
            VersionState::AgentMissing => Self::AgentMissing,
        }
    }
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Before: a file, - for standard input, a widget's id or its beginning (with @N, revision N),
    /// or the address of a page with it
    #[arg(value_name = "A")]
    pub(crate) before: String,
    /// After
    #[arg(value_name = "B")]
    pub(crate) after: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// Arguments of `snippet`.
#[derive(Debug, Args)]
pub(crate) struct Snippet {
    /// A file with the widget as the API returns it, - for standard input, a widget's id or its
    /// beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// The address of the widget service, as browsers reach it; then no service is asked
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<String>,
    /// Print the snippet that also has the hash of the script
    #[arg(long, conflicts_with_all = ["service", "integrity", "file_name"])]
    pub(crate) with_integrity: bool,
    /// The hash that the script must have, such as sha384-…; requires --file-name
    #[arg(long, value_name = "HASH", requires_all = ["file_name", "service"])]
    pub(crate) integrity: Option<String>,
    /// The file name of the script with that hash, such as 3f2a9c….js
    #[arg(long, value_name = "NAME", requires_all = ["integrity", "service"])]
    pub(crate) file_name: Option<String>,
    /// The id of the widget, when the file contains a list
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// The format of the input, instead of deciding by its name
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The schema to print
    #[arg(value_enum, value_name = "WHICH", default_value = "config")]
    pub(crate) which: SchemaName,
}

/// The schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// A config document
    Config,
    /// A widget as the API returns it
    Widget,
    /// The body that creates a widget
    NewWidget,
    /// The body that changes a widget
    WidgetPatch,
    /// Every body that the API accepts or returns
    Api,
    /// The whole API, as OpenAPI 3.1
    Openapi,
    /// What each command writes with `--output json`
    Outputs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Origins {
    /// Test whether a list of entries allows a page
    #[command(after_long_help = help::ORIGINS_TEST)]
    Test(OriginsTest),
    /// Show entries in the form in which the service stores them
    #[command(after_long_help = help::ORIGINS_NORMALIZE)]
    Normalize(OriginsNormalize),
}

/// Arguments of `origins test`.
#[derive(Debug, Args)]
pub(crate) struct OriginsTest {
    /// Entries of the list; can be repeated
    #[arg(long, required = true, num_args = 1.., value_name = "ENTRY")]
    pub(crate) allow: Vec<String>,
    /// Addresses of pages; can be repeated
    #[arg(
        long,
        required = true,
        num_args = 1..,
        value_name = "URL",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) page: Vec<String>,
    #[command(flatten)]
    pub(crate) suffixes: SuffixFile,
}

/// Arguments of `origins normalize`.
#[derive(Debug, Args)]
pub(crate) struct OriginsNormalize {
    /// The entries; without any, they are read from standard input, one a line
    #[arg(value_name = "ENTRY")]
    pub(crate) entries: Vec<String>,
    #[command(flatten)]
    pub(crate) suffixes: SuffixFile,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write one page for each command to this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
