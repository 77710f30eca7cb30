//! Hosts: from what a person writes to the ASCII form that browsers send, and the strict check
//! that makes it fit for a header.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};

use super::fault::EntryFault;

/// Longest domain name without its final dot: 255 octets on the wire (RFC 1035, section 2.3.4)
/// less the length octet of the first label and the root's.
pub(super) const MAX_HOST: usize = 253;

/// Longest label (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// What is accepted beyond the rules for entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leniency {
    /// The entry of a list: only what `frame-ancestors` can express.
    Entry,
    /// The page that somebody is looking at: whatever browsers open.
    Page,
}

/// Why `frame-ancestors` cannot name a host on which browsers do open pages: they ignore such a
/// source, so the window stays blank there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnameable {
    /// An IPv6 address.
    Ipv6,
    /// `_`, which the grammar of a source does not have.
    Underscore,
    /// `example.com.`: only Chromium accepts it.
    TrailingDot,
}

/// Every reason why `frame-ancestors` cannot name this host; none for most hosts.
pub(super) fn unnameable(host: &str) -> impl Iterator<Item = Unnameable> {
    [
        (host.starts_with('['), Unnameable::Ipv6),
        (host.contains('_'), Unnameable::Underscore),
        (host.ends_with('.'), Unnameable::TrailingDot),
    ]
    .into_iter()
    .filter_map(|(found, reason)| found.then_some(reason))
}

/// UTS 46 to ASCII as browsers do it (non-transitional, `CheckHyphens` off, URL Standard section
/// 3.3), then strict letters, digits and hyphens.
pub(super) fn to_ascii(written: &str, leniency: Leniency) -> Result<String, Vec<EntryFault>> {
    let invalid = |reason| EntryFault::HostInvalid {
        host: written.to_owned(),
        reason,
    };
    let Ok(host) = Uts46::new().to_ascii(
        written.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::Allow,
        DnsLength::Ignore,
    ) else {
        return Err(vec![invalid("it is not a valid international domain name")]);
    };
    let mut faults = Vec::new();
    let name = host.strip_suffix('.').unwrap_or(&host);
    if host.is_empty() {
        return Err(vec![EntryFault::HostEmpty]);
    }
    if name.split('.').any(str::is_empty) {
        faults.push(EntryFault::HostEmptyLabel(host.to_string()));
    }
    if leniency == Leniency::Entry {
        faults.extend(unnameable(&host).map(|reason| match reason {
            Unnameable::Ipv6 => EntryFault::Ipv6NotSupported(host.to_string()),
            Unnameable::Underscore => EntryFault::HostUnderscore(host.to_string()),
            Unnameable::TrailingDot => EntryFault::HostTrailingDot(host.to_string()),
        }));
    }
    if name.len() > MAX_HOST {
        faults.push(EntryFault::HostTooLong { bytes: name.len() });
    }
    // Only the first label of each kind: each fault has a copy of the host, and a host can have a
    // thousand labels.
    let mut labels = name.split('.').filter(|_| leniency == Leniency::Entry);
    if let Some(label) = labels.clone().find(|label| label.len() > MAX_LABEL) {
        faults.push(EntryFault::LabelTooLong {
            label: label.to_owned(),
        });
        faults.push(invalid("a label has at most 63 octets"));
    }
    if labels.any(|label| label.starts_with('-') || label.ends_with('-')) {
        faults.push(invalid("a label must not begin or end with a hyphen"));
    }
    if !host.bytes().all(is_name_byte) {
        faults.push(invalid(
            "only letters, digits, hyphens and dots are possible",
        ));
    } else if ends_in_number(&host) && canonical_ipv4(&host).is_none() {
        faults.push(EntryFault::IpNotCanonical {
            host: written.to_owned(),
            canonical: browser_ipv4(&host),
        });
    }
    if faults.is_empty() {
        Ok(host.into_owned())
    } else {
        Err(faults)
    }
}

/// Bytes of a host name after mapping; `_` has a code of its own, so it is not judged here.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_')
}

/// Whether browsers read the host as an IPv4 address (URL Standard, "ends in a number checker").
pub(super) fn ends_in_number(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.is_empty() {
        return false;
    }
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit())
}

/// The address, if the host is one in the dotted decimal form without leading zeros.
pub(super) fn canonical_ipv4(host: &str) -> Option<Ipv4Addr> {
    host.parse().ok()
}

/// What a browser makes of an IPv4 address written in another way, for the hint.
fn browser_ipv4(host: &str) -> Option<String> {
    match url::Host::parse(host) {
        Ok(url::Host::Ipv4(address)) => Some(address.to_string()),
        _ => None,
    }
}

/// The bracketed address in the form of the URL Standard, section 3.5 (which, unlike the
/// standard library, writes no dotted tail).
pub(super) fn canonical_ipv6(bracketed: &str) -> Option<String> {
    let inner = bracketed.strip_prefix('[')?.strip_suffix(']')?;
    let address: Ipv6Addr = inner.parse().ok()?;
    Some(url::Host::<&str>::Ipv6(address).to_string())
}

/// Whether the host is on the visitor's own machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name == "localhost"
        || name.ends_with(".localhost")
        || name == "[::1]"
        || canonical_ipv4(name).is_some_and(|address| address.is_loopback())
}

/// The form to show to a person, when it differs from the ASCII form.
pub(crate) fn to_unicode(host: &str) -> Option<String> {
    if !host.contains("xn--") {
        return None;
    }
    let (shown, outcome) =
        Uts46::new().to_unicode(host.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    match (outcome, shown) {
        (Ok(()), Cow::Owned(shown)) => Some(shown),
        _ => None,
    }
}
