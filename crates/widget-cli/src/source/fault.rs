//! Faults of an input itself, found before the rules of `widget-core` see it.

use std::ops::Range;

use widget_core::finding::Code;

/// The stable codes of these faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceCode {
    /// The input has no content.
    InputEmpty,
    /// The input is larger than any list of widgets.
    FileTooLarge,
    /// The file cannot be read.
    FileUnreadable,
    /// The file cannot be replaced.
    FileUnwritable,
    /// The text is not UTF-8.
    EncodingInvalid,
    /// The text is not JSON.
    JsonInvalid,
    /// The text is not YAML.
    YamlInvalid,
    /// An alias is inside the value that it names.
    YamlAliasRecursive,
    /// The text has several YAML documents.
    YamlDocumentRepeated,
    /// A key is not plain text.
    YamlKeyUnsupported,
    /// `<<` merges keys.
    YamlMergeUnsupported,
    /// JSON does not support the number.
    YamlNumberUnsupported,
    /// A tag is not supported.
    YamlTagUnsupported,
    /// With its aliases expanded the text is too large.
    YamlTooLarge,
    /// The value is not an object.
    ObjectMissing,
    /// The text is an error that the API returned.
    ProblemDocument,
    /// The text is the history of a widget.
    HistoryDocument,
    /// The notation of the config cannot be changed.
    ConfigUnchangeable,
}

impl SourceCode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InputEmpty => "input_empty",
            Self::FileTooLarge => "file_too_large",
            Self::FileUnreadable => "file_unreadable",
            Self::FileUnwritable => "file_unwritable",
            Self::EncodingInvalid => "encoding_invalid",
            Self::JsonInvalid => Code::JsonInvalid.as_str(),
            Self::YamlInvalid => "yaml_invalid",
            Self::YamlAliasRecursive => "yaml_alias_recursive",
            Self::YamlDocumentRepeated => "yaml_document_repeated",
            Self::YamlKeyUnsupported => "yaml_key_unsupported",
            Self::YamlMergeUnsupported => "yaml_merge_unsupported",
            Self::YamlNumberUnsupported => "yaml_number_unsupported",
            Self::YamlTagUnsupported => "yaml_tag_unsupported",
            Self::YamlTooLarge => "yaml_too_large",
            Self::ObjectMissing => "object_missing",
            Self::ProblemDocument => "problem_document",
            Self::HistoryDocument => "history_document",
            Self::ConfigUnchangeable => "config_unchangeable",
        }
    }
}

/// A fault in the text of an input.
#[derive(Debug)]
pub(crate) struct SourceFault {
    pub(crate) code: SourceCode,
    pub(crate) span: Option<Range<usize>>,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
}
