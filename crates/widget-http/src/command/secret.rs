//! Secrets in files, where no other user of the machine can read them.

use std::path::Path;

use anyhow::Context;

/// A secret from the file that holds it; `what` names the secret in the error.
pub(super) fn read_secret(path: &Path, what: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the file of {what}, {}, cannot be read", path.display()))?;
    Ok(text.trim().to_owned())
}
