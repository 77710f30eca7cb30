//! Reads `X-Forwarded-For` and `Forwarded` (RFC 7239), nearest hop first.
//!
//! Both crates that parse `Forwarded` (`rfc7239`, `forwarded-header-value`) split at commas and
//! semicolons inside quotes, so that a visitor's `Host` could name an address.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue, header};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Which header a trusted proxy names the visitor in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`; `Forwarded` (RFC 7239) where that is absent.
    #[default]
    Any,
    /// `X-Forwarded-For` alone.
    XForwardedFor,
    /// `Forwarded` alone.
    Forwarded,
}

/// Whether a proxy wrote one of the headers, or pretends to be one.
pub(super) fn is_sent(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(header::FORWARDED)
}

/// What one proxy says about whom it forwards for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hop {
    /// The request came from this address.
    From(IpAddr),
    /// It does not say, or what it says cannot be read.
    Unknown,
}

/// The hops that the header names, the nearest one first.
pub(super) fn hops(read: ForwardedHeader, headers: &HeaderMap) -> Vec<Hop> {
    let is_list = match read {
        ForwardedHeader::Any => headers.contains_key(X_FORWARDED_FOR),
        ForwardedHeader::XForwardedFor => true,
        ForwardedHeader::Forwarded => false,
    };
    let name = if is_list {
        X_FORWARDED_FOR
    } else {
        header::FORWARDED
    };
    let parse = |line: &HeaderValue| {
        // What is not text came from a visitor and spoils only the visitor's own entry.
        let line = String::from_utf8_lossy(line.as_bytes());
        if is_list {
            Some(parse_list(&line))
        } else {
            parse_forwarded(&line)
        }
    };
    let lines: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| parse(line).unwrap_or_else(|| vec![Hop::Unknown]))
        .collect()
}

fn parse_list(line: &str) -> Vec<Hop> {
    line.rsplit(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| parse_node(item).map_or(Hop::Unknown, Hop::From))
        .collect()
}

/// An address with or without a port, an IPv6 address in brackets or not.
fn parse_node(text: &str) -> Option<IpAddr> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host.parse::<Ipv6Addr>().ok()?.into(), port)
        }
        None if text.matches(':').count() == 1 => {
            let (host, port) = text.split_at(text.find(':')?);
            (host.parse().ok()?, port)
        }
        None => (text.parse().ok()?, ""),
    };
    let is_port = match port.strip_prefix(':') {
        // RFC 7239 allows a port that hides its number.
        Some(port) => port.starts_with('_') || port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    is_port.then_some(host)
}

/// The elements of one `Forwarded` line (RFC 7239, section 4), the last one first.
fn parse_forwarded(line: &str) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (hop, after) = parse_element(rest)?;
        hops.extend(hop);
        rest = after;
    }
    hops.reverse();
    Some(hops)
}

/// The first element, if it is not empty, and what follows its comma.
fn parse_element(mut rest: &str) -> Option<(Option<Hop>, &str)> {
    let mut hop = None;
    let mut names_node = false;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            return Some((hop, after.trim_start()));
        }
        if rest.is_empty() {
            return Some((hop, rest));
        }
        if let Some(after) = rest.strip_prefix(';') {
            rest = after;
            continue;
        }
        let (name, after) = rest.split_once('=')?;
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (value, after) = parse_value(after)?;
        rest = after.trim_start();
        if !(rest.is_empty() || rest.starts_with([',', ';'])) {
            return None;
        }
        hop = hop.or(Some(Hop::Unknown));
        if name.eq_ignore_ascii_case("for") {
            if std::mem::replace(&mut names_node, true) {
                return None;
            }
            hop = Some(parse_node(&value).map_or(Hop::Unknown, Hop::From));
        }
    }
}

/// A value, in quotes or not, and what follows it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text
            .find(|letter: char| letter.is_whitespace() || [',', ';', '"'].contains(&letter))
            .unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}
