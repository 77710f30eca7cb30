//! Errors as HTTP answers: RFC 9457 problem details with stable codes.
//!
//! The catalog [`status`] gives each code its one status. The errors of storage and most of core's
//! become problems here; those that only visitors meet, beside what refuses them (`visitors/`,
//! `livekit/`, `routes/public/`).

use std::{error::Error, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use widget_api::{FieldError, ProblemCode};
use widget_core::{
    config::ConfigError,
    conversation::{ConversationEnded, FeedbackError, ModeDisabled},
    finding::{Code, FindingList, Findings, MAX_FINDINGS},
    go_live,
    id::{AgentId, AgentVersionId},
    origin::OriginHeaderError,
};

use crate::{
    storage::{DeleteAgentError, InsertAgentError, StoreError, WriteWidgetError},
    system::RandomError,
};

/// Media type of every error answer.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The status of each code.
#[must_use]
pub fn status(code: ProblemCode) -> StatusCode {
    use ProblemCode as P;
    match code {
        P::BodyUnreadable | P::IdempotencyKeyInvalid | P::JsonInvalid | P::OriginMalformed => {
            StatusCode::BAD_REQUEST
        }
        P::ApiKeyInvalid
        | P::ApiKeyRequired
        | P::ConversationTokenInvalid
        | P::ConversationTokenRequired
        | P::TicketExpired
        | P::TicketInvalid
        | P::TicketRequired
        | P::WebhookSignatureInvalid => StatusCode::UNAUTHORIZED,
        P::FetchMetadata
        | P::InsufficientScope
        | P::OriginChanged
        | P::OriginNotOwn
        | P::OriginOpaque
        | P::OriginRequired
        | P::OriginScheme
        | P::TicketWrongWidget
        | P::WidgetUnavailable => StatusCode::FORBIDDEN,
        P::BrandNotFound | P::FormNotFound | P::NotFound | P::PathUnknown => StatusCode::NOT_FOUND,
        P::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        P::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        P::AgentInUse
        | P::Conflict
        | P::ConversationActive
        | P::ConversationEnded
        | P::ConversationResumedElsewhere
        | P::FeedbackAlreadySubmitted
        | P::FeedbackClosed
        | P::FeedbackDisabled
        | P::RecordUnreadable
        | P::RegistryFull
        | P::ApiKeysFull
        | P::PreviewsFull
        | P::AgentDirectoryConfigured
        | P::TicketReplayed
        | P::TranscriptFull => StatusCode::CONFLICT,
        P::ConversationErased => StatusCode::GONE,
        P::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        P::BodyTooLarge | P::ConfigTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        P::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        P::AgentNotFound
        | P::AgentVersionNotFound
        | P::BodyInvalid
        | P::ConfigInvalid
        | P::ConfigTooDeep
        | P::ConfigTooNew
        | P::ConfigUnversioned
        | P::CustomMetadataTooLarge
        | P::DomainInvalid
        | P::DomainsInvalid
        | P::EventIdInvalid
        | P::FormInvalid
        | P::FormNotExpected
        | P::IdempotencyKeyReused
        | P::ModeDisabled
        | P::QueryInvalid
        | P::RetentionTooLong
        | P::SelectionInvalid => StatusCode::UNPROCESSABLE_ENTITY,
        P::BudgetUsedUp
        | P::EventStreamsFull
        | P::RateLimited
        | P::VoiceBudgetUsedUp
        | P::WidgetBusy => StatusCode::TOO_MANY_REQUESTS,
        P::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        P::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        P::AnswerTimeout
        | P::EmbedNotBuilt
        | P::EventStreamsExhausted
        | P::LivekitNotConfigured
        | P::StorageBusy
        | P::StorageFull
        | P::StorageReadOnly
        | P::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What an error means to the caller; becomes the answer once the request's id is known.
///
/// A handler returns it as its error; [`crate::telemetry`] writes the body and logs the cause.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: ProblemCode,
    detail: String,
    /// At most [`MAX_FINDINGS`].
    errors: Vec<FieldError>,
    /// How many more are only counted.
    errors_omitted: usize,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
    limit: Option<&'static str>,
}

impl Problem {
    /// A problem with a stable `code` and one sentence of `detail`.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            errors_omitted: 0,
            headers: Vec::new(),
            cause: None,
            limit: None,
        }))
    }

    /// The service failed: the caller learns only the request's id, the log has the
    /// cause.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(
            ProblemCode::InternalError,
            "the service failed; report the request id to its operator",
        );
        problem.0.cause = Some(Arc::from(cause.into()));
        problem
    }

    /// The record is missing or belongs to another organization; the two must look the same.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ProblemCode::NotFound,
            format!("there is no such {what} in this organization"),
        )
    }

    /// Two requests wrote the same record at once, and this one changed nothing.
    #[must_use]
    pub fn conflict() -> Self {
        Self::new(
            ProblemCode::Conflict,
            "another request changed this at the same time; try again",
        )
    }

    /// The body took too long to arrive.
    #[must_use]
    pub fn body_timeout() -> Self {
        Self::new(
            ProblemCode::BodyTimeout,
            "the body did not arrive in time; send it again",
        )
    }

    /// A query parameter is unknown or has a value that is not allowed.
    #[must_use]
    pub fn query_invalid(fault: FieldError) -> Self {
        Self::new(
            ProblemCode::QueryInvalid,
            "a query parameter is not what is expected here; see `errors`",
        )
        .with_error(fault)
    }

    /// Adds a fault with its place.
    #[must_use]
    pub fn with_error(mut self, error: FieldError) -> Self {
        if self.0.errors.len() < MAX_FINDINGS {
            self.0.errors.push(error);
        } else {
            self.0.errors_omitted += 1;
        }
        self
    }

    /// Adds faults with their places: the first are kept, and the others are counted.
    #[must_use]
    pub fn with_errors(self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        errors.into_iter().fold(self, Self::with_error)
    }

    /// Adds faults found by core.
    #[must_use]
    pub fn with_findings(mut self, findings: impl Into<FindingList>) -> Self {
        let findings = findings.into();
        self.0.errors_omitted += findings.omitted();
        self.with_errors(findings.into_iter().map(FieldError::from))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Remembers why, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Names the limit that refuses the request.
    #[must_use]
    pub fn with_limit(mut self, limit: &'static str) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// The limit that refuses the request.
    #[must_use]
    pub fn limit(&self) -> Option<&'static str> {
        self.0.limit
    }

    /// HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        status(self.0.code)
    }

    /// Stable machine code.
    #[must_use]
    pub fn code(&self) -> ProblemCode {
        self.0.code
    }

    /// Why it happened; for the log only.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.0.cause.as_deref()
    }

    /// The body of the answer to the request `request_id`.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let Parts {
            code,
            detail,
            errors,
            errors_omitted,
            ..
        } = &*self.0;
        let status = self.status();
        let body = widget_api::Problem {
            r#type: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            detail: detail.clone(),
            code: (*code).into(),
            errors: errors.clone(),
            errors_total: (*errors_omitted > 0)
                .then(|| u64::try_from(errors.len() + errors_omitted).unwrap_or(u64::MAX)),
            request_id: request_id.to_owned(),
        };
        // Strings and numbers always serialize.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// The answer without its body: the body names the request, which only the outermost layer knows.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, PROBLEM_JSON);
        // A 404 could otherwise outlive the reason for it.
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in &self.0.headers {
            response.headers_mut().append(name, value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::new(
                ProblemCode::StorageUnavailable,
                "the database does not answer; try again in a moment",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
            .with_cause(error),
            StoreError::Busy(_) => Self::new(
                ProblemCode::StorageBusy,
                "another process or request holds what this one has to write; try again in a moment",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
            .with_cause(error),
            StoreError::ReadOnly(_) => Self::new(
                ProblemCode::StorageReadOnly,
                "the database can only be read, so nothing was written; its operator must make it writable",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
            .with_cause(error),
            StoreError::Damaged(_) => Self::new(
                ProblemCode::StorageUnavailable,
                "the database is damaged; its operator must restore it",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("60"))
            .with_cause(error),
            StoreError::Full(_) => Self::new(
                ProblemCode::StorageFull,
                "the disk of the database is full, so nothing was written; its operator must make room",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("60"))
            .with_cause(error),
            StoreError::Conflict { .. } => Self::conflict().with_cause(error),
            StoreError::Erased(erased) => {
                Self::new(ProblemCode::ConversationErased, erased.to_string())
            }
            StoreError::Corrupt {
                column, ref cause, ..
            } => {
                let detail = format!("the stored `{column}` cannot be read: {cause}");
                let fault = FieldError::new(format!("/{column}"), Code::FieldUnreadable, detail);
                record_unreadable().with_error(fault).with_cause(error)
            }
            StoreError::Incompatible { .. } | StoreError::Query(_) => Self::internal(error),
        }
    }
}

/// What is stored cannot be read by this build; the owner learns which fields.
#[must_use]
pub fn record_unreadable() -> Problem {
    Problem::new(
        ProblemCode::RecordUnreadable,
        "what is stored cannot be read by this version of the service, because a newer one wrote it or it is damaged; see `errors`",
    )
}

impl From<RandomError> for Problem {
    fn from(error: RandomError) -> Self {
        Self::internal(error)
    }
}

impl From<InsertAgentError> for Problem {
    fn from(error: InsertAgentError) -> Self {
        match error {
            InsertAgentError::Full(full) => Self::new(ProblemCode::RegistryFull, full.to_string()),
            InsertAgentError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteAgentError> for Problem {
    fn from(error: DeleteAgentError) -> Self {
        match error {
            DeleteAgentError::InUse => Self::new(
                ProblemCode::AgentInUse,
                "a widget points at this agent or at one of its versions; point it elsewhere or delete it first",
            ),
            DeleteAgentError::Store(error) => error.into(),
        }
    }
}

impl From<WriteWidgetError> for Problem {
    fn from(error: WriteWidgetError) -> Self {
        match error {
            WriteWidgetError::Dangling { agent, version } => dangling(agent, version),
            WriteWidgetError::Full(full) => Self::new(ProblemCode::RegistryFull, full.to_string()),
            WriteWidgetError::KeyReused => Self::new(
                ProblemCode::IdempotencyKeyReused,
                "this `Idempotency-Key` was used before, for another body; use a new one for each request",
            ),
            WriteWidgetError::Stale => Self::conflict(),
            WriteWidgetError::Store(error) => error.into(),
        }
    }
}

/// A widget points at an agent, a version or both that its organization does not have.
fn dangling(agent: Option<AgentId>, version: Option<AgentVersionId>) -> Problem {
    let code = match agent {
        Some(_) => ProblemCode::AgentNotFound,
        None => ProblemCode::AgentVersionNotFound,
    };
    let agent = agent.map(go_live::agent_not_found);
    let version = version.map(go_live::agent_version_not_found);
    let faults = agent.into_iter().chain(version).map(FieldError::from);
    let detail = "point the widget at an agent and a version of this organization; see `errors`";
    Problem::new(code, detail).with_errors(faults)
}

/// The answer to a list of domains that core rejects.
#[must_use]
pub fn domains_invalid(findings: Findings) -> Problem {
    Problem::new(
        ProblemCode::DomainsInvalid,
        "the list of domains was rejected; see `errors`",
    )
    .with_findings(findings)
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        let code = match &error {
            ConfigError::TooLarge { .. } => ProblemCode::ConfigTooLarge,
            ConfigError::TooDeep { .. } => ProblemCode::ConfigTooDeep,
            ConfigError::Unversioned { .. } => ProblemCode::ConfigUnversioned,
            ConfigError::TooNew { .. } => ProblemCode::ConfigTooNew,
            ConfigError::Invalid(_) => ProblemCode::ConfigInvalid,
        };
        Self::new(code, "the config was rejected; see `errors`").with_findings(error.findings())
    }
}

impl From<OriginHeaderError> for Problem {
    fn from(refusal: OriginHeaderError) -> Self {
        let code = match refusal {
            OriginHeaderError::Malformed => ProblemCode::OriginMalformed,
            OriginHeaderError::Absent => ProblemCode::OriginRequired,
            OriginHeaderError::Opaque => ProblemCode::OriginOpaque,
            OriginHeaderError::ForeignScheme => ProblemCode::OriginScheme,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<ConversationEnded> for Problem {
    fn from(ended: ConversationEnded) -> Self {
        Self::new(ProblemCode::ConversationEnded, ended.to_string())
    }
}

impl From<FeedbackError> for Problem {
    fn from(error: FeedbackError) -> Self {
        let code = match error {
            FeedbackError::Disabled => ProblemCode::FeedbackDisabled,
            FeedbackError::Active => ProblemCode::ConversationActive,
            FeedbackError::AlreadySubmitted => ProblemCode::FeedbackAlreadySubmitted,
            FeedbackError::Closed => ProblemCode::FeedbackClosed,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ModeDisabled> for Problem {
    fn from(error: ModeDisabled) -> Self {
        let code = ProblemCode::ModeDisabled;
        let fault = FieldError::new("/mode", Code::ModeDisabled, error.to_string());
        Self::new(code, error.to_string()).with_error(fault)
    }
}
