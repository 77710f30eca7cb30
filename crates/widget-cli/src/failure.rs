//! Why a command could not run to its end. An answer that is no is not a failure.

use std::{fmt, io};

use crate::exit::ExitCode;

/// What ends a command early. Shown as `error: …`, with its hint after a blank line.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) exit: ExitCode,
    /// Nothing is reported: the reader of the output is gone.
    pub(crate) silent: bool,
    /// The output could not be written; everything else worked until then.
    pub(crate) is_of_output: bool,
    /// The service may be of another release than this program, and can say which.
    pub(crate) is_of_release: bool,
}

impl Failure {
    /// The command was used wrongly, or something other than the input failed.
    pub(crate) fn unexpected(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
            exit: ExitCode::Unexpected,
            silent: false,
            is_of_output: false,
            is_of_release: false,
        }
    }

    /// An input that the command cannot work with.
    pub(crate) fn bad_input(message: impl fmt::Display) -> Self {
        Self {
            exit: ExitCode::No,
            ..Self::unexpected(message)
        }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

impl From<io::Error> for Failure {
    /// For errors while writing the output: reading reports its own errors with the path.
    fn from(error: io::Error) -> Self {
        Self {
            silent: error.kind() == io::ErrorKind::BrokenPipe,
            is_of_output: true,
            ..Self::unexpected(format_args!("cannot write the output: {error}"))
        }
    }
}
