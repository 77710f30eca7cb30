//! Accepts connections and serves HTTP/1.1 on them, so that no client can hold the service up: each
//! phase of a connection has a deadline, and their number is bounded.
//!
//! `axum::serve` has neither. How long a request may take until its answer begins is decided by
//! `web::deadline`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::Listener};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

use self::registry::Registry;
use crate::web::caller::{self, AddressPrefix, TrustedProxies};

mod connection;
mod files;
mod registry;
#[cfg(test)]
mod tests;

pub use self::{files::raise_file_limit, registry::Counts};

/// How long a request's head may take to arrive, from the connection or from its first byte.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be idle between two requests.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may accept nothing of an answer.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest head of a request: browsers send some KB, proxies refuse more than 8 to 32 KiB.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Connections of one address prefix: many visitors can share an IPv4 address.
pub const MAX_PER_PREFIX: usize = 256;

/// Files that are not connections: the database, the listener, LiveKit, the log.
pub const RESERVED_FILES: usize = 64;

/// How many connections there may be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// All of them.
    pub total: usize,
    /// Those of one address prefix.
    pub per_prefix: usize,
    /// Peers that count only in the total, as those of this machine and of private networks do.
    pub trusted: TrustedProxies,
}

impl ConnectionLimits {
    /// At most so many in all, and the usual number for each prefix.
    #[must_use]
    pub fn new(total: usize, trusted: TrustedProxies) -> Self {
        Self {
            total,
            per_prefix: MAX_PER_PREFIX,
            trusted,
        }
    }

    /// What a peer's connections are counted under, besides the total.
    fn prefix_of(&self, peer: SocketAddr) -> Option<AddressPrefix> {
        let address = peer.ip();
        let is_exempt = caller::is_local(address) || self.trusted.contains(address);
        (!is_exempt).then(|| AddressPrefix::of(address))
    }
}

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

/// Resolves when the value becomes true, or when nobody is left to change it.
async fn is_true(value: &mut watch::Receiver<bool>) {
    let _ = value.wait_for(|value| *value).await;
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(error = %error, "a connection's task ended");
    }
}
