//! What can be wrong with an entry of the list, each with a code, a sentence and advice.
//!
//! Each fault is its own variant, so that a test or an adapter never compares texts.

use std::fmt;

use crate::finding::{Code, Finding};

/// One reason why an entry is refused.
///
/// The codes are part of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Nothing but white space.
    #[error("the entry is empty")]
    Empty,
    /// Longer than [`MAX_ENTRY_BYTES`](super::AllowedOrigins::MAX_ENTRY_BYTES).
    #[error("the entry has {bytes} bytes; at most 2,048 are allowed")]
    TooLong {
        /// Length of the entry.
        bytes: usize,
    },
    /// A control character or a space: URL parsers drop some of them silently, and in a header
    /// they separate values.
    #[error("the entry contains {}; write one site per entry", name_of(*character))]
    ControlOrSpace {
        /// The first such character.
        character: char,
    },
    /// `\`, which browsers read as `/`.
    #[error(r"the entry contains `\`; addresses are written with `/`")]
    Backslash,
    /// `null`: every sandboxed frame and local file sends it, so it names nobody.
    #[error("`null` is the origin of any sandboxed page and of local files; it cannot be allowed")]
    NullOrigin,
    /// A quoted keyword of Content-Security-Policy such as `'self'`.
    #[error("`{0}` is a keyword of Content-Security-Policy, not a site")]
    CspKeyword(String),
    /// `//example.com`: whether http or https is meant depends on where it is read.
    #[error("`//` without a scheme is ambiguous")]
    SchemeRelative,
    /// What stands before `://` cannot be a scheme.
    #[error("`{0}` before `://` is not a scheme")]
    SchemeInvalid(String),
    /// `http:` or `https:` without `//`; nobody means a host called `http`.
    #[error("`{0}` must be followed by `//`")]
    SchemeMalformed(String),
    /// Another scheme than `http` and `https`.
    #[error("the scheme `{0}` cannot hold a page with a widget; only `https` and `http` can")]
    SchemeNotAllowed(String),
    /// `user@host`: easily mistaken for the host itself.
    #[error("the entry contains `@`; a site is written without a user name")]
    Userinfo,
    /// A percent-encoded host.
    #[error("the host contains `%`; write its characters as they are")]
    PercentInHost,
    /// No host at all.
    #[error("the entry names no host")]
    HostEmpty,
    /// Two dots in a row, or a leading one.
    #[error("the host `{0}` has an empty label between its dots")]
    HostEmptyLabel(String),
    /// `_`, which names of hosts must not contain (RFC 952, RFC 1123).
    #[error("the host `{0}` contains `_`; host names have only letters, digits and hyphens")]
    HostUnderscore(String),
    /// `example.com.` is another origin than `example.com`.
    #[error(
        "the host `{0}` ends in a dot, which makes it another site than the same name without it"
    )]
    HostTrailingDot(String),
    /// Longer than a domain name can be (RFC 1035, section 2.3.4).
    #[error("the host has {bytes} octets; at most 253 are possible")]
    HostTooLong {
        /// Length in ASCII.
        bytes: usize,
    },
    /// A label longer than DNS allows (RFC 1035, section 2.3.4).
    #[error("the label `{label}` has {} octets; at most 63 are possible", label.len())]
    LabelTooLong {
        /// The label in ASCII.
        label: String,
    },
    /// Anything else that is not a host name.
    #[error("`{host}` is not a host name: {reason}")]
    HostInvalid {
        /// The host as written.
        host: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A host that ends in a number is an IPv4 address to browsers; only the dotted form is
    /// accepted.
    #[error("`{host}` is not an IPv4 address in its usual form")]
    IpNotCanonical {
        /// The host as written.
        host: String,
        /// What a browser would make of it, if anything.
        canonical: Option<String>,
    },
    /// `frame-ancestors` cannot express an IPv6 address: no browser would show the window there.
    #[error("`{0}` is an IPv6 address, which browsers do not accept in `frame-ancestors`")]
    Ipv6NotSupported(String),
    /// Port 0.
    #[error("port 0 cannot serve a page")]
    PortZero,
    /// Not a decimal number from 1 to 65535.
    #[error("`{0}` is not a port; ports are 1 to 65535")]
    PortInvalid(String),
    /// `:*`: any process on that host would be allowed.
    #[error("a port cannot be `*`; list each port")]
    PortWildcard,
    /// `*` anywhere but as the whole first label.
    #[error("`*` is only possible as the first label, as in `https://*.example.com`, or alone")]
    WildcardMisplaced,
    /// `*.` before an IP address.
    #[error("`*.{0}` is a pattern on an IP address, which has no subdomains")]
    WildcardOnIp(String),
    /// Below the base, anybody can register a name.
    #[error("`*.{0}` would allow sites of different owners")]
    WildcardPublicSuffix(String),
    /// Some names below the base are public suffixes.
    #[error(
        "below `{base}` lies the public suffix `{rule}`, under which names belong to different owners"
    )]
    WildcardSpansPublicSuffix {
        /// The pattern without `*.`.
        base: String,
        /// A rule of the list that lies below it.
        rule: String,
    },
    /// A host known to give subdomains to its customers though the public suffix list lacks it.
    #[error(
        "`{shared_host}` gives its subdomains to different customers, so `*.{base}` would allow sites of others"
    )]
    WildcardMultitenantHost {
        /// The pattern without `*.`.
        base: String,
        /// The base itself, or a host below it.
        shared_host: String,
    },
    /// `*` in a list that also names sites: such a list was not meant to be open.
    #[error("`*` allows every site, so it must be the only entry")]
    WildcardAllNotAlone,
}

impl EntryFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Empty => Code::Empty,
            Self::TooLong { .. } => Code::TooLong,
            Self::ControlOrSpace { .. } => Code::ControlOrSpace,
            Self::Backslash => Code::Backslash,
            Self::NullOrigin => Code::NullOrigin,
            Self::CspKeyword(_) => Code::CspKeyword,
            Self::SchemeRelative => Code::SchemeRelative,
            Self::SchemeInvalid(_) => Code::SchemeInvalid,
            Self::SchemeMalformed(_) => Code::SchemeMalformed,
            Self::SchemeNotAllowed(_) => Code::SchemeNotAllowed,
            Self::Userinfo => Code::Userinfo,
            Self::PercentInHost => Code::PercentInHost,
            Self::HostEmpty => Code::HostEmpty,
            Self::HostEmptyLabel(_) => Code::HostEmptyLabel,
            Self::HostUnderscore(_) => Code::HostUnderscore,
            Self::HostTrailingDot(_) => Code::HostTrailingDot,
            Self::HostTooLong { .. } | Self::LabelTooLong { .. } => Code::HostTooLong,
            Self::HostInvalid { .. } => Code::HostInvalid,
            Self::IpNotCanonical { .. } => Code::IpNotCanonical,
            Self::Ipv6NotSupported(_) => Code::Ipv6NotSupported,
            Self::PortZero => Code::PortZero,
            Self::PortInvalid(_) => Code::PortInvalid,
            Self::PortWildcard => Code::PortWildcard,
            Self::WildcardMisplaced => Code::WildcardMisplaced,
            Self::WildcardOnIp(_) => Code::WildcardOnIp,
            Self::WildcardPublicSuffix(_) => Code::WildcardPublicSuffix,
            Self::WildcardSpansPublicSuffix { .. } => Code::WildcardSpansPublicSuffix,
            Self::WildcardMultitenantHost { .. } => Code::WildcardMultitenantHost,
            Self::WildcardAllNotAlone => Code::WildcardAllNotAlone,
        }
    }

    /// What to write instead, when that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => {
                "remove the entry, or write a site such as `https://shop.example`".into()
            }
            Self::NullOrigin | Self::CspKeyword(_) => {
                "write the address of the page, such as `https://shop.example`".into()
            }
            Self::SchemeRelative => "write `https://` before the host".into(),
            Self::SchemeMalformed(scheme) => format!("write `{scheme}//` before the host"),
            Self::SchemeNotAllowed(scheme) if scheme == "file" => {
                "the page must be served by a web server: write `https://` and its host".into()
            }
            Self::SchemeInvalid(_) | Self::SchemeNotAllowed(_) => {
                "write `https://` and the host of the page".into()
            }
            Self::HostInvalid { host, .. } if host.contains([',', ';']) => {
                "write each site as an entry of its own".into()
            }
            Self::HostTrailingDot(host) => {
                format!("write `{}`", host.trim_end_matches('.'))
            }
            Self::IpNotCanonical { canonical, .. } => {
                return canonical
                    .as_ref()
                    .map(|address| format!("write `{address}`"));
            }
            Self::Ipv6NotSupported(_) => "use a host name, or the IPv4 address".into(),
            Self::WildcardMisplaced => {
                "list each site, or use `*.` before a domain of your own".into()
            }
            Self::WildcardOnIp(address) => format!("list `{address}` itself"),
            Self::WildcardPublicSuffix(_)
            | Self::WildcardSpansPublicSuffix { .. }
            | Self::WildcardMultitenantHost { .. } => {
                "list your own sites there one by one, without `*`".into()
            }
            Self::WildcardAllNotAlone => "remove `*`, or remove all the other entries".into(),
            _ => return None,
        })
    }

    pub(super) fn finding(&self, pointer: String) -> Finding {
        Subject::Entry.finding(self, pointer)
    }
}

/// What was read: which words its faults have depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// An entry of the list.
    Entry,
    /// The address of one page.
    Page,
}

impl Subject {
    fn finding(self, fault: &EntryFault, pointer: String) -> Finding {
        Finding {
            code: fault.code(),
            pointer: Some(pointer),
            detail: self.detail(fault),
            hint: self.hint(fault),
        }
    }

    /// The sentence.
    fn detail(self, fault: &EntryFault) -> String {
        if self == Self::Entry {
            return fault.to_string();
        }
        match fault {
            EntryFault::Empty => "the address is empty".into(),
            EntryFault::TooLong { bytes } => {
                format!("the address has {bytes} bytes; at most 2,048 are allowed")
            }
            EntryFault::ControlOrSpace { character } => {
                format!("the address contains {}", name_of(*character))
            }
            EntryFault::Backslash => {
                r"the address contains `\`; addresses are written with `/`".into()
            }
            EntryFault::Userinfo => "the address contains a user name; leave it out".into(),
            EntryFault::HostEmpty => "the address names no host".into(),
            EntryFault::PortWildcard => "a port cannot be `*`".into(),
            EntryFault::WildcardMisplaced => {
                "the address contains `*`, which stands for several sites".into()
            }
            _ => fault.to_string(),
        }
    }

    /// What to write instead, when that can be said.
    fn hint(self, fault: &EntryFault) -> Option<String> {
        match (self, fault) {
            (Self::Page, EntryFault::Empty | EntryFault::WildcardMisplaced) => {
                Some("write the address of one page, such as `https://shop.example`".into())
            }
            (Self::Page, EntryFault::HostInvalid { host, .. }) if host.contains([',', ';']) => {
                Some("write the address of one page".into())
            }
            _ => fault.hint(),
        }
    }
}

/// Where an entry stands in the record.
pub(super) fn entry_pointer(position: usize) -> String {
    format!("/domains/{position}")
}

/// Names a character that may not be visible.
fn name_of(character: char) -> String {
    match character {
        ' ' => "a space".into(),
        '\t' => "a tab".into(),
        '\n' | '\r' => "a line break".into(),
        other => format!("the character U+{:04X}", u32::from(other)),
    }
}

/// An entry that is not a site, or the address of a page that is none, with everything that is
/// wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryError {
    subject: Subject,
    entry: String,
    faults: Vec<EntryFault>,
}

impl EntryError {
    /// `faults` holds at least one.
    pub(super) fn new(subject: Subject, entry: &str, faults: Vec<EntryFault>) -> Self {
        debug_assert!(!faults.is_empty(), "an error without a fault");
        Self {
            subject,
            entry: entry.to_owned(),
            faults,
        }
    }

    /// The entry, or the address, as given.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Everything that is wrong, in the order in which an entry is read; at least one.
    #[must_use]
    pub fn faults(&self) -> &[EntryFault] {
        &self.faults
    }

    pub(super) fn into_faults(self) -> Vec<EntryFault> {
        self.faults
    }

    /// The code of the first fault.
    #[must_use]
    pub fn code(&self) -> Code {
        self.faults
            .first()
            .map_or(Code::HostInvalid, EntryFault::code)
    }

    /// What to write instead of what has the first fault, when that can be said.
    pub(crate) fn hint(&self) -> Option<String> {
        self.faults
            .first()
            .and_then(|fault| self.subject.hint(fault))
    }

    /// All faults as findings about the field at `pointer`.
    #[must_use]
    pub fn findings(&self, pointer: &str) -> Vec<Finding> {
        self.faults
            .iter()
            .map(|fault| self.subject.finding(fault, pointer.to_owned()))
            .collect()
    }
}

impl fmt::Display for EntryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.faults.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(formatter, "{separator}{}", self.subject.detail(fault))?;
        }
        Ok(())
    }
}

impl std::error::Error for EntryError {}
