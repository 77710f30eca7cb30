//! The config document: what is stored for a widget's look and behavior, kept value for value,
//! and the typed view of it that the current build works with.
//!
//! A document is an object whose keys are versions: `{"v1": {"theme": "dark"}}`. Keys that a
//! version knows are checked strictly, and all faults are reported at once; unknown keys are kept
//! and reported as warnings. Defaults are filled in when reading and never written back.
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

// Each module uses only those above it.
mod version;

pub mod values;

mod surface;

pub mod v1;

mod current;

mod error;
mod memory;

mod stored;

mod edit;
mod migrate;

mod document;

mod visitor;

pub use current::{Current, VERSION};
pub use document::{Config, diff};
pub use edit::{Change, ChangeKind, Edit};
pub use error::ConfigError;
pub use version::LIMITS;
pub use visitor::{
    Edges, LauncherChat, LauncherConfig, LauncherFallback, PaletteEdges, WindowConfig,
    launcher_json_schema,
};

use serde_json::{Map, Value, json};

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

#[cfg(test)]
mod tests;
