//! What a record is defined by: the keys that it asks for.

use serde::Serialize;
use serde_json::{Map, Value};

use super::kind::Kind;
use crate::choice::Choice;
use crate::finding::Code;

/// What a record asks for each of its keys.
pub(crate) trait Keys {
    /// A key that may be missing; then, and when it is faulty, the default is returned.
    fn with_default<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
        default: K::Value,
    ) -> K::Value
    where
        K::Value: Serialize;

    /// A key that must be there; `None` when it is missing or faulty.
    fn required<K: Kind>(&mut self, name: &'static str, doc: &[&str], kind: &K)
    -> Option<K::Value>;

    /// Records a fault at a key.
    fn fault(&mut self, name: &str, code: Code, detail: String);
}

/// An object with known keys, or a part of one.
pub(crate) trait Record: Sized {
    /// The name of the record's type, as in the schema.
    const NAME: &'static str;
    /// What the record is, one line or more.
    const DOC: &'static [&'static str];

    /// Asks for every key; `None` when a required one is missing or faulty. All keys must be
    /// asked for before the function returns, or their faults go unseen.
    fn define(keys: &mut impl Keys) -> Option<Self>;

    /// Rules that concern several keys, written into the schema where it can hold them.
    fn refine_schema(_schema: &mut Map<String, Value>) {}
}

/// An object whose other keys depend on one of them, the tag.
pub(crate) trait Union: Sized {
    /// The name of the type, as in the schema; variants put theirs in front.
    const NAME: &'static str;
    /// What the union is.
    const DOC: &'static [&'static str];
    /// The key that decides.
    const TAG: &'static str;
    /// What the tag decides.
    const TAG_DOC: &'static [&'static str];
    /// The values of the tag, each with its meaning.
    const VARIANTS: &'static [(Self::Tag, &'static [&'static str])];

    /// The values of the tag.
    type Tag: Choice + Copy;

    /// As [`Record::define`], for one value of the tag; `None` when the tag is missing or unknown,
    /// so that the faults of the common keys are found all the same.
    fn define(tag: Option<Self::Tag>, keys: &mut impl Keys) -> Option<Self>;
}
