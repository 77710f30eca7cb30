//! Why an input is not well-formed.

use std::ops::Range;

/// A fault in the text of an input, before anything in it is read as a widget or config.
#[derive(Debug)]
pub(crate) struct SourceFault {
    pub(crate) code: &'static str,
    pub(crate) span: Option<Range<usize>>,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
}
