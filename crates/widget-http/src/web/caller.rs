//! Who makes a request: the peer of the TCP connection, or the address that a trusted proxy names
//! for it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::{FromRef, FromRequestParts};
use http::{HeaderMap, request::Parts};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use self::forwarded::Hop;
use crate::telemetry;

mod forwarded;

pub use self::forwarded::ForwardedHeader;

/// Peers that the log names; more of them would let visitors fill the log.
const MAX_NAMED_PEERS: usize = 16;

/// The networks behind the word `loopback`.
const LOOPBACK: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
];

/// The networks behind the word `private`: RFC 1918 and RFC 4193.
const PRIVATE: [IpNet; 4] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16)),
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0),
        7,
    )),
];

/// Whether the address belongs to this machine or to a private network.
#[must_use]
pub fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut networks = LOOPBACK.iter().chain(&PRIVATE);
    networks.any(|network| network.contains(&address))
}

/// Proxies whose forwarding headers are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether the address is one of them; an IPv4 address inside IPv6 counts as itself.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// What the caller at this address is counted under; nothing for these proxies, for this
    /// machine and for private networks, behind which there may be any number of callers.
    #[must_use]
    pub fn counted_prefix(&self, address: IpAddr) -> Option<AddressPrefix> {
        let is_exempt = is_local(address) || self.contains(address);
        (!is_exempt).then(|| AddressPrefix::of(address))
    }
}

/// What cannot stand in a list of trusted proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Neither an address nor a network nor one of the words.
    #[error(
        "`{0}` is not a proxy; use an address, a network such as `10.0.0.0/8`, `loopback` or `private`"
    )]
    Invalid(String),
    /// A network that holds every address.
    #[error("`{0}` would trust every visitor; name the networks of your proxies")]
    Everyone(String),
}

/// Addresses, networks, `loopback` and `private`, separated by commas; empty items are skipped.
impl FromStr for TrustedProxies {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let mut networks = Vec::new();
        for item in text.split(',').map(str::trim) {
            match item {
                "" => {}
                "loopback" => networks.extend(LOOPBACK),
                "private" => networks.extend(PRIVATE),
                _ => networks.push(parse_network(item)?),
            }
        }
        Ok(Self(networks))
    }
}

fn parse_network(item: &str) -> Result<IpNet, ProxyError> {
    let network = match item.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => item
            .parse()
            .map_err(|_| ProxyError::Invalid(item.to_owned()))?,
    };
    // Every hop would be trusted, so that the caller would be whatever the visitor wrote.
    if network.prefix_len() == 0 {
        return Err(ProxyError::Everyone(item.to_owned()));
    }
    Ok(network)
}

impl FromIterator<Self> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Self>>(lists: I) -> Self {
        Self(lists.into_iter().flat_map(|list| list.0).collect())
    }
}

/// Finds out who makes a request.
#[derive(Debug)]
pub struct Callers {
    trusted: TrustedProxies,
    header: ForwardedHeader,
    /// Peers whose headers the log has warned about already.
    named: Mutex<Vec<IpAddr>>,
}

impl Callers {
    /// Callers behind these proxies.
    #[must_use]
    pub fn new(trusted: TrustedProxies, header: ForwardedHeader) -> Self {
        Self {
            trusted,
            header,
            named: Mutex::default(),
        }
    }

    /// The caller: the nearest address that is not a trusted proxy.
    ///
    /// Goes back through the header as long as whoever wrote the entry is trusted, so that nothing
    /// that a visitor wrote is ever believed. An entry without an address ends the search.
    #[must_use]
    pub fn find(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusted.contains(peer) {
            if forwarded::is_sent(headers) {
                self.name_untrusted(peer);
            }
            return peer;
        }
        let hops = forwarded::hops(self.header, headers);
        if hops.is_empty() {
            self.name_silent(peer);
        }
        let mut caller = peer;
        for hop in hops {
            match hop {
                Hop::From(address) if self.trusted.contains(caller) => caller = address,
                _ => break,
            }
        }
        caller
    }

    /// Whether the peer is a proxy whose headers are believed.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.contains(peer)
    }

    /// The caller of a request, which is usually known already.
    fn caller_of(&self, parts: &Parts) -> IpAddr {
        telemetry::caller()
            .unwrap_or_else(|| self.find(telemetry::peer_of(&parts.extensions), &parts.headers))
    }

    /// Names a peer in the log, once, that may be a proxy whose visitors all count as one.
    fn name_untrusted(&self, peer: IpAddr) {
        if self.is_first(peer) {
            tracing::warn!(
                peer.address = to_log(peer),
                "this peer sends `X-Forwarded-For` or `Forwarded` but is not trusted, so that all of \
                 its visitors share one limit; if it is your proxy, add it to WIDGET_TRUSTED_PROXIES"
            );
        }
    }

    /// Names a proxy in the log, once, whose visitors all count as one.
    fn name_silent(&self, peer: IpAddr) {
        if self.is_first(peer) {
            tracing::warn!(
                peer.address = to_log(peer),
                "this trusted proxy names no visitor, so that all of its visitors share one limit; \
                 let it set `X-Forwarded-For`, or `Forwarded` with WIDGET_FORWARDED_HEADER=forwarded"
            );
        }
    }

    fn is_first(&self, peer: IpAddr) -> bool {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = named.len() < MAX_NAMED_PEERS && !named.contains(&peer);
        if is_first {
            named.push(peer);
        }
        is_first
    }
}

/// A machine of the operator is named; of all others, which may be visitors, the network.
fn to_log(peer: IpAddr) -> String {
    if is_local(peer) {
        peer.to_string()
    } else {
        AddressPrefix::to_log(peer)
    }
}

/// What counts as one caller: an IPv4 address, or the /64 that one IPv6 subscriber usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressPrefix(IpAddr);

impl AddressPrefix {
    /// The prefix of an address; an IPv4 address inside IPv6 counts as itself.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => Self(truncate(address, 64)),
        }
    }

    /// What the log says of an address: never the whole of it.
    #[must_use]
    pub fn to_log(address: IpAddr) -> String {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let bits = address.to_bits() & (u32::MAX << 8);
                format!("{}/24", Ipv4Addr::from_bits(bits))
            }
            IpAddr::V6(address) => format!("{}/48", truncate(address, 48)),
        }
    }

    /// The IPv6 /48 around it; IPv4 has no such network.
    #[must_use]
    pub fn network(self) -> Option<Self> {
        match self.0 {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(Self(truncate(address, 48))),
        }
    }
}

/// The address with nothing but its first bits.
fn truncate(address: Ipv6Addr, bits: u32) -> IpAddr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits))).into()
}

/// Its first address.
impl fmt::Display for AddressPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The address that the caller is counted under where only some callers are, see
/// [`TrustedProxies::counted_prefix`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedAddress(pub Option<AddressPrefix>);

impl<S> FromRequestParts<S> for CountedAddress
where
    S: Sync,
    Arc<Callers>: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let callers = Arc::<Callers>::from_ref(state);
        let caller = callers.caller_of(parts);
        Ok(Self(callers.trusted.counted_prefix(caller)))
    }
}

/// The caller's address prefix.
impl<S> FromRequestParts<S> for AddressPrefix
where
    S: Sync,
    Arc<Callers>: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let callers = Arc::<Callers>::from_ref(state);
        Ok(Self::of(callers.caller_of(parts)))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// Checks who calls, with `10.0.0.1` and `10.0.0.2` trusted.
    #[track_caller]
    fn check(header: ForwardedHeader, peer: &str, sent: &[(&'static str, &str)], expected: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header");
            headers.append(*name, value);
        }
        let trusted = "10.0.0.1, 10.0.0.2".parse().expect("a list of proxies");
        let caller = Callers::new(trusted, header).find(address(peer), &headers);
        assert_eq!(caller, address(expected), "{sent:?}");
    }

    /// The same with `X-Forwarded-For` alone.
    #[track_caller]
    fn check_list(peer: &str, lines: &[&str], expected: &str) {
        let sent = lines.iter().map(|line| ("x-forwarded-for", *line));
        let sent: Vec<_> = sent.collect();
        check(ForwardedHeader::Any, peer, &sent, expected);
    }

    /// The same with `Forwarded` alone.
    #[track_caller]
    fn check_forwarded(lines: &[&str], expected: &str) {
        let sent: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        check(ForwardedHeader::Any, "10.0.0.1", &sent, expected);
        check(ForwardedHeader::Forwarded, "10.0.0.1", &sent, expected);
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check_list("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check_list("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check_list("::ffff:10.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check_list("10.0.0.1", &[], "10.0.0.1");
        // What the visitor wrote stands to the left of what the proxies wrote.
        check_list(
            "10.0.0.1",
            &["192.0.2.66, 198.51.100.1, 10.0.0.2"],
            "198.51.100.1",
        );
        check_list("10.0.0.1", &["192.0.2.66", "198.51.100.1"], "198.51.100.1");
        // Nobody but proxies: the one furthest away.
        check_list("10.0.0.1", &["10.0.0.2, 10.0.0.1"], "10.0.0.2");
    }

    #[test]
    fn entries_of_every_form_are_read() {
        for entry in ["198.51.100.1", "198.51.100.1:4711", " 198.51.100.1 "] {
            check_list("10.0.0.1", &[entry], "198.51.100.1");
        }
        for entry in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"] {
            check_list("10.0.0.1", &[entry], "2001:db8::1");
        }
        for entries in ["198.51.100.1,", "198.51.100.1, ,", ", 198.51.100.1,,"] {
            check_list("10.0.0.1", &[entries], "198.51.100.1");
        }
        check_list("10.0.0.1", &["198.51.100.1", ""], "198.51.100.1");
    }

    #[test]
    fn an_entry_without_an_address_ends_the_search() {
        for entry in [
            "unknown",
            "_hidden",
            "shop.example",
            "198.51.100.1:http",
            "198.51.100.1:99999",
            "[198.51.100.1]",
            "[2001:db8::1",
            "[2001:db8::1]4711",
            "2001:db8::1]",
            "198.51.100.1 198.51.100.2",
            "\u{e9}",
        ] {
            check_list("10.0.0.1", &[entry], "10.0.0.1");
            check_list(
                "10.0.0.1",
                &[&format!("192.0.2.66, {entry}, 10.0.0.2")],
                "10.0.0.2",
            );
            check_list("10.0.0.1", &["192.0.2.66", entry], "10.0.0.1");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_specification_says() {
        check_forwarded(&["for=198.51.100.1"], "198.51.100.1");
        check_forwarded(&["FOR=198.51.100.1;proto=https"], "198.51.100.1");
        check_forwarded(&["proto=https ; for=\"198.51.100.1:4711\""], "198.51.100.1");
        check_forwarded(&["for=\"[2001:db8::1]:4711\""], "2001:db8::1");
        check_forwarded(&["for=\"[2001:db8::1]\";;by=_edge"], "2001:db8::1");
        check_forwarded(&["for=\"198.51.100.1:_port\""], "198.51.100.1");
        check_forwarded(&["for=\"\\198.51.100.1\""], "198.51.100.1");
        // Proxies that forget the quotes are common.
        check_forwarded(&["for=[2001:db8::1]:4711"], "2001:db8::1");
        check_forwarded(
            &["for=192.0.2.66, for=198.51.100.1, for=10.0.0.2"],
            "198.51.100.1",
        );
        check_forwarded(&["for=192.0.2.66", "for=198.51.100.1,"], "198.51.100.1");
    }

    #[test]
    fn nothing_that_a_visitor_writes_into_forwarded_is_believed() {
        // A comma inside quotes does not begin another element.
        check_forwarded(
            &["for=198.51.100.1;host=\"a, for=192.0.2.66\""],
            "198.51.100.1",
        );
        check_forwarded(
            &["for=198.51.100.1;host=\"a\\\", for=192.0.2.66;x=\\\"\""],
            "198.51.100.1",
        );
        // Quotes that a visitor left open do not swallow what the proxy wrote after them.
        check_forwarded(&["for=192.0.2.66;host=\"a, for=198.51.100.1"], "10.0.0.1");
        check_forwarded(&["for=\"192.0.2.66", "for=198.51.100.1"], "198.51.100.1");
        for malformed in [
            "for",
            "for=",
            "for=unknown",
            "for=_hidden",
            "by=192.0.2.66",
            "for=192.0.2.66;for=192.0.2.67",
            "for=\"192.0.2.66\"x",
            "=192.0.2.66",
            "for =192.0.2.66",
            "192.0.2.66",
        ] {
            check_forwarded(&[malformed], "10.0.0.1");
        }
    }

    #[test]
    fn one_header_is_read() {
        let both = [
            ("x-forwarded-for", "198.51.100.1"),
            ("forwarded", "for=198.51.100.2"),
        ];
        check(ForwardedHeader::Any, "10.0.0.1", &both, "198.51.100.1");
        check(
            ForwardedHeader::XForwardedFor,
            "10.0.0.1",
            &both,
            "198.51.100.1",
        );
        check(
            ForwardedHeader::Forwarded,
            "10.0.0.1",
            &both,
            "198.51.100.2",
        );
        // An empty header is one that is there.
        let empty = [("x-forwarded-for", ""), both[1]];
        check(ForwardedHeader::Any, "10.0.0.1", &empty, "10.0.0.1");
        check(
            ForwardedHeader::XForwardedFor,
            "10.0.0.1",
            &both[1..],
            "10.0.0.1",
        );
        check(
            ForwardedHeader::Forwarded,
            "10.0.0.1",
            &both[..1],
            "10.0.0.1",
        );
    }

    #[test]
    fn proxies_are_addresses_networks_and_words() {
        #[track_caller]
        fn check(list: &str, trusted: &[&str], others: &[&str]) {
            let list: TrustedProxies = list.parse().expect("a list of proxies");
            for proxy in trusted {
                assert!(list.contains(address(proxy)), "{proxy}");
            }
            for other in others {
                assert!(!list.contains(address(other)), "{other}");
            }
        }
        check("", &[], &["127.0.0.1", "10.0.0.1", "::"]);
        check("10.0.0.1,", &["10.0.0.1", "::ffff:10.0.0.1"], &["10.0.0.2"]);
        check("::ffff:10.0.0.1", &["10.0.0.1"], &["10.0.0.2"]);
        check(
            "10.1.2.3/8, 2001:db8::/32",
            &["10.255.0.1", "2001:db8:ffff::1"],
            &["11.0.0.1", "2001:db9::1"],
        );
        check(
            "loopback",
            &["127.0.0.1", "127.9.9.9", "::1"],
            &["10.0.0.1", "::2"],
        );
        check(
            "private",
            &["10.0.0.1", "172.31.0.1", "192.168.9.9", "fd00::1"],
            &["127.0.0.1", "172.32.0.1", "192.169.0.1", "2001:db8::1"],
        );
        for invalid in ["nonsense", "10.0.0.0/33", "Loopback", "10.0.0.1:80", "*"] {
            let error = ProxyError::Invalid(invalid.to_owned());
            assert_eq!(TrustedProxies::from_str(invalid), Err(error));
        }
        for everyone in ["0.0.0.0/0", "::/0"] {
            let error = ProxyError::Everyone(everyone.to_owned());
            assert_eq!(TrustedProxies::from_str(everyone), Err(error));
        }
    }

    #[test]
    fn one_ipv6_subscriber_is_one_caller() {
        let of = |text| AddressPrefix::of(address(text));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        let network = of("2001:db8:1:2::1").network();
        assert_eq!(network, of("2001:db8:1:ffff::9").network());
        assert_ne!(network, of("2001:db8:2:2::1").network());
        assert_eq!(
            network.map(|network| network.to_string()).as_deref(),
            Some("2001:db8:1::")
        );
        assert_eq!(of("::ffff:192.0.2.1").network(), None);
    }

    #[test]
    fn only_callers_of_the_internet_are_counted_by_address() {
        let trusted: TrustedProxies = "203.0.113.0/24".parse().expect("a list of proxies");
        for exempt in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "fd00::1",
            "::ffff:203.0.113.7",
        ] {
            assert_eq!(trusted.counted_prefix(address(exempt)), None, "{exempt}");
        }
        for counted in ["198.51.100.1", "2001:db8::1"] {
            let counted = address(counted);
            let prefix = Some(AddressPrefix::of(counted));
            assert_eq!(trusted.counted_prefix(counted), prefix);
        }
    }

    #[test]
    fn each_misconfigured_peer_is_named_once_and_not_without_end() {
        let callers = Callers::new(TrustedProxies::default(), ForwardedHeader::Any);
        assert!(callers.is_first(address("192.0.2.0")));
        assert!(!callers.is_first(address("192.0.2.0")));
        let named = (1..=255).filter(|last| callers.is_first([192, 0, 2, *last].into()));
        assert_eq!(named.count(), MAX_NAMED_PEERS - 1);
    }
}
