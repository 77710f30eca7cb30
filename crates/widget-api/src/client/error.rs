//! Why an operation did not give its answer.

use std::{error::Error as StdError, fmt, io, time::Duration};

use reqwest::{
    StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
};

use super::connect_timeout;
use crate::{Problem, ProblemCode};

/// Why an operation did not give its answer. Each text is one sentence without a full stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key has characters that no key has.
    #[error("the API key has characters that no API key has")]
    KeyMalformed,
    /// The idempotency key has characters that no header has.
    #[error("the idempotency key has characters that cannot be sent")]
    IdempotencyKeyMalformed,
    /// The certificates are not PEM.
    #[error("the certificates are not in PEM format")]
    CertificatesInvalid,
    /// The system's own certificates cannot be read, or another reason to have no client at all.
    #[error("no connection can be made from here: {0}")]
    Unusable(Box<dyn StdError + Send + Sync>),
    /// The name of the host has no address.
    #[error("the host `{host}` cannot be found: {source}")]
    HostUnknown {
        /// The service's host, or a proxy's.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing accepts a connection there.
    #[error("cannot connect to `{service}`: {reason}")]
    Unreachable {
        /// The address of the service.
        service: String,
        /// What the system says.
        reason: String,
    },
    /// There was no connection in time, so that nothing was sent.
    #[error("cannot connect to `{service}` within {} s", in_seconds(*after))]
    ConnectTimeout {
        /// The address of the service.
        service: String,
        /// How long was waited.
        after: Duration,
    },
    /// No secure connection was made, usually because the certificate is not trusted.
    #[error("cannot make a secure connection to `{service}`: {}", describe(source))]
    Tls {
        /// The address of the service.
        service: String,
        /// What is wrong.
        source: rustls::Error,
    },
    /// There was no complete answer in time.
    #[error("`{service}` did not answer within {} s", in_seconds(*after))]
    Timeout {
        /// The address of the service.
        service: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended before the answer was complete.
    #[error("the connection to `{service}` broke: {reason}")]
    Broken {
        /// The address of the service.
        service: String,
        /// What the system says.
        reason: String,
    },
    /// The answer is a redirect, which is not followed.
    #[error("`{service}` redirects to `{location}`, and API keys follow no redirects")]
    Redirected {
        /// The address of the service.
        service: String,
        /// Where to.
        location: String,
    },
    /// What answers is another program: it sent a page, or nothing that this API has.
    #[error("`{service}` is not a web widget service: it answered {status} with {content}")]
    OtherService {
        /// The address of the service.
        service: String,
        /// The status of the answer.
        status: u16,
        /// The media type of the answer, for people.
        content: String,
    },
    /// The service is older than this client.
    #[error(
        "the service at `{service}` is older than this program and cannot {} (`{operation}`)",
        in_words(operation)
    )]
    OperationMissing {
        /// The address of the service.
        service: String,
        /// The operation, by its name in the OpenAPI document.
        operation: &'static str,
    },
    /// A refusal without the body that this service writes: another server, a proxy on the way, or
    /// an older release.
    #[error(
        "`{service}` was asked to {} (`{operation}`) and answered {status}, not as a web widget \
         service does",
        in_words(operation)
    )]
    AnswerForeign {
        /// The address of the service.
        service: String,
        /// The operation, by its name in the OpenAPI document.
        operation: &'static str,
        /// The status of the answer.
        status: StatusCode,
    },
    /// The service, or a proxy before it, is not able to answer now.
    #[error("`{service}` is not available now ({status})")]
    Unavailable {
        /// The address of the service.
        service: String,
        /// The status of the answer.
        status: StatusCode,
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// The service refuses, and says why.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The answer has another shape than this client knows: the service is newer or older.
    #[error(
        "`{service}` was asked to {} (`{operation}`), and its answer cannot be read: {source}",
        in_words(operation)
    )]
    AnswerUnreadable {
        /// The address of the service.
        service: String,
        /// The operation, by its name in the OpenAPI document.
        operation: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A change was sent, and it is not known whether it was made: its answer did not arrive, or
    /// says nothing about it.
    #[error("{source}; the change may have been made")]
    OutcomeUnknown {
        /// The operation, by its name in the OpenAPI document.
        operation: &'static str,
        /// The path of the request, which names what it is about.
        path: String,
        /// What happened to the answer.
        source: Box<Error>,
    },
}

/// What is wrong with the certificate of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// Its time is over, or has not begun.
    Time,
    /// It is for other names.
    Name,
    /// Nobody who is trusted signed it.
    Trust,
}

/// A refusal of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it says.
    pub problem: Problem,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.detail)
    }
}

impl Error {
    /// The problem, if the service sent one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(refusal) => Some(&refusal.problem),
            Self::OutcomeUnknown { source, .. } => source.problem(),
            _ => None,
        }
    }

    /// The code of the problem, if the service sent one that this build knows.
    #[must_use]
    pub fn code(&self) -> Option<ProblemCode> {
        self.problem().and_then(|problem| problem.code.known())
    }

    /// Whether the service has nothing with this id.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(ProblemCode::NotFound)
    }

    /// Whether the record is another one than the caller saw.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.code(),
            Some(ProblemCode::PreconditionFailed | ProblemCode::Conflict)
        )
    }

    /// When to try again, if the service says it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::OutcomeUnknown { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// What is wrong with the certificate, if that is why there is no connection.
    #[must_use]
    pub fn certificate_fault(&self) -> Option<CertificateFault> {
        use rustls::CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
            NotValidYetContext,
        };
        let Self::Tls { source, .. } = self else {
            return None;
        };
        let rustls::Error::InvalidCertificate(fault) = source else {
            return None;
        };
        Some(match fault {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                CertificateFault::Time
            }
            NotValidForName | NotValidForNameContext { .. } => CertificateFault::Name,
            _ => CertificateFault::Trust,
        })
    }

    /// Whether the same request may work a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::ConnectTimeout { .. } | Self::Broken { .. } => true,
            Self::Unavailable { status, .. } => is_passing(status.as_u16()),
            Self::Refused(refusal) => is_passing(refusal.problem.status),
            _ => false,
        }
    }

    /// Whether there was no connection, so that nothing was sent.
    pub(super) const fn is_unsent(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::ConnectTimeout { .. })
    }

    /// Whether the service may have done what it was asked for, though this is the answer.
    pub(super) fn leaves_open(&self) -> bool {
        use ProblemCode::{
            EmbedNotBuilt, EventStreamsExhausted, LivekitNotConfigured, StorageBusy, StorageFull,
            StorageReadOnly,
        };
        match self {
            Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Unavailable { status, .. } => status.is_server_error(),
            Self::Refused(refusal) => match refusal.problem.code.known() {
                Some(
                    EmbedNotBuilt
                    | EventStreamsExhausted
                    | LivekitNotConfigured
                    | StorageBusy
                    | StorageFull
                    | StorageReadOnly,
                ) => false,
                _ => refusal.problem.status >= 500,
            },
            _ => false,
        }
    }

    /// Says what kind of failure it is that `reqwest` reports.
    pub(super) fn from_reqwest(error: &reqwest::Error, service: String, timeout: Duration) -> Self {
        if error.is_timeout() && error.is_connect() {
            let after = connect_timeout(timeout);
            return Self::ConnectTimeout { service, after };
        }
        if error.is_timeout() {
            let after = timeout;
            return Self::Timeout { service, after };
        }
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason = error.to_string();
            if let Some(LookupError { host, reason }) = error.downcast_ref() {
                return Self::HostUnknown {
                    host: host.clone(),
                    source: io::Error::other(reason.clone()),
                };
            }
            if let Some(source) = error.downcast_ref::<rustls::Error>() {
                return Self::Tls {
                    service,
                    source: source.clone(),
                };
            }
            cause = next_cause(error);
        }
        if error.is_connect() {
            Self::Unreachable { service, reason }
        } else {
            Self::Broken { service, reason }
        }
    }
}

/// A time for people, in tenths of a second.
fn in_seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// What an operation does, for people: `change a widget`. An operation without words is shown by
/// its name only, which a test of the client does not accept.
pub(super) fn in_words(operation: &str) -> &str {
    match operation {
        "appendMessages" => "add to a conversation",
        "autoBrandWebWidget" => "read the brand of a site",
        "createAgent" => "create an agent",
        "createAgentVersion" => "create a version of an agent",
        "createApiKey" => "create an API key",
        "createEmbedTicket" => "create a ticket for a page",
        "createPreview" => "create a preview",
        "createWebWidget" => "create a widget",
        "deleteAgent" => "delete an agent",
        "deleteApiKey" => "revoke an API key",
        "deleteWebWidget" => "delete a widget",
        "diagnosePage" => "diagnose a page",
        "endConversation" => "end a conversation",
        "endPreview" => "end a preview",
        "eraseConversation" => "erase a conversation",
        "eraseConversations" => "erase conversations",
        "explainWebWidget" => "explain a widget on a page",
        "exportConversation" => "export a conversation",
        "exportConversations" => "export conversations",
        "followConversation" => "follow a conversation",
        "getAgent" => "show an agent",
        "getConversation" => "show a conversation",
        "getErasureJob" => "show a job that erases conversations",
        "getGoLiveReport" => "say whether a widget is live",
        "getHealth" => "say whether it runs",
        "getLauncherConfig" => "show a widget to a page",
        "getLoader" | "getPinnedLoader" => "show the script of a widget",
        "getOrganizationLimits" => "show the limits of the organization",
        "getOrganizationRetention" => "say for how long it keeps conversations",
        "getReadiness" => "say whether it can serve visitors",
        "getSnippet" => "show the snippet of a widget",
        "getTranscript" => "show the transcript of a conversation",
        "getWebWidget" => "show a widget",
        "getWebWidgetLimits" => "show the limits of a widget",
        "getWebWidgetRefusals" => "list the refusals of a widget",
        "getWebWidgetRetention" => "say for how long it keeps conversations of a widget",
        "getWebWidgetStatistics" => "show the statistics of a widget",
        "listAgentVersions" => "list the versions of an agent",
        "listAgents" => "list agents",
        "listApiKeys" => "list API keys",
        "listConversations" => "list conversations",
        "listPreviews" => "list the previews of a widget",
        "listRevisions" => "show the history of a widget",
        "listWebWidgets" => "list widgets",
        "previewEffects" => "preview the effects of a change",
        "publishAgentVersion" => "publish a version of an agent",
        "replacePreview" => "replace the draft of a preview",
        "restoreRevision" => "restore a revision of a widget",
        "restoreWebWidget" => "restore a deleted widget",
        "setOrganizationRetention" => "set for how long it keeps conversations",
        "setWebWidgetRetention" => "set for how long it keeps conversations of a widget",
        "updateOrganizationLimits" => "change the limits of the organization",
        "updateWebWidget" => "change a widget",
        "updateWebWidgetLimits" => "change the limits of a widget",
        "whoami" => "say who the caller is",
        other => other,
    }
}

/// What kind of failure a request of another client has, for a page for example.
#[must_use]
pub fn read_failure(error: &reqwest::Error) -> Error {
    Error::from_reqwest(error, String::new(), Duration::ZERO)
}

/// What kept a request of another client, for a page for example, from getting its answer, in words
/// for people.
#[must_use]
pub fn describe_failure(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut cause = error.source();
    while let Some(known) = cause {
        let kind = known.downcast_ref::<io::Error>().map(io::Error::kind);
        if error.is_connect() && kind == Some(io::ErrorKind::UnexpectedEof) {
            return "it ends the connection before it is secure; the address may be one for `http://`"
                .to_owned();
        }
        cause = next_cause(known);
    }
    match read_failure(error) {
        Error::Tls { source, .. } => {
            format!("no secure connection can be made: {}", describe(&source))
        }
        Error::HostUnknown { source, .. } => source.to_string(),
        Error::Unreachable { reason, .. } | Error::Broken { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// What keeps a connection from being secure, for people.
fn describe(error: &rustls::Error) -> String {
    use rustls::{CertificateError as Fault, Error::InvalidCertificate};
    match error {
        InvalidCertificate(Fault::Expired | Fault::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        InvalidCertificate(Fault::NotValidYet | Fault::NotValidYetContext { .. }) => {
            "its certificate is not valid yet".to_owned()
        }
        InvalidCertificate(Fault::NotValidForNameContext {
            expected,
            presented,
        }) => {
            let expected = expected.to_str();
            if presented.is_empty() {
                return format!("its certificate is not for `{expected}`");
            }
            // They are written as `DnsName("widgets.example")`.
            let names: Vec<&str> = presented
                .iter()
                .map(|name| name.split('"').nth(1).unwrap_or(name))
                .collect();
            let names = names.join("`, `");
            format!("its certificate is for `{names}` and not for `{expected}`")
        }
        InvalidCertificate(Fault::UnknownIssuer) => {
            "its certificate is not signed by a trusted authority".to_owned()
        }
        InvalidCertificate(Fault::Other(other))
            if matches!(
                other.0.downcast_ref(),
                Some(webpki::Error::CaUsedAsEndEntity)
            ) =>
        {
            "its certificate is not signed by a trusted authority".to_owned()
        }
        InvalidCertificate(Fault::Revoked) => "its certificate was revoked".to_owned(),
        // What is in the others is for programmers.
        InvalidCertificate(_) => "its certificate is not valid".to_owned(),
        rustls::Error::AlertReceived(alert) => {
            format!("it ended the connection with the TLS alert `{alert:?}`")
        }
        rustls::Error::InvalidMessage(_) => {
            "it does not answer with TLS; the address may be one for `http://`".to_owned()
        }
        rustls::Error::PeerIncompatible(_) => {
            "it offers only old versions of TLS, or none that is known".to_owned()
        }
        error => error.to_string(),
    }
}

/// What an error wraps. The source of an `io::Error` is that of the error in it, which would be
/// left out.
fn next_cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

const fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}

/// Resolves names as the system does, with an error that is recognized by its type.
#[derive(Debug)]
pub(super) struct Resolver;

#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct LookupError {
    host: String,
    reason: String,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            // The port is set afterwards.
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            match found.map(Vec::from_iter) {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(error) => Err(Box::new(LookupError {
                    host,
                    reason: error.to_string(),
                }) as Box<dyn StdError + Send + Sync>),
            }
        })
    }
}
