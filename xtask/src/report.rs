//! What is printed while a command works: one line when a part begins, one with its duration when
//! it is done.

use std::{io::Write as _, time::Instant};

use anyhow::Result;

/// Prints what begins, does it, and prints how long it took.
pub(crate) fn part<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    line(&format!("{} {title}", paint("36", "→")));
    let result = work();
    let mark = match &result {
        Ok(_) => paint("32", "✓"),
        Err(_) => paint("31", "✗"),
    };
    line(&format!("{mark} {title} {}", paint("2", &since(start))));
    result
}

/// The time since a moment, in seconds.
pub(crate) fn since(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}

/// One line on standard output, flushed, so that it is also seen at once through a pipe. It has
/// colors where a terminal shows them and `NO_COLOR` is not set.
pub(crate) fn line(text: &str) {
    let mut out = anstream::stdout().lock();
    // When the reader is gone, the children must still be stopped.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Colors a text, by the number of a color in ANSI's escape sequences.
pub(crate) fn paint(code: &str, text: &str) -> String {
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
