//! The exit codes. Scripts depend on them.

use std::process;

/// How the program ends. With several inputs the greatest code is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitCode {
    /// The answer is yes: valid, shown, equal, written.
    Yes = 0,
    /// The answer is no, or an input is bad.
    No = 1,
    /// Wrong usage, or the command could not do it: no connection, no permission, a file that
    /// cannot be read.
    Unexpected = 2,
}

impl ExitCode {
    /// `Yes` or `No`.
    pub(crate) fn from_answer(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
