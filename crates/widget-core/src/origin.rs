//! Which sites may show a widget: normalizing the entries of its list, reading the origin of a
//! request, and deciding between the two.
//!
//! An origin is a tuple of scheme, host and port (RFC 6454).
//! Everything here is parsed once into such tuples and compared as a whole: no prefix, suffix or
//! pattern is ever looked for in a text that came from outside.
//! A URL parser alone is not enough, because browsers and the `frame-ancestors` directive are
//! stricter than the URL Standard: see [`EntryFault`] for what is refused and why.
//!
//! ```
//! use widget_core::origin::{AllowedOrigins, Origin, SuffixList};
//!
//! let allowed = AllowedOrigins::parse(&["shop.example", "https://*.shop.example"], SuffixList::builtin())?;
//! assert_eq!(allowed.entries(), ["https://shop.example", "https://*.shop.example"]);
//!
//! let page = Origin::from_header([b"https://m.shop.example"])?;
//! let admitted = allowed.admit(&page).expect("covered by the pattern");
//! assert_eq!(admitted.entry(), "https://*.shop.example");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod allowed;
mod entry;
mod fault;
mod host;
mod request;
mod suffix;
mod warning;

use std::{fmt, str::FromStr};

use url::Url;

use crate::choice::choices;

pub use allowed::{AdmittedOrigin, AllowedOrigins};
pub use entry::{Entry, OriginPattern};
pub use fault::{EntryError, EntryFault};
pub(crate) use host::to_unicode;
pub use request::OriginHeaderError;
pub use suffix::{SuffixList, SuffixListError};

choices! {
    /// The two schemes that a page with a widget can have.
    #[derive(PartialOrd, Ord)]
    pub enum Scheme {
        /// Plain HTTP: any network on the way can change the page.
        Http = "http",
        /// HTTP over TLS.
        Https = "https",
    }
}

impl Scheme {
    /// The port that is meant when none is given; an origin never shows it.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A tuple origin in the one form in which a browser serializes it.
///
/// Two origins are the same exactly when their texts are the same bytes.
/// There is no opaque origin of this type: every page that sends `null` looks the same, so none of
/// them can be admitted.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    text: Box<str>,
    scheme: Scheme,
    port: u16,
}

impl Origin {
    /// `host` must be canonical already.
    fn from_parts(scheme: Scheme, host: &str, port: u16) -> Self {
        let text = if port == scheme.default_port() {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        };
        Self {
            text: text.into_boxed_str(),
            scheme,
            port,
        }
    }

    /// The origin of the page that made a request, out of all its `Origin` header fields.
    ///
    /// When this fails, nothing else can be asked instead: neither `Referer` nor anything in a
    /// body or a query was written by the browser itself.
    ///
    /// # Errors
    ///
    /// [`OriginHeaderError`] unless there is exactly one field with the origin of an `http` or
    /// `https` page, as browsers serialize it.
    pub fn from_header<I>(values: I) -> Result<Self, OriginHeaderError>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        request::from_header(values)
    }

    /// The origin of a page whose address a person typed or pasted.
    ///
    /// As lenient as an entry of the list: the scheme may be missing (`https` is meant), a path is
    /// dropped, the host is converted to ASCII. Unlike an entry, any host that a browser can be on
    /// is accepted: an IPv6 address, a name with `_` or with a trailing dot. Never use this for an
    /// `Origin` header, see [`from_header`](Self::from_header).
    ///
    /// # Errors
    ///
    /// What is wrong with the address, in the terms of an entry.
    pub fn parse_page(address: &str) -> Result<Self, EntryError> {
        entry::parse_page(address)
    }

    /// The origin of an address, when a source of a security policy can express it.
    pub(crate) fn parse_source(address: &str) -> Result<Self, EntryError> {
        entry::parse_source(address)
    }

    /// The canonical text, such as `https://shop.example` or `http://127.0.0.1:8080`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name in lower-case ASCII, a dotted IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host_and_port = &self.text[self.scheme.as_str().len() + "://".len()..];
        // The last colon of a bracketed address is not a port's.
        match host_and_port.rfind([':', ']']) {
            Some(colon) if host_and_port.as_bytes()[colon] == b':' => &host_and_port[..colon],
            _ => host_and_port,
        }
    }

    /// The port, the scheme's default included.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the page is on the visitor's own machine, as browsers see it
    /// (Secure Contexts, section 3.1: `localhost`, `*.localhost`, 127.0.0.0/8, `::1`).
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        host::is_loopback(self.host())
    }

    /// Whether browsers give the page what needs a secure context, such as the microphone.
    #[must_use]
    pub fn is_secure_context(&self) -> bool {
        self.scheme == Scheme::Https || self.is_loopback()
    }
}

/// A text is not an origin in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin in canonical form; write it as `https://shop.example`")]
pub struct OriginError(String);

impl OriginError {
    fn new(text: &str) -> Self {
        Self(crate::json::shortened(text).into_owned())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Reads the canonical text only, the one that [`as_str`](Origin::as_str) returns.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        request::parse_canonical(text.as_bytes()).map_err(|_| OriginError::new(text))
    }
}

impl TryFrom<&Url> for Origin {
    type Error = OriginError;

    /// The origin of an `http` or `https` address.
    fn try_from(url: &Url) -> Result<Self, OriginError> {
        match url.scheme() {
            "http" | "https" => url.origin().ascii_serialization().parse(),
            _ => Err(OriginError::new(url.as_str())),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Origin").field(&self.text).finish()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
