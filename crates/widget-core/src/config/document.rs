//! The config as callers see it: read, asked, edited, compared.

use serde_json::Value;

use super::current::Current;
use super::edit::{self, Change, Edit};
use super::error::ConfigError;
use super::memory;
use super::migrate::{self, Document};
use super::version::{LIMITS, ROOT};
use crate::finding::FindingList;
use crate::json;

/// A config document that this build understands, with the typed values that it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Config(Document<Current>);

impl Default for Config {
    /// The empty document `{}`: every default.
    fn default() -> Self {
        Self(Document::default())
    }
}

impl Config {
    /// Reads a document from JSON text. An unversioned one is put under `v1`.
    ///
    /// Unlike [`Config::from_value`], this finds keys that occur twice (`key_duplicate`) and
    /// numbers that cannot be kept exactly (`number_inexact`).
    ///
    /// # Errors
    /// Every fault of the document, see [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let parsed = json::parse(text, ROOT, LIMITS)?;
        migrate::read(parsed.value, parsed.faults).map(Self)
    }

    /// Reads a document that is already a JSON value. An unversioned one is put under `v1`.
    ///
    /// # Errors
    /// Every fault of the document, see [`ConfigError`].
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        if let Err(error) = json::measure(&value, LIMITS) {
            json::drop_flat(value);
            return Err(error.into());
        }
        migrate::read(value, FindingList::new()).map(Self)
    }

    /// The document as it is stored: unknown keys and versions included, defaults not.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.value()
    }

    /// The document as compact JSON, as it is stored. Reading it gives the same document.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.as_json()
    }

    /// The typed values of the current version, every default filled in.
    #[must_use]
    pub fn current(&self) -> &Current {
        &self.0.current
    }

    /// The same settings without what this build does not read: unknown keys and other versions.
    /// For callers that only serve it. A document that would be too large when all its defaults
    /// are written out stays as it is.
    #[must_use]
    pub fn without_unread(self) -> Self {
        Self(self.0.without_unread())
    }

    /// An upper bound of the memory that the config holds beside its own size, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        memory::of_text(self.as_json()) + memory::of_settings(self.current())
    }

    /// What the owner should look at although the document is valid: unknown keys, unreadable
    /// colors, settings without effect.
    #[must_use]
    pub fn warnings(&self) -> FindingList {
        self.0.warnings()
    }

    /// The same settings as a document of the newest version. A document that is current already
    /// is unchanged, and nothing unknown is lost.
    #[must_use]
    pub fn migrated(&self) -> Self {
        self.0
            .migrated()
            .and_then(|value| migrate::read(value, FindingList::new()).ok())
            .map_or_else(|| self.clone(), Self)
    }

    /// The config with one value put in place, everything else untouched.
    ///
    /// `pointer` is from the record's root, like those of findings: `/config/v1/chat/title`.
    /// Objects on the way are made when they are missing, arrays are not; in an array `-` appends.
    ///
    /// # Errors
    /// `pointer_invalid` when there can be no value at that place, and every fault of the document
    /// that results.
    pub fn set(&self, pointer: &str, value: Value) -> Result<Self, ConfigError> {
        let pointer = pointer.to_owned();
        self.edit([Edit::Set { pointer, value }])
    }

    /// The config without one value, everything else untouched.
    ///
    /// # Errors
    /// `pointer_invalid` when there is no value at that place, and every fault of the document that
    /// results.
    pub fn remove(&self, pointer: &str) -> Result<Self, ConfigError> {
        Self::from_value(edit::remove(self.to_value(), pointer)?)
    }

    /// The config with several edits, one after the other. Only the result has to be valid, so that
    /// values that need each other can be set together.
    ///
    /// # Errors
    /// Those of [`Config::set`] and [`Config::remove`].
    pub fn edit(&self, edits: impl IntoIterator<Item = Edit>) -> Result<Self, ConfigError> {
        let mut document = self.to_value();
        for edit in edits {
            document = match edit {
                Edit::Set { pointer, value } => {
                    if let Err(error) = json::measure(&value, LIMITS) {
                        json::drop_flat(value);
                        return Err(error.into());
                    }
                    edit::set(document, &pointer, value)?
                }
                Edit::Remove { pointer } => edit::remove(document, &pointer)?,
            };
        }
        Self::from_value(document)
    }
}

/// What changes from one document to the other, unknown keys included.
///
/// Making all the changes in their order with one [`Config::edit`] turns one into the other. One by
/// one they may be rejected, because each result would have to be valid. The order of keys does not
/// matter.
///
/// ```
/// use widget_core::config::{Config, Edit, diff};
///
/// let from = Config::parse(r#"{"v1": {"default_mode": "text", "modes": {"voice": false}}}"#)?;
/// let to = Config::parse(r#"{"v1": {"default_mode": "voice", "modes": {"text": false}}}"#)?;
/// assert_eq!(from.edit(diff(&from, &to).into_iter().map(Edit::from))?, to);
/// # Ok::<(), widget_core::config::ConfigError>(())
/// ```
#[must_use]
pub fn diff(from: &Config, to: &Config) -> Vec<Change> {
    if from.as_json() == to.as_json() {
        return Vec::new();
    }
    edit::compare(&from.to_value(), &to.to_value())
}
