//! Keeps this node's build of the embed for others, and forgets builds that no page asks for.

use std::time::Duration as StdDuration;

use time::Duration;

use crate::{causes::with_causes, state::AppState, storage::StoreError};

/// How often builds are stored and forgotten; the times are kept to a day.
const INTERVAL: StdDuration = StdDuration::from_hours(1);

/// How long a build is kept after its last use.
const MEMORY: Duration = Duration::days(400);

pub(super) async fn keep_builds(state: &AppState) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = keep_embed_builds(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "the builds of the embed cannot be kept"
            );
        }
    }
}

/// Stores the build of this node, or marks it as seen; forgets those that nobody used for 400 days.
///
/// # Errors
/// [`StoreError`]
pub async fn keep_embed_builds(state: &AppState) -> Result<(), StoreError> {
    let now = state.now();
    for build in state.settings.embed.builds() {
        state.storage.keep_embed_build(&build, now).await?;
    }
    let forgotten = state.storage.forget_embed_builds(now - MEMORY).await?;
    if forgotten > 0 {
        tracing::info!(
            builds = forgotten,
            "forgot builds of the embed that nobody uses"
        );
    }
    Ok(())
}
