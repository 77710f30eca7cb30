//! Colors as the config writes them, and the contrast rule of WCAG 2.2, so that a widget's
//! owner sees unreadable text before visitors do.
//!
//! ```
//! use widget_core::color::Color;
//!
//! let blue: Color = "#0050b3".parse()?;
//! assert_eq!(blue.readable_text().to_string(), "#ffffff");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The contrast that body text needs: WCAG 2.2, success criterion 1.4.3, level AA.
pub const MIN_CONTRAST: f64 = 4.5;

/// How much a button stands out from what is around it: WCAG 2.2, success criterion 1.4.11.
pub(crate) const MIN_PROMINENCE: f64 = 3.0;

/// An opaque sRGB color, written `#rgb` or `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// The red channel.
    pub red: u8,
    /// The green channel.
    pub green: u8,
    /// The blue channel.
    pub blue: u8,
}

/// Why a text is not a color.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a color; use `#rgb` or `#rrggbb`")]
pub struct ColorError(
    /// The text as it was given.
    pub String,
);

impl Color {
    /// White.
    pub const WHITE: Self = Self::new(0xff, 0xff, 0xff);
    /// Black.
    pub const BLACK: Self = Self::new(0, 0, 0);
    /// A black that is softer on screens, used for derived text where it is readable.
    pub const INK: Self = Self::new(0x11, 0x11, 0x11);

    /// A color of three channels.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// The relative luminance of WCAG 2.2, from 0 (black) to 1 (white).
    ///
    /// Source: <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>.
    #[must_use]
    pub fn relative_luminance(self) -> f64 {
        fn linear(channel: u8) -> f64 {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        }
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// The contrast ratio of WCAG 2.2 between two colors, from 1 to 21, in either order.
    ///
    /// Source: <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.relative_luminance(), other.relative_luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// A neutral text color that is readable on this background: white, [`Color::INK`] or
    /// black, with a contrast of at least [`MIN_CONTRAST`] on every background.
    #[must_use]
    pub fn readable_text(self) -> Self {
        let white = self.contrast(Self::WHITE);
        let ink = self.contrast(Self::INK);
        if white >= MIN_CONTRAST && white >= ink {
            Self::WHITE
        } else if ink >= MIN_CONTRAST {
            Self::INK
        } else if white >= MIN_CONTRAST {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }

    /// The color nearest to this one, on the way to black or white, that is readable as text on
    /// `background`; this color itself when it already is.
    #[must_use]
    pub fn made_readable_on(self, background: Self) -> Self {
        self.made_to_contrast(background, MIN_CONTRAST)
    }

    /// The color nearest to this one, on the way to black or white, whose contrast with `other`
    /// is at least `ratio`; this color itself when it already is. No more than the contrast
    /// with black or white, whichever is higher, can be reached.
    #[must_use]
    pub fn made_to_contrast(self, other: Self, ratio: f64) -> Self {
        if self.contrast(other) >= ratio {
            return self;
        }
        let target = if other.contrast(Self::WHITE) >= other.contrast(Self::BLACK) {
            Self::WHITE
        } else {
            Self::BLACK
        };
        (1..=STEPS)
            .map(|step| self.mixed(target, step))
            .find(|candidate| candidate.contrast(other) >= ratio)
            .unwrap_or(target)
    }

    /// This color with `step` of [`STEPS`] parts replaced by `other`.
    fn mixed(self, other: Self, step: u16) -> Self {
        let channel = |from: u8, to: u8| {
            let value = (u16::from(from) * (STEPS - step) + u16::from(to) * step) / STEPS;
            u8::try_from(value).unwrap_or(u8::MAX)
        };
        Self::new(
            channel(self.red, other.red),
            channel(self.green, other.green),
            channel(self.blue, other.blue),
        )
    }
}

/// How finely [`Color::made_to_contrast`] searches: steps of 2 % are below what is noticed.
const STEPS: u16 = 50;

impl FromStr for Color {
    type Err = ColorError;

    fn from_str(text: &str) -> Result<Self, ColorError> {
        let error = || ColorError(text.to_owned());
        let digits = text.strip_prefix('#').ok_or_else(error)?;
        let nibbles = digits
            .chars()
            .map(|digit| {
                digit
                    .to_digit(16)
                    .and_then(|value| u8::try_from(value).ok())
            })
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(error)?;
        match *nibbles.as_slice() {
            [red, green, blue] => Ok(Self::new(red * 17, green * 17, blue * 17)),
            [r1, r2, g1, g2, b1, b2] => Ok(Self::new(r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2)),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Color {
    /// Writes `#rrggbb` in lower case.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "#{:02x}{:02x}{:02x}",
            self.red, self.green, self.blue
        )
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn color(text: &str) -> Color {
        text.parse().expect("a color")
    }

    #[test]
    fn both_notations_are_read() {
        for (text, canonical) in [
            ("#fff", "#ffffff"),
            ("#A0c", "#aa00cc"),
            ("#12aBeF", "#12abef"),
            ("#000000", "#000000"),
        ] {
            assert_eq!(color(text).to_string(), canonical);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "#",
            "fff",
            "#ff",
            "#ffff",
            "#fffff",
            "#fffffff",
            "#ffffffff",
            "red",
            "#ggg",
            " #fff",
            "#fff ",
            "#+12",
            "rgb(0,0,0)",
            "#ｆｆｆ",
        ] {
            assert_eq!(
                text.parse::<Color>(),
                Err(ColorError(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        for (one, two, ratio) in [
            ("#000", "#fff", 21.0),
            ("#fff", "#fff", 1.0),
            ("#767676", "#fff", 4.54),
            ("#777777", "#fff", 4.48),
            ("#eeeeee", "#ffffff", 1.16),
            ("#ff0000", "#ffffff", 4.0),
        ] {
            let measured = color(one).contrast(color(two));
            assert!(
                (measured - ratio).abs() < 0.005,
                "{one} on {two}: {measured}"
            );
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_is_the_identity(red: u8, green: u8, blue: u8) {
            let color = Color::new(red, green, blue);
            prop_assert_eq!(color.to_string().parse(), Ok(color));
        }

        #[test]
        fn derived_text_is_always_readable(red: u8, green: u8, blue: u8, r: u8, g: u8, b: u8) {
            let background = Color::new(red, green, blue);
            prop_assert!(background.contrast(background.readable_text()) >= MIN_CONTRAST);
            let text = Color::new(r, g, b).made_readable_on(background);
            prop_assert!(background.contrast(text) >= MIN_CONTRAST);
        }
    }
}
