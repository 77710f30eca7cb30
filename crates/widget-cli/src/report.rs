//! Shows findings: to people with the line they stand in and a caret under the value, to programs as JSON.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use crate::{
    printer::{hint_line, printable},
    source::line_and_column,
    subject::Located,
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// A finding as programs get it. The shape is part of the command's contract: fields are added, never changed.
#[derive(Debug, Serialize)]
pub(crate) struct FindingJson {
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// JSON Pointer from the root of the input.
    pub(crate) pointer: Option<String>,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    pub(crate) end_line: Option<usize>,
    pub(crate) end_column: Option<usize>,
}

/// A finding for people: what, where, the line with its value marked, and the hint after a blank line.
pub(crate) fn human(severity: Severity, name: &str, text: &str, located: &Located) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let finding = &located.finding;
    let detail = printable(&finding.detail);
    let title = level.primary_title(&*detail).id(finding.code);
    let group = match &located.span {
        Some(span) => {
            let (window, line, span) = lines_of(text, span);
            let mut annotation = AnnotationKind::Primary.span(span);
            let label = located.pointer.as_deref().map(printable);
            if let Some(label) = label.as_deref().filter(|label| !label.is_empty()) {
                annotation = annotation.label(label.to_owned());
            }
            title.element(
                Snippet::source(window)
                    .path(name)
                    .line_start(line)
                    .annotation(annotation),
            )
        }
        None => title.element(annotate_snippets::Origin::path(name)),
    };
    let mut shown = Renderer::styled().term_width(width()).render(&[group]);
    shown.push('\n');
    if let Some(hint) = &finding.hint {
        shown.push('\n');
        shown.push_str(&hint_line(hint));
        shown.push('\n');
    }
    shown
}

/// A finding for programs.
pub(crate) fn json(text: &str, located: &Located) -> FindingJson {
    let start = located
        .span
        .as_ref()
        .map(|span| line_and_column(text, span.start));
    let end = located
        .span
        .as_ref()
        .map(|span| line_and_column(text, span.end));
    let finding = &located.finding;
    FindingJson {
        code: finding.code.to_owned(),
        detail: finding.detail.clone(),
        hint: finding.hint.clone(),
        pointer: located.pointer.clone(),
        line: start.map(|(line, _)| line),
        column: start.map(|(_, column)| column),
        end_line: end.map(|(line, _)| line),
        end_column: end.map(|(_, column)| column),
    }
}

/// The line of a span, its number, and the span within it. A value of several lines is marked by its first one.
fn lines_of<'t>(text: &'t str, span: &Range<usize>) -> (&'t str, usize, Range<usize>) {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..]
        .find('\n')
        .map_or(text.len(), |newline| start + newline);
    let line = text[..line_start]
        .bytes()
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    let end = text.floor_char_boundary(span.end.clamp(start, line_end));
    (
        text[line_start..line_end].trim_end_matches('\r'),
        line,
        start - line_start..end - line_start,
    )
}

fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout())
        .map_or(120, |(width, _)| usize::from(width.0).max(40))
}
