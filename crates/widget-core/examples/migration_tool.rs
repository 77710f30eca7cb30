//! A migration tool: brings stored configs to the newest version and lists what changes.

use widget_core::config::{self, Config, ConfigError};

/// The config to store, and one line for each change; `None` when it is current already.
fn migrate(stored: &str) -> Result<Option<(String, Vec<String>)>, ConfigError> {
    let before = Config::parse(stored)?;
    let after = before.migrated();
    let changes = config::diff(&before, &after);
    let lines = changes.iter().map(ToString::to_string).collect();
    Ok((after.as_json() != stored).then(|| (after.as_json().to_owned(), lines)))
}

fn main() -> Result<(), ConfigError> {
    // Settings without a version are those of version 1.
    let (stored, _) = migrate(r#"{"theme":"dark"}"#)?.expect("it has no version");
    assert_eq!(stored, r#"{"v1":{"theme":"dark"}}"#);
    assert_eq!(migrate(&stored)?, None);

    // A config of a newer build is rejected.
    let error = migrate(r#"{"v99":{}}"#).expect_err("too new");
    assert!(matches!(error, ConfigError::TooNew { .. }));
    Ok(())
}
