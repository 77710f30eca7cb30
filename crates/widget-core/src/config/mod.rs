//! The config document: what is stored for a widget's look and behaviour, kept value for value,
//! and the typed view of it that the current build works with.

pub mod v1;

use serde_json::{Map, Value};

use crate::finding::Finding;
use v1::ConfigV1;

/// A config document that this build understands, with the typed values that it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    value: Value,
    current: ConfigV1,
    warnings: Vec<Finding>,
}

impl Default for Config {
    /// The empty document `{}`: every default.
    fn default() -> Self {
        Self {
            value: Value::Object(Map::new()),
            current: ConfigV1::default(),
            warnings: Vec::new(),
        }
    }
}

/// Why a document is not a config of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// More bytes than a config may have.
    #[error("config has {bytes} bytes, at most 65536 are allowed")]
    TooLarge {
        /// The size of the document as compact JSON.
        bytes: usize,
    },
    /// Nested more deeply than a config may be.
    #[error("config is nested more than 16 levels deep")]
    TooDeep,
    /// No version key, and keys that `v1` does not know.
    #[error("config has no version key")]
    Unversioned {
        /// The keys that `v1` does not know.
        strangers: Vec<String>,
    },
    /// Only versions that are newer than this build.
    #[error("config is newer than this build")]
    TooNew {
        /// The version keys found.
        found: Vec<String>,
    },
    /// One finding for each fault.
    #[error("config has {} faults", .0.len())]
    Invalid(Vec<Finding>),
}

impl ConfigError {
    /// The stable machine code of the whole error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "config_too_large",
            Self::TooDeep => "config_too_deep",
            Self::Unversioned { .. } => "config_unversioned",
            Self::TooNew { .. } => "config_too_new",
            Self::Invalid(_) => "config_invalid",
        }
    }

    /// Every fault, with its pointer from the record's root (`/config/…`).
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Invalid(findings) => findings.clone(),
            other => vec![Finding {
                code: other.code(),
                pointer: Some("/config".to_owned()),
                detail: other.to_string(),
                hint: None,
            }],
        }
    }
}

impl Config {
    /// Reads a document from JSON text.
    ///
    /// # Errors
    /// Every fault of the document, see [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let value = serde_json::from_str(text).map_err(|error| {
            ConfigError::Invalid(vec![Finding {
                code: "invalid_json",
                pointer: Some("/config".to_owned()),
                detail: format!("not valid JSON: {error}"),
                hint: None,
            }])
        })?;
        Self::from_value(value)
    }

    /// Takes a document that is already a JSON value.
    ///
    /// # Errors
    /// Every fault of the document, see [`ConfigError`].
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        let Value::Object(document) = value else {
            return Err(ConfigError::Invalid(vec![Finding {
                code: "wrong_type",
                pointer: Some("/config".to_owned()),
                detail: "config must be an object".to_owned(),
                hint: None,
            }]));
        };
        Ok(Self {
            value: Value::Object(document),
            current: ConfigV1::default(),
            warnings: Vec::new(),
        })
    }

    /// The document as it is stored, unknown keys included.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.value
    }

    /// The document as compact JSON, as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.value.to_string()
    }

    /// The typed values of the current version, every default filled in.
    #[must_use]
    pub fn current(&self) -> &ConfigV1 {
        &self.current
    }

    /// What the owner should look at although the document is valid.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        self.warnings.clone()
    }
}
