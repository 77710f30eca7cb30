//! The only place that turns errors into HTTP answers: RFC 9457 problem details with stable codes.

use std::{error::Error, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use widget_core::{
    config::ConfigError,
    finding::{Finding, Findings},
};

use crate::{
    state::RandomError,
    storage::{DeleteAgentError, StoreError, WriteWidgetError},
};

pub mod visitor;

/// Media type of every error answer.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What an error means to the caller; becomes the answer once the request's id is known.
///
/// A handler returns it as its error; [`crate::web::telemetry`] writes the body and logs the cause.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// One fault of a request, at a place in its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "ProblemError")
)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body; query parameters count as members of an object.
    pub pointer: String,
    /// Stable machine code.
    pub code: &'static str,
    /// One sentence that says what is allowed.
    pub detail: String,
    /// What to do instead, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub hint: Option<String>,
}

impl FieldError {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
            hint: None,
        }
    }
}

impl From<Finding> for FieldError {
    fn from(finding: Finding) -> Self {
        Self {
            pointer: finding.pointer.unwrap_or_default(),
            code: finding.code.as_str(),
            detail: finding.detail,
            hint: finding.hint,
        }
    }
}

/// A refusal or a failure (RFC 9457).
#[derive(Serialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "Problem")
)]
pub(crate) struct ProblemBody<'a> {
    /// Always `about:blank`: what happened is told by `code`.
    r#type: &'static str,
    /// The name of the status.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// One sentence that says what to do.
    detail: &'a str,
    /// Stable machine code.
    code: &'a str,
    /// Every fault of the request with its place.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// Names the request in the service's log; also in the header `X-Request-Id`.
    request_id: &'a str,
}

impl Problem {
    /// A problem with a stable `code` and one sentence of `detail`.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// Something of ours failed: the caller learns nothing but the request's id, the log learns the
    /// cause.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "the service failed; report the request id to its operator",
        );
        problem.0.cause = Some(Arc::from(cause.into()));
        problem
    }

    /// There is no such thing, or it belongs to another organization: the two must look the same.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what} in this organization"),
        )
    }

    /// A request whose body is well-formed JSON but says something that is not allowed.
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Adds a fault with its place.
    #[must_use]
    pub fn with_error(mut self, error: FieldError) -> Self {
        self.0.errors.push(error);
        self
    }

    /// Adds faults found by core.
    #[must_use]
    pub fn with_findings(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.0
            .errors
            .extend(findings.into_iter().map(FieldError::from));
        self
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

    /// HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Stable machine code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Why it happened, for the log only.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.0.cause.as_deref()
    }

    /// The body of the answer to the request `request_id`.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let Parts {
            status,
            code,
            detail,
            errors,
            ..
        } = &*self.0;
        let title = status.canonical_reason().unwrap_or("Error");
        let body = ProblemBody {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            detail,
            code,
            errors,
            request_id,
        };
        // Strings and numbers always serialize.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// The answer without its body: the body names the request, which only the outermost layer knows.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, PROBLEM_JSON);
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
                StatusCode::SERVICE_UNAVAILABLE,
                "database_unavailable",
                "the database does not answer; try again in a moment",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
            .with_cause(error),
            StoreError::Conflict { .. } => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "somebody else changed this at the same time; try again",
            )
            .with_cause(error),
            StoreError::Corrupt { .. } | StoreError::Query(_) => Self::internal(error),
        }
    }
}

impl From<RandomError> for Problem {
    fn from(error: RandomError) -> Self {
        Self::internal(error)
    }
}

impl From<DeleteAgentError> for Problem {
    fn from(error: DeleteAgentError) -> Self {
        match error {
            DeleteAgentError::InUse => Self::new(
                StatusCode::CONFLICT,
                "agent_in_use",
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
            WriteWidgetError::KeyReused => Self::unprocessable(
                "idempotency_key_reused",
                "this `Idempotency-Key` was used before, for another body; take a new one for each request",
            ),
            WriteWidgetError::Stale => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "somebody else changed this at the same time; try again",
            ),
            WriteWidgetError::Store(error) => error.into(),
        }
    }
}

/// A widget points at an agent, a version or both that its organization does not have.
fn dangling(agent: bool, version: bool) -> Problem {
    let mut faults = Vec::new();
    if agent {
        faults.push(FieldError::new(
            "/agent_id",
            "agent_not_found",
            "this organization has no agent of this id",
        ));
    }
    if version {
        let detail = "this organization has no agent version of this id";
        faults.push(FieldError::new(
            "/agent_version_id",
            "agent_version_not_found",
            detail,
        ));
    }
    let code = if agent {
        "agent_not_found"
    } else {
        "agent_version_not_found"
    };
    let detail = "point the widget at an agent and a version of this organization; see `errors`";
    faults
        .into_iter()
        .fold(Problem::unprocessable(code, detail), Problem::with_error)
}

/// The answer to a list of domains that core rejects.
#[must_use]
pub fn domains_invalid(findings: Findings) -> Problem {
    Problem::unprocessable(
        "domains_invalid",
        "the list of domains was rejected; see `errors`",
    )
    .with_findings(findings)
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        let status = match &error {
            ConfigError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            ConfigError::TooDeep { .. }
            | ConfigError::Unversioned { .. }
            | ConfigError::TooNew { .. }
            | ConfigError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(
            status,
            error.code().as_str(),
            "the config was rejected; see `errors`",
        )
        .with_findings(error.findings())
    }
}
