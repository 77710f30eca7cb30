//! One request: how it is sent, repeated and read.

use std::time::{Duration, SystemTime};

use backon::{ExponentialBuilder, Retryable};
use reqwest::{
    Method, Response, StatusCode,
    header::{
        AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
        LOCATION, RETRY_AFTER,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Client, ETag, Error, Refusal, Tagged, connect_timeout};
use crate::{Problem, ProblemCode};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How often a request is repeated at most, and the first and the longest time in between.
const MAX_RETRIES: usize = 4;
const MIN_BACKOFF: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// How long a stream of events may be silent at least: the service sends something every 15 s.
const MIN_SILENCE: Duration = Duration::from_secs(45);

/// A request that is about to be sent.
#[derive(Debug, Clone)]
pub(super) struct Call {
    client: Client,
    operation: &'static str,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Whether sending it twice does what sending it once does.
    repeatable: bool,
    /// Whether the service stores something else afterwards.
    is_change: bool,
}

/// Why a request has no answer that is a success.
#[derive(Debug)]
struct Unanswered {
    error: Error,
    /// Whether one of the attempts can have done what was asked for.
    may_be_done: bool,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// An answer that is read in parts, as they arrive.
#[derive(Debug)]
pub struct Chunks {
    response: Response,
    service: String,
    timeout: Duration,
}

impl Client {
    /// A request with the key. `segments` are the path below the service's address.
    pub(super) fn call(&self, operation: &'static str, method: Method, segments: &[&str]) -> Call {
        let mut call = self.public_call(operation, method, segments);
        if let Some(authorization) = &self.authorization {
            let headers = &mut call.headers;
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        call
    }

    /// A request without the key, as a visitor's browser sends it.
    pub(super) fn public_call(
        &self,
        operation: &'static str,
        method: Method,
        segments: &[&str],
    ) -> Call {
        let mut url = Url::clone(&self.service);
        url.path_segments_mut()
            .expect("`http` and `https` addresses have a path")
            .pop_if_empty()
            .extend(segments);
        Call {
            client: self.clone(),
            operation,
            repeatable: method == Method::GET || method == Method::DELETE,
            is_change: method != Method::GET,
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
        }
    }
}

impl Call {
    pub(super) fn query(mut self, query: &impl Serialize) -> Self {
        self.url = with_query(self.url, query);
        self
    }

    pub(super) fn set_url(mut self, url: Url) -> Self {
        self.url = url;
        self
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn body(mut self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("plain records are written into memory");
        self.body = Some(body);
        let json = HeaderValue::from_static("application/json");
        self.headers.insert(CONTENT_TYPE, json);
        self
    }

    /// The change is refused if the record is another one than the caller saw. So it can be
    /// repeated: once it was made, the record is another one.
    pub(super) fn if_match(mut self, etag: Option<&ETag>) -> Self {
        if let Some(ETag(tag)) = etag {
            self.headers.insert(IF_MATCH, tag.clone());
            self.repeatable = true;
        }
        self
    }

    /// Names the request, so that repeating it creates nothing more.
    pub(super) fn idempotent(mut self) -> Self {
        let key = uuid::Uuid::new_v4().to_string();
        let key = HeaderValue::try_from(key).expect("hexadecimal digits are a valid header");
        self.headers.insert(IDEMPOTENCY_KEY, key);
        self.repeatable = true;
        self
    }

    /// As [`idempotent`](Self::idempotent), with a name of the caller's.
    pub(super) fn idempotency_key(mut self, key: &str) -> Result<Self, Error> {
        let key = HeaderValue::try_from(key).map_err(|_| Error::IdempotencyKeyMalformed)?;
        self.headers.insert(IDEMPOTENCY_KEY, key);
        self.repeatable = true;
        Ok(self)
    }

    /// Repeating the request does nothing more by what it says.
    pub(super) const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The request asks for something, though its method is one for changes.
    pub(super) const fn reads(mut self) -> Self {
        self.is_change = false;
        self
    }

    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let answer = self.answer().await?;
        self.read(&answer)
    }

    pub(super) async fn tagged<T: DeserializeOwned>(self) -> Result<Tagged<T>, Error> {
        let answer = self.answer().await?;
        Ok(Tagged {
            value: self.read(&answer)?,
            etag: answer.headers.get(ETAG).cloned().map(ETag),
        })
    }

    /// The answer to a deletion has no body; one with a body is of another program. When the
    /// answer may have been lost and the request is repeated, there is nothing left to delete: then
    /// what never existed counts as deleted, too.
    pub(super) async fn deleted(self) -> Result<(), Error> {
        let answer = match self.with_retries(Self::attempt_whole).await {
            Ok(answer) => answer,
            Err(failed) if failed.may_be_done && failed.error.is_not_found() => return Ok(()),
            Err(failed) => return Err(self.explain(failed)),
        };
        if answer.status != StatusCode::NO_CONTENT {
            let service = self.service();
            return Err(build_other_service(service, answer.status, &answer.headers));
        }
        Ok(())
    }

    pub(super) async fn send(self) -> Result<Answer, Error> {
        self.answer().await
    }

    async fn answer(&self) -> Result<Answer, Error> {
        let answer = self.with_retries(Self::attempt_whole).await;
        answer.map_err(|failed| self.explain(failed))
    }

    /// Reads the answer. A change was made, also when its answer cannot be read.
    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        read(answer, self.service(), self.operation).map_err(|error| match error {
            Error::AnswerUnreadable { .. } => self.explain(Unanswered {
                error,
                may_be_done: true,
            }),
            error => error,
        })
    }

    /// Says of a change that may have been made that it is so.
    fn explain(&self, failed: Unanswered) -> Error {
        let Unanswered { error, may_be_done } = failed;
        // The service has seen the last attempt, and refuses it.
        let is_decided = error.problem().is_some() && !error.is_passing() && !error.leaves_open();
        if !self.is_change || !may_be_done || is_decided {
            return error;
        }
        Error::OutcomeUnknown {
            operation: self.operation,
            path: self.url.path().to_owned(),
            source: Box::new(error),
        }
    }

    /// Sends the request, and leaves the answer to be read in parts.
    pub(super) async fn chunks(self) -> Result<Chunks, Error> {
        let response = self.with_retries(Self::attempt).await;
        Ok(Chunks {
            response: response.map_err(|failed| self.explain(failed))?,
            service: self.service(),
            timeout: self.client.timeout,
        })
    }

    /// Sends the request, and leaves the events to be read as they happen; `None` when there are no
    /// more.
    pub(super) async fn events(self) -> Result<Option<Chunks>, Error> {
        let mut chunks = self.chunks().await?;
        let headers = chunks.response.headers();
        let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        match chunks.response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            status if !media_type.is_some_and(|name| name.starts_with(b"text/event-stream")) => {
                Err(build_other_service(chunks.service, status, headers))
            }
            _ => {
                chunks.timeout = chunks.timeout.max(MIN_SILENCE);
                Ok(Some(chunks))
            }
        }
    }

    async fn with_retries<T, F: Future<Output = Result<T, Error>>>(
        &self,
        attempt: impl Fn(Self, Instant) -> F,
    ) -> Result<T, Unanswered> {
        let mut may_be_done = false;
        let deadline = Instant::now() + self.client.timeout;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(MIN_BACKOFF)
            .with_max_delay(MAX_BACKOFF)
            .with_max_times(MAX_RETRIES)
            .with_jitter();
        let result = (|| attempt(self.clone(), deadline))
            .retry(backoff)
            // It is asked about every failed attempt, also about the last one.
            .when(|error: &Error| {
                may_be_done |= error.leaves_open();
                error.is_passing() && self.may_repeat(error)
            })
            // A time that the service asks for is waited for, unless it ends after the deadline.
            .adjust(|error: &Error, delay| {
                let delay =
                    delay.map(|delay| error.retry_after().map_or(delay, |by| by.max(delay)));
                // A connection that hangs ends before the deadline: then nothing was sent.
                let connecting = if error.is_unsent() {
                    connect_timeout(self.client.timeout)
                } else {
                    Duration::ZERO
                };
                let ends_in_time = |delay: &Duration| {
                    let end = Instant::now().checked_add(*delay + connecting);
                    end.is_some_and(|end| end < deadline)
                };
                delay.filter(ends_in_time)
            })
            .notify(|error: &Error, delay| {
                if let Some(on_retry) = &self.client.on_retry {
                    on_retry(error, delay);
                }
            })
            .await;
        result.map_err(|error| Unanswered { error, may_be_done })
    }

    async fn attempt_whole(self, deadline: Instant) -> Result<Answer, Error> {
        let response = self.clone().attempt(deadline).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = timeout_at(deadline, response.bytes())
            .await
            .map_err(|_| self.timed_out())?
            .map_err(|error| self.failed(&error))?;
        Ok(Answer {
            status,
            headers,
            body: body.into(),
        })
    }

    fn may_repeat(&self, error: &Error) -> bool {
        // Nothing was sent when there was no connection.
        self.repeatable || error.is_unsent()
    }

    async fn attempt(self, deadline: Instant) -> Result<Response, Error> {
        let mut request = self
            .client
            .http
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let response = timeout_at(deadline, request.send())
            .await
            .map_err(|_| self.timed_out())?
            .map_err(|error| self.failed(&error))?;
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        Err(self.refused(response, deadline).await)
    }

    /// Says what an answer means that is no success.
    async fn refused(&self, response: Response, deadline: Instant) -> Error {
        let service = self.service();
        let status = response.status();
        let headers = response.headers().clone();
        if status.is_redirection() {
            let location = headers.get(LOCATION).map(HeaderValue::as_bytes);
            return Error::Redirected {
                service,
                location: String::from_utf8_lossy(location.unwrap_or_default()).into_owned(),
            };
        }
        let body = match timeout_at(deadline, response.bytes()).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => return self.failed(&error),
            Err(_) => return self.timed_out(),
        };
        let retry_after = find_retry_after(&headers);
        let operation = self.operation;
        if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
            let is_missing = problem.code == ProblemCode::PathUnknown
                || problem.code == ProblemCode::MethodNotAllowed;
            return if is_missing {
                Error::OperationMissing { service, operation }
            } else {
                Error::Refused(Box::new(Refusal {
                    problem,
                    retry_after,
                }))
            };
        }
        match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if !is_page(&headers) => {
                Error::AnswerForeign {
                    service,
                    operation,
                    status,
                }
            }
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                Error::Unavailable {
                    service,
                    status,
                    retry_after,
                }
            }
            _ => build_other_service(service, status, &headers),
        }
    }

    fn service(&self) -> String {
        self.client.service.origin().to_string()
    }

    fn timed_out(&self) -> Error {
        Error::Timeout {
            service: self.service(),
            after: self.client.timeout,
        }
    }

    fn failed(&self, error: &reqwest::Error) -> Error {
        Error::from_reqwest(error, self.service(), self.client.timeout)
    }
}

impl Chunks {
    /// The next part; `None` after the last.
    ///
    /// # Errors
    /// When the connection breaks, or nothing arrives in time.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let deadline = Instant::now() + self.timeout;
        match timeout_at(deadline, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk.map(Into::into)),
            Ok(Err(error)) => {
                let service = self.service.clone();
                Err(Error::from_reqwest(&error, service, self.timeout))
            }
            Err(_) => Err(Error::Timeout {
                service: self.service.clone(),
                after: self.timeout,
            }),
        }
    }
}

/// Sets the query of an address. Members that are absent are left out.
fn with_query(mut url: Url, query: &impl Serialize) -> Url {
    let query = serde_json::to_value(query).expect("plain records are written into memory");
    let members = query.as_object().into_iter().flatten();
    let members: Vec<_> = members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value.as_str() {
            Some(text) => (name, text.to_owned()),
            None => (name, value.to_string()),
        })
        .collect();
    if !members.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(members);
    }
    url
}

pub(super) fn read<T: DeserializeOwned>(
    answer: &Answer,
    service: String,
    operation: &'static str,
) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|source| {
        if is_page(&answer.headers) {
            return build_other_service(service, answer.status, &answer.headers);
        }
        Error::AnswerUnreadable {
            service,
            operation,
            source,
        }
    })
}

fn build_other_service(service: String, status: StatusCode, headers: &HeaderMap) -> Error {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    Error::OtherService {
        service,
        status: status.as_u16(),
        content: match media_type {
            Some(_) if is_page(headers) => "an HTML page".to_owned(),
            Some(other) => format!("`{other}`"),
            None => "nothing that this API has".to_owned(),
        },
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    media_type.starts_with(b"text/html")
}

/// `Retry-After` in seconds, as this service writes it, or as a date, as some proxies do. A date
/// that is over is now.
fn find_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    // By the clock of whoever wrote the date, if it says what that shows.
    let now = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widgets::WidgetsQuery;

    #[test]
    fn queries_leave_out_what_is_absent() {
        let url: Url = "https://widgets.example/core/web-widgets"
            .parse()
            .expect("an address");
        let query = WidgetsQuery {
            limit: Some(2),
            published: Some(true),
            domain: Some("a b&c".to_owned()),
            ..WidgetsQuery::default()
        };
        assert_eq!(
            with_query(url.clone(), &query).query(),
            Some("limit=2&published=true&domain=a+b%26c")
        );
        assert_eq!(with_query(url, &WidgetsQuery::default()).query(), None);
    }

    /// The clock jumps to the next end of a time, so that nothing is waited for.
    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_hangs_sends_nothing() {
        use std::sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        };

        // Nobody accepts the first connection, and there is no room for others.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        let any = "127.0.0.1:0".parse().expect("an address");
        socket.bind(any).expect("a port");
        let listener = socket.listen(0).expect("it listens");
        let address = listener.local_addr().expect("an address");
        let _first = std::net::TcpStream::connect(address).expect("a connection");
        let tried_again = Arc::new(AtomicUsize::new(0));
        for seconds in [1, 30, 120] {
            let counter = Arc::clone(&tried_again);
            let service = format!("http://{address}").parse().expect("an address");
            let client = Client::builder(service)
                .timeout(Duration::from_secs(seconds))
                .on_retry(move |_, _| {
                    counter.fetch_add(1, Ordering::SeqCst);
                })
                .build()
                .expect("a client");
            let call = client.call("createPreview", Method::POST, &["core"]);
            let error = call.send().await.expect_err("there is no connection");
            let expected = Duration::from_secs(seconds) / 3;
            assert!(
                matches!(error, Error::ConnectTimeout { after, .. } if after == expected),
                "{error}"
            );
        }
        assert!(tried_again.load(Ordering::SeqCst) >= 2);
    }

    #[test]
    fn times_to_try_again_are_seconds_and_dates() {
        for (text, expected) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::new();
            let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
            headers.insert(DATE, date);
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            assert_eq!(
                find_retry_after(&headers),
                expected.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
