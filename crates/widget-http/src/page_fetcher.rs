//! Fetches pages of websites, for their brand and to look at what they have of a widget: from
//! public addresses only, so that nobody reaches through this service what they could not reach
//! themselves.
//!
//! The address is checked after the name has been resolved and for every redirect, and the
//! connection goes to the address that was checked: a name that resolves differently a moment later
//! gains nothing.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{StatusCode, header};
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::timeout;
use url::{Host, Url};
use widget_api::visit::{self, PageVisitor, VisitError};
use widget_core::doctor::{
    ByteBudget, FETCH_TIMEOUT, FailureCause, MAX_HEADERS, PageFailure, RequestBudget, Visit,
};

/// Bytes of a page that are read for its brand, whose tags are in its head. All other limits are
/// those of every fetched page, in [`widget_core::doctor`].
const MAX_BYTES: usize = 2 << 20;
/// Redirects on the way to it: from a name without `www.`, to TLS and to a language. A browser
/// follows more, which is what the doctor does.
const MAX_REDIRECTS: usize = 5;
/// Time for one connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// A page that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPage {
    /// Where it was found, after redirects.
    pub url: Url,
    /// Its HTML, cut at 2 MiB.
    pub html: String,
}

/// Why a page was not read; for the log only: a caller could learn from it about our network.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It was not fetched.
    #[error(transparent)]
    Visit(#[from] VisitError),
    /// The answer has another status than success, or another type than that of pages.
    #[error("the answer is not a page: status {status} and type {media_type:?}")]
    NotPage {
        /// Its status.
        status: StatusCode,
        /// Its type, when it has one.
        media_type: Option<String>,
    },
    /// The client could not be made.
    #[error("no client for pages: {0}")]
    Client(String),
}

/// Reads pages.
#[derive(Debug)]
pub struct PageFetcher {
    client: Result<Client, String>,
    private: bool,
}

impl PageFetcher {
    /// `private` lets pages on private addresses and other ports be read, too.
    #[must_use]
    pub fn new(private: bool) -> Self {
        Self {
            client: client(private).map_err(|error| error.to_string()),
            private,
        }
    }

    /// Reads the first page that answers: the site as named, over TLS; with `www.`; without TLS.
    ///
    /// `site` is a host, with a port if need be.
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn fetch(&self, site: &str) -> Result<FetchedPage, FetchError> {
        let attempts = async {
            let mut outcome = Err(VisitError::Refused(site.to_owned()).into());
            for start in [
                format!("https://{site}/"),
                format!("https://www.{site}/"),
                format!("http://{site}/"),
            ] {
                let Ok(start) = Url::parse(&start) else {
                    continue;
                };
                outcome = self.follow(start).await;
                if outcome.is_ok() {
                    break;
                }
            }
            outcome
        };
        timeout(FETCH_TIMEOUT, attempts)
            .await
            .unwrap_or(Err(VisitError::Slow(FETCH_TIMEOUT).into()))
    }

    async fn follow(&self, start: Url) -> Result<FetchedPage, FetchError> {
        let may_ask = |url: &Url| self.may_ask(url);
        let visitor = PageVisitor::new(self.client()?, &may_ask);
        let (mut hops, budget) = (Vec::new(), RequestBudget::default());
        let response = visitor
            .request(start.clone(), MAX_REDIRECTS, &budget, &mut hops)
            .await?;
        let url = hops.pop().map_or(start, |hop| hop.url);
        page(url, response).await
    }

    /// Fetches a page with all that was answered on the way to it. What went wrong is in the visit,
    /// in words that reveal nothing of our network, and is returned for the log.
    pub async fn visit(&self, start: Url) -> (Visit, Option<FetchError>) {
        let may_ask = |url: &Url| self.may_ask(url);
        let (mut visit, outcome) = match self.client() {
            Ok(client) => {
                let visitor = PageVisitor::new(client, &may_ask);
                let (visit, outcome) = visitor.visit(start, None).await;
                (visit, outcome.map_err(FetchError::from))
            }
            Err(error) => (Visit::default(), Err(error)),
        };
        let error = outcome.err();
        visit.failure = error.as_ref().map(failure_of);
        (visit, error)
    }

    fn client(&self) -> Result<&Client, FetchError> {
        let client = self.client.as_ref();
        client.map_err(|error| FetchError::Client(error.clone()))
    }

    /// An address in numbers never meets the resolver, so it is checked here.
    fn may_ask(&self, url: &Url) -> bool {
        let is_web = ["http", "https"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none();
        let is_allowed = match url.host() {
            None => false,
            _ if self.private => true,
            Some(Host::Domain(_)) => url.port().is_none(),
            Some(Host::Ipv4(address)) => url.port().is_none() && is_public(address.into()),
            Some(Host::Ipv6(address)) => url.port().is_none() && is_public(address.into()),
        };
        is_web && is_allowed
    }
}

async fn page(url: Url, response: Response) -> Result<FetchedPage, FetchError> {
    let media_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let html = media_type.is_some_and(|text| {
        let essence = text
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        ["text/html", "application/xhtml+xml"].contains(&essence.as_str())
    });
    if !response.status().is_success() || !html {
        return Err(FetchError::NotPage {
            status: response.status(),
            media_type: media_type.map(str::to_owned),
        });
    }
    let budget = ByteBudget::new(MAX_BYTES);
    let (bytes, _) = visit::read(response, &budget).await?;
    Ok(FetchedPage {
        url,
        // Almost every page is UTF-8, and then it is not copied.
        html: String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    })
}

/// What went wrong, in words that reveal nothing of our network.
fn failure_of(error: &FetchError) -> PageFailure {
    let (reason, cause) = match error {
        FetchError::Visit(VisitError::Refused(_)) => (
            "only public addresses are looked at, on the ports 80 and 443".to_owned(),
            FailureCause::Other,
        ),
        FetchError::Visit(error @ VisitError::Redirected(_)) => {
            (error.to_string(), FailureCause::Redirect)
        }
        FetchError::Visit(error @ VisitError::Slow(_)) => {
            (error.to_string(), FailureCause::Timeout)
        }
        FetchError::Visit(
            VisitError::Request(_)
            | VisitError::TooMany
            | VisitError::Compressed(_)
            | VisitError::Stopped(_),
        )
        | FetchError::NotPage { .. }
        | FetchError::Client(_) => (
            "the site does not answer as a website".to_owned(),
            FailureCause::Other,
        ),
    };
    PageFailure { reason, cause }
}

/// TLS with the certificates that are built in.
pub(crate) fn tls_roots() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// A client with certificates of its own: no file of the machine is needed, and no proxy reaches
/// further than we do.
fn client(private: bool) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls_roots()?)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .dns_resolver(PublicNames { private })
        .connect_timeout(CONNECT_TIMEOUT)
        // Browsers show pages with such headers, too.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(MAX_HEADERS)
        .user_agent(concat!("web-widgets/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

/// Resolves names to those of their addresses that may be reached.
struct PublicNames {
    private: bool,
}

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| private || is_public(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(format!("`{}` has no public address", name.as_str()).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is reachable from everywhere: neither this machine, nor its network, nor
/// anything special.
///
/// The ranges are those of IANA's special-purpose registries (RFC 6890 and its successors). An IPv6
/// address that carries an IPv4 address is as public as that one.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let special = matches!(
        (first, second, third),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let carried = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        // Mapped, and translated by NAT64.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(carried(high, low))
        }
        // 6to4.
        [0x2002, high, low, ..] => is_public_v4(carried(high, low)),
        // Teredo and other protocols, benchmarks, documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Only this eighth is given out for use in public.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, public: bool) {
        let parsed: IpAddr = address.parse().expect("an address");
        assert_eq!(is_public(parsed), public, "{address}");
    }

    #[test]
    fn only_public_addresses_are_reached() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
        ] {
            check(address, true);
            check(&format!("::ffff:{address}"), true);
            check(&format!("64:ff9b::{address}"), true);
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            check(address, false);
            check(&format!("::ffff:{address}"), false);
            check(&format!("64:ff9b::{address}"), false);
        }
        check("2606:4700:4700::1111", true);
        check("2a00:1450::1", true);
        check("2002:0101:0101::1", true);
        for address in [
            "::",
            "::1",
            "::127.0.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:c0a8:1::1",
            "3fff::1",
            "64:ff9b:1::1",
            "100::1",
            "4000::1",
        ] {
            check(address, false);
        }
    }

    #[tokio::test]
    async fn a_name_for_this_machine_is_not_resolved() {
        let name = || "localhost".parse().expect("a name");
        assert!(
            PublicNames { private: false }
                .resolve(name())
                .await
                .is_err()
        );
        assert!(PublicNames { private: true }.resolve(name()).await.is_ok());
    }

    #[test]
    fn only_plain_web_addresses_are_read() {
        let public = PageFetcher::new(false);
        for url in [
            "https://shop.example/",
            "http://shop.example/a?b",
            "https://1.1.1.1/",
        ] {
            assert!(public.may_ask(&Url::parse(url).expect("a URL")), "{url}");
        }
        for url in [
            "https://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://shop.example:8443/",
            "https://user@shop.example/",
            "https://:pass@shop.example/",
            "file:///etc/passwd",
            "ftp://shop.example/",
            "data:text/html,x",
        ] {
            assert!(!public.may_ask(&Url::parse(url).expect("a URL")), "{url}");
        }
    }
}
