//! The origin of a request, as the `Origin` header field says it.
//!
//! Browsers serialize an origin in exactly one way. Anything else did not come from a browser and
//! is refused instead of repaired: no lower-casing, no URL parser, no default port removed.

use std::str::FromStr;

use url::Url;

use super::{
    host,
    tuple::{Origin, Scheme},
};
use crate::finding::Code;
use crate::text::shortened;

/// Why the `Origin` field of a request names no page that could be on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OriginHeaderError {
    /// The field is missing: not a cross-origin request of a browser.
    #[error("the request has no `Origin`; it must be made by a page in a browser")]
    Absent,
    /// The field is `null`: a sandboxed frame, a local file, a redirected request.
    #[error(
        "the page has no origin of its own (`Origin: null`): it is sandboxed without `allow-same-origin`, a local file, or was redirected"
    )]
    Opaque,
    /// There are several fields, or a value that no browser sends.
    #[error("the `Origin` is not one origin as browsers serialize it")]
    Malformed,
    /// The page is not on `http` or `https`; a browser extension, for example.
    #[error("only pages on `https` or `http` can hold a widget")]
    ForeignScheme,
}

impl OriginHeaderError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Absent => Code::OriginRequired,
            Self::Opaque => Code::OriginOpaque,
            Self::Malformed => Code::OriginMalformed,
            Self::ForeignScheme => Code::OriginScheme,
        }
    }

    /// What the owner of the page can do.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Absent => "open the page in a browser; a script cannot replace it",
            Self::Opaque => {
                "serve the page from a web server, and give its frame `allow-same-origin`"
            }
            Self::Malformed => {
                "send the origin as a browser does: lower case, no path, no default port"
            }
            Self::ForeignScheme => "put the widget on a page with an `https` address",
        }
    }
}

/// Longest value that can be an origin: `https://`, a name of 253 with its final dot, `:65535`.
/// A longer one is refused before it is looked at.
const MAX_VALUE: usize = 8 + host::MAX_HOST + 1 + 6;

impl Origin {
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
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Err(OriginHeaderError::Absent),
            (Some(only), None) => parse_canonical(only.as_ref()),
            (Some(_), Some(_)) => Err(OriginHeaderError::Malformed),
        }
    }
}

/// A text is not an origin in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin in canonical form; write it as `https://shop.example`")]
pub struct OriginError(String);

impl OriginError {
    fn new(text: &str) -> Self {
        Self(shortened(text).into_owned())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Reads the canonical text only, the one that [`as_str`](Origin::as_str) returns.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        parse_canonical(text.as_bytes()).map_err(|_| OriginError::new(text))
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

/// Reads the one form in which a browser serializes an origin.
fn parse_canonical(value: &[u8]) -> Result<Origin, OriginHeaderError> {
    if value == b"null" {
        return Err(OriginHeaderError::Opaque);
    }
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= MAX_VALUE && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(OriginHeaderError::Malformed)?;
    let (scheme, host_and_port) = if let Some(rest) = text.strip_prefix("https://") {
        (Scheme::Https, rest)
    } else if let Some(rest) = text.strip_prefix("http://") {
        (Scheme::Http, rest)
    } else {
        return Err(match text.split_once("://") {
            Some((other, rest)) if is_serialized_foreign(other, rest) => {
                OriginHeaderError::ForeignScheme
            }
            _ => OriginHeaderError::Malformed,
        });
    };
    let port = serialized_tuple(scheme, host_and_port).ok_or(OriginHeaderError::Malformed)?;
    Ok(Origin::from_canonical(text, scheme, port))
}

/// A scheme in lower case (RFC 3986, section 3.1) and something that can be a host.
fn is_serialized_foreign(scheme: &str, host_and_port: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
        && !host_and_port.is_empty()
        && !host_and_port.contains(['/', '?', '#', '@', '\\', ','])
}

/// The port, if host and port are serialized as browsers do it.
fn serialized_tuple(scheme: Scheme, host_and_port: &str) -> Option<u16> {
    let (host, port) = match host_and_port.rfind([':', ']']) {
        Some(at) if host_and_port.as_bytes()[at] == b':' => {
            let port = serialized_port(&host_and_port[at + 1..])?;
            (&host_and_port[..at], port)
        }
        _ => (host_and_port, scheme.default_port()),
    };
    let explicit = host.len() != host_and_port.len();
    if explicit && port == scheme.default_port() {
        return None;
    }
    is_serialized_host(host).then_some(port)
}

fn serialized_port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// What the URL Standard's host serializer writes, less the signs that no name in DNS has (`!`,
/// `;`, `'` and the like) but that would be read as something else in a header.
///
/// Unlike an entry of the list, `_`, a final dot and an IPv6 address are possible here: pages do
/// live on such hosts. `*` admits them, and a pattern those below its base, although no
/// `frame-ancestors` can name them: see [`Origin::unnameable`].
fn is_serialized_host(host: &str) -> bool {
    if host.starts_with('[') {
        return host::canonical_ipv6(host).as_deref() == Some(host);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > host::MAX_HOST
        || name.split('.').any(str::is_empty)
        || !name.bytes().all(host::is_name_byte)
    {
        return false;
    }
    if host::ends_in_number(host) {
        return host::canonical_ipv4(host).is_some();
    }
    // A browser never opens a name with broken Punycode, so it never sends one.
    let has_punycode = name.as_bytes().windows(4).any(|part| part == b"xn--");
    !has_punycode || idna::domain_to_ascii(name).is_ok_and(|ascii| ascii == name)
}
