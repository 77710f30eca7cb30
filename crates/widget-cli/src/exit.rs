//! The exit codes, in one place, because scripts are written against them.

use std::process;

/// How the program ends. The greater code wins when several inputs are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitCode {
    /// The answer is yes: valid, loads, equal, written.
    Yes = 0,
    /// The answer is no, or an input is bad.
    No = 1,
    /// The command was used wrongly, or something outside the input failed (a file that cannot be
    /// read).
    Unexpected = 2,
}

impl ExitCode {
    /// `Yes` for a condition that holds, else `No`.
    pub(crate) fn from_answer(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
