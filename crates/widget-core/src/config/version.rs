//! What a version of the config is, and what holds for all of them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::check::Context;
use crate::json::JsonLimits;

/// How large and how deep a document may be: 64 KiB as compact JSON, and 16 objects or arrays
/// inside each other, the document itself being the first.
pub const LIMITS: JsonLimits = JsonLimits {
    bytes: 64 * 1024,
    depth: 16,
};

/// The document's place in the record, where all pointers start.
pub(super) const ROOT: &str = "/config";

/// A version of the config.
pub(crate) trait Version: Default + Serialize {
    /// The number in the version's key: 1 for `v1`.
    const NUMBER: u64;
    /// The version before.
    type Previous: Past;

    /// Reads what is under the version's key; faults go to the context.
    fn read(document: &Map<String, Value>, context: &mut Context) -> Self;
    /// The step from the version before: total, from type to type.
    fn migrate(previous: Self::Previous) -> Self;
    /// Warns of what is valid and still deserves a look.
    fn warn(&self, context: &mut Context);
}

/// A version that may be found in a document, with those before it.
pub(crate) trait Past: Sized {
    /// The number of the newest version that `document` has and this build knows.
    fn newest_in(document: &Map<String, Value>) -> Option<u64>;
    /// Reads version `number` and migrates it to this version.
    fn load(number: u64, document: &Map<String, Value>, context: &mut Context) -> Option<Self>;
}

/// What is before the first version: nothing.
#[derive(Debug)]
pub(crate) enum First {}

impl Past for First {
    fn newest_in(_: &Map<String, Value>) -> Option<u64> {
        None
    }

    fn load(_: u64, _: &Map<String, Value>, _: &mut Context) -> Option<Self> {
        None
    }
}

impl<V: Version> Past for V {
    fn newest_in(document: &Map<String, Value>) -> Option<u64> {
        if document.contains_key(&key_of(V::NUMBER)) {
            Some(V::NUMBER)
        } else {
            V::Previous::newest_in(document)
        }
    }

    fn load(number: u64, document: &Map<String, Value>, context: &mut Context) -> Option<Self> {
        if number == V::NUMBER {
            Some(V::read(document, context))
        } else {
            V::Previous::load(number, document, context).map(V::migrate)
        }
    }
}

/// The key of a version in the document.
pub(super) fn key_of(number: u64) -> String {
    format!("v{number}")
}

/// Whether a key names a version: `v[1-9][0-9]*`.
pub(super) fn is_version_key(key: &str) -> bool {
    key.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty()
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
