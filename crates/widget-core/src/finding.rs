//! The one shape in which every rule of this crate reports a fault, a blocker or a warning.

/// Something that was found in a record: a stable code for machines, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable machine code, in snake case.
    pub code: &'static str,
    /// Where, as a JSON Pointer (RFC 6901) from the record's root, such as `/domains/0`;
    /// `None` when it is about no single field.
    pub pointer: Option<String>,
    /// One sentence: what is wrong with which value, and what is allowed.
    pub detail: String,
    /// The change that would help, when one is known.
    pub hint: Option<String>,
}
