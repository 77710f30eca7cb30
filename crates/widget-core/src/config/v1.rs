//! Version 1 of the config document: its keys, defaults and limits.

use serde::Serialize;

/// The typed values of a `v1` document, every default filled in.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ConfigV1 {}
