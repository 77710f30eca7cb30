//! Asks a service what visitors may ask: never with a key, and whichever service a page names.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::time::{Instant, timeout_at};
use url::Url;
use widget_api::{client::describe_failure, doctor::PROBE_HEADER};
use widget_core::{
    doctor::{Answer, LauncherAnswer, LiveKitAnswer, ScriptAnswer, ServiceAnswers, Target},
    id::WidgetId,
    origin::Origin,
};

/// Longer answers are cut, in bytes.
const MAX_BYTES: usize = 2 << 20;

/// With less time, a service cannot be expected to answer.
pub(super) const MIN_TIME: Duration = Duration::from_secs(1);

/// Asks for everything that a page would load, until `deadline`.
pub(super) async fn ask_service(
    http: &Client,
    target: &Target,
    origin: &Origin,
    known_hashes: Vec<String>,
    deadline: Instant,
) -> ServiceAnswers {
    let id = target.widget_id;
    let address = |path: String| target.service.join(&path);
    let script = match (&target.script, id) {
        (Some(script), _) => Some(script.clone()),
        (None, Some(id)) => address(format!("public/embed/{id}")).ok(),
        (None, None) => None,
    };
    let mut answers = ServiceAnswers {
        known_hashes,
        ..ServiceAnswers::default()
    };
    if let Some(script) = script {
        let asking = ask_for_script(http, script);
        (answers.script, answers.clock_difference) = within(deadline, asking).await;
    }
    let Some(id) = id else {
        return answers;
    };
    if let Ok(url) = address(format!("core/public/web-widgets/{id}")) {
        answers.launcher = within(deadline, ask_for_launcher(http, url, origin)).await;
    }
    if let Ok(url) = window_address(target, id, origin) {
        let (window, livekit) = within(deadline, ask_for_window(http, url)).await;
        answers.window = window;
        answers.livekit = match livekit {
            Some(Named::At(livekit)) => within(deadline, ask_for_livekit(http, livekit)).await,
            Some(Named::Nothing) => Answer::Given(LiveKitAnswer::NotSetUp),
            None => Answer::NotAsked,
        };
    }
    answers
}

/// Asks what the service says about other widgets of the page.
pub(super) async fn ask_about_others(
    http: &Client,
    service: &Url,
    ids: &[WidgetId],
    origin: &Origin,
    deadline: Instant,
) -> Vec<(WidgetId, LauncherAnswer)> {
    let mut answers = Vec::new();
    for id in ids {
        let Ok(url) = service.join(&format!("core/public/web-widgets/{id}")) else {
            continue;
        };
        let answer = within(deadline, ask_for_launcher(http, url, origin)).await;
        if let Answer::Given(answer) = answer {
            answers.push((*id, answer));
        }
    }
    answers
}

/// What an answer is when the time is over.
trait Late: Sized {
    fn late(answer: LateAnswer) -> Self;
}

/// Why there is no answer.
enum LateAnswer {
    /// There was almost no time for it.
    NoTime,
    /// It takes too long.
    Slow,
}

impl LateAnswer {
    /// Why nothing was answered when so much time was left at first.
    fn after(left: Duration) -> Self {
        if left < MIN_TIME {
            Self::NoTime
        } else {
            Self::Slow
        }
    }
}

impl<T> Late for Answer<T> {
    fn late(answer: LateAnswer) -> Self {
        match answer {
            LateAnswer::NoTime => Self::OutOfTime,
            LateAnswer::Slow => Self::Failed("it does not answer in time".to_owned()),
        }
    }
}

impl<T, U> Late for (Answer<T>, Option<U>) {
    fn late(answer: LateAnswer) -> Self {
        (Answer::late(answer), None)
    }
}

/// Waits until the deadline. What had almost no time to answer is not judged.
async fn within<T: Late>(deadline: Instant, asking: impl Future<Output = T>) -> T {
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = timeout_at(deadline, asking).await;
    answer.unwrap_or_else(|_| T::late(LateAnswer::after(left)))
}

/// A request of a visitor that the service does not count as a visit.
fn probe(http: &Client, url: Url) -> RequestBuilder {
    http.get(url).header(PROBE_HEADER, "?1")
}

fn window_address(target: &Target, id: WidgetId, origin: &Origin) -> Result<Url, url::ParseError> {
    let mut url = target.service.join(&format!("public/widget/{id}"))?;
    url.query_pairs_mut().append_pair("o", origin.as_str());
    Ok(url)
}

async fn ask_for_script(http: &Client, url: Url) -> (Answer<ScriptAnswer>, Option<time::Duration>) {
    let response = match http.get(url).send().await {
        Ok(response) => response,
        Err(error) => return (Answer::Failed(describe_failure(&error)), None),
    };
    // The time of an answer that a cache has kept is when it was made.
    let is_kept = response.headers().contains_key(header::AGE);
    let difference = response
        .headers()
        .get(header::DATE)
        .filter(|_| !is_kept)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok())
        .map(|date| date - OffsetDateTime::now_utc());
    let status = response.status().as_u16();
    let headers = headers_of(&response);
    let answer = match read(response).await {
        Ok(bytes) => Answer::Given(ScriptAnswer {
            status,
            hashes: vec![
                format!("sha256-{}", STANDARD.encode(Sha256::digest(&bytes))),
                format!("sha384-{}", STANDARD.encode(Sha384::digest(&bytes))),
                format!("sha512-{}", STANDARD.encode(Sha512::digest(&bytes))),
            ],
            headers,
            text: Some(String::from_utf8_lossy(&bytes).into_owned()),
        }),
        Err(reason) => Answer::Failed(reason),
    };
    (answer, difference)
}

async fn ask_for_launcher(http: &Client, url: Url, origin: &Origin) -> Answer<LauncherAnswer> {
    let request = probe(http, url).header(header::ORIGIN, origin.as_str());
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Answer::Failed(describe_failure(&error)),
    };
    let status = response.status();
    let allows = response
        .headers()
        .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let body = match read(response).await {
        Ok(bytes) => serde_json::from_slice::<Value>(&bytes).ok(),
        Err(reason) => return Answer::Failed(reason),
    };
    let Some(body) = body else {
        return Answer::Failed(format!("it answers {status} without JSON"));
    };
    if !allows {
        return Answer::Failed(format!(
            "it answers {status} without `Access-Control-Allow-Origin`, so that browsers refuse \
             the answer"
        ));
    }
    if status.is_success() {
        let icon = body
            .pointer("/config/trigger/icon_url")
            .and_then(Value::as_str);
        return Answer::Given(LauncherAnswer::Shown {
            icon_url: icon.and_then(|icon| icon.parse().ok()),
        });
    }
    match body.get("code").and_then(Value::as_str) {
        Some(code) if !status.is_server_error() => {
            Answer::Given(LauncherAnswer::Refused(code.to_owned()))
        }
        _ => Answer::Failed(format!("it answers {status}")),
    }
}

/// The LiveKit that the policy of a window names.
enum Named {
    At(Url),
    Nothing,
}

impl Named {
    /// Reads the directive for connections: nothing when the policy has none.
    fn in_policy(policy: &str) -> Option<Self> {
        let mut directives = policy.split(';').map(str::trim);
        let sources = directives.find_map(|directive| directive.strip_prefix("connect-src "))?;
        let mut addresses = sources
            .split_ascii_whitespace()
            .filter_map(|source| Url::parse(source).ok());
        let livekit = addresses.find(|url| url.scheme().starts_with("http"));
        Some(livekit.map_or(Self::Nothing, Self::At))
    }
}

/// The headers of the window, and the LiveKit that they name.
async fn ask_for_window(http: &Client, url: Url) -> (Answer<Vec<(String, String)>>, Option<Named>) {
    let response = match probe(http, url).send().await {
        Ok(response) if response.status().is_success() => response,
        // A refusal has no headers for a page.
        Ok(_) => return (Answer::NotAsked, None),
        Err(error) => return (Answer::Failed(describe_failure(&error)), None),
    };
    let headers = headers_of(&response);
    let policy = headers
        .iter()
        .find(|(name, _)| name == "content-security-policy");
    let livekit = policy.and_then(|(_, policy)| Named::in_policy(policy));
    (Answer::Given(headers), livekit)
}

async fn ask_for_livekit(http: &Client, livekit: Url) -> Answer<LiveKitAnswer> {
    let origin = livekit.origin().ascii_serialization();
    match http.get(livekit).send().await {
        Ok(response) if response.status().is_server_error() => {
            Answer::Failed(format!("{origin} answers {}", response.status()))
        }
        Ok(_) => Answer::Given(LiveKitAnswer::Reachable),
        Err(error) => Answer::Failed(format!("{origin}: {}", describe_failure(&error))),
    }
}

fn headers_of(response: &Response) -> Vec<(String, String)> {
    let headers = response.headers().iter();
    headers
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BYTES
        && let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| describe_failure(&error))?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_time_is_not_judged() {
        let late = |left: Duration| Answer::<()>::late(LateAnswer::after(left));
        assert_eq!(late(Duration::ZERO), Answer::OutOfTime);
        assert_eq!(late(MIN_TIME / 2), Answer::OutOfTime);
        assert!(matches!(late(MIN_TIME), Answer::Failed(_)));
    }

    #[test]
    fn livekit_is_read_out_of_the_policy_of_the_window() {
        let with =
            Named::in_policy("default-src 'none'; connect-src 'self' https://l.example wss:");
        assert!(matches!(with, Some(Named::At(url)) if url.as_str() == "https://l.example/"));
        let without = Named::in_policy("connect-src 'self'");
        assert!(matches!(without, Some(Named::Nothing)));
        assert!(Named::in_policy("script-src 'self'").is_none());
    }
}
