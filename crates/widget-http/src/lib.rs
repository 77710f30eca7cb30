//! The web widget service as a library: [`router`] answers every request, so that a test needs no
//! socket.
//!
//! A handler extracts, calls `widget_core`, calls [`storage`], answers; every error becomes a
//! [`web::problem::Problem`].

#![expect(
    clippy::duplicate_mod,
    reason = "the SQL below `storage` is one text, compiled once for each driver"
)]

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{FromRef, Request},
    response::{IntoResponse, Response},
    routing::Route,
};
use futures_util::FutureExt as _;
use http::{HeaderValue, header};
use tower::{Service, layer::layer_fn, service_fn};

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
    let own = Arc::new(Surround {
        state: state.clone(),
        readable: ReadablePaths::of(&operations),
    });
    routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(method_not_allowed)
        // Outermost first.
        .layer((observe, layer_fn(move |route| surround(&own, route))))
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
struct Surround {
    state: AppState,
    readable: ReadablePaths,
}

/// Surrounds a route with everything but what is observed. One service for all of it: each layer of
/// its own costs every request some allocations.
fn surround(
    own: &Arc<Surround>,
    mut route: Route,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ use<> {
    let own = Arc::clone(own);
    service_fn(move |request: Request| {
        let own = Arc::clone(&own);
        let readers = own.readable.readers_of(&request);
        let folder = routes::Folder::of(request.uri().path());
        let work = web::head::require_bounded(&request).map(|()| {
            let (request, upload) = web::deadline::watch_upload(request);
            let answer = AssertUnwindSafe(route.call(request)).catch_unwind();
            let answer = answer.map(|answer| match answer {
                Ok(Ok(response)) => response,
                Err(panic) => caught_panic(panic),
            });
            web::deadline::prepare(answer, upload)
        });
        async move {
            let mut response = match work {
                Ok(work) => work.answer_in_time(&own.state.running).await,
                Err(problem) => problem.into_response(),
            };
            readers.admit_to(&mut response);
            folder.complete(response.headers_mut());
            if own.state.drain.has_begun() {
                // Sends clients to another node once this one is about to stop: a connection that
                // is kept open would be cut off later.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok(response)
        }
    })
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
