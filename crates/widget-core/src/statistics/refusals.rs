//! What is kept of a visit that was refused.

use crate::{finding::Code, origin::Origin};

/// Where a visit came from that was refused, and why. Nothing else of it is kept: no address of a
/// visitor and no path of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RefusedPage {
    /// The origin of the page; `None` for everything that is not a valid one.
    pub origin: Option<Origin>,
    /// The first reason.
    pub code: Code,
}
