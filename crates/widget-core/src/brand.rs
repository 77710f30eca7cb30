//! A site's brand: read from a page's HTML, and converted into a config.
//!
//! Fetching the page is the caller's work; the page can be anybody's, so every address passes
//! the rules of [`WebUrl`], every text is cut, and nothing is executed.
//!
//! ```
//! use widget_core::{brand::Brand, config::Config};
//!
//! let html = r##"<meta property="og:site_name" content="The Shop">"##;
//! let brand = Brand::from_html(html, &"https://shop.example/".parse()?);
//! let config = brand.apply_to(&Config::default())?;
//! assert_eq!(config.current().chat.title, "The Shop");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod page;

use serde_json::json;

use crate::color::Color;
use crate::config::v1::MAX_TITLE_CHARACTERS;
use crate::config::values::WebUrl;
use crate::config::{Config, ConfigError};
use crate::origin::{EntryError, Origin};

/// What a site looks like. Any combination is possible, also nothing at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Brand {
    /// What the site calls itself.
    pub name: Option<String>,
    /// Its colors, the most characteristic first.
    pub colors: Vec<Color>,
    /// Its logo.
    pub logo_url: Option<WebUrl>,
    /// Its icon.
    pub icon_url: Option<WebUrl>,
}

impl Brand {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The color for buttons and messages: the first that is not a shade of gray.
    #[must_use]
    pub fn main_color(&self) -> Option<Color> {
        self.colors
            .iter()
            .copied()
            .find(|color| is_colorful(*color))
    }

    /// The config with the brand's title, pictures and color put in place; the rest is untouched.
    ///
    /// The color becomes the background of the light palette. The colors of texts and the dark
    /// palette are cleared, so that they are derived from it, see [`Config::for_window`].
    ///
    /// # Errors
    /// When the document would grow beyond its limits.
    pub fn apply_to(&self, config: &Config) -> Result<Config, ConfigError> {
        let mut branded = config.clone();
        if let Some(name) = &self.name {
            let title: String = name.chars().take(MAX_TITLE_CHARACTERS).collect();
            branded = branded.set("/config/v1/chat/title", json!(title))?;
        }
        if let Some(logo) = &self.logo_url {
            branded = branded.set("/config/v1/chat/logo_url", json!(logo.as_str()))?;
        }
        if let Some(icon) = &self.icon_url {
            branded = branded.set("/config/v1/trigger/icon_url", json!(icon.as_str()))?;
            branded = branded.set("/config/v1/chat/avatar_url", json!(icon.as_str()))?;
        }
        if let Some(color) = self.main_color() {
            for target in ["user_message", "controls_button"] {
                let light = format!("/config/v1/chat/light_mode/background_color/{target}");
                branded = branded.set(&light, json!(color.to_string()))?;
                for derived in [
                    "light_mode/text_color",
                    "dark_mode/background_color",
                    "dark_mode/text_color",
                ] {
                    branded = clear(branded, &format!("/v1/chat/{derived}/{target}"))?;
                }
            }
        }
        Ok(branded)
    }
}

/// The site that a domain or the address of a page means: its host, and its port if that is an
/// unusual one. The scheme, `www.` and what follows the host do not matter.
///
/// ```
/// use widget_core::brand;
///
/// assert_eq!(brand::parse_site("https://www.shop.example/cart").as_deref(), Ok("shop.example"));
/// ```
///
/// # Errors
/// What is wrong with the address, as [`Origin::parse_page`] says it.
pub fn parse_site(address: &str) -> Result<String, EntryError> {
    let origin = Origin::parse_page(address)?;
    let (_, site) = origin.as_str().split_once("://").unwrap_or_default();
    Ok(site.strip_prefix("www.").unwrap_or(site).to_owned())
}

/// The config without the value at `place`, so that its default is used.
fn clear(config: Config, place: &str) -> Result<Config, ConfigError> {
    match config.to_value().pointer(place) {
        Some(_) => config.remove(&format!("/config{place}")),
        None => Ok(config),
    }
}

/// Whether a color is more than a shade of gray. White and black pages are common, and a black
/// button says nothing about a brand.
fn is_colorful(color: Color) -> bool {
    /// Below this, a difference of the channels is hardly visible as a color.
    const MIN_DIFFERENCE: u8 = 24;
    let channels = [color.red, color.green, color.blue];
    let (lowest, highest) = channels
        .iter()
        .fold((u8::MAX, 0), |(lowest, highest), channel| {
            (lowest.min(*channel), highest.max(*channel))
        });
    highest - lowest >= MIN_DIFFERENCE
}

#[cfg(test)]
mod tests;
