//! Checks every minute whether visitors can join LiveKit, and says so when that changes.

use std::time::Duration;

use widget_api::health::LiveKitPart;

use crate::{causes::with_causes, livekit::MintError, state::AppState};

/// How often LiveKit is checked.
const CHECK_INTERVAL: Duration = Duration::from_mins(1);

pub(super) async fn watch(state: &AppState) {
    loop {
        if let Err(error) = check_livekit(state).await {
            tracing::warn!(error = with_causes(&error), "LiveKit cannot be checked");
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Asks LiveKit whether visitors can join; logs what it found when the check before found something
/// else.
///
/// # Errors
/// When no token can be written.
pub async fn check_livekit(state: &AppState) -> Result<(), MintError> {
    let Some(livekit) = &state.livekit else {
        return Ok(());
    };
    let finding = livekit.check(state.random.as_ref(), state.now()).await?;
    if !finding.is_new {
        return Ok(());
    }
    let cause = finding.cause;
    match finding.part {
        LiveKitPart::Ok => tracing::info!("LiveKit accepts visitors"),
        LiveKitPart::Unavailable => tracing::error!(
            error = cause,
            "LiveKit does not answer, so conversations cannot take place; check LIVEKIT_URL and \
             the server"
        ),
        LiveKitPart::KeyRejected => tracing::error!(
            "LiveKit rejects the key, so visitors cannot join; check LIVEKIT_API_KEY, \
             LIVEKIT_API_SECRET and the clocks of both machines"
        ),
        LiveKitPart::AutoCreateDisabled => tracing::error!(
            "LiveKit creates no rooms, so visitors cannot join; set `room.auto_create: true` in \
             its configuration"
        ),
        LiveKitPart::Unknown | LiveKitPart::NotConfigured => {}
    }
    Ok(())
}
