//! The config document: what is stored for a widget's look and behavior, kept value for value,
//! and the typed view of it that the current build works with.
//!
//! A document is an object whose keys are versions: `{"v1": {"theme": "dark"}}`. Keys that a
//! version knows are checked strictly, and all faults are told at once; what nobody knows is kept
//! and told as a warning. Defaults are filled in when reading and never written back.
//!
//! ```
//! use widget_core::config::Config;
//!
//! let config = Config::parse(r#"{"v1": {"chat": {"title": "Ask us", "titel": "?"}}}"#)?;
//! assert_eq!(config.current().chat.title, "Ask us");
//! assert_eq!(config.current().trigger.size, 56);
//! assert_eq!(config.warnings()[0].pointer.as_deref(), Some("/config/v1/chat/titel"));
//!
//! let faults = Config::parse(r#"{"v1": {"theme": "Dark", "trigger": {"size": 31}}}"#)
//!     .expect_err("two faults")
//!     .findings();
//! assert_eq!(faults.len(), 2);
//! # Ok::<(), widget_core::config::ConfigError>(())
//! ```

mod edit;
mod migrate;
pub mod v1;
pub mod values;
mod visitor;

pub use edit::{Change, ChangeKind, diff};
pub use visitor::{LauncherChat, LauncherConfig, WindowConfig, launcher_json_schema};

use std::fmt;

use serde_json::{Map, Value, json};

use crate::finding::{Code, Finding, Findings};
use crate::json::{self, JsonError, JsonLimits};
use migrate::{Document, Version};

/// The typed values that this build works with: those of the newest version.
pub type Current = v1::ConfigV1;

/// The newest version that this build reads and writes: 1 for `v1`.
///
/// A build reads every version up to its own, for ever, and refuses to guess at newer ones.
pub const VERSION: u64 = <Current as Version>::NUMBER;

/// How large and how deep a document may be: 64 KiB as compact JSON, and 16 objects or arrays
/// inside each other, the document itself being the first.
pub const LIMITS: JsonLimits = JsonLimits {
    bytes: 64 * 1024,
    depth: 16,
};

/// The document's place in the record, where all pointers start.
const ROOT: &str = "/config";

/// A config document that this build understands, with the typed values that it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Config(Document<Current>);

impl Default for Config {
    /// The empty document `{}`: every default.
    fn default() -> Self {
        Self(Document::default())
    }
}

/// Why a document is not a config of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// More bytes than [`LIMITS`] allow.
    #[error("`config` has {bytes} bytes; at most {} are allowed", LIMITS.bytes)]
    TooLarge {
        /// The size of the document as compact JSON.
        bytes: usize,
    },
    /// Nested more deeply than [`LIMITS`] allow.
    #[error("`config` is {depth} levels deep; at most {} are allowed", LIMITS.depth)]
    TooDeep {
        /// The depth of the document.
        depth: usize,
    },
    /// No version key, and keys that `v1` does not know.
    #[error(
        "`config` has no version key, and {} no key of `v1`; settings belong under `v{VERSION}`",
        Names(strangers, "is", "are")
    )]
    Unversioned {
        /// The keys that `v1` does not know, in their order.
        strangers: Vec<String>,
    },
    /// Only versions that are newer than this build.
    #[error(
        "`config` is newer than this build: it has {}, and the newest known version is `v{newest}`",
        Names(found, "", "")
    )]
    TooNew {
        /// The version keys found, in their order.
        found: Vec<String>,
        /// The newest version that this build knows.
        newest: u64,
    },
    /// One finding for each fault.
    #[error("`config` is not valid: {0}")]
    Invalid(
        /// The faults in the order of the document's definition.
        Findings,
    ),
}

impl ConfigError {
    /// The stable machine code of the whole error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::ConfigTooLarge,
            Self::TooDeep { .. } => Code::ConfigTooDeep,
            Self::Unversioned { .. } => Code::ConfigUnversioned,
            Self::TooNew { .. } => Code::ConfigTooNew,
            Self::Invalid(_) => Code::ConfigInvalid,
        }
    }

    /// Every fault, with its pointer from the record's root (`/config/…`).
    ///
    /// For [`ConfigError::Invalid`] their codes say what kind of fault each is: `type_invalid`,
    /// `value_out_of_range`, `value_not_allowed`, `too_long`, `url_invalid`, `key_missing`, ….
    #[must_use]
    pub fn findings(&self) -> Findings {
        let hint = match self {
            Self::Invalid(findings) => return findings.clone(),
            Self::TooLarge { .. } | Self::TooDeep { .. } => None,
            Self::Unversioned { .. } => {
                Some(format!("write {}", json!({format!("v{VERSION}"): {}})))
            }
            Self::TooNew { .. } => Some("use a newer build of this software".to_owned()),
        };
        Finding::new(self.code(), self.to_string())
            .at(ROOT)
            .with_optional_hint(hint)
            .into()
    }
}

impl From<Finding> for ConfigError {
    fn from(fault: Finding) -> Self {
        Self::Invalid(fault.into())
    }
}

impl From<JsonError> for ConfigError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::TooLarge { bytes, .. } => Self::TooLarge { bytes },
            JsonError::TooDeep { depth, .. } => Self::TooDeep { depth },
            JsonError::Syntax(_) => Finding::new(Code::JsonInvalid, error.to_string())
                .at(ROOT)
                .into(),
        }
    }
}

impl Config {
    /// Reads a document from JSON text. An unversioned one is put under `v1`.
    ///
    /// Only here can be seen that a key is given twice (`key_duplicate`) and that a number cannot
    /// be kept exactly (`number_inexact`).
    ///
    /// # Errors
    /// Every fault of the document, see [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let parsed = json::parse(text, ROOT, LIMITS)?;
        migrate::read(parsed.value, parsed.faults).map(Self)
    }

    /// Takes a document that is already a JSON value. An unversioned one is put under `v1`.
    ///
    /// # Errors
    /// Every fault of the document, see [`ConfigError`].
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        if let Err(error) = json::measure(&value, LIMITS) {
            json::dismantle(value);
            return Err(error.into());
        }
        migrate::read(value, Vec::new()).map(Self)
    }

    /// The document as it is stored: unknown keys and versions included, defaults not.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.0.value
    }

    /// The document as compact JSON, as it is stored. Reading it gives the same document.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.value.to_string()
    }

    /// The typed values of the current version, every default filled in.
    #[must_use]
    pub fn current(&self) -> &Current {
        &self.0.current
    }

    /// What the owner should look at although the document is valid: unknown keys, unreadable
    /// colors, settings without effect.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        self.0.warnings.clone()
    }

    /// The same settings as a document of the newest version. A document that is current already
    /// is unchanged, and nothing unknown is lost.
    #[must_use]
    pub fn migrated(&self) -> Self {
        self.0
            .migrated()
            .and_then(|value| migrate::read(value, Vec::new()).ok())
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
        if let Err(error) = json::measure(&value, LIMITS) {
            json::dismantle(value);
            return Err(error.into());
        }
        Self::from_value(edit::set(self.as_value(), pointer, value)?)
    }

    /// The config without one value, everything else untouched.
    ///
    /// # Errors
    /// `pointer_invalid` when there is no value at that place, and every fault of the document that
    /// results.
    pub fn remove(&self, pointer: &str) -> Result<Self, ConfigError> {
        Self::from_value(edit::remove(self.as_value(), pointer)?)
    }
}

/// The JSON Schema (2020-12) of a config document, fit for an editor's completion.
///
/// It describes what this build writes; a document of a newer version beside it, and unknown keys,
/// are valid too.
#[must_use]
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    let v1 = v1::schema(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Config",
        "description": "The config of a web widget: its look and behavior, by version.",
        "type": "object",
        "properties": {"v1": v1},
        "examples": [{"v1": {"theme": "dark", "chat": {"title": "Ask the shop"}}}],
        "$defs": definitions,
    })
}

/// Names in a sentence, each in backticks, with a verb that agrees.
struct Names<'a>(&'a [String], &'static str, &'static str);

impl fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More names than this make no sentence.
        const MOST: usize = 5;
        let Self(names, one, several) = self;
        for (index, name) in names.iter().take(MOST).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(formatter, "{comma}`{}`", json::shortened(name))?;
        }
        if names.len() > MOST {
            write!(formatter, " and {} more", names.len() - MOST)?;
        }
        let verb = if names.len() == 1 { one } else { several };
        if verb.is_empty() {
            Ok(())
        } else {
            write!(formatter, " {verb}")
        }
    }
}

#[cfg(test)]
mod tests;
