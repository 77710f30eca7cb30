//! The only way out: standard output holds the answer and nothing else, standard error holds all
//! the rest. Color is left in here or taken out, whoever writes need not think of it.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Stderr, Stdout, Write},
};

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;

pub(crate) const RED: Style = AnsiColor::BrightRed.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const CYAN: Style = AnsiColor::BrightCyan.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();

/// Held back before it is written, so that 10,000 findings are not 10,000 system calls.
const BUFFER: usize = 32 * 1024;

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Text for people
    #[default]
    Human,
    /// JSON for programs, one object a line
    Json,
}

/// When colors are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Even into a file or a pipe
    Always,
    /// Nowhere
    Never,
}

/// Writes the answer and what is said beside it.
pub(crate) struct Printer {
    output: OutputFormat,
    quiet: bool,
    held_back: String,
    answer: AutoStream<Stdout>,
    aside: AutoStream<Stderr>,
    progress_shown: bool,
}

impl Printer {
    pub(crate) fn new(output: OutputFormat, color: ColorWhen, quiet: bool) -> Self {
        Self {
            output,
            quiet,
            held_back: String::new(),
            answer: stream(io::stdout(), color),
            aside: stream(io::stderr(), color),
            progress_shown: false,
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.output == OutputFormat::Json
    }

    /// A line of the answer.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        self.text(format_args!("{line}\n"))
    }

    /// A part of the answer without a line end of its own.
    pub(crate) fn text(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        use fmt::Write as _;
        // Writing to a `String` does not fail.
        let _ = write!(self.held_back, "{text}");
        if self.held_back.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    /// The answer, or a part of it, as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(value).map_err(Failure::unexpected)?;
        self.line(line)
    }

    /// A sentence beside the answer: a summary, an assumption. Left out with `--quiet`.
    pub(crate) fn note(&mut self, note: impl fmt::Display) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        // What was answered so far comes first where both end on one terminal.
        self.flush()?;
        self.aside(note);
        Ok(())
    }

    /// Something wrong with what was given, beside the answer; shown with `--quiet`, too.
    pub(crate) fn error(&mut self, error: impl fmt::Display) -> Result<(), Failure> {
        self.flush()?;
        self.aside(error);
        Ok(())
    }

    /// Why the command ended, with what to do about it.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if failure.silent {
            return;
        }
        // The failure to be told is the first one; another one while writing changes nothing.
        let _ = self.flush();
        self.aside(format_args!(
            "{RED}error{RED:#}: {}",
            printable(&failure.message)
        ));
        if let Some(hint) = &failure.hint {
            self.aside(format_args!("\n{}", hint_line(hint)));
        }
    }

    /// How far a long run is: only where somebody watches, each time over the last.
    pub(crate) fn progress(&mut self, progress: impl fmt::Display) {
        if self.quiet || !self.aside.is_terminal() {
            return;
        }
        // Progress that cannot be shown is no reason to stop.
        let _ = write!(self.aside, "\r\x1b[2K{progress}").and_then(|()| self.aside.flush());
        self.progress_shown = true;
    }

    /// Hands on what is held back.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.clear_progress();
        if !self.held_back.is_empty() {
            let text = std::mem::take(&mut self.held_back);
            self.answer.write_all(text.as_bytes())?;
        }
        Ok(self.answer.flush()?)
    }

    fn aside(&mut self, line: impl fmt::Display) {
        self.clear_progress();
        // With standard error closed there is nowhere left to say so.
        let _ = writeln!(self.aside, "{line}");
    }

    fn clear_progress(&mut self) {
        if std::mem::take(&mut self.progress_shown) {
            let _ = write!(self.aside, "\r\x1b[2K");
        }
    }
}

fn stream<S: RawStream>(raw: S, color: ColorWhen) -> AutoStream<S> {
    let choice = match color {
        ColorWhen::Auto => AutoStream::choice(&raw),
        ColorWhen::Always => ColorChoice::Always,
        ColorWhen::Never => ColorChoice::Never,
    };
    AutoStream::new(raw, choice)
}

/// What to do about something: `hint: …`.
pub(crate) fn hint_line(hint: &str) -> String {
    format!("{CYAN}hint{CYAN:#}: {}", printable(hint))
}

/// Text from outside without control characters, which could repaint a terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_control = |character: char| {
        character.is_control() && character != '\n'
            || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_control(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(0, "file", "files"), "0 files");
        assert_eq!(count(1_234_567, "file", "files"), "1,234,567 files");
    }

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("ä\nb"), "ä\nb");
    }
}
