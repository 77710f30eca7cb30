//! The text of one input, with its notation and its lines.

use std::{borrow::Cow, sync::OnceLock};

use clap::ValueEnum;

/// The notations that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Json,
    Yaml,
}

/// The text of one input.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) text: String,
    pub(crate) format: Format,
    /// Whether a byte order mark was removed from its start.
    pub(crate) has_mark: bool,
    /// Whether it was read through a link, which may lead to a secret: what is in it is shown only
    /// when it is what was expected.
    pub(crate) is_link: bool,
    lines: OnceLock<Lines>,
}

/// Where the lines of a text start; computed when it is first needed.
#[derive(Debug)]
struct Lines {
    starts: Vec<usize>,
    is_ascii: bool,
}

impl Input {
    pub(crate) fn new(text: String, format: Format) -> Self {
        Self {
            text,
            format,
            has_mark: false,
            is_link: false,
            lines: OnceLock::new(),
        }
    }

    /// The text of an input that could not be read.
    pub(crate) fn none() -> Self {
        Self::new(String::new(), Format::Json)
    }

    /// A text for the same file: with the byte order mark, if it had one.
    pub(crate) fn with_mark<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.has_mark {
            Cow::Owned(format!("\u{FEFF}{text}"))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// A place as people count: lines and columns from 1, columns in characters.
    pub(crate) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let text = &self.text;
        let lines = self.lines.get_or_init(|| Lines {
            starts: text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(newline, _)| newline + 1)
                .collect(),
            is_ascii: text.is_ascii(),
        });
        let at = text.floor_char_boundary(at);
        let line = lines.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).map_or(0, |before| lines.starts[before]);
        let column = if lines.is_ascii {
            at - start
        } else {
            text[start..at].chars().count()
        };
        (line + 1, column + 1)
    }
}
