//! The surfaces of the window, on which the colors of a config stand. A test compares them with the
//! style sheet.

use crate::color::Color;

/// A surface of the window, as its style sheet has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surface {
    pub(super) light: Color,
    pub(super) dark: Color,
}

/// `--page`, the background of the window.
pub(super) const PAGE: Surface = Surface {
    light: Color::WHITE,
    dark: Color::new(0x15, 0x17, 0x1b),
};

/// `--raised`, on which messages and buttons stand; of the surfaces, the one with the least
/// contrast.
pub(super) const RAISED: Surface = Surface {
    light: Color::new(0xf3, 0xf4, 0xf6),
    dark: Color::new(0x23, 0x26, 0x2c),
};
