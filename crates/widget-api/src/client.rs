//! A client of the service, with the feature `client`.
//!
//! Every operation of the OpenAPI document that programs use has a method of its name. What may be
//! repeated is repeated: reads, deletions, changes with an [`ETag`], creations with an idempotency
//! key. A change whose answer does not arrive is [`Error::OutcomeUnknown`]. The API key is sent to
//! the client's own service only, and never follows a redirect.
//!
//! ```no_run
//! use widget_api::{client::Client, widgets::WidgetsQuery};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let key = std::env::var("WIDGET_API_KEY")?;
//! let client = Client::builder("https://widgets.example".parse()?)
//!     .key(key.into())
//!     .build()?;
//! let mut pages = client.list_web_widgets(&WidgetsQuery::default());
//! while let Some(widgets) = pages.next().await? {
//!     println!("{} widgets", widgets.len());
//! }
//! # Ok(())
//! # }
//! ```

mod certificates;
mod error;
mod events;
mod management;
mod pages;
mod previews;
mod public;
mod request;

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{header::HeaderValue, redirect::Policy};
use secrecy::ExposeSecret;
pub use secrecy::SecretString;
use widget_core::embed::PublicUrl;

pub use certificates::trust;
pub use error::{CertificateFault, Error, Refusal, describe_failure, read_failure};
pub use events::ConversationEvents;
pub use pages::Pages;
pub use public::PublicAnswer;
pub use request::Chunks;

/// How long one operation may take, with everything that is repeated.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Which part of that time it may take to connect: a connection that hangs is tried again, and ends
/// before the operation does, so that it is known that nothing was sent.
const CONNECT_PART: u32 = 3;

/// A client of one service, usually with the key of one organization.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    service: PublicUrl,
    /// What is sent with the operations that need a key.
    authorization: Option<HeaderValue>,
    timeout: Duration,
    on_retry: Option<Arc<OnRetry>>,
}

type OnRetry = dyn Fn(&Error, Duration) + Send + Sync;

/// What a [`Client`] is built from.
pub struct ClientBuilder {
    service: PublicUrl,
    key: Option<SecretString>,
    certificates: Vec<u8>,
    timeout: Duration,
    user_agent: String,
    on_retry: Option<Arc<OnRetry>>,
}

/// The state of a record that the caller has seen. A change that names it is refused once the
/// record is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(HeaderValue);

impl ETag {
    /// The number of the revision that it names, if it names one, as those of widgets do.
    #[must_use]
    pub fn revision(&self) -> Option<i64> {
        let text = self.0.to_str().ok()?;
        let tag = text.strip_prefix("W/").unwrap_or(text);
        tag.strip_prefix("\"r")?.strip_suffix('"')?.parse().ok()
    }
}

/// A record with its [`ETag`].
#[derive(Debug, Clone, PartialEq)]
pub struct Tagged<T> {
    /// The record.
    pub value: T,
    /// Its state; `None` when something in between removed it.
    pub etag: Option<ETag>,
}

impl Client {
    /// Begins a client of the service at this address.
    #[must_use]
    pub fn builder(service: PublicUrl) -> ClientBuilder {
        ClientBuilder {
            service,
            key: None,
            certificates: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            user_agent: concat!("widget-api/", env!("CARGO_PKG_VERSION")).to_owned(),
            on_retry: None,
        }
    }

    /// The address of the service.
    #[must_use]
    pub const fn service(&self) -> &PublicUrl {
        &self.service
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("service", &self.service)
            .field("has_key", &self.authorization.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Sends this API key with the operations that need one.
    #[must_use]
    pub fn key(mut self, key: SecretString) -> Self {
        self.key = Some(key);
        self
    }

    /// Also trusts these certificates (PEM), beside those that the system trusts: as authorities,
    /// and as servers' own ones. Their names and times are checked as always.
    #[must_use]
    pub fn certificates(mut self, pem: Vec<u8>) -> Self {
        self.certificates = pem;
        self
    }

    /// How long one operation may take, with everything that is repeated; the default is
    /// [`DEFAULT_TIMEOUT`]. A third of it is for each connection. For streams, how long each part
    /// may take.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What the service finds in its log, such as `acme-sync/1.2`.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Is called before each repetition, with the reason and the time until then.
    #[must_use]
    pub fn on_retry(mut self, on_retry: impl Fn(&Error, Duration) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(on_retry));
        self
    }

    /// Builds the client. Proxies are those of the environment.
    ///
    /// # Errors
    /// When the key cannot be a header, or the certificates are not PEM.
    pub fn build(self) -> Result<Client, Error> {
        let authorization = self.key.as_ref().map(build_authorization).transpose()?;
        let builder = reqwest::Client::builder()
            .user_agent(self.user_agent)
            // The key goes to this service only.
            .redirect(Policy::none())
            .connect_timeout(connect_timeout(self.timeout))
            .dns_resolver(error::Resolver);
        let http = trust(&self.certificates, builder)?
            .build()
            .map_err(|error| Error::Unusable(error.into()))?;
        Ok(Client {
            http,
            service: self.service,
            authorization,
            timeout: self.timeout,
            on_retry: self.on_retry,
        })
    }
}

/// How long it may take to connect.
fn connect_timeout(timeout: Duration) -> Duration {
    timeout / CONNECT_PART
}

fn build_authorization(key: &SecretString) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
        .map_err(|_| Error::KeyMalformed)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        let service = "https://widgets.example".parse().expect("an address");
        let client = Client::builder(service).key("ak_id.secret".to_owned().into());
        client.build().expect("a client")
    }

    #[test]
    fn the_key_is_not_shown() {
        let shown = format!("{:?}", client());
        assert!(
            !shown.contains("secret") && shown.contains("has_key: true"),
            "{shown}"
        );
    }

    /// A service can use the client in its handlers.
    #[test]
    fn operations_can_change_threads() {
        fn require_send<T: Send>(_: &T) {}
        let client = client();
        require_send(&client.whoami());
    }
}
