//! Routes that describe themselves: [`ApiRouter`] registers a handler and keeps what it accepts and
//! answers, for the OpenAPI document and for tests.
//!
//! The credential that an operation names is checked before its handler sees the request, so that a
//! handler cannot forget it and no body is read for a caller without it.

use std::{future::Future, pin::Pin};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use futures_util::future::Either;
use http::{HeaderName, header, request::Parts};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use widget_api::{ProblemCode, Scope};

use crate::web::problem::Problem;

/// Makes the schema of a body.
pub type Describe = fn(&mut SchemaGenerator) -> Schema;

/// The credential that a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An API key of the organization with this scope.
    ApiKey(Scope),
    /// Any API key of the organization.
    AnyApiKey,
    /// An embed ticket; it is used up by what its handler writes.
    EmbedTicket,
    /// The token of one conversation.
    ConversationToken,
    /// LiveKit's signature over the body; its handler verifies it.
    LiveKitSignature,
    /// Nothing: the `Origin` decides, or the answer is the same for everybody.
    None,
}

impl Credential {
    /// Whether a [`Guard`] checks it before the handler sees the request: a ticket is used up by
    /// what is written with it, and LiveKit signs the whole body.
    const fn is_checked_before(self) -> bool {
        match self {
            Self::ApiKey(_) | Self::AnyApiKey | Self::ConversationToken => true,
            Self::EmbedTicket | Self::LiveKitSignature | Self::None => false,
        }
    }
}

/// Checks credentials for the routes of an [`ApiRouter`] with this state.
pub trait Guard: Clone + Send + Sync + 'static {
    /// Refuses a request without the credential; leaves what was found for extractors. Asked only
    /// for credentials that are checked before the handler sees the request.
    fn check(
        &self,
        credential: Credential,
        parts: &mut Parts,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// The methods of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// One method at one path: what it accepts and what it answers.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The name that generated clients give it.
    pub id: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// The credential that a caller needs.
    pub credential: Credential,
    /// Request headers that it reads.
    pub headers: Vec<RequestHeader>,
    /// The query parameters, as the fields of a body.
    pub query: Option<Describe>,
    /// Whether a query that does not fit is refused; otherwise it is read as if it were not there.
    pub is_query_strict: bool,
    /// The JSON body.
    pub body: Option<Describe>,
    /// The answers that are not problems.
    pub answers: Vec<Answer>,
    /// Whether pages of other origins may read every answer.
    pub is_readable_by_pages: bool,
    /// Whether its answer needs the database, as that of every operation that says nothing else.
    pub uses_storage: bool,
    problems: Vec<ProblemCode>,
}

/// A request header that an operation reads; none is required.
#[derive(Debug, Clone)]
pub struct RequestHeader {
    /// Its name, in its usual case.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// What its value may be.
    pub schema: Schema,
}

/// An answer that is not a problem.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it means.
    pub description: &'static str,
    /// Media type and shape of the body.
    pub content: Option<(&'static str, Describe)>,
    /// Headers that carry something.
    pub headers: Vec<HeaderName>,
}

/// A `GET` that `id` names.
#[must_use]
pub const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::Get, path, id, summary)
}

/// A `POST` that `id` names.
#[must_use]
pub const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::Post, path, id, summary)
}

/// A `PUT` that `id` names.
#[must_use]
pub const fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::Put, path, id, summary)
}

/// A `PATCH` that `id` names.
#[must_use]
pub const fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::Patch, path, id, summary)
}

/// A `DELETE` that `id` names.
#[must_use]
pub const fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::Delete, path, id, summary)
}

impl Operation {
    const fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            credential: Credential::None,
            headers: Vec::new(),
            query: None,
            is_query_strict: false,
            body: None,
            answers: Vec::new(),
            is_readable_by_pages: false,
            uses_storage: true,
            problems: Vec::new(),
        }
    }

    /// Needs an API key with `scope`.
    #[must_use]
    pub const fn scope(self, scope: Scope) -> Self {
        self.credential(Credential::ApiKey(scope))
    }

    /// Needs an API key, with any scope or none.
    #[must_use]
    pub const fn any_key(self) -> Self {
        self.credential(Credential::AnyApiKey)
    }

    /// Needs this credential.
    #[must_use]
    pub const fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// Pages of other origins may read every answer to a request for this path, also one that is
    /// made outside the handler.
    #[must_use]
    pub const fn readable_by_pages(mut self) -> Self {
        self.is_readable_by_pages = true;
        self
    }

    /// Answers without the database, so that none of its failures can be the answer.
    #[must_use]
    pub const fn without_storage(mut self) -> Self {
        self.uses_storage = false;
        self
    }

    /// Accepts a request header with a value of this schema.
    #[must_use]
    pub fn header(mut self, name: &'static str, description: &'static str, schema: Schema) -> Self {
        self.headers.push(RequestHeader {
            name,
            description,
            schema,
        });
        self
    }

    /// Accepts a request header with entity tags.
    #[must_use]
    pub fn etag_header(self, name: &'static str, description: &'static str) -> Self {
        self.header(name, description, json_schema!({"type": "string"}))
    }

    /// Accepts the fields of `T` as query parameters, and refuses any other query.
    #[must_use]
    pub const fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self.is_query_strict = true;
        self
    }

    /// Reads the fields of `T` from the query; what does not fit changes nothing, since links of
    /// pages get parameters of others.
    #[must_use]
    pub const fn lenient_query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    /// Accepts `T` as its JSON body.
    #[must_use]
    pub const fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Answers `T` as JSON.
    #[must_use]
    pub fn answer<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answer_as::<T>(status, description, "application/json")
    }

    /// Answers text of `media_type` that has the shape of `T`.
    #[must_use]
    pub fn answer_as<T: JsonSchema>(
        self,
        status: u16,
        description: &'static str,
        media_type: &'static str,
    ) -> Self {
        let content = (media_type, SchemaGenerator::subschema_for::<T> as Describe);
        self.push(status, description, Some(content))
    }

    /// Answers without a body.
    #[must_use]
    pub fn answer_empty(self, status: u16, description: &'static str) -> Self {
        self.push(status, description, None)
    }

    fn push(
        mut self,
        status: u16,
        description: &'static str,
        content: Option<(&'static str, Describe)>,
    ) -> Self {
        self.answers.push(Answer {
            status,
            description,
            content,
            headers: Vec::new(),
        });
        self
    }

    /// The answer named last carries this header.
    #[must_use]
    pub fn with(mut self, header: HeaderName) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push(header);
        }
        self
    }

    /// Can answer these problems, beside those of its credential, body and query, and of storage.
    #[must_use]
    pub fn problems(mut self, codes: impl IntoIterator<Item = ProblemCode>) -> Self {
        self.problems.extend(codes);
        self
    }

    /// Every problem that the operation can answer, sorted.
    #[must_use]
    pub fn all_problems(&self) -> Vec<ProblemCode> {
        use ProblemCode as P;
        let of_credential: &[P] = match self.credential {
            Credential::ApiKey(_) => &[
                P::ApiKeyRequired,
                P::ApiKeyInvalid,
                P::InsufficientScope,
                P::RecordUnreadable,
            ],
            Credential::AnyApiKey => &[P::ApiKeyRequired, P::ApiKeyInvalid, P::RecordUnreadable],
            Credential::EmbedTicket => &[
                P::TicketRequired,
                P::TicketInvalid,
                P::TicketExpired,
                P::TicketReplayed,
                P::TicketWrongWidget,
                P::RecordUnreadable,
            ],
            Credential::ConversationToken => &[
                P::ConversationErased,
                P::ConversationTokenRequired,
                P::ConversationTokenInvalid,
                P::RateLimited,
                P::OriginMalformed,
                P::OriginNotOwn,
                P::OriginOpaque,
                P::OriginScheme,
                P::OriginRequired,
                P::RecordUnreadable,
            ],
            Credential::LiveKitSignature => &[P::WebhookSignatureInvalid, P::LivekitNotConfigured],
            Credential::None => &[],
        };
        let of_storage: &[P] = &[
            P::StorageBusy,
            P::StorageFull,
            P::StorageReadOnly,
            P::StorageUnavailable,
        ];
        let of_body: &[P] = &[
            P::BodyInvalid,
            P::BodyTimeout,
            P::BodyTooLarge,
            P::BodyUnreadable,
            P::ContentType,
            P::JsonInvalid,
        ];
        let mut all = vec![P::AnswerTimeout, P::HeadTooLarge, P::InternalError];
        all.extend(of_credential);
        all.extend(of_storage.iter().filter(|_| self.uses_storage));
        all.extend(of_body.iter().filter(|_| self.body.is_some()));
        all.extend(self.is_query_strict.then_some(P::QueryInvalid));
        all.extend(&self.problems);
        all.sort_by_key(|code| code.as_str());
        all.dedup();
        all
    }
}

/// Routes with their descriptions.
#[derive(Debug, Clone)]
pub struct ApiRouter<S> {
    routes: Router<S>,
    operations: Vec<Operation>,
}

impl<S: Guard> Default for ApiRouter<S> {
    fn default() -> Self {
        Self {
            routes: Router::new(),
            operations: Vec::new(),
        }
    }
}

impl<S: Guard> ApiRouter<S> {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route: `handler` answers `operation` when its credential is valid.
    #[must_use]
    pub fn route<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: Send + 'static,
    {
        let guarded = Guarded {
            credential: operation.credential,
            handler,
        };
        self.routes = self
            .routes
            .route(operation.path, on(operation.method.filter(), guarded));
        self.operations.push(operation);
        self
    }

    /// Adds methods of a path that are part of no description, such as `OPTIONS`.
    #[must_use]
    pub fn route_undescribed(mut self, path: &str, methods: MethodRouter<S>) -> Self {
        self.routes = self.routes.route(path, methods);
        self
    }

    /// Adds all routes of `other`.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes = self.routes.merge(other.routes);
        self.operations.extend(other.operations);
        self
    }

    /// The routes, and what they are.
    pub fn into_parts(self) -> (Router<S>, Vec<Operation>) {
        (self.routes, self.operations)
    }
}

/// A handler behind the check of its credential.
#[derive(Debug, Clone)]
struct Guarded<H> {
    credential: Credential,
    handler: H,
}

impl<H, T, S> Handler<T, S> for Guarded<H>
where
    H: Handler<T, S>,
    T: Send + 'static,
    S: Guard,
{
    type Future = Either<H::Future, Pin<Box<dyn Future<Output = Response> + Send>>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        if !self.credential.is_checked_before() {
            return Either::Left(self.handler.call(request, state));
        }
        Either::Right(Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match state.check(self.credential, &mut parts).await {
                Ok(()) => {
                    let request = Request::from_parts(parts, body);
                    self.handler.call(request, state).await
                }
                Err(problem) => problem.into_response(),
            }
        }))
    }
}

/// What a header of an answer means.
pub(crate) fn meaning(name: &HeaderName) -> &'static str {
    match *name {
        header::ETAG => "Identifies this state of the record, for `If-Match` and `If-None-Match`.",
        header::LINK => "The address of the next page, as `<…>; rel=\"next\"`; absent on the last.",
        header::LOCATION => "The path of what was created.",
        header::RETRY_AFTER => "Seconds to wait before trying again.",
        _ => "",
    }
}
