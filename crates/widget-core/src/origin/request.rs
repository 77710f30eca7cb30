//! The origin of a request, as the `Origin` header field tells it.
//!
//! Browsers serialize origins in exactly one way, so anything else did not come from a browser
//! and is refused instead of repaired: no lower-casing, no URL parser, no default port taken off.

use super::{Origin, Scheme, host};

/// What a request says about the page that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestOrigin {
    /// A page with an address: the only kind that can be admitted.
    Tuple(Origin),
    /// `null`: a sandboxed frame, a local file, a redirected request.
    Opaque,
    /// No `Origin` field: not a cross-origin request of a browser.
    Absent,
    /// Several fields, or not what a browser would write.
    Malformed,
    /// A page of another scheme, such as a browser extension.
    ForeignScheme,
}

/// Why a request has no origin that could be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OriginRefusal {
    /// The field is missing.
    #[error("the request has no `Origin`; it must be made by a page in a browser")]
    Absent,
    /// The field is `null`.
    #[error(
        "the page has no origin of its own (`Origin: null`): it is sandboxed without `allow-same-origin`, a local file, or was redirected"
    )]
    Opaque,
    /// The field is not what a browser sends.
    #[error("the `Origin` is not one origin as browsers serialize it")]
    Malformed,
    /// The page is not on `http` or `https`.
    #[error("only pages on `https` or `http` can hold a widget")]
    ForeignScheme,
}

impl OriginRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "origin_required",
            Self::Opaque => "origin_opaque",
            Self::Malformed => "origin_malformed",
            Self::ForeignScheme => "origin_scheme",
        }
    }

    /// What the owner of the page can do.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Absent => "open the page in a browser; a script cannot take its place",
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
/// Anything longer is refused before it is looked at.
const MAX_VALUE: usize = 8 + host::MAX_HOST + 1 + 6;

impl RequestOrigin {
    /// Reads all `Origin` fields of a request, as raw bytes.
    ///
    /// Nothing else may be asked instead when the answer is no tuple: neither `Referer` nor
    /// anything in a body or query was written by the browser itself.
    pub fn from_field_values<I>(values: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(only), None) => Self::from_bytes(only.as_ref()),
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    /// The tuple, or why there is none.
    ///
    /// # Errors
    ///
    /// [`OriginRefusal`] for every other kind.
    pub fn into_tuple(self) -> Result<Origin, OriginRefusal> {
        match self {
            Self::Tuple(origin) => Ok(origin),
            Self::Opaque => Err(OriginRefusal::Opaque),
            Self::Absent => Err(OriginRefusal::Absent),
            Self::Malformed => Err(OriginRefusal::Malformed),
            Self::ForeignScheme => Err(OriginRefusal::ForeignScheme),
        }
    }

    fn from_bytes(value: &[u8]) -> Self {
        match parse_canonical(value) {
            Ok(origin) => Self::Tuple(origin),
            Err(OriginRefusal::Opaque) => Self::Opaque,
            Err(OriginRefusal::ForeignScheme) => Self::ForeignScheme,
            Err(OriginRefusal::Absent | OriginRefusal::Malformed) => Self::Malformed,
        }
    }
}

/// Reads the one form in which a browser serializes an origin.
pub(super) fn parse_canonical(value: &[u8]) -> Result<Origin, OriginRefusal> {
    if value == b"null" {
        return Err(OriginRefusal::Opaque);
    }
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= MAX_VALUE && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(OriginRefusal::Malformed)?;
    let (scheme, host_and_port) = text.split_once("://").ok_or(OriginRefusal::Malformed)?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other if is_serialized_foreign(other, host_and_port) => {
            return Err(OriginRefusal::ForeignScheme);
        }
        _ => return Err(OriginRefusal::Malformed),
    };
    tuple(scheme, host_and_port).ok_or(OriginRefusal::Malformed)
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

fn tuple(scheme: Scheme, host_and_port: &str) -> Option<Origin> {
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
    is_serialized_host(host).then(|| Origin::from_parts(scheme, host, port))
}

fn serialized_port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// What the URL Standard's host serializer writes, less the signs that no name in DNS has (`!`,
/// `;`, `'` and the like) but that would be read as something else in a header.
///
/// Unlike an entry of the list, `_`, a final dot and an IPv6 address are possible here: pages do
/// live on such hosts, and only `*` can admit them.
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
    !name.contains("xn--") || idna::domain_to_ascii(name).is_ok_and(|ascii| ascii == name)
}
