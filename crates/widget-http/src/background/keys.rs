//! Writes on which days API keys were used.

use std::time::Duration as StdDuration;

use crate::{causes::with_causes, state::AppState, storage::StoreError};

/// How often they are written.
const INTERVAL: StdDuration = StdDuration::from_secs(5);

pub(super) async fn write_uses(state: &AppState) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = write_key_uses(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "the last use of API keys cannot be written"
            );
        }
    }
}

/// Writes on which days keys were used, as far as that is not written yet; returns how many were.
///
/// # Errors
/// [`StoreError`]
pub async fn write_key_uses(state: &AppState) -> Result<usize, StoreError> {
    let now = state.now();
    state.key_uses.write(state.storage.as_ref(), now).await
}
