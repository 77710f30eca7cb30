//! The agent directory: another service that says which versions of agents there are, in place of
//! the registry in the database.
//!
//! Of many requests at once for the same version one asks. What it answered is kept in memory, as
//! long as `widget_core::agent_directory` says.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{StatusCode, header};
use quick_cache::sync::Cache;
use reqwest::{Client, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use widget_core::{
    agent::{self, VersionStatus},
    agent_directory::{self, Answer},
    id::{AgentId, AgentVersionId},
};

use crate::{
    page_fetcher::tls_roots, settings::AgentDirectorySettings, storage::DirectoryVersion,
    system::Clock,
};

use self::meters::DirectoryMeters;

mod meters;

/// How long one question may take, with the wait for others.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of an answer; one with the longest names has less than 2 KiB.
const MAX_BYTES: usize = 16 * 1024;

/// Questions at once: ids that name nothing must not be a flood to the directory.
const MAX_QUESTIONS: usize = 32;

/// Versions that are remembered; beyond, the least used are forgotten.
const MAX_VERSIONS: usize = 10_000;

/// The directory, with what it answered last.
#[derive(Debug)]
pub struct AgentDirectory {
    client: Result<Client, String>,
    url: String,
    token: SecretString,
    questions: Semaphore,
    meters: DirectoryMeters,
    known: Cache<(AgentId, AgentVersionId), Arc<Known>>,
}

/// What is known of one version.
#[derive(Debug, Default)]
struct Known {
    state: Mutex<State>,
    /// Held by whoever asks.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    last: Option<LastAnswer>,
    failed_at: Option<OffsetDateTime>,
}

/// The last answer about a version, which may be old.
#[derive(Debug, Clone)]
pub struct LastAnswer {
    answer: Answer,
    livekit_agent_name: Option<String>,
    answered_at: OffsetDateTime,
}

impl LastAnswer {
    /// Whether it is used without asking again.
    #[must_use]
    pub fn is_fresh(&self, now: OffsetDateTime) -> bool {
        agent_directory::is_fresh(self.answered_at, now)
    }
}

/// What the last answer says at this time of the version of a widget that is published with it
/// since `unchanged_since`, if it is.
#[must_use]
pub fn judge(
    last: Option<LastAnswer>,
    unchanged_since: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> DirectoryVersion {
    let known = last.as_ref().map(|last| (last.answer, last.answered_at));
    DirectoryVersion {
        pinned: agent_directory::judge(known, unchanged_since, now),
        livekit_agent_name: last.and_then(|last| last.livekit_agent_name),
    }
}

/// A version, as the directory describes it; what it adds later is ignored.
#[derive(Deserialize)]
struct Body {
    status: VersionStatus,
    livekit_agent_name: String,
    #[serde(default)]
    label: Option<String>,
}

impl AgentDirectory {
    /// Prepares the client; connects to nothing.
    #[must_use]
    pub fn new(settings: &AgentDirectorySettings) -> Self {
        Self {
            client: client().map_err(|error| error.to_string()),
            url: settings.url.as_str().trim_end_matches('/').to_owned(),
            token: settings.token.clone(),
            questions: Semaphore::new(MAX_QUESTIONS),
            meters: DirectoryMeters::default(),
            known: Cache::new(MAX_VERSIONS),
        }
    }

    /// The last answer about a version, asked for now unless it is fresh; an old one, or none, when
    /// the directory does not answer.
    pub async fn ask(
        &self,
        agent: AgentId,
        version: AgentVersionId,
        clock: &dyn Clock,
    ) -> Option<LastAnswer> {
        let key = (agent, version);
        let known = self
            .known
            .get_or_insert_with(&key, || Ok::<_, ()>(Arc::default()));
        let known = known.unwrap_or_default();
        if let ControlFlow::Break(last) = known.settled(clock.now()) {
            return last;
        }
        let _asking = known.asking.lock().await;
        // Somebody may have asked meanwhile.
        if let ControlFlow::Break(last) = known.settled(clock.now()) {
            return last;
        }
        let started = Instant::now();
        let outcome = tokio::time::timeout(ASK_TIMEOUT, self.fetch(agent, version)).await;
        let outcome = outcome.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
        self.meters.count(&outcome, started.elapsed());
        let now = clock.now();
        let mut state = known.state.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok((answer, livekit_agent_name)) => {
                if state.failed_at.take().is_some() {
                    tracing::info!("the agent directory answers again");
                }
                state.last = Some(LastAnswer {
                    answer,
                    livekit_agent_name,
                    answered_at: now,
                });
            }
            Err(error) => {
                if state.failed_at.is_none() {
                    tracing::warn!(
                        agent.id = %agent,
                        agent_version.id = %version,
                        error,
                        "the agent directory cannot be read: no widget goes live, and those that \
                         are live stay so for ten minutes after its last answer"
                    );
                }
                state.failed_at = Some(now);
            }
        }
        state.last.clone()
    }

    /// How it has answered.
    pub(crate) const fn meters(&self) -> &DirectoryMeters {
        &self.meters
    }

    async fn fetch(
        &self,
        agent: AgentId,
        version: AgentVersionId,
    ) -> Result<(Answer, Option<String>), String> {
        let client = self.client.as_ref().map_err(String::clone)?;
        let _question = self.questions.acquire().await;
        let request = client
            .get(format!("{}/agents/{agent}/versions/{version}", self.url))
            .header(header::ACCEPT, "application/json")
            .bearer_auth(self.token.expose_secret());
        let response = request.send().await.map_err(chain)?;
        match response.status() {
            StatusCode::OK => {
                let body = read(response).await?;
                let body: Body = serde_json::from_slice(&body)
                    .map_err(|error| format!("its answer is not a version: {error}"))?;
                let name = |text: &str| {
                    agent::parse_name(text)
                        .map_err(|error| format!("its answer is not a version: {error}"))
                };
                body.label.as_deref().map(name).transpose()?;
                let livekit_agent_name = name(&body.livekit_agent_name)?;
                Ok((Answer::Version(body.status), Some(livekit_agent_name)))
            }
            StatusCode::NOT_FOUND => Ok((Answer::Unknown, None)),
            status => Err(format!("it answered with the status {status}")),
        }
    }
}

impl Known {
    /// What is known, if nobody has to ask at this time.
    fn settled(&self, now: OffsetDateTime) -> ControlFlow<Option<LastAnswer>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = state.last.as_ref().is_some_and(|last| last.is_fresh(now));
        let failed = state.failed_at;
        let has_failed = failed.is_some_and(|at| !agent_directory::may_retry(at, now));
        if is_fresh || has_failed {
            ControlFlow::Break(state.last.clone())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The body of an answer that is not too long.
async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(chain)? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(format!("its answer has more than {MAX_BYTES} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A client that goes where the operator says and nowhere else: no redirect, no proxy.
fn client() -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls_roots()?)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(ASK_TIMEOUT)
        .user_agent(concat!("web-widgets/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

/// The innermost cause, without the address, which the operator knows.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
