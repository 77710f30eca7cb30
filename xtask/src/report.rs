//! What is printed while a command works: one line when a part begins, one with its duration when
//! it is done.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use anyhow::Result;

/// A duration as a person reads it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Prints what begins, does it, and prints how long it took.
pub(crate) fn part<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    line(&format!("{} {title}", paint("36", "→")));
    let result = work();
    let mark = match &result {
        Ok(_) => paint("32", "✓"),
        Err(_) => paint("31", "✗"),
    };
    let elapsed = paint("2", &duration(start.elapsed()));
    line(&format!("{mark} {title} {elapsed}"));
    result
}

/// One line on standard output, flushed, so that it is also seen at once through a pipe.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // When the reader is gone, the children must still be stopped.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Colors a text where a terminal shows it and `NO_COLOR` is not set.
pub(crate) fn paint(code: &str, text: &str) -> String {
    if std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_millis(440)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(12)), "12 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 05 s");
    }
}
