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

use futures_util::{FutureExt, StreamExt, stream};
use http::header;
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::{task::spawn_blocking, time::timeout};
use url::{Host, Url};
use widget_core::doctor::{
    self, ACCEPT, ACCEPT_ENCODING, ByteBudget, FETCH_TIMEOUT, FailureCause, Hop, MAX_PAGE_BYTES,
    MAX_PART_REDIRECTS, MAX_REDIRECTS, PARALLEL_SCRIPTS, PART_TIMEOUT, PageFailure, Part,
    RedirectError, RequestBudget, Visit,
};

/// Bytes of a page that are read for its brand, whose tags are in its head. All other limits are
/// those of every fetched page, in [`widget_core::doctor`].
const MAX_BYTES: usize = 2 << 20;
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
    /// Pages at this address are not read.
    #[error("`{0}` is not the address of a public page")]
    Refused(String),
    /// The answer was not a page.
    #[error("the page cannot be read: {0}")]
    Unreadable(String),
    /// The page redirects, and not to a page.
    #[error("the page cannot be reached: {0}")]
    Redirected(#[from] RedirectError),
    /// It took too long.
    #[error("the page took too long")]
    Slow,
    /// The page has more parts and redirects than are asked for.
    #[error("the page takes too many requests")]
    TooMany,
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
            let mut outcome = Err(FetchError::Refused(site.to_owned()));
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
            .unwrap_or(Err(FetchError::Slow))
    }

    async fn follow(&self, start: Url) -> Result<FetchedPage, FetchError> {
        let mut hops = Vec::new();
        let response = self
            .request(
                start.clone(),
                MAX_REDIRECTS,
                &RequestBudget::default(),
                &mut hops,
            )
            .await?;
        let url = hops.pop().map_or(start, |hop| hop.url);
        page(url, response).await
    }

    /// Fetches a page with all that was answered on the way to it. What went wrong is in the visit,
    /// in words that reveal nothing of our network, and is returned for the log.
    pub async fn visit(&self, start: Url) -> (Visit, Option<FetchError>) {
        let mut visit = Visit::default();
        let budget = ByteBudget::new(MAX_PAGE_BYTES);
        let requests = RequestBudget::default();
        let reading = async {
            let hops = &mut visit.hops;
            let response = self.request(start, MAX_REDIRECTS, &requests, hops).await?;
            read_whole(response, &budget).await
        };
        let outcome = timeout(FETCH_TIMEOUT, reading).await;
        let outcome = match outcome.unwrap_or(Err(FetchError::Slow)) {
            Ok((body, is_cut)) => {
                visit.is_cut = is_cut;
                visit.body = body;
                self.read_more(std::mem::take(&mut visit), &requests).await
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(visit) => (visit, None),
            Err(error) => {
                visit.failure = Some(failure_of(&error));
                (visit, Some(error))
            }
        }
    }

    /// Reads the scripts and frames of a page in which a snippet may be, as far as time and size
    /// permit.
    async fn read_more(
        &self,
        mut visit: Visit,
        requests: &RequestBudget,
    ) -> Result<Visit, FetchError> {
        // A page may have megabytes, and no other request waits for it.
        let (mut visit, parts) = spawn_blocking(move || {
            let parts = doctor::parts_to_read(&visit);
            visit.unread_scripts = parts.scripts.len() + parts.left_out;
            (visit, parts)
        })
        .await
        .map_err(|error| FetchError::Unreadable(error.to_string()))?;
        let budget = ByteBudget::new(MAX_PAGE_BYTES);
        let reading = parts.into_addresses().map(|(at, url, is_frame)| {
            let part = self.read_part(url, is_frame, &budget, requests);
            part.map(move |part| (at, part))
        });
        let mut reading = stream::iter(reading).buffer_unordered(PARALLEL_SCRIPTS);
        let mut found = Vec::new();
        let noting = async {
            while let Some(part) = reading.next().await {
                found.push(part);
            }
        };
        // What was read until then is enough.
        let _ = timeout(FETCH_TIMEOUT, noting).await;
        visit.add_parts(found);
        Ok(visit)
    }

    async fn read_part(
        &self,
        url: Url,
        is_frame: bool,
        budget: &ByteBudget,
        requests: &RequestBudget,
    ) -> Part {
        if budget.is_spent() {
            return Part::Unread;
        }
        let mut hops = Vec::new();
        let reading = async {
            let start = url.clone();
            let response = self
                .request(start, MAX_PART_REDIRECTS, requests, &mut hops)
                .await?;
            read_whole(response, budget).await
        };
        let read = timeout(PART_TIMEOUT, reading).await;
        let read = read.ok().and_then(Result::ok);
        Part::new(url, is_frame, hops, read)
    }

    /// The answer that is the page; every answer is noted in `hops`.
    async fn request(
        &self,
        start: Url,
        max_redirects: usize,
        requests: &RequestBudget,
        hops: &mut Vec<Hop>,
    ) -> Result<Response, FetchError> {
        let client = self
            .client
            .as_ref()
            .map_err(|error| FetchError::Client(error.clone()))?;
        let mut url = start;
        loop {
            self.check(&url)?;
            if !requests.take() {
                return Err(FetchError::TooMany);
            }
            let request = client
                .get(url.clone())
                .header(header::ACCEPT, ACCEPT)
                .header(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
            let response = request.send().await.map_err(unreadable)?;
            let text =
                |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = response.headers().iter();
            hops.push(Hop {
                url,
                status: response.status().as_u16(),
                headers: headers
                    .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                    .collect(),
            });
            match doctor::next_address(hops, max_redirects)? {
                None => return Ok(response),
                Some(next) => url = next,
            }
        }
    }

    /// An address in numbers never meets the resolver, so it is checked here.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        let web = ["http", "https"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none();
        let allowed = match url.host() {
            None => false,
            _ if self.private => true,
            Some(Host::Domain(_)) => url.port().is_none(),
            Some(Host::Ipv4(address)) => url.port().is_none() && is_public(address.into()),
            Some(Host::Ipv6(address)) => url.port().is_none() && is_public(address.into()),
        };
        if web && allowed {
            Ok(())
        } else {
            // Without a user, a password and a query: it is logged.
            Err(FetchError::Refused(url.origin().ascii_serialization()))
        }
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
        return Err(FetchError::Unreadable(format!(
            "status {} and type {media_type:?}",
            response.status()
        )));
    }
    let budget = ByteBudget::new(MAX_BYTES);
    let (bytes, _) = read_whole(response, &budget).await?;
    Ok(FetchedPage {
        url,
        html: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// All bytes of an answer, without the encoding of their transfer, and whether there are more.
async fn read_whole(
    mut response: Response,
    budget: &ByteBudget,
) -> Result<(Vec<u8>, bool), FetchError> {
    let encoding = response.headers().get(header::CONTENT_ENCODING).cloned();
    let encoding = encoding.as_ref().and_then(|value| value.to_str().ok());
    let (mut bytes, mut is_cut) = (Vec::new(), false);
    while !is_cut {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = budget.take(chunk.len());
                bytes.extend_from_slice(&chunk[..room]);
                is_cut = room < chunk.len() || budget.is_spent();
            }
            Ok(None) => break,
            Err(error) if bytes.is_empty() => return Err(unreadable(error)),
            // Browsers show what they have.
            Err(_) => is_cut = true,
        }
    }
    let (bytes, ends_early) = doctor::decompress(bytes, encoding, budget)
        .map_err(|error| FetchError::Unreadable(error.to_string()))?;
    Ok((bytes, is_cut || ends_early))
}

/// What went wrong, in words that reveal nothing of our network.
fn failure_of(error: &FetchError) -> PageFailure {
    let (reason, cause) = match error {
        FetchError::Refused(_) => (
            "only public addresses are looked at, on the ports 80 and 443".to_owned(),
            FailureCause::Other,
        ),
        FetchError::Redirected(error) => (error.to_string(), FailureCause::Redirect),
        FetchError::Slow => (
            format!("it takes more than {} s", FETCH_TIMEOUT.as_secs()),
            FailureCause::Timeout,
        ),
        FetchError::Unreadable(_) | FetchError::TooMany | FetchError::Client(_) => (
            "the site does not answer as a website".to_owned(),
            FailureCause::Other,
        ),
    };
    PageFailure { reason, cause }
}

fn unreadable(error: reqwest::Error) -> FetchError {
    FetchError::Unreadable(crate::causes::with_causes(&error.without_url()))
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
            assert!(
                public.check(&Url::parse(url).expect("a URL")).is_ok(),
                "{url}"
            );
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
            assert!(
                public.check(&Url::parse(url).expect("a URL")).is_err(),
                "{url}"
            );
        }
    }
}
