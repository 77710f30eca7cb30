//! The address under which browsers reach the service.

use std::{ops::Deref, str::FromStr};

use url::{Position, Url};

use crate::origin::Origin;

/// The address under which browsers reach the service: `http` or `https`, a host that a page can
/// have, and nothing after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
    origin: Origin,
}

/// Browsers cannot reach a service at this address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// No scheme, or another one.
    #[error("`{0}` must begin with `https://` or `http://`, such as `https://widgets.example`")]
    Scheme(String),
    /// A path, a query or a fragment.
    #[error("`{url}` must have nothing after its host; use `{root}`, a host of the service's own")]
    Path {
        /// The address.
        url: String,
        /// The address without what is after its host.
        root: String,
    },
    /// A host that no page can have, a user name, or a password.
    #[error("`{0}` cannot be the address of a service; use one such as `https://widgets.example`")]
    Invalid(String),
}

impl PublicUrl {
    /// The origin of the service, which the window has too.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl TryFrom<Url> for PublicUrl {
    type Error = PublicUrlError;

    fn try_from(url: Url) -> Result<Self, PublicUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PublicUrlError::Scheme(url.into()));
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        let origin = Origin::try_from(&url).ok().filter(|_| !has_user);
        let Some(origin) = origin else {
            return Err(PublicUrlError::Invalid(url.into()));
        };
        if &url[Position::BeforePath..] != "/" {
            return Err(PublicUrlError::Path {
                root: url[..Position::BeforePath].to_owned(),
                url: url.into(),
            });
        }
        Ok(Self { url, origin })
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        match Url::parse(text) {
            Ok(url) => Self::try_from(url).map_err(|error| match error {
                // `widgets.example:8080` has the scheme `widgets.example`.
                PublicUrlError::Scheme(_) => PublicUrlError::Scheme(text.to_owned()),
                other => other,
            }),
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                Err(PublicUrlError::Scheme(text.to_owned()))
            }
            Err(_) => Err(PublicUrlError::Invalid(text.to_owned())),
        }
    }
}

impl Deref for PublicUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        for (text, expected) in [
            ("https://widgets.example", "https://widgets.example/"),
            ("https://Widgets.example:443/", "https://widgets.example/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ] {
            let url: PublicUrl = text.parse().expect(text);
            assert_eq!(url.as_str(), expected);
        }
        for text in [
            "widgets.example",
            "widgets.example:8080",
            "",
            "/a",
            "ftp://widgets.example",
        ] {
            let error = text.parse::<PublicUrl>().expect_err(text);
            assert_eq!(error, PublicUrlError::Scheme(text.to_owned()));
        }
        for tail in ["/a", "/a/", "/?", "/?a=b", "/#", "//"] {
            let text = format!("https://widgets.example{tail}");
            let error = text.parse::<PublicUrl>().expect_err(&text);
            assert_eq!(
                error,
                PublicUrlError::Path {
                    url: text,
                    root: "https://widgets.example".to_owned()
                }
            );
        }
        for text in [
            "https://",
            "https://a b",
            "https://u@widgets.example",
            "https://u:p@a.example",
        ] {
            let error = text.parse::<PublicUrl>().expect_err(text);
            assert!(
                matches!(error, PublicUrlError::Invalid(_)),
                "{text}: {error}"
            );
        }
    }
}
