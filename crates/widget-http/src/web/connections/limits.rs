//! How long a connection may do one thing, how much it may send, and how many there may be.

use std::{net::SocketAddr, time::Duration};

use crate::web::caller::{AddressPrefix, TrustedProxies};

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
    pub(super) fn prefix_of(&self, peer: SocketAddr) -> Option<AddressPrefix> {
        self.trusted.counted_prefix(peer.ip())
    }
}
