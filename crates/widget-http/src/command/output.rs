//! Standard output, which carries data only.

use std::io::{self, Write};

/// Writes one line of data.
pub(super) fn print_line(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
