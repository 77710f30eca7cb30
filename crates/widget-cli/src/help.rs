//! The long help texts, examples first.

use std::{env, ffi::OsStr, fmt::Write as _};

use clap::{
    Command, CommandFactory, Error,
    builder::{
        Resettable, StyledStr,
        styling::{AnsiColor, Styles},
    },
    error::{ContextKind, ContextValue},
};

use crate::cli::Cli;

/// The commands in groups, as `widget help` shows them. Each command is in one.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Look at widgets",
        &[
            "list", "show", "explain", "doctor", "history", "diff", "stats", "refusals",
        ],
    ),
    (
        "Change widgets",
        &[
            "create",
            "set",
            "unset",
            "edit",
            "domains",
            "publish",
            "unpublish",
            "pin",
            "restore",
            "delete",
            "undelete",
        ],
    ),
    ("Show to others", &["snippet", "preview", "open"]),
    ("Widgets as code", &["export", "plan", "apply"]),
    ("Conversations and agents", &["conversations", "agents"]),
    (
        "Work on files",
        &["validate", "lint", "migrate", "origins", "schema"],
    ),
    (
        "Services and keys",
        &["login", "logout", "whoami", "profiles"],
    ),
    ("This program", &["completions", "man", "help"]),
];

/// The command line with its commands in groups, for which clap has nothing of its own.
pub(crate) fn grouped() -> Command {
    let mut command = Cli::command();
    command.build();
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    let mut template = StyledStr::new();
    // Writing to a text does not fail.
    let _ = write!(
        template,
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n"
    );
    for (group, names) in GROUPS {
        let _ = write!(template, "\n{header}{group}:{header:#}\n");
        for name in *names {
            let about = command
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map(ToString::to_string)
                .unwrap_or_default();
            let _ = writeln!(template, "  {literal}{name:width$}{literal:#}  {about}");
        }
    }
    let _ = write!(
        template,
        "\n{header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    without_empty_variables(Cli::command()).help_template(template)
}

/// A variable of the environment that is empty is one that is not set. Clap would read it as the
/// value of the option.
fn without_empty_variables(command: Command) -> Command {
    command.mut_args(|argument| {
        let name = argument.get_env().map(OsStr::to_owned);
        match name {
            Some(name) if env::var_os(&name).is_some_and(|value| value.is_empty()) => {
                // The help names it nevertheless, as clap does.
                let help = argument.get_help().cloned().unwrap_or_default();
                let env = format!("[env: {}]", name.display());
                argument
                    .env(Resettable::Reset)
                    .help(format!("{help} {env}"))
                    .long_help(format!("{help}\n\n{env}"))
            }
            _ => argument,
        }
    })
}

/// The same error with the one command that a mistyped word is most like: clap suggests each that
/// is a little like it.
pub(crate) fn with_nearest(mut error: Error) -> Error {
    let typed = error.get(ContextKind::InvalidSubcommand).cloned();
    let suggested = error.get(ContextKind::SuggestedSubcommand).cloned();
    if let (Some(ContextValue::String(typed)), Some(ContextValue::Strings(all))) =
        (typed, suggested)
    {
        let likeness = |name: &String| strsim::normalized_damerau_levenshtein(&typed, name);
        let nearest = all
            .into_iter()
            .max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
        if let Some(nearest) = nearest {
            let nearest = ContextValue::Strings(vec![nearest]);
            error.insert(ContextKind::SuggestedSubcommand, nearest);
        }
    }
    error
}

pub(crate) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// What the exit code 2 means, everywhere in the same words.
macro_rules! could_not {
    () => {
        "wrong usage, or the command could not do it (no connection, no permission, a file that \
         cannot be read)"
    };
}

/// What the exit codes mean; a test compares the table in `docs/cli.md`.
macro_rules! exit_codes {
    () => {
        concat!(
            "  0  yes: valid, shown, equal, written\n",
            "  1  no, or an input is bad\n",
            "  2  ",
            could_not!()
        )
    };
}

pub(crate) const EXIT_CODES: &str = concat!(
    "Exit codes:\n",
    exit_codes!(),
    "\n`widget help COMMAND` shows examples."
);

pub(crate) const OVERVIEW: &str = concat!(
    "\
Examples:
  Which widgets are for our shop, and who changed one?
    widget login
    widget list --domain https://shop.example
    widget history 0197a8b2

  Are all our configs valid? (also in a build, without a service)
    widget validate configs/

  What do I paste into the page?
    widget snippet $ID --service https://widgets.example

Input:
  A widget is named by its id or the beginning of one, by the address of a page with it, or as a \
file: as the API returns it, a list of them, or a config alone (`{}` or `{\"v1\": …}`), as JSON or \
YAML.

Output:
  The answer goes to standard output; summaries, assumptions and errors go to standard error.
  With `--output json` the answer is one JSON object a line. Later versions only add keys to it.

Exit codes:
",
    exit_codes!()
);

pub(crate) const VALIDATE: &str = concat!(
    "\
Shows every error of every file, with its line and value. Warnings are only counted; `widget lint` \
shows them.

Examples:
  widget validate widget.json
  widget validate configs/ 'shops/*.yaml'
  curl … | widget validate -
  widget validate configs/ --output json --quiet      in a build: one JSON object for each entry

A folder means every .json, .yaml and .yml file below it, without hidden files and node_modules.
A pointer starts at the root of the widget, as in the API. In a config file it also starts with \
`/config`.
Exit code: 0 when everything is valid, 1 when something is not, 2 for ",
    could_not!(),
    "."
);

pub(crate) const LINT: &str = concat!(
    "\
An error is what the service rejects. A warning is what it accepts and what is probably a mistake: \
a misspelled key, a list that allows every site or none, a text that is too pale to read.

Examples:
  widget lint widget.json
  widget lint 0197a8b2                      a widget of the service
  widget lint configs/ --deny-warnings      exit 1 also for warnings

Exit code: 0 when there is no error, 1 when there is one (or a warning, with --deny-warnings), 2 \
for ",
    could_not!(),
    "."
);

pub(crate) const MIGRATE: &str = concat!(
    "\
Without --check and --write it prints the result for one file. Comments, order, spaces and unknown \
keys stay as they were written. A current config is left unchanged, byte for byte.

Examples:
  widget migrate old.json                   print the result
  widget migrate configs/ --check           which files are not current?
  widget migrate configs/ --write           replace them
  cat old.yaml | widget migrate - > new.yaml

With --write a file is replaced in one step: even after a crash it is either the old or the new \
one. A file that is not valid is left unchanged, and the others are still written.
Exit code: 0 when every config is current or written, 1 when --check finds one that is not or a \
file is not valid, 2 for ",
    could_not!(),
    "."
);

pub(crate) const EXPLAIN: &str = concat!(
    "\
Makes the decision that the service makes for this page and shows each step of it, ✓ or ✗. When \
the page is not on the list of domains, it shows the nearest entry, the difference, and the one change \
that helps.

The service decides for a widget that is named by its id or a page. For a file and for a revision \
(@N) this program decides.

Examples:
  widget explain 0197a8b2 --page https://shop.example/cart
  widget explain https://shop.example/cart
  widget explain widget.json --page https://shop.example/cart
  widget explain widget.json --page shop.example --service https://widgets.example
  widget explain widget.json --page https://shop.example --agent-version draft

Of files, only the answer to a POST or PATCH says, in its `warnings`, that the pinned agent version is not \
published. Otherwise the command assumes that it is, and says so; use --agent-version to set what \
you know.
Exit code: 0 when the widget is shown, 1 when it is not, 2 for ",
    could_not!(),
    "."
);

pub(crate) const DIFF: &str = concat!(
    "\
Compares the meaning, not the text: the order of keys, JSON or YAML, and spaces do not matter.

Examples:
  widget diff 0197a8b2@3 0197a8b2@5
  widget diff 0197a8b2 shop.yaml
  widget diff before.json after.json
  curl … | widget diff approved.yaml -

Pointers start at the root of a widget, as in the API: a config is at `/config`.
Exit code: 0 when there is no difference, 1 when there is one, 2 for ",
    could_not!(),
    "."
);

pub(crate) const SNIPPET: &str = concat!(
    "\
Paste the line anywhere in the page, preferably just before `</body>`. The service says the line; \
with --service URL none is asked.

Examples:
  widget snippet 0197a8b2
  widget snippet 0197a8b2 --with-integrity
  widget snippet widget.json --service https://widgets.example
  widget snippet 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b --service https://widgets.example
  widget snippet widget.json --service https://widgets.example \\
    --file-name 3f2a9c.js --integrity sha384-…

With a hash the browser runs the script only if it has that hash. --with-integrity prints the line \
that the service returns; without a service, use --file-name and --integrity. Such a page must be changed to get a \
newer script after an update of the service.
Exit code: 0 when the line is printed, 1 when there is no such widget, 2 for ",
    could_not!(),
    "."
);

pub(crate) const SCHEMA: &str = "\
JSON Schema 2020-12, for completion and checks in an editor.

Examples:
  widget schema > widget-config.schema.json
  widget schema widget

In VS Code, for JSON:
  \"json.schemas\": [
    {\"fileMatch\": [\"configs/*.json\"], \"url\": \"./widget-config.schema.json\"}
  ]
In a YAML file, as its first line:
  # yaml-language-server: $schema=widget-config.schema.json";

pub(crate) const ORIGINS: &str = "\
Examples:
  widget origins test --allow shop.example '*.shop.example' --page https://www.shop.example/cart
  widget origins normalize Shop.Example https://shop.example:443/cart";

pub(crate) const ORIGINS_TEST: &str = concat!(
    "\
Examples:
  widget origins test --allow shop.example --page https://www.shop.example/cart
  widget origins test --allow 'https://*.shop.example' \\
    --page https://a.shop.example --page https://shop.example

Put entries with a `*` in quotes, or the shell may replace them with file names.
Exit code: 0 when every page is allowed, 1 when one is not or an entry is rejected, 2 for ",
    could_not!(),
    "."
);

pub(crate) const ORIGINS_NORMALIZE: &str = concat!(
    "\
Shows each entry in the form in which it is stored and compared, or why it is rejected.

Examples:
  widget origins normalize Shop.Example https://shop.example:443/cart 'https://*.shop.example'
  widget origins normalize < sites.txt

Exit code: 0 when every entry is accepted, 1 when one is rejected, 2 for ",
    could_not!(),
    "."
);

pub(crate) const COMPLETIONS: &str = "\
Completes commands and options, the names of profiles, and what it asks the service of the profile \
in use for: widgets and their revisions, agents and their versions, conversations, links of drafts, \
and the sites on a list. It waits at most two seconds, and says nothing when there is no answer. The \
values of a config come from its schema. The shell runs the script when it starts, so that it fits the program after an update.

Examples:
  echo 'source <(widget completions bash)' >> ~/.bashrc
  echo 'source <(widget completions zsh)' >> ~/.zshrc            after `compinit`
  echo 'widget completions fish | source' > ~/.config/fish/completions/widget.fish

A keyring may ask for a password, which a shell that waits for completions must not: with the key \
in a keyring, ids are completed on Windows only. In a file or in `WIDGET_API_KEY`, everywhere.";

pub(crate) const MAN: &str = "\
Examples:
  widget man | man -l -
  widget man --dir ~/.local/share/man/man1";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut command = Cli::command();
        command.build();
        let all: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let once: BTreeSet<&str> = grouped.iter().copied().collect();
        assert_eq!(once, all);
        assert_eq!(once.len(), grouped.len());
    }

    /// The command lines below `Examples:`.
    fn examples(help: &str) -> Vec<&str> {
        let mut lines = help.lines().skip_while(|line| *line != "Examples:");
        lines.next();
        lines
            .take_while(|line| !line.is_empty())
            .filter(|line| line.starts_with("  ") && line.contains("widget "))
            .collect()
    }

    #[test]
    fn every_command_has_examples() {
        fn check(command: &Command, path: &str) {
            for command in command.get_subcommands() {
                let name = command.get_name();
                if name == "help" {
                    continue;
                }
                let path = format!("{path} {name}");
                let help = command.get_after_long_help();
                let help = help.map(ToString::to_string).unwrap_or_default();
                let shown = examples(&help);
                assert!(shown.len() >= 2, "{path}: {shown:?}");
                let is_own = |line: &&str| is_command(line, &path);
                assert!(shown.iter().any(is_own), "{path}: {shown:?}");
                for line in shown {
                    assert!(line.chars().count() <= 100, "{path}: {line}");
                }
                check(command, &path);
            }
        }
        /// Whether a line has these words, with arguments between them.
        fn is_command(line: &str, path: &str) -> bool {
            let mut words = line.split(|character: char| " ()'".contains(character));
            path.split(' ').all(|name| words.any(|word| word == name))
        }
        check(&Cli::command(), "widget");
    }

    #[test]
    fn exit_codes_are_the_same_everywhere() {
        let page = include_str!("../../../docs/cli.md");
        for line in exit_codes!().lines() {
            let (code, meaning) = line.trim().split_once("  ").expect("two columns");
            let row = format!("| {code} | {meaning} |");
            assert_eq!(page.matches(&row).count(), 1, "{row}");
        }
    }
}
