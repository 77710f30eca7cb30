//! The line that is being typed.

use std::env;

use clap::{ArgMatches, CommandFactory};

use crate::cli::Cli;

/// The value of a global option on the line, which follows the shell's `--`.
pub(super) fn option(name: &str) -> Option<String> {
    let mut words = words();
    while let Some(word) = words.next() {
        if word == name {
            return words.next();
        }
        let value = word.strip_prefix(name);
        if let Some(value) = value.and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

/// The value of an argument of the command on the line, such as the widget that it is about.
pub(super) fn argument(id: &str) -> Option<String> {
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches_from(words()).ok()?;
    let mut level: Option<&ArgMatches> = Some(&matches);
    let mut found = None;
    while let Some(matches) = level {
        if let Ok(Some(value)) = matches.try_get_one::<String>(id) {
            found = Some(value.clone());
        }
        level = matches.subcommand().map(|(_, below)| below);
    }
    found
}

fn words() -> impl Iterator<Item = String> {
    env::args().skip_while(|word| word != "--").skip(1)
}
