//! An origin: scheme, host and port, compared as a whole.
//!
//! How one is read is in `request` (as a browser writes it) and in `entry` (as a person writes it).

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use super::host::{self, Unnameable};
use crate::choice::choices;

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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    text: Arc<str>,
    scheme: Scheme,
    port: u16,
}

impl Origin {
    /// `host` must be canonical already.
    pub(super) fn from_parts(scheme: Scheme, host: &str, port: u16) -> Self {
        let text = if port == scheme.default_port() {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        };
        Self {
            text: text.into(),
            scheme,
            port,
        }
    }

    /// `text` must be canonical already, and have this scheme and port.
    pub(super) fn from_canonical(text: &str, scheme: Scheme, port: u16) -> Self {
        Self {
            text: text.into(),
            scheme,
            port,
        }
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

    /// Why `frame-ancestors` cannot name the page, so that browsers do not show the window on it.
    pub(crate) fn unnameable(&self) -> Option<Unnameable> {
        host::unnameable(self.host()).next()
    }

    /// Whether browsers give the page what needs a secure context, such as the microphone.
    #[must_use]
    pub fn is_secure_context(&self) -> bool {
        self.scheme == Scheme::Https || self.is_loopback()
    }
}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Scheme and port follow from it.
        self.text.hash(state);
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
