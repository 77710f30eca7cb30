//! Bodies of `/healthz` and `/readyz`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The service works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`.
    pub status: Cow<'static, str>,
}
