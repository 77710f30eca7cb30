//! `widget completions` and `widget man`: made from the definition of the commands.

use std::fs;

use clap::CommandFactory;
use clap_mangen::Man as Page;

use crate::{
    cli::{Cli, Completions, Man},
    complete,
    exit::ExitCode,
    failure::Failure,
    printer::Printer,
};

/// Prints the completions of a shell.
pub(super) fn completions(
    arguments: &Completions,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    printer.text(complete::script(arguments.shell)?)?;
    Ok(ExitCode::Yes)
}

/// Prints the manual's first page, or writes all pages.
pub(super) fn man(arguments: &Man, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let Some(folder) = &arguments.dir else {
        let mut page = Vec::new();
        Page::new(Cli::command()).render(&mut page)?;
        printer.text(String::from_utf8_lossy(&page))?;
        return Ok(ExitCode::Yes);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| {
            Failure::unexpected(format_args!(
                "cannot write to `{}`: {error}",
                folder.display()
            ))
        })?;
    printer.note(format_args!(
        "the manual is in {}; `man -l {}` shows its first page",
        folder.display(),
        folder.join("widget.1").display()
    ))?;
    Ok(ExitCode::Yes)
}
