//! How long a request may take until its answer begins, its upload included.
//!
//! What comes after that has no deadline of its own: downloads and event streams may last as long
//! as the client accepts them.
//!
//! What a request has begun runs to its end, also when the client does not wait for the answer: a
//! write is never given up halfway.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use widget_api::ProblemCode;

use crate::{storage::deadline::share_time, telemetry, web::problem::Problem};

/// Time from the head of a request to that of its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers 408 or 503 for a request that takes too long.
///
/// Every handler that waits for something runs in a task of its own, so that it is not dropped with
/// the connection or at the deadline. It ends soon after: reading the body fails, and storage has
/// its own deadline. An answer that is in memory needs no task.
pub(crate) async fn answer_in_time(
    State(running): State<RunningRequests>,
    request: Request,
    next: Next,
) -> Response {
    let is_waiting = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Upload {
            body,
            is_waiting: Arc::clone(&is_waiting),
        })
    });
    let mut work = Box::pin(share_time(next.run(request)));
    // Nothing is awaited between here and the task, so that nothing begun can be dropped.
    let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
    if let Poll::Ready(response) = first.await {
        return response;
    }
    let running = running.begin();
    let work = async move {
        let response = work.await;
        drop(running);
        response
    };
    let work = tokio::spawn(telemetry::carry(work));
    match tokio::time::timeout(ANSWER_TIMEOUT, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(failed)) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => answer_too_slow().into_response(),
        },
        Err(_) if is_waiting.load(Ordering::Relaxed) => upload_too_slow().into_response(),
        Err(_) => answer_too_slow().into_response(),
    }
}

/// How many handlers run, also of clients that are gone.
#[derive(Debug, Clone, Default)]
pub struct RunningRequests(Arc<Running>);

#[derive(Debug, Default)]
struct Running {
    count: AtomicUsize,
    /// Whether somebody waits for the end of all: before, a request only counts.
    is_draining: AtomicBool,
    ended: Notify,
}

impl RunningRequests {
    fn begin(&self) -> RunningRequest {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        RunningRequest(Arc::clone(&self.0))
    }

    /// Returns once none runs.
    pub async fn ended(&self) {
        // Here and in `drop` in one order that all see: either this reads that the last one has
        // ended, or the last one reads that somebody waits.
        self.0.is_draining.store(true, Ordering::SeqCst);
        let running = self.0.count.load(Ordering::SeqCst);
        if running > 0 {
            tracing::info!(
                requests.running = running,
                "waiting for what clients began that have hung up"
            );
        }
        loop {
            let ended = self.0.ended.notified();
            if self.0.count.load(Ordering::SeqCst) == 0 {
                break;
            }
            ended.await;
        }
    }
}

/// A handler runs as long as this lives.
struct RunningRequest(Arc<Running>);

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let is_last = self.0.count.fetch_sub(1, Ordering::SeqCst) == 1;
        if is_last && self.0.is_draining.load(Ordering::SeqCst) {
            self.0.ended.notify_waiters();
        }
    }
}

fn upload_too_slow() -> Problem {
    // Otherwise the rest of the body would have to be read before the next request.
    Problem::body_timeout().with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

fn answer_too_slow() -> Problem {
    Problem::new(
        ProblemCode::AnswerTimeout,
        "the service did not answer within 30 s; the request may or may not have been carried out",
    )
}

/// The body of a request, which says whether the handler waits for the client.
struct Upload {
    body: Body,
    is_waiting: Arc<AtomicBool>,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.is_waiting.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn_with_state, routing::post};
    use http::StatusCode;
    use http_body_util::channel::Channel;
    use tokio::time::{Instant, sleep};
    use tower::ServiceExt;

    use super::*;

    /// Status and code of the answer of a handler that reads the body and then works so long, and
    /// how long it took.
    async fn ask(body: Body, work: u64) -> (StatusCode, Option<ProblemCode>, Duration) {
        let handler = post(async move |_: Bytes| sleep(Duration::from_secs(work)).await);
        let router = Router::new().route("/", handler).layer(from_fn_with_state(
            RunningRequests::default(),
            answer_in_time,
        ));
        let started = Instant::now();
        let request = Request::post("/").body(body).expect("a request");
        let Ok(mut response) = router.oneshot(request).await;
        let problem = response.extensions_mut().remove::<Problem>();
        let code = problem.map(|problem| problem.code());
        (response.status(), code, started.elapsed())
    }

    /// A body that arrives in pieces, ten seconds apart.
    fn slow(pieces: u64) -> Body {
        let (mut sender, body) = Channel::<Bytes, axum::Error>::new(1);
        tokio::spawn(async move {
            for _ in 0..pieces {
                sleep(Duration::from_secs(10)).await;
                if sender.send_data(Bytes::from_static(b"x")).await.is_err() {
                    break;
                }
            }
        });
        Body::new(body)
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_awaited_of_all_that_run() {
        let running = RunningRequests::default();
        running.ended().await;
        let (first, second) = (running.begin(), running.begin());
        let ended = tokio::spawn(async move { running.ended().await });
        tokio::task::yield_now().await;
        drop(first);
        tokio::task::yield_now().await;
        assert!(!ended.is_finished());
        drop(second);
        let ended = tokio::time::timeout(Duration::from_secs(1), ended).await;
        ended.expect("it is woken").expect("it ends");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_begins_within_thirty_seconds_upload_included() {
        let seconds = Duration::from_secs;
        let done = (StatusCode::OK, None);
        let upload = (StatusCode::REQUEST_TIMEOUT, Some(ProblemCode::BodyTimeout));
        let answer = (
            StatusCode::SERVICE_UNAVAILABLE,
            Some(ProblemCode::AnswerTimeout),
        );
        for (pieces, work, (status, code), took) in [
            (0, 29, done, 29),
            (2, 9, done, 29),
            (2, 11, answer, 30),
            (0, 31, answer, 30),
            (4, 0, upload, 30),
        ] {
            let body = if pieces == 0 {
                Body::empty()
            } else {
                slow(pieces)
            };
            let expected = (status, code, seconds(took));
            assert_eq!(ask(body, work).await, expected, "{pieces} and {work}");
        }
    }
}
