//! Finding a brand in the tags of a page.

use html5gum::Tokenizer;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use serde_json::Value;
use url::Url;

use super::Brand;
use crate::color::Color;
use crate::config::values::WebUrl;
use crate::text::is_invisible;

/// Longer names are cut, in characters.
const MAX_NAME: usize = 120;

/// More colors are ignored.
const MAX_COLORS: usize = 8;

impl Brand {
    /// Reads the brand from a page's HTML. `page` is the address that the page was read from,
    /// which relative addresses are resolved against.
    ///
    /// Looked at are the title, `og:site_name` and `application-name`; `theme-color` and
    /// `msapplication-TileColor`; icons, images that call themselves a logo, and the organization
    /// of JSON-LD. Addresses that a config does not accept are ignored: they must be `https`.
    #[must_use]
    pub fn from_html(html: &str, page: &Url) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut found = Found::default();
        for token in Tokenizer::new_with_emitter(html, emitter) {
            let Ok(token) = token;
            found.read(token);
        }
        found.into_brand(page)
    }
}

/// What the tags of a page say, as it is written there.
#[derive(Debug, Default)]
struct Found {
    base: Option<String>,
    site_name: Option<String>,
    application_name: Option<String>,
    title: Option<String>,
    colors: Vec<Color>,
    /// Icons with how good they are.
    icons: Vec<(u32, String)>,
    /// The logo that structured data names, and the first picture that calls itself one.
    stated_logo: Option<String>,
    pictured_logo: Option<String>,
    stated_name: Option<String>,
    inside: Inside,
}

/// The element whose text is being read.
#[derive(Debug, Default)]
enum Inside {
    #[default]
    Nothing,
    Title(String),
    LinkedData(String),
}

impl Found {
    fn read(&mut self, token: Token) {
        match token {
            Token::StartTag(tag) => self.start(&tag),
            Token::String(text) => match &mut self.inside {
                Inside::Nothing => {}
                Inside::Title(held) | Inside::LinkedData(held) => {
                    held.push_str(&String::from_utf8_lossy(&text));
                }
            },
            Token::EndTag(_) => match std::mem::take(&mut self.inside) {
                Inside::Nothing => {}
                Inside::Title(text) => {
                    self.title.get_or_insert(text);
                }
                Inside::LinkedData(text) => self.linked_data(&text),
            },
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let attribute = |name: &str| {
            tag.attributes
                .get(name.as_bytes())
                .map(|value| String::from_utf8_lossy(value).trim().to_owned())
        };
        match tag.name.as_slice() {
            b"title" if self.title.is_none() => self.inside = Inside::Title(String::new()),
            b"script" => {
                let kind = attribute("type").unwrap_or_default();
                if kind.eq_ignore_ascii_case("application/ld+json") {
                    self.inside = Inside::LinkedData(String::new());
                }
            }
            b"base" if self.base.is_none() => self.base = attribute("href"),
            b"meta" => {
                let name = attribute("property").or_else(|| attribute("name"));
                if let (Some(name), Some(content)) = (name, attribute("content")) {
                    self.meta(&name.to_ascii_lowercase(), content);
                }
            }
            b"link" => {
                let relation = attribute("rel").unwrap_or_default().to_ascii_lowercase();
                let sizes = attribute("sizes").unwrap_or_default();
                if let Some(address) = attribute("href")
                    && let Some(worth) = icon_worth(&relation, &sizes, &address)
                {
                    self.icons.push((worth, address));
                }
            }
            b"img" if self.pictured_logo.is_none() => {
                let named = ["class", "id", "alt", "src"].iter().any(|name| {
                    attribute(name).is_some_and(|value| value.to_lowercase().contains("logo"))
                });
                if named {
                    self.pictured_logo = attribute("src");
                }
            }
            _ => {}
        }
    }

    fn meta(&mut self, name: &str, content: String) {
        match name {
            "og:site_name" => {
                self.site_name.get_or_insert(content);
            }
            "application-name" | "apple-mobile-web-app-title" => {
                self.application_name.get_or_insert(content);
            }
            "og:logo" => {
                self.stated_logo.get_or_insert(content);
            }
            "theme-color" | "msapplication-tilecolor" => {
                if let Some(color) = read_color(&content)
                    && !self.colors.contains(&color)
                    && self.colors.len() < MAX_COLORS
                {
                    self.colors.push(color);
                }
            }
            _ => {}
        }
    }

    /// The organization of JSON-LD: `{"@type": "Organization", "name": …, "logo": …}`, alone, in
    /// an array or in an `@graph`.
    fn linked_data(&mut self, text: &str) {
        // The parser rejects what is nested more than 128 levels deep.
        let Ok(data) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let graph = data.get("@graph").unwrap_or(&data);
        let items = match graph {
            Value::Array(items) => items.iter().collect(),
            item => vec![item],
        };
        for item in items {
            let is_organization = match item.get("@type") {
                Some(Value::String(kind)) => {
                    kind.ends_with("Organization") || kind == "LocalBusiness"
                }
                Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "Organization"),
                _ => false,
            };
            if !is_organization {
                continue;
            }
            if let Some(name) = item.get("name").and_then(Value::as_str) {
                self.stated_name.get_or_insert_with(|| name.to_owned());
            }
            let logo = item.get("logo");
            let address = logo.and_then(Value::as_str).or_else(|| {
                logo?
                    .get("url")
                    .or_else(|| logo?.get("contentUrl"))?
                    .as_str()
            });
            if let Some(address) = address {
                self.stated_logo.get_or_insert_with(|| address.to_owned());
            }
        }
    }

    fn into_brand(mut self, page: &Url) -> Brand {
        let base = self
            .base
            .as_deref()
            .and_then(|base| page.join(base).ok())
            .unwrap_or_else(|| page.clone());
        // The best first; among equals the one that the page names first.
        self.icons
            .sort_by_key(|(worth, _)| std::cmp::Reverse(*worth));
        let title = self
            .title
            .as_deref()
            .map(|title| name_in_title(title, page));
        let name = [
            self.site_name,
            self.application_name,
            self.stated_name,
            title,
        ]
        .into_iter()
        .flatten()
        .map(|name| tidy(&name))
        .find(|name| !name.is_empty());
        Brand {
            name,
            colors: self.colors,
            logo_url: [self.stated_logo, self.pictured_logo]
                .iter()
                .flatten()
                .find_map(|address| resolve(&base, address)),
            icon_url: self
                .icons
                .iter()
                .find_map(|(_, address)| resolve(&base, address)),
        }
    }
}

/// An address as the page means it, if a config accepts it.
fn resolve(base: &Url, address: &str) -> Option<WebUrl> {
    let url = base.join(address).ok()?;
    // On another machine, a loopback address is not the page's picture.
    url.as_str()
        .parse()
        .ok()
        .filter(|url: &WebUrl| !url.is_loopback())
}

/// How good an icon is for a launcher: one made for home screens before a large or scalable one
/// before a small one; `None` when the link is not an icon.
fn icon_worth(relation: &str, sizes: &str, address: &str) -> Option<u32> {
    /// More pixels are not visible in a launcher.
    const MAX_SIZE: u32 = 512;
    let relations: Vec<&str> = relation.split_ascii_whitespace().collect();
    let is_touch_icon = relations
        .iter()
        .any(|name| matches!(*name, "apple-touch-icon" | "apple-touch-icon-precomposed"));
    if !is_touch_icon && !relations.contains(&"icon") {
        return None;
    }
    let is_scalable = sizes.eq_ignore_ascii_case("any")
        || address
            .split(['?', '#'])
            .next()
            .is_some_and(|path| path.to_lowercase().ends_with(".svg"));
    let size = sizes
        .split_ascii_whitespace()
        .filter_map(|size| size.split(['x', 'X']).next()?.parse::<u32>().ok())
        .max()
        .unwrap_or(if is_touch_icon { 180 } else { 16 });
    let size = if is_scalable {
        MAX_SIZE
    } else {
        size.min(MAX_SIZE)
    };
    Some(if is_touch_icon { size + MAX_SIZE } else { size })
}

/// A color as a page writes it: `#rgb`, `#rrggbb`, or `rgb(r, g, b)`.
fn read_color(text: &str) -> Option<Color> {
    if let Ok(color) = text.parse() {
        return Some(color);
    }
    let inner = text.to_ascii_lowercase();
    let inner = inner.strip_prefix("rgb(")?.strip_suffix(')')?.to_owned();
    let mut channels = inner
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<u8>().ok());
    let color = Color::new(channels.next()??, channels.next()??, channels.next()??);
    channels.next().is_none().then_some(color)
}

/// The part of a title that names the site: the one that resembles the host, else the first.
fn name_in_title(title: &str, page: &Url) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let host = page.host_str().unwrap_or_default();
    let label = plain(
        host.trim_start_matches("www.")
            .split('.')
            .next()
            .unwrap_or_default(),
    );
    let mut parts: Vec<&str> = vec![title];
    for separator in [" | ", " – ", " — ", " - ", " · ", ": "] {
        parts = parts
            .into_iter()
            .flat_map(|part| part.split(separator))
            .collect();
    }
    let resembles = |part: &&&str| {
        let part = plain(part);
        !part.is_empty() && !label.is_empty() && (part.contains(&label) || label.contains(&part))
    };
    let part = parts.iter().find(resembles).or(parts.first());
    part.copied().unwrap_or(title).to_owned()
}

/// A name with single spaces, without invisible characters, and not too long.
fn tidy(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .take(MAX_NAME)
        .collect()
}
