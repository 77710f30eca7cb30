//! Work that no request asks for; it ends when the service is told to stop.

use tokio::{sync::watch, task::JoinSet};

use crate::state::AppState;

/// Starts every background task of the service.
#[must_use]
pub fn start(_state: &AppState, _stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    JoinSet::new()
}
