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
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use widget_api::ProblemCode;

use crate::{storage::deadline::share_time, telemetry, web::problem::Problem};

/// Time from the head of a request to that of its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a handler waits for its client; nothing when there is no body to wait for.
pub(crate) struct UploadState(Option<Arc<AtomicBool>>);

/// Has the body of a request say whether the handler waits for the client.
pub(crate) fn watch_upload(request: Request) -> (Request, UploadState) {
    if request.body().is_end_stream() {
        return (request, UploadState(None));
    }
    let is_waiting = Arc::new(AtomicBool::new(false));
    let upload = UploadState(Some(Arc::clone(&is_waiting)));
    let request = request.map(|body| Body::new(Upload { body, is_waiting }));
    (request, upload)
}

/// The work of a handler, with what says why it is late.
pub(crate) struct Work<F> {
    handler: Pin<Box<F>>,
    upload: UploadState,
}

/// Prepares the work of a handler; nothing is done before it is awaited.
pub(crate) fn prepare<F: Future<Output = Response>>(
    handler: F,
    upload: UploadState,
) -> Work<impl Future<Output = Response>> {
    let handler = Box::pin(share_time(handler));
    Work { handler, upload }
}

impl<F: Future<Output = Response> + Send + 'static> Work<F> {
    /// Does the work; answers 408 or 503 if it takes too long.
    ///
    /// Every handler that waits for something runs in a task of its own, so that it is not dropped
    /// with the connection or at the deadline. It ends soon after: reading the body fails, and
    /// storage has its own deadline. An answer that is in memory needs no task.
    pub(crate) async fn answer_in_time(mut self, running: &RunningRequests) -> Response {
        // Nothing is awaited between here and the task, so that nothing begun can be dropped.
        let first = poll_fn(|context| Poll::Ready(self.handler.as_mut().poll(context)));
        match first.await {
            Poll::Ready(response) => response,
            Poll::Pending => Box::pin(self.in_a_task(running.begin())).await,
        }
    }

    async fn in_a_task(self, running: RunningRequest) -> Response {
        let Self { handler, upload } = self;
        let work = tokio::spawn(telemetry::carry(async move {
            let response = handler.await;
            drop(running);
            response
        }));
        let is_waiting = || {
            upload
                .0
                .is_some_and(|waiting| waiting.load(Ordering::Relaxed))
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, work).await {
            Ok(Ok(response)) => response,
            Ok(Err(failed)) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down.
                Err(_) => answer_too_slow().into_response(),
            },
            Err(_) if is_waiting() => upload_too_slow().into_response(),
            Err(_) => answer_too_slow().into_response(),
        }
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
    use http::StatusCode;
    use http_body_util::channel::Channel;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Status and code of the answer of a handler that reads the body and then works so long, and
    /// how long it took.
    async fn ask(body: Body, work: u64) -> (StatusCode, Option<ProblemCode>, Duration) {
        let started = Instant::now();
        let request = Request::post("/").body(body).expect("a request");
        let (request, upload) = watch_upload(request);
        let handler = async move {
            let read = axum::body::to_bytes(request.into_body(), usize::MAX).await;
            read.expect("all of it");
            sleep(Duration::from_secs(work)).await;
            Response::default()
        };
        let work = prepare(handler, upload);
        let mut response = work.answer_in_time(&RunningRequests::default()).await;
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
