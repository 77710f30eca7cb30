//! How every change is made: it is shown, asked for and written.

use clap::Args;
use widget_api::{
    client::{ETag, Error, Tagged},
    decisions::Finding,
};

use super::{Session, prompt};
use crate::{
    failure::Failure,
    printer::{GREEN, Printer, printable},
};

/// Options of the commands that change something.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ChangeOptions {
    /// Make the change without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

/// A change that is shown, asked for and made.
pub(crate) struct Proposal<'a> {
    /// What changes and what that does, one line each, as [`lines_of`](super::change::lines_of)
    /// makes them.
    pub(crate) lines: Vec<String>,
    /// What is probably a mistake, shown beside the answer.
    pub(crate) warnings: Vec<Finding>,
    pub(crate) question: &'a str,
    /// What is said once it is written, such as `widget … is deleted`.
    pub(crate) done: &'a str,
    pub(crate) options: ChangeOptions,
}

/// What became of a proposal.
pub(crate) enum Outcome<T> {
    Written(T),
    /// `--dry-run`.
    Shown,
    /// A person said no.
    Declined,
    /// Somebody else was faster; nothing was written.
    Conflict(Error),
}

impl<T> Outcome<T> {
    /// Whether it was written, for a change of which a conflict has nothing else to show; `None`
    /// when a person said no.
    pub(crate) fn into_written(self) -> Result<Option<bool>, Failure> {
        match self {
            Self::Written(_) => Ok(Some(true)),
            Self::Shown => Ok(Some(false)),
            Self::Declined => Ok(None),
            Self::Conflict(error) => Err(error.into()),
        }
    }
}

impl Proposal<'_> {
    /// Shows the change, asks, and makes it with `sent`, of which nothing happens before. Says to
    /// people what was done; what programs read is the caller's.
    pub(crate) async fn make<T>(
        &self,
        sent: impl Future<Output = Result<T, Error>>,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Outcome<T>, Failure> {
        self.make_noting(sent, |_| None, session, printer).await
    }

    /// As [`make`](Self::make), for a change that writes a revision of a widget: its number is said
    /// with what was done, so that it can be named later.
    pub(crate) async fn make_revision<T>(
        &self,
        sent: impl Future<Output = Result<Tagged<T>, Error>>,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Outcome<Tagged<T>>, Failure> {
        self.make_noting(sent, revision_of, session, printer).await
    }

    async fn make_noting<T>(
        &self,
        sent: impl Future<Output = Result<T, Error>>,
        find_revision: impl FnOnce(&T) -> Option<i64>,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Outcome<T>, Failure> {
        show_lines(&self.lines, printer)?;
        show_warnings(&self.warnings, printer)?;
        match confirm(self.options, self.question, session, printer).await? {
            Decision::Go => {}
            Decision::No => return Ok(Outcome::Declined),
            Decision::DryRun => {
                if !printer.is_data() {
                    printer.note("nothing was written (--dry-run)")?;
                }
                return Ok(Outcome::Shown);
            }
        }
        session.check_interrupted()?;
        match session.write(self.done, sent).await {
            Ok(written) => {
                show_done(self.done, find_revision(&written), printer)?;
                Ok(Outcome::Written(written))
            }
            Err(error) if error.is_conflict() => Ok(Outcome::Conflict(error)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a person, or an option, says to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Go,
    DryRun,
    No,
}

/// Asks whether to make a change that was shown. Without a terminal, only options answer.
pub(crate) async fn confirm(
    options: ChangeOptions,
    question: &str,
    session: &Session,
    printer: &mut Printer,
) -> Result<Decision, Failure> {
    printer.flush()?;
    if options.dry_run {
        return Ok(Decision::DryRun);
    }
    if options.yes {
        return Ok(Decision::Go);
    }
    if !prompt::has_person() {
        return Err(Failure::unexpected(
            "a change needs an answer, and there is no terminal to ask at; nothing was written",
        )
        .hint(format_args!(
            "`{}` makes it without asking",
            prompt::command_with_yes()
        )));
    }
    if prompt::confirm(session, question).await? {
        return Ok(Decision::Go);
    }
    printer.note("nothing was written")?;
    Ok(Decision::No)
}

/// Shows what changes: on standard output for people, beside the answer for programs.
pub(crate) fn show_lines(lines: &[String], printer: &mut Printer) -> Result<(), Failure> {
    for line in lines {
        if printer.is_data() {
            printer.note(line)?;
        } else {
            printer.line(line)?;
        }
    }
    Ok(())
}

/// Shows what is probably a mistake, with what to do about it.
pub(crate) fn show_warnings(warnings: &[Finding], printer: &mut Printer) -> Result<(), Failure> {
    for warning in warnings {
        printer.warning(&warning.detail, warning.hint.as_deref())?;
    }
    Ok(())
}

/// Says to people what was done, and the number of the revision if it is known; programs get an
/// object.
pub(super) fn show_done(
    done: &str,
    revision: Option<i64>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if printer.is_data() {
        return Ok(());
    }
    let revision = revision
        .map(|number| format!("; this is revision {number}"))
        .unwrap_or_default();
    printer.line(format_args!(
        "{GREEN}✓{GREEN:#} {}{revision}",
        printable(done)
    ))
}

/// A record that a command is going to change, with the state that it was read in. A change that
/// does not name the state could undo what somebody else changes at the same time.
#[derive(Debug)]
pub(crate) struct Current<'t, T> {
    pub(crate) value: &'t T,
    pub(crate) etag: &'t ETag,
}

impl<'t, T> Current<'t, T> {
    /// The record of an answer, which has to name its state.
    pub(crate) fn of(read: &'t Tagged<T>, session: &Session) -> Result<Self, Failure> {
        let etag = read.etag.as_ref().ok_or_else(|| {
            Failure::unexpected(format_args!(
                "the answer of `{}` has no header `ETag`, so that a change could undo what \
                 somebody else changes at the same time; nothing was written",
                session.client.service().origin()
            ))
            .hint("a proxy before the service removes the header; its operator can let it through")
        })?;
        Ok(Self {
            value: &read.value,
            etag,
        })
    }
}

/// The number of the revision in the answer to a change, if nothing in between removed it.
pub(crate) fn revision_of<T>(written: &Tagged<T>) -> Option<i64> {
    written.etag.as_ref().and_then(ETag::revision)
}
