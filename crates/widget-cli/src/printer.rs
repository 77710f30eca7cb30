//! All output goes through here: the answer to standard output, everything else to standard error.
//! Callers always write colors; they are removed here when they are not wanted.

use std::{
    borrow::Cow,
    env, fmt,
    io::{self, Stderr, Stdout, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use crate::{
    failure::Failure,
    table::{self, Column},
};

pub(crate) const RED: Style = AnsiColor::BrightRed.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const CYAN: Style = AnsiColor::BrightCyan.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();

/// Bytes collected before they are written, so that 10,000 findings are not 10,000 system calls.
const BUFFER_BYTES: usize = 32 * 1024;

/// The formats of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Text for people
    #[default]
    Human,
    /// Aligned columns with everything in full
    Table,
    /// JSON for programs, one object a line
    Json,
    /// YAML, one document for each object
    Yaml,
}

impl OutputFormat {
    /// Whether it is for programs.
    pub(crate) fn is_data(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }

    /// A value as a line of JSON, or a document of YAML.
    pub(crate) fn write_data(self, value: &impl Serialize) -> Result<String, Failure> {
        if self == Self::Yaml {
            // Through a value, because configs that are kept as text are JSON only.
            let value = serde_json::to_value(value).map_err(Failure::unexpected)?;
            let document = serde_saphyr::to_string(&value).map_err(Failure::unexpected)?;
            return Ok(format!("---\n{}\n", document.trim_end()));
        }
        let mut line = serde_json::to_string(value).map_err(Failure::unexpected)?;
        line.push('\n');
        Ok(line)
    }
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Also in a file or a pipe
    Always,
    /// Not at all
    Never,
}

/// Writes the answer, and notes and errors beside it.
pub(crate) struct Printer {
    output: OutputFormat,
    quiet: bool,
    buffer: String,
    answer: AutoStream<Stdout>,
    aside: AutoStream<Stderr>,
    progress_shown: Arc<AtomicBool>,
}

/// A line on the terminal that says what is being waited for, until something else is written.
pub(crate) struct ProgressLine {
    is_wanted: bool,
    is_shown: Arc<AtomicBool>,
}

impl ProgressLine {
    /// Shows the line, over the previous one.
    pub(crate) fn show(&self, progress: impl fmt::Display) {
        if self.is_wanted {
            let progress = progress.to_string();
            let progress = printable(&progress);
            let mut error = io::stderr().lock();
            // A failure to show progress does not stop the run.
            let _ = write!(error, "\r\x1b[2K{progress}").and_then(|()| error.flush());
            self.is_shown.store(true, Ordering::Relaxed);
        }
    }
}

impl Printer {
    pub(crate) fn new(output: OutputFormat, color: ColorWhen, quiet: bool) -> Self {
        Self {
            output,
            quiet,
            buffer: String::new(),
            answer: build_stream(io::stdout(), color),
            aside: build_stream(io::stderr(), color),
            progress_shown: Arc::default(),
        }
    }

    /// The format of the answer.
    pub(crate) fn format(&self) -> OutputFormat {
        self.output
    }

    /// Whether the answer is for programs.
    pub(crate) fn is_data(&self) -> bool {
        self.output.is_data()
    }

    /// Whether everything is wanted in full, without what is said to people.
    pub(crate) fn is_table(&self) -> bool {
        self.output == OutputFormat::Table
    }

    /// Writes a line of the answer.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        self.text(format_args!("{line}\n"))
    }

    /// Writes a part of the answer without adding a line end.
    pub(crate) fn text(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        use fmt::Write as _;
        // Writing to a `String` does not fail.
        let _ = write!(self.buffer, "{text}");
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes the answer, or a part of it, for programs.
    pub(crate) fn data(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = self.output.write_data(value)?;
        self.text(text)
    }

    /// Writes aligned columns under their names, for people: as wide as the terminal at most,
    /// unless everything is wanted in full.
    pub(crate) fn table<const N: usize>(
        &mut self,
        columns: [Column; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Result<(), Failure> {
        let width = if self.is_table() {
            None
        } else {
            terminal_width()
        };
        for line in table::lines(columns, rows, width) {
            self.line(line)?;
        }
        Ok(())
    }

    /// Writes names with their values, for people.
    pub(crate) fn fields<'n>(
        &mut self,
        fields: impl IntoIterator<Item = (&'n str, String)>,
    ) -> Result<(), Failure> {
        let fields: Vec<_> = fields.into_iter().collect();
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in fields {
            let indent = format!("\n{:width$}  ", "");
            let value = printable_lines(&value).replace('\n', &indent);
            self.line(format_args!("{BOLD}{name:width$}{BOLD:#}  {value}"))?;
        }
        Ok(())
    }

    /// Writes a note beside the answer, such as a summary. Left out with `--quiet`.
    pub(crate) fn note(&mut self, note: impl fmt::Display) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        // On a terminal the answer so far must come first.
        let flushed = self.flush();
        self.write_aside(note);
        flushed
    }

    /// Writes what is probably a mistake beside the answer, with what to do about it.
    pub(crate) fn warning(&mut self, detail: &str, hint: Option<&str>) -> Result<(), Failure> {
        self.note(format_args!(
            "{YELLOW}warning{YELLOW:#}: {}",
            printable(detail)
        ))?;
        match hint {
            Some(hint) => self.note(format_args!("  {}", hint_line(hint))),
            None => Ok(()),
        }
    }

    /// Writes an error beside the answer, also with `--quiet`.
    pub(crate) fn error(&mut self, error: impl fmt::Display) -> Result<(), Failure> {
        let flushed = self.flush();
        self.write_aside(error);
        flushed
    }

    /// Writes why the command ended, with its hint.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if failure.silent {
            return;
        }
        // The first failure is reported, not another one while writing.
        let _ = self.flush();
        self.write_aside(format_args!(
            "{RED}error{RED:#}: {}",
            printable_lines(&failure.message)
        ));
        if let Some(hint) = &failure.hint {
            self.write_aside(format_args!("\n{}", hint_line(hint)));
        }
    }

    /// Shows the progress of a long run on a terminal, over the previous one.
    pub(crate) fn progress(&mut self, progress: impl fmt::Display) {
        self.progress_line().show(progress);
    }

    /// What shows progress while this printer is in use elsewhere.
    pub(crate) fn progress_line(&self) -> ProgressLine {
        ProgressLine {
            is_wanted: !self.quiet && self.aside.is_terminal(),
            is_shown: Arc::clone(&self.progress_shown),
        }
    }

    /// Writes what is in the buffer.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.clear_progress();
        if !self.buffer.is_empty() {
            let text = std::mem::take(&mut self.buffer);
            self.answer.write_all(text.as_bytes())?;
        }
        Ok(self.answer.flush()?)
    }

    fn write_aside(&mut self, line: impl fmt::Display) {
        self.clear_progress();
        // With standard error closed there is nowhere left to report it.
        let _ = writeln!(self.aside, "{line}");
    }

    fn clear_progress(&mut self) {
        if self.progress_shown.swap(false, Ordering::Relaxed) {
            // As it was shown: the other stream leaves out escapes where no color is wanted.
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }
}

fn build_stream<S: RawStream>(raw: S, color: ColorWhen) -> AutoStream<S> {
    let choice = match color {
        ColorWhen::Auto => AutoStream::choice(&raw),
        ColorWhen::Always => ColorChoice::Always,
        ColorWhen::Never => ColorChoice::Never,
    };
    AutoStream::new(raw, choice)
}

/// The width of the terminal to which the answer goes; `COLUMNS` comes before what it says.
pub(crate) fn terminal_width() -> Option<usize> {
    let said = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    said.filter(|width| *width > 0).or_else(|| {
        terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
    })
}

/// A hint in the form `hint: …`.
pub(crate) fn hint_line(hint: &str) -> String {
    format!("{CYAN}hint{CYAN:#}: {}", printable_lines(hint))
}

/// A text of somebody else in one line: control characters, which could change the terminal or
/// begin a line of their own, are escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escape(text, is_control)
}

/// As [`printable`], for texts that may have several lines.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| character != '\n' && is_control(character))
}

fn is_control(character: char) -> bool {
    character.is_control()
        // What changes the order of letters, and what nobody sees; joiners belong to words.
        || matches!(
            character,
            '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
                | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
        )
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' if is_escaped(character) => shown.push_str("\\n"),
            _ if is_escaped(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
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
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(printable("ä\nb"), "ä\\nb");
        assert_eq!(printable_lines("ä\nb\r"), "ä\nb\\u{d}");
    }
}
