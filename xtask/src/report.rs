//! What is printed while a command works: one line when a part begins, one with its duration when
//! it is done.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use anyhow::Result;

/// A duration as a person reads it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 119.5 {
        format!("{seconds:.0} s")
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// Prints what begins, does it, and prints how long it took.
///
/// # Errors
/// Those of the work.
pub(crate) fn part<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    line(&format!("{} {title}", paint("36", "→")));
    let result = work();
    let took = duration(start.elapsed());
    match &result {
        Ok(_) => line(&format!(
            "{} {title} {}",
            paint("32", "✓"),
            paint("2", &took)
        )),
        Err(_) => line(&format!(
            "{} {title} {}",
            paint("31", "✗"),
            paint("2", &took)
        )),
    }
    result
}

/// One line on standard output, flushed, so that it is also seen at once through a pipe.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that has gone away is no reason to leave children behind.
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
