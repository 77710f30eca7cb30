//! Values of the config that are written as strings with rules of their own.
//!
//! ```
//! use widget_core::config::values::{Direction, Locale, WebUrl};
//!
//! let locale: Locale = "ar-EG".parse()?;
//! assert_eq!(locale.direction(), Direction::RightToLeft);
//! assert!("en_US".parse::<Locale>().is_err());
//!
//! let icon: WebUrl = "https://shop.example/icon.png".parse()?;
//! assert_eq!(icon.as_str(), "https://shop.example/icon.png");
//! assert!("http://shop.example/icon.png".parse::<WebUrl>().is_err());
//! # Ok::<(), widget_core::config::values::ValueError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use oxilangtag::LanguageTag;
use serde::{Serialize, Serializer};
use serde_json::Value;
use url::{Position, Url};

use crate::check::{Written, shown};
use crate::choice::choices;
use crate::color::Color;
use crate::finding::Code;
use crate::origin;

/// Why a string is not such a value: the value and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(String);

fn invalid(text: &str, verdict: &str) -> ValueError {
    ValueError(format!(
        "{} {verdict}",
        shown(&Value::String(text.to_owned()))
    ))
}

/// The address of an image or page that a widget names: `https`, or `http` on loopback so that a
/// widget can be tried on the developer's own machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebUrl(Url);

impl WebUrl {
    /// The address in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The part of it before the path.
    pub(crate) fn origin(&self) -> &str {
        &self.0[..Position::BeforePath]
    }

    /// Whether it is on loopback, where visitors cannot load it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl FromStr for WebUrl {
    type Err = ValueError;

    /// # Errors
    /// When the text is not such an address, written in full, or contains a user name or password,
    /// which browsers reject in images and show in links.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let url = parse_written_in_full(text, &["https", "http"])?;
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(invalid(text, "is not encrypted"));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for WebUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Written for WebUrl {
    const ALLOWED: &'static str =
        "an `https` URL, or an `http` URL on loopback, without user name and password";
    const CODE: Code = Code::UrlInvalid;
    const PATTERN: &'static str = concat!(
        r"^([Hh][Tt][Tt][Pp][Ss]://[^\s/\\?#@]+([/?#][^\s\\]*)?",
        r"|[Hh][Tt][Tt][Pp]://(([A-Za-z0-9-]+\.)*[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]",
        r"|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(:[0-9]*)?([/?#][^\s\\]*)?)$"
    );
    const EXAMPLES: &'static [&'static str] = &["https://shop.example/images/agent.png"];
}

/// What a quick action can open: `https`, `mailto` or `tel`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionUrl(Url);

impl ActionUrl {
    /// The address in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for ActionUrl {
    type Err = ValueError;

    /// # Errors
    /// When the text is not such an address, written in full.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        for scheme in ["mailto:", "tel:"] {
            let start = text.get(..scheme.len());
            if !start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
                continue;
            }
            check_letters(text)?;
            if text.len() == scheme.len() {
                return Err(invalid(text, "has no address after the colon"));
            }
            return Url::parse(text)
                .map(Self)
                .map_err(|error| invalid(text, &format!("is not a URL ({error})")));
        }
        parse_written_in_full(text, &["https"]).map(Self)
    }
}

impl fmt::Display for ActionUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for ActionUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Written for ActionUrl {
    const ALLOWED: &'static str = "an `https`, `mailto` or `tel` URL";
    const CODE: Code = Code::UrlInvalid;
    const PATTERN: &'static str = concat!(
        r"^([Hh][Tt][Tt][Pp][Ss]://[^\s/\\?#@]+([/?#][^\s\\]*)?",
        r"|([Mm][Aa][Ii][Ll][Tt][Oo]|[Tt][Ee][Ll]):[^\s\\]+)$"
    );
    const EXAMPLES: &'static [&'static str] = &[
        "https://shop.example/prices",
        "mailto:help@shop.example",
        "tel:+34912345678",
    ];
}

/// A URL with `//` and a host, in one of some schemes. The URL parser alone would also accept
/// `https:example.com`, `https:\\example.com`, and white space anywhere.
fn parse_written_in_full(text: &str, schemes: &[&str]) -> Result<Url, ValueError> {
    check_letters(text)?;
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(invalid(text, "is not an absolute URL"));
    };
    if rest.starts_with('/') {
        return Err(invalid(text, "has no host"));
    }
    if !schemes
        .iter()
        .any(|allowed| scheme.eq_ignore_ascii_case(allowed))
    {
        return Err(invalid(text, "has a scheme that is not allowed"));
    }
    let url =
        Url::parse(text).map_err(|error| invalid(text, &format!("is not a URL ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(text, "contains a user name or password"));
    }
    Ok(url)
}

fn check_letters(text: &str) -> Result<(), ValueError> {
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '\\')
    {
        return Err(invalid(
            text,
            "contains white space, a control character or a backslash",
        ));
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(origin::is_loopback)
}

/// A language tag that is well-formed by BCP 47, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale(LanguageTag<String>);

/// The primary subtags of languages that are written from right to left, unless a tag names another
/// script.
pub const RIGHT_TO_LEFT: &[&str] = &["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];

/// The scripts that are written from right to left, of languages that are written at present.
const RIGHT_TO_LEFT_SCRIPTS: &[&str] = &[
    "Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa",
];

choices! {
    /// The direction in which a language is written, as HTML's `dir` names it.
    pub enum Direction {
        /// From left to right.
        LeftToRight = "ltr",
        /// From right to left.
        RightToLeft = "rtl",
    }
}

impl Locale {
    /// The direction in which the language is written: that of the script, if the tag names one
    /// (`az-Arab`), else that of the language, see [`RIGHT_TO_LEFT`].
    #[must_use]
    pub fn direction(&self) -> Direction {
        let (subtag, right_to_left) = match self.0.script() {
            Some(script) => (script, RIGHT_TO_LEFT_SCRIPTS),
            None => (self.0.primary_language(), RIGHT_TO_LEFT),
        };
        if right_to_left
            .iter()
            .any(|known| known.eq_ignore_ascii_case(subtag))
        {
            Direction::RightToLeft
        } else {
            Direction::LeftToRight
        }
    }

    /// The tag as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Locale {
    type Err = ValueError;

    /// # Errors
    /// When the tag is not well-formed: `en_US` and `not a tag` are not.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        LanguageTag::parse(text.to_owned())
            .map(Self)
            .map_err(|error| invalid(text, &format!("is not a language tag ({error})")))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Written for Locale {
    const ALLOWED: &'static str = "a BCP 47 language tag such as `en`, `pt-BR` or `zh-Hant`";
    const CODE: Code = Code::LocaleInvalid;
    const PATTERN: &'static str = "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$";
    const EXAMPLES: &'static [&'static str] = &["en", "pt-BR", "zh-Hant"];
}

/// A color of the config: one that is given, or the built-in one of its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColorSetting(Option<Color>);

impl ColorSetting {
    /// The built-in color of the mode, written as the empty string.
    pub const BUILT_IN: Self = Self(None);

    /// The color that is given; `None` for the built-in one.
    #[must_use]
    pub fn color(self) -> Option<Color> {
        self.0
    }
}

impl From<Color> for ColorSetting {
    fn from(color: Color) -> Self {
        Self(Some(color))
    }
}

impl FromStr for ColorSetting {
    type Err = ValueError;

    /// # Errors
    /// When the text is neither a color nor empty.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Ok(Self::BUILT_IN);
        }
        text.parse()
            .map(|color| Self(Some(color)))
            .map_err(|_| invalid(text, "is not a color"))
    }
}

impl fmt::Display for ColorSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(color) => color.fmt(formatter),
            None => Ok(()),
        }
    }
}

impl Serialize for ColorSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Written for ColorSetting {
    const ALLOWED: &'static str = "`#rgb` or `#rrggbb`, or an empty string for the default";
    const CODE: Code = Code::ColorInvalid;
    const PATTERN: &'static str = "^(#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}))?$";
    const EXAMPLES: &'static [&'static str] = &["#1d4ed8", "#fff"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: FromStr>(accepted: &[&str], rejected: &[&str]) {
        for text in accepted {
            assert!(text.parse::<T>().is_ok(), "{text} is rejected");
        }
        for text in rejected {
            assert!(text.parse::<T>().is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn web_urls() {
        check::<WebUrl>(
            &[
                "https://shop.example/i.png",
                "HTTPS://SHOP.EXAMPLE",
                "https://shop.example:8443/a?b#c",
                "https://münchen.example/",
                "http://localhost./i.png",
                "http://localhost/i.png",
                "http://app.localhost:3000",
                "http://127.0.0.1:8080/i.png",
                "http://127.8.8.8/",
                "http://[::1]:9/i.png",
            ],
            &[
                "",
                " ",
                "shop.example",
                "/i.png",
                "//shop.example/i.png",
                "https:shop.example",
                "https:/shop.example",
                "https:///shop.example",
                "https://",
                "https:\\\\a.example",
                "http://shop.example/i.png",
                "http://localhost../",
                "http://localhost.example/",
                "http://notlocalhost/",
                "http://128.0.0.1/",
                "http://[::2]/",
                "ftp://shop.example/",
                "javascript:alert(1)",
                "data:image/png;base64,AA",
                "blob:https://shop.example/1",
                "file:///etc/passwd",
                " https://shop.example",
                "https://shop.example ",
                "https://shop.example/a b",
                "https://user@shop.example/",
                "https://user:pass@shop.example/",
                "https://shop.example/\n",
                "https://a b/",
                "https://exa%mple/",
            ],
        );
    }

    #[test]
    fn action_urls() {
        check::<ActionUrl>(
            &[
                "https://shop.example/",
                "mailto:help@shop.example",
                "tel:+34912345678",
                "MAILTO:help@shop.example?subject=Hi",
                "tel:112",
            ],
            &[
                "",
                "http://shop.example/",
                "http://localhost/",
                "javascript:1",
                "JaVaScRiPt:1",
                "mailto:",
                "tel:",
                "tel: 1",
                "data:text/html,x",
                "sms:1",
                "shop.example",
                "https:shop.example",
                "java\nscript:1",
                "vbscript:x",
                "é:1",
            ],
        );
    }

    #[test]
    fn locales() {
        check::<Locale>(
            &[
                "en",
                "EN",
                "pt-BR",
                "zh-Hant",
                "zh-Hant-TW",
                "de-CH-1996",
                "sl-rozaj-biske",
                "es-419",
                "en-u-ca-gregory",
                "x-private",
                "i-klingon",
                "ar-Arab-x-a",
            ],
            &[
                "",
                "not a tag",
                "en_US",
                "e",
                "-",
                "en-",
                "-en",
                "en--US",
                "toolongtag9",
                "en-US-",
                "é",
                "en-toolongsubtag",
                "1",
            ],
        );
    }

    #[test]
    fn directions() {
        let right_to_left = [
            "ar",
            "AR-eg",
            "he-IL",
            "ckb",
            "sd",
            "ug",
            "yi",
            "dv",
            "fa",
            "ps",
            "ur",
            // The script decides first.
            "az-Arab",
            "AZ-ARAB",
            "pa-Arab-PK",
            "ku-Arab",
            "ur-Aran",
            "ff-Adlm",
            "ar-Arab",
        ];
        let left_to_right = [
            "en",
            "arn",
            "x-ar",
            "ku",
            "ku-TR",
            "az",
            "pa",
            "ar-Latn",
            "AR-LATN-x-a",
            "sd-Deva",
            "ug-Cyrl",
            "he-Latn",
        ];
        for (tags, direction) in [
            (&right_to_left[..], Direction::RightToLeft),
            (&left_to_right[..], Direction::LeftToRight),
        ] {
            for tag in tags {
                let locale: Locale = tag.parse().expect("a tag");
                assert_eq!(locale.direction(), direction, "{tag}");
            }
        }
    }

    #[test]
    fn color_settings() {
        check::<ColorSetting>(
            &["", "#fff", "#FFF", "#a1B2c3"],
            &[
                "red",
                "#ffff",
                "fff",
                " ",
                "#ffffffff",
                "rgb(0,0,0)",
                "none",
            ],
        );
        assert_eq!(ColorSetting::BUILT_IN.to_string(), "");
    }
}
