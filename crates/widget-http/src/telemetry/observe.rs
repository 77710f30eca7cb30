//! The outermost layer: it knows the numbers of its route after the first request, so that none is
//! looked up later.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request},
    response::Response,
};
use http::Extensions;
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

use super::{
    context::{REQUEST, RequestContext, RequestIds, incoming_id},
    trace::RequestTrace,
};
use crate::{
    metrics::{Metrics, Route},
    system::RandomSource,
    web::caller::Callers,
};

/// Gives each request an id, completes error answers, counts, and writes log lines.
#[derive(Clone)]
pub struct ObserveLayer(Arc<Observer>);

struct Observer {
    ids: RequestIds,
    metrics: Arc<Metrics>,
    callers: Arc<Callers>,
}

impl std::fmt::Debug for ObserveLayer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ObserveLayer")
            .finish_non_exhaustive()
    }
}

impl ObserveLayer {
    /// Counts with `metrics`.
    #[must_use]
    pub fn new(random: &dyn RandomSource, metrics: Arc<Metrics>, callers: Arc<Callers>) -> Self {
        Self(Arc::new(Observer {
            ids: RequestIds::new(random),
            metrics,
            callers,
        }))
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe {
            inner,
            observer: Arc::clone(&self.0),
            route: Arc::default(),
        }
    }
}

/// A service whose requests are observed.
#[derive(Clone)]
pub struct Observe<S> {
    inner: S,
    observer: Arc<Observer>,
    /// The route of this service: the router surrounds each of its routes on its own.
    route: Arc<OnceLock<Arc<Route>>>,
}

impl<S> std::fmt::Debug for Observe<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Observe").finish_non_exhaustive()
    }
}

impl<S> Observe<S> {
    fn route(&self, extensions: &Extensions) -> Arc<Route> {
        let template = extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let find = || self.observer.metrics.requests.route(template);
        let route = self.route.get_or_init(find);
        if route.is(template) {
            Arc::clone(route)
        } else {
            find()
        }
    }

    fn begin(&self, request: &Request) -> RequestContext {
        let (headers, extensions) = (request.headers(), request.extensions());
        let peer = peer_of(extensions);
        RequestContext {
            id: incoming_id(headers).unwrap_or_else(|| self.observer.ids.next()),
            route: self.route(extensions),
            method: request.method().into(),
            caller: self.observer.callers.find(peer, headers),
            metrics: Arc::clone(&self.observer.metrics),
            widget: OnceLock::new(),
            organization: OnceLock::new(),
            trace: RequestTrace::begin(headers, || self.observer.callers.trusts(peer)),
        }
    }
}

/// The other end of the connection.
pub(crate) fn peer_of(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv6Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip())
}

impl<S> Service<Request> for Observe<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Observed<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let started = Instant::now();
        let context = Arc::new(self.begin(&request));
        Observed {
            answer: REQUEST.scope(Arc::clone(&context), self.inner.call(request)),
            context,
            started,
        }
    }
}

pin_project! {
    /// An answer that is observed.
    pub struct Observed<F> {
        #[pin]
        answer: TaskLocalFuture<Arc<RequestContext>, F>,
        context: Arc<RequestContext>,
        started: Instant,
    }
}

impl<F> std::fmt::Debug for Observed<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Observed").finish_non_exhaustive()
    }
}

impl<F, E> Future for Observed<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.answer.poll(context))?;
        let request = &*this.context;
        let took = this.started.elapsed();
        let response = REQUEST.sync_scope(Arc::clone(request), || request.finish(response, took));
        Poll::Ready(Ok(response))
    }
}
