//! Has LiveKit validate a token, and keeps what a check of LiveKit last found.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;
use reqwest::{Client, redirect};
use url::Url;
use widget_api::health::LiveKitPart;

use crate::{causes::with_causes, page_fetcher::tls_roots};

/// Where LiveKit validates a token without letting anybody in.
const VALIDATE: &str = "/rtc/validate";

/// How long a connection to LiveKit may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Asks LiveKit, and keeps its last answer.
#[derive(Debug)]
pub(super) struct Health {
    client: Result<Client, String>,
    address: String,
    last: Mutex<LiveKitPart>,
}

impl Health {
    /// Prepares the client; connects to nothing.
    pub(super) fn new(url: &Url, timeout: Duration) -> Self {
        Self {
            client: client(timeout).map_err(|error| with_causes(error.as_ref())),
            address: validate_address(url),
            last: Mutex::new(LiveKitPart::Unknown),
        }
    }

    /// What the last check found.
    pub(super) fn last(&self) -> LiveKitPart {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was found; returns whether that is a change.
    pub(super) fn keep(&self, part: LiveKitPart) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, part) != part
    }

    /// What LiveKit answers to the token; the error is for the log.
    pub(super) async fn validate(&self, token: &str) -> Result<StatusCode, String> {
        let client = self.client.as_ref().map_err(String::clone)?;
        let request = client.get(&self.address).bearer_auth(token);
        // The operator knows the address.
        let response = request.send().await;
        let response = response.map_err(|error| with_causes(&error.without_url()))?;
        Ok(response.status())
    }
}

/// The address of the same host for plain HTTP requests.
fn validate_address(url: &Url) -> String {
    let text = url.as_str().trim_end_matches('/');
    let text = match text.strip_prefix("ws") {
        Some(rest) => format!("http{rest}"),
        None => text.to_owned(),
    };
    text + VALIDATE
}

fn client(timeout: Duration) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls_roots()?)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_of_http() {
        for (url, expected) in [
            (
                "wss://livekit.example",
                "https://livekit.example/rtc/validate",
            ),
            ("ws://127.0.0.1:7880/", "http://127.0.0.1:7880/rtc/validate"),
            (
                "https://livekit.example/sub/",
                "https://livekit.example/sub/rtc/validate",
            ),
        ] {
            let url = url.parse().expect("a URL");
            assert_eq!(validate_address(&url), expected);
        }
    }
}
