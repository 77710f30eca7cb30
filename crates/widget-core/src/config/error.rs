//! Why a document is not a config.

use std::fmt;

use serde_json::json;

use super::current::VERSION;
use super::version::{LIMITS, ROOT};
use crate::finding::{Code, Finding, Findings};
use crate::json::JsonError;
use crate::text::shortened;

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
        "`config` has no version key, and {} of `v1`; settings belong under `v{VERSION}`",
        Names(unknown, "is not a key", "are not keys")
    )]
    Unversioned {
        /// The keys that `v1` does not know, in their order.
        unknown: Vec<String>,
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

/// Names in a sentence, each in backticks, with a verb that agrees.
struct Names<'a>(&'a [String], &'static str, &'static str);

impl fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A sentence with more names is hard to read.
        const MAX_NAMES: usize = 5;
        let Self(names, one, several) = self;
        for (index, name) in names.iter().take(MAX_NAMES).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(formatter, "{comma}`{}`", shortened(name))?;
        }
        if names.len() > MAX_NAMES {
            write!(formatter, " and {} more", names.len() - MAX_NAMES)?;
        }
        let verb = if names.len() == 1 { one } else { several };
        if verb.is_empty() {
            Ok(())
        } else {
            write!(formatter, " {verb}")
        }
    }
}
