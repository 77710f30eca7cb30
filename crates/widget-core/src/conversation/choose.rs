//! Text or voice: in which mode a conversation starts, and in which it resumes.

use crate::config::Current;
use crate::mode::Mode;

/// The widget does not offer this mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this widget does not offer `{0}`; leave `mode` out or use the other one")]
pub struct ModeDisabled(pub Mode);

/// The mode in which a conversation starts: the requested one, or the widget's default.
///
/// # Errors
///
/// [`ModeDisabled`] when the requested one is not offered.
pub fn choose_mode(config: &Current, requested: Option<Mode>) -> Result<Mode, ModeDisabled> {
    match requested {
        Some(mode) if config.is_enabled(mode) => Ok(mode),
        Some(mode) => Err(ModeDisabled(mode)),
        None => Ok(config.default_mode),
    }
}

/// The mode in which a conversation resumes: the requested one, or the one before while it is
/// still offered.
///
/// # Errors
///
/// [`ModeDisabled`] when the requested one is not offered.
pub fn choose_mode_for_resume(
    config: &Current,
    requested: Option<Mode>,
    before: Mode,
) -> Result<Mode, ModeDisabled> {
    choose_mode(
        config,
        requested.or(Some(before).filter(|mode| config.is_enabled(*mode))),
    )
}
