//! Accepts connections and serves HTTP/1.1 on them, so that no client can hold the service up: each
//! phase of a connection has a deadline, and their number is bounded.
//!
//! `axum::serve` has neither. How long a request may take until its answer begins is decided by
//! `web::deadline`.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, serve::Listener};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

use self::{connection::is_true, registry::Registry};

mod connection;
mod files;
mod limits;
mod registry;
#[cfg(test)]
mod tests;

pub use self::{
    files::raise_file_limit,
    limits::{
        ConnectionLimits, HEAD_TIMEOUT, IDLE_TIMEOUT, MAX_HEAD_BYTES, MAX_PER_PREFIX,
        RESERVED_FILES, STALL_TIMEOUT,
    },
    registry::Counts,
};

/// Connections of one listener.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    registry: Arc<Registry>,
}

impl Connections {
    /// No connection yet.
    #[must_use]
    pub fn new(limits: ConnectionLimits) -> Self {
        let registry = Arc::new(Registry::new(&limits));
        Self { limits, registry }
    }

    /// How many there are, and how many were closed or refused.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.registry.counts()
    }

    /// Serves `router` until `stopped` becomes true, then until the last request has ended.
    ///
    /// Once stopped, it accepts nothing more and closes at once what is not in a request. Dropping
    /// the future closes everything.
    pub async fn serve<L>(
        &self,
        mut listener: L,
        router: Router,
        mut stopped: watch::Receiver<bool>,
    ) where
        L: Listener<Addr = SocketAddr>,
    {
        let mut tasks = JoinSet::new();
        loop {
            let (io, peer) = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(ended) = tasks.join_next() => {
                    report_panic(ended);
                    continue;
                }
                () = is_true(&mut stopped) => break,
            };
            let prefix = self.limits.prefix_of(peer);
            if let Some(slot) = self.registry.admit(prefix).await {
                let router = router.clone();
                tasks.spawn(connection::serve(io, peer, router, slot, stopped.clone()));
            }
        }
        drop(listener);
        while let Some(ended) = tasks.join_next().await {
            report_panic(ended);
        }
    }
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(
            error = crate::causes::with_causes(&error),
            "a connection's task ended"
        );
    }
}
