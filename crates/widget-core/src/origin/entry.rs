//! Normalizing one entry of the list.

use std::fmt;

use super::{
    fault::{EntryError, EntryFault, Subject},
    host::{self, Leniency},
    suffix::SuffixList,
    tuple::{Origin, Scheme},
};

/// Longest entry in bytes: what browsers and proxies accept as an address at least.
pub(super) const MAX_ENTRY_BYTES: usize = 2048;

/// One entry in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// `*`: every site with a tuple origin.
    AnySite,
    /// One site.
    Exact(Origin),
    /// All subdomains of a site.
    Pattern(OriginPattern),
}

impl Entry {
    /// Reads one entry.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(entry: &str, suffixes: &SuffixList) -> Result<Self, EntryError> {
        let refuse = |faults| EntryError::new(Subject::Entry, entry, faults);
        let parsed = Self::parse_unjudged(entry).map_err(refuse)?;
        if let Self::Pattern(pattern) = &parsed {
            let faults = pattern.faults(suffixes);
            if !faults.is_empty() {
                return Err(refuse(faults));
            }
        }
        Ok(parsed)
    }

    /// Everything but the judgment of a pattern's base, which depends on the suffix list.
    pub(super) fn parse_unjudged(entry: &str) -> Result<Self, Vec<EntryFault>> {
        let text = lexically_sound(entry)?;
        if text == "*" {
            return Ok(Self::AnySite);
        }
        let address = Address::split(text)?;
        let host_and_port = address.host_and_port()?;
        let (host, base) = match host_and_port.host.strip_prefix("*.") {
            Some(base) => (base, true),
            None => (host_and_port.host, false),
        };
        let port = address.port(host_and_port.port);
        let host = if host.contains('*') {
            Err(vec![EntryFault::WildcardMisplaced])
        } else if base {
            pattern_base(host)
        } else if host.starts_with('[') {
            Err(vec![bracketed(host)])
        } else {
            host::to_ascii(host, Leniency::Entry)
        };
        let (host, port) = both(host, port)?;
        Ok(if base {
            Self::Pattern(OriginPattern {
                scheme: address.scheme,
                base: host.into_boxed_str(),
                port,
            })
        } else {
            Self::Exact(Origin::from_parts(address.scheme, &host, port))
        })
    }

    /// The canonical text; reading it again gives the same entry.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnySite => formatter.write_str("*"),
            Self::Exact(origin) => origin.fmt(formatter),
            Self::Pattern(pattern) => pattern.fmt(formatter),
        }
    }
}

/// `https://*.base`: every host with at least one more label before the base, on the same scheme
/// and port; never the base itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    scheme: Scheme,
    base: Box<str>,
    port: u16,
}

impl OriginPattern {
    /// The scheme, which must be the page's.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The name after `*.`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The port, which must be the page's.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Why the base belongs to more than one owner, going by this list.
    ///
    /// A rule below the base has the broader code beside its own: whoever only knows
    /// `wildcard_public_suffix` understands the answer too.
    pub(super) fn faults(&self, suffixes: &SuffixList) -> Vec<EntryFault> {
        let base = self.base();
        let mut faults = Vec::new();
        if suffixes.registrable(base).is_none() {
            faults.push(EntryFault::WildcardPublicSuffix(base.to_owned()));
            return faults;
        }
        if let Some(rule) = suffixes.rule_below(base) {
            faults.push(EntryFault::WildcardPublicSuffix(base.to_owned()));
            faults.push(EntryFault::WildcardSpansPublicSuffix {
                base: base.to_owned(),
                rule: rule.to_owned(),
            });
        }
        if let Some(shared_host) = suffixes.shared_host_at_or_below(base) {
            faults.push(EntryFault::WildcardMultitenantHost {
                base: base.to_owned(),
                shared_host: shared_host.to_owned(),
            });
        }
        faults
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Origin::from_parts(self.scheme, &format!("*.{}", self.base), self.port).fmt(formatter)
    }
}

impl Origin {
    /// The origin of a page whose address a person typed or pasted.
    ///
    /// As lenient as an entry of the list: the scheme may be missing (`https` is meant), a path is
    /// dropped, the host is converted to ASCII. Unlike an entry, any host that a browser can be on
    /// is accepted: an IPv6 address, a name with `_` or with a trailing dot. Never use this for an
    /// `Origin` header, see [`from_header`](Self::from_header).
    ///
    /// # Errors
    ///
    /// What is wrong with the address.
    pub fn parse_page(address: &str) -> Result<Self, EntryError> {
        let parse = || {
            let text = lexically_sound(address)?;
            let address = Address::split(text)?;
            let host_and_port = address.host_and_port()?;
            let host = host_and_port.host;
            let port = address.port(host_and_port.port);
            let host = if host.contains('*') {
                Err(vec![EntryFault::WildcardMisplaced])
            } else if let Some(address) = host::canonical_ipv6(host) {
                Ok(address)
            } else if host.starts_with('[') {
                Err(vec![bracketed(host)])
            } else {
                host::to_ascii(host, Leniency::Page)
            };
            let (host, port) = both(host, port)?;
            Ok(Origin::from_parts(address.scheme, &host, port))
        };
        parse().map_err(|faults| EntryError::new(Subject::Page, address, faults))
    }

    /// The origin of an address, when a source of a security policy can express it: an entry
    /// without a pattern, which no suffix list has a say in.
    pub(crate) fn parse_source(address: &str) -> Result<Self, EntryError> {
        match Entry::parse_unjudged(address) {
            Ok(Entry::Exact(origin)) => Ok(origin),
            Ok(Entry::AnySite | Entry::Pattern(_)) => Err(vec![EntryFault::WildcardMisplaced]),
            Err(faults) => Err(faults),
        }
        .map_err(|faults| EntryError::new(Subject::Entry, address, faults))
    }
}

/// What no entry may contain, wherever it stands.
fn lexically_sound(entry: &str) -> Result<&str, Vec<EntryFault>> {
    let text = entry.trim_matches(|character: char| character.is_ascii_whitespace());
    if text.is_empty() {
        return Err(vec![EntryFault::Empty]);
    }
    if text.len() > MAX_ENTRY_BYTES {
        return Err(vec![EntryFault::TooLong { bytes: text.len() }]);
    }
    if let Some(character) = text
        .chars()
        .find(|character| character.is_control() || character.is_whitespace())
    {
        let mut faults = vec![EntryFault::ControlOrSpace { character }];
        if !character.is_ascii() {
            faults.push(EntryFault::HostInvalid {
                host: text.to_owned(),
                reason: "it contains an invisible character",
            });
        }
        return Err(faults);
    }
    if text.contains('\\') {
        return Err(vec![EntryFault::Backslash]);
    }
    if text.eq_ignore_ascii_case("null") {
        return Err(vec![EntryFault::NullOrigin]);
    }
    if text.starts_with('\'') {
        return Err(vec![EntryFault::CspKeyword(text.to_owned())]);
    }
    Ok(text)
}

/// An address cut into scheme and authority; path, query and fragment are gone.
struct Address<'a> {
    scheme: Scheme,
    /// Whether the scheme was written; only then may the port be empty.
    explicit: bool,
    authority: &'a str,
}

struct HostAndPort<'a> {
    host: &'a str,
    port: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn split(text: &'a str) -> Result<Self, Vec<EntryFault>> {
        if text.starts_with("//") {
            return Err(vec![EntryFault::SchemeRelative]);
        }
        for scheme in ["http:", "https:"] {
            if let Some(rest) = strip_prefix_ignoring_case(text, scheme)
                && !rest.starts_with("//")
            {
                return Err(vec![EntryFault::SchemeMalformed(scheme.to_owned())]);
            }
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(read_scheme(scheme)?), rest),
            None => (None, text),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        Ok(Self {
            scheme: scheme.unwrap_or(Scheme::Https),
            explicit: scheme.is_some(),
            authority,
        })
    }

    fn host_and_port(&self) -> Result<HostAndPort<'a>, Vec<EntryFault>> {
        let authority = self.authority;
        let mut faults = Vec::new();
        if authority.contains('@') {
            faults.push(EntryFault::Userinfo);
        }
        if authority.contains('%') {
            faults.push(EntryFault::PercentInHost);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let (host, port) = match authority.rfind([':', ']']) {
            Some(at) if authority.as_bytes()[at] == b':' => {
                (&authority[..at], Some(&authority[at + 1..]))
            }
            _ => (authority, None),
        };
        let literal = host.strip_prefix("*.").unwrap_or(host).starts_with('[');
        if literal || !host.contains(['[', ':']) {
            return Ok(HostAndPort { host, port });
        }
        // `a:80:90`: it is unknown which colon starts the port.
        let mut faults = vec![EntryFault::HostInvalid {
            host: authority.to_owned(),
            reason: "a host name has no colon or bracket",
        }];
        if let Some((name, port)) = authority.split_once(':')
            && !name.is_empty()
            && authority.parse::<std::net::Ipv6Addr>().is_err()
        {
            faults.push(EntryFault::PortInvalid(port.to_owned()));
        }
        Err(faults)
    }

    fn port(&self, written: Option<&str>) -> Result<u16, Vec<EntryFault>> {
        let fault = match written {
            None => return Ok(self.scheme.default_port()),
            Some("") if self.explicit => return Ok(self.scheme.default_port()),
            Some("*") => EntryFault::PortWildcard,
            Some(digits)
                if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                // Leading zeros are harmless; the value itself must fit.
                match digits.parse::<u16>() {
                    Ok(0) => EntryFault::PortZero,
                    Ok(port) => return Ok(port),
                    Err(_) => EntryFault::PortInvalid(digits.to_owned()),
                }
            }
            Some(other) => EntryFault::PortInvalid(other.to_owned()),
        };
        Err(vec![fault])
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

fn read_scheme(written: &str) -> Result<Scheme, Vec<EntryFault>> {
    let grammatical = written.starts_with(|first: char| first.is_ascii_alphabetic())
        && written
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !grammatical {
        let mut faults = vec![EntryFault::SchemeInvalid(written.to_owned())];
        if written.contains('*') {
            faults.push(EntryFault::WildcardMisplaced);
        }
        return Err(faults);
    }
    match written.to_ascii_lowercase().as_str() {
        "http" => Ok(Scheme::Http),
        "https" => Ok(Scheme::Https),
        other => Err(vec![EntryFault::SchemeNotAllowed(other.to_owned())]),
    }
}

/// A pattern's base must be a name: an address has no subdomains.
fn pattern_base(written: &str) -> Result<String, Vec<EntryFault>> {
    let on_ip = || EntryFault::WildcardOnIp(written.to_owned());
    if written.starts_with('[') {
        return Err(vec![on_ip(), bracketed(written)]);
    }
    match host::to_ascii(written, Leniency::Entry) {
        Ok(base) if host::ends_in_number(&base) => Err(vec![on_ip()]),
        Ok(base) => Ok(base),
        Err(mut faults) => {
            if faults
                .iter()
                .any(|fault| matches!(fault, EntryFault::IpNotCanonical { .. }))
            {
                faults.insert(0, on_ip());
            }
            Err(faults)
        }
    }
}

fn bracketed(host: &str) -> EntryFault {
    if host::canonical_ipv6(host).is_some() {
        EntryFault::Ipv6NotSupported(host.to_owned())
    } else {
        EntryFault::HostInvalid {
            host: host.to_owned(),
            reason: "brackets are for IPv6 addresses",
        }
    }
}

/// Faults of the host and of the port together.
fn both(
    host: Result<String, Vec<EntryFault>>,
    port: Result<u16, Vec<EntryFault>>,
) -> Result<(String, u16), Vec<EntryFault>> {
    match (host, port) {
        (Ok(host), Ok(port)) => Ok((host, port)),
        (Err(mut faults), Err(more)) => {
            faults.extend(more);
            Err(faults)
        }
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
    }
}
