//! Environment variables, read in one place: an empty one is how Compose files, Kubernetes and
//! systemd spell "not set".

use std::{env, ffi::OsStr};

use clap::{Command, builder::Resettable};

/// Makes every setting of the command and of its subcommands ignore a variable that is empty.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        if argument.get_env().is_some_and(is_empty) {
            argument.env(Resettable::Reset)
        } else {
            argument
        }
    });
    command.mut_subcommands(without_empty_variables)
}

/// A variable that no flag stands for, unless it is empty.
pub(super) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn is_empty(name: &OsStr) -> bool {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    env::var_os(name).is_some_and(|value| value.is_empty())
}
