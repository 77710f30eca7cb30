//! The web widget service as a library: [`router`] answers every request, so that a test needs no
//! socket.
//!
//! A handler extracts, calls `widget_core`, calls [`storage`], answers; every error becomes a
//! [`web::problem::Problem`].

#![expect(
    clippy::duplicate_mod,
    reason = "the SQL below `storage` is one text, compiled once for each driver"
)]

use axum::{
    Router,
    extract::{FromRef, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    state::AppState,
    telemetry::ObserveLayer,
    web::{api::Operation, cors::ReadablePaths, problem::Problem},
};
use widget_api::ProblemCode;

pub mod agent_directory;
pub mod background;
pub mod causes;
pub mod embed_files;
pub mod livekit;
pub mod metrics;
pub mod openapi;
pub mod page_fetcher;
pub mod readiness;
mod routes;
pub mod settings;
pub mod state;
pub mod storage;
pub mod system;
pub mod telemetry;
pub mod visitors;
pub mod web;

/// Every route of the service, with what surrounds them: request ids, log lines, problems, caught
/// panics.
pub fn router(state: AppState) -> Router {
    let observe = ObserveLayer::new(
        state.random.as_ref(),
        state.metrics.clone(),
        FromRef::from_ref(&state),
    );
    let (routes, operations) = routes::all().into_parts();
    let own = Surround {
        state: state.clone(),
        readable: ReadablePaths::of(&operations),
    };
    routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(method_not_allowed)
        // Outermost first.
        .layer((
            observe,
            middleware::from_fn_with_state(own, surround),
            CatchPanicLayer::custom(caught_panic),
        ))
        .with_state(state)
}

/// Every operation of the API, as its route describes it.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes::operations()
}

/// The OpenAPI document of the service, as the committed file has it.
#[must_use]
pub fn openapi() -> String {
    routes::document()
}

/// What [`surround`] needs.
#[derive(Clone)]
struct Surround {
    state: AppState,
    readable: ReadablePaths,
}

/// Surrounds everything that answers, as one layer: each of its own costs every request some
/// allocations.
async fn surround(State(own): State<Surround>, request: Request, next: Next) -> Response {
    let readers = own.readable.readers_of(&request);
    let mut response = match web::head::require_bounded(&request) {
        Ok(()) => {
            let running = State(own.state.running.clone());
            web::deadline::answer_in_time(running, request, next).await
        }
        Err(problem) => problem.into_response(),
    };
    readers.admit_to(&mut response);
    if own.state.drain.has_begun() {
        // Sends clients to another node once this one is about to stop: a connection that is kept
        // open would be cut off later.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

async fn unknown_path() -> Problem {
    Problem::new(
        ProblemCode::PathUnknown,
        "this service has nothing at this path",
    )
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        ProblemCode::MethodNotAllowed,
        "this path does not accept this method; the header `Allow` names those that it accepts",
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer passes the panic by value"
)]
fn caught_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    let problem = Problem::internal(format!("panicked: {text}"))
        .with_header(header::CONNECTION, HeaderValue::from_static("close"));
    problem.into_response()
}
