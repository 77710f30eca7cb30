//! One connection: what it is doing, and when it has done that for too long.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::ConnectInfo,
};
use http::Request;
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    time::{Instant, sleep_until},
};
use tower::Service as _;

use super::{
    limits::{HEAD_TIMEOUT, IDLE_TIMEOUT, MAX_HEAD_BYTES, STALL_TIMEOUT},
    registry::Slot,
};
use crate::web::caller::AddressPrefix;

/// Serves one connection to its end.
pub(super) async fn serve<I>(
    io: I,
    peer: SocketAddr,
    router: Router,
    slot: Slot,
    mut stopped: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let slot = &slot;
    let service = service_fn(|mut request: Request<Incoming>| {
        let running = slot.begin_request().then(|| Running::new(&activity));
        request.extensions_mut().insert(ConnectInfo(peer));
        // A router is always ready.
        let answer = running.map(|running| (running, router.clone().call(request.map(body_of))));
        async move {
            let (running, answer) = answer.ok_or(Evicted)?;
            let Ok(response) = answer.await;
            Ok::<_, Evicted>(response.map(|body| AnswerBody { body, running }))
        }
    });
    let io = WatchedIo {
        io,
        activity: Arc::clone(&activity),
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // It would close idle connections as well: `Activity` knows the difference.
        .header_read_timeout(None)
        // Above the limits of `web::head`, whose answers pages can read.
        .max_header_size(2 * MAX_HEAD_BYTES)
        .max_buf_size(4 * MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    let end = tokio::select! {
        biased;
        () = slot.evicted() => End::Evicted,
        end = drive(connection.as_mut(), &activity, slot) => end,
        () = is_true(&mut stopped) => {
            if activity.is_running() {
                connection.as_mut().graceful_shutdown();
                drive(connection.as_mut(), &activity, slot).await
            } else {
                End::Stopped
            }
        }
    };
    if end == End::TimedOut {
        slot.count_timeout();
    }
    tracing::debug!(peer.prefix = AddressPrefix::to_log(peer.ip()), end = ?end, "connection ended");
}

/// What most requests have is no body: that needs no allocation.
fn body_of(body: Incoming) -> Body {
    if body.is_end_stream() {
        Body::empty()
    } else {
        Body::new(body)
    }
}

/// Resolves when the value becomes true, or when nobody is left to change it.
pub(super) async fn is_true(value: &mut watch::Receiver<bool>) {
    let _ = value.wait_for(|value| *value).await;
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// One side closed it in order, or what the client sent is not HTTP.
    Closed,
    TimedOut,
    Evicted,
    Stopped,
}

/// Moves the connection on until it ends or has done one thing for too long.
async fn drive<C: Future>(mut connection: Pin<&mut C>, activity: &Activity, slot: &Slot) -> End {
    let mut timer = pin!(sleep_until(Instant::now() + HEAD_TIMEOUT));
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(End::Closed);
        }
        if activity.settle() {
            slot.end_request();
        }
        while let Some(deadline) = activity.deadline() {
            // With each request the deadline moves on: one that is looked at too early now and then
            // costs less than setting the timer each time.
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(context));
            if deadline <= timer.deadline() {
                return Poll::Ready(End::TimedOut);
            }
        }
        Poll::Pending
    })
    .await
}

/// The connection's place was given to another before its request began.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed to make room for another")]
struct Evicted;

/// What a connection is doing, as seen by all who take part in it.
#[derive(Debug)]
struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the client accepts nothing.
    stalled: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The head of a request is due since then.
    Head(Instant),
    /// A request is being answered; how long that may take is decided elsewhere.
    Request,
    /// The answer is complete, but some of it may be unsent.
    Answered,
    /// Nothing is due.
    Idle(Instant),
}

impl Activity {
    fn new() -> Self {
        Self(Mutex::new(State {
            phase: Phase::Head(Instant::now()),
            stalled: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_running(&self) -> bool {
        matches!(self.lock().phase, Phase::Request | Phase::Answered)
    }

    /// The connection becomes idle when the whole answer is sent; whether it just did.
    fn settle(&self) -> bool {
        let mut state = self.lock();
        let is_sent = matches!(state.phase, Phase::Answered) && state.stalled.is_none();
        if is_sent {
            state.phase = Phase::Idle(Instant::now());
        }
        is_sent
    }

    fn deadline(&self) -> Option<Instant> {
        let state = self.lock();
        let of_phase = match state.phase {
            Phase::Head(since) => Some(since + HEAD_TIMEOUT),
            Phase::Idle(since) => Some(since + IDLE_TIMEOUT),
            Phase::Request | Phase::Answered => None,
        };
        let of_stall = state.stalled.map(|since| since + STALL_TIMEOUT);
        of_phase.into_iter().chain(of_stall).min()
    }

    fn received(&self) {
        let mut state = self.lock();
        if let Phase::Idle(_) = state.phase {
            state.phase = Phase::Head(Instant::now());
        }
    }

    fn sent<T>(&self, outcome: &Poll<T>) {
        let mut state = self.lock();
        match outcome {
            Poll::Ready(_) => state.stalled = None,
            Poll::Pending if state.stalled.is_none() => state.stalled = Some(Instant::now()),
            Poll::Pending => {}
        }
    }
}

/// A request is being answered as long as this lives.
#[derive(Debug)]
struct Running(Arc<Activity>);

impl Running {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.lock().phase = Phase::Request;
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().phase = Phase::Answered;
    }
}

/// The body of an answer, which is complete when hyper drops it.
struct AnswerBody {
    body: Body,
    #[expect(dead_code, reason = "ends the request when dropped")]
    running: Running,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that says when bytes arrive and when the client accepts none.
struct WatchedIo<I> {
    io: I,
    activity: Arc<Activity>,
}

impl<I: AsyncRead + Unpin> AsyncRead for WatchedIo<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WatchedIo<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(context, bytes);
        self.activity.sent(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.activity.sent(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
