//! Which version is the newest one.

use super::v1::ConfigV1;
use super::version::Version;

/// The typed values that this build works with: those of the newest version.
pub type Current = ConfigV1;

/// The newest version that this build reads and writes: 1 for `v1`.
///
/// A build reads every version up to its own, forever, and rejects newer ones.
pub const VERSION: u64 = <Current as Version>::NUMBER;
