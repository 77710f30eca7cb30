//! The public suffix list of this process: the one compiled into `widget-core`, or a newer file
//! given at the start.
//!
//! Chosen once and before the first request, since a row becomes a widget deep inside storage and
//! both must go by the same list.

use std::sync::OnceLock;

use widget_core::origin::SuffixList;

static CHOSEN: OnceLock<SuffixList> = OnceLock::new();

/// Chooses the list for the whole process; the first choice counts.
pub fn choose(list: SuffixList) {
    let _ = CHOSEN.set(list);
}

/// The list to go by.
#[must_use]
pub fn suffixes() -> &'static SuffixList {
    CHOSEN.get().unwrap_or_else(SuffixList::builtin)
}
