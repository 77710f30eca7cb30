//! Requests by route: numbers whose places are known before a request is answered.

use std::{
    array,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use widget_api::ProblemCode;
use widget_core::choices;

use super::{
    catalog::Metric,
    histogram::Histogram,
    snapshot::{LabelValue, Snapshot},
};
use crate::web::problem::status;

/// What stands for the route of a request whose path is none of the service's.
const UNMATCHED: &str = "unmatched";

choices! {
    /// The method of a request, as a label.
    pub enum MethodLabel {
        /// `GET`
        Get = "GET",
        /// `HEAD`
        Head = "HEAD",
        /// `POST`
        Post = "POST",
        /// `PUT`
        Put = "PUT",
        /// `PATCH`
        Patch = "PATCH",
        /// `DELETE`
        Delete = "DELETE",
        /// `OPTIONS`
        Options = "OPTIONS",
        /// Any other, also one that somebody made up.
        Other = "other",
    }
}

impl From<&Method> for MethodLabel {
    fn from(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::OPTIONS => Self::Options,
            _ => Self::Other,
        }
    }
}

/// Statuses of answers that are not problems.
const STATUSES: [(u16, &str); 10] = [
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (204, "204"),
    (206, "206"),
    (303, "303"),
    (304, "304"),
    (307, "307"),
    (308, "308"),
    (503, "503"),
];

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer that is not a problem.
    Answered(StatusCode),
    /// A problem.
    Refused(ProblemCode),
}

const OUTCOMES: usize = STATUSES.len() + 1 + ProblemCode::ALL.len();

impl Outcome {
    fn place(self) -> usize {
        match self {
            Self::Answered(status) => {
                let known = STATUSES.iter();
                let mut known = known.map(|(code, _)| *code);
                let place = known.position(|code| code == status.as_u16());
                place.unwrap_or(STATUSES.len())
            }
            Self::Refused(code) => STATUSES.len() + 1 + code as usize,
        }
    }
}

/// Names of status and code for each place.
fn label_values(place: usize) -> [LabelValue; 2] {
    let (status, code) = match place.checked_sub(STATUSES.len() + 1) {
        None => (STATUSES.get(place).map_or("other", |known| known.1), ""),
        Some(place) => {
            let code = ProblemCode::ALL[place];
            (status_text(status(code)), code.as_str())
        }
    };
    [LabelValue::of(status), LabelValue::of(code)]
}

/// The text of a status that a problem can have.
fn status_text(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        405 => "405",
        408 => "408",
        409 => "409",
        410 => "410",
        412 => "412",
        413 => "413",
        415 => "415",
        422 => "422",
        429 => "429",
        431 => "431",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        _ => "other",
    }
}

/// All routes that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    routes: Mutex<BTreeMap<Arc<str>, Arc<Route>>>,
}

impl Requests {
    /// The route with this template; without one, what stands for all other paths. `template` is
    /// one that the router has matched, of which there is a fixed number.
    pub(crate) fn route(&self, template: Option<&str>) -> Arc<Route> {
        let template = template.unwrap_or(UNMATCHED);
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(template) {
            return Arc::clone(route);
        }
        let route = Arc::new(Route::new(template));
        routes.insert(Arc::clone(&route.template), Arc::clone(&route));
        route
    }

    fn all(&self) -> Vec<Arc<Route>> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.values().cloned().collect()
    }

    /// What was answered since this was last asked, the slowest answer first.
    pub(crate) fn take_recent(&self) -> Vec<Recent> {
        let mut recent: Vec<Recent> = Vec::new();
        for route in self.all() {
            for (method, counted) in route.methods() {
                if let Some((count, failed, slowest)) = counted.take_recent() {
                    recent.push(Recent {
                        route: Arc::clone(&route),
                        method,
                        count,
                        failed,
                        slowest,
                    });
                }
            }
        }
        recent.sort_by_key(|recent| std::cmp::Reverse(recent.slowest));
        recent
    }

    pub(super) fn write(&self, snapshot: &mut Snapshot) {
        for route in self.all() {
            for (method, counted) in route.methods() {
                let labels = || {
                    [
                        LabelValue::of_template(route.template()),
                        LabelValue::of(method.as_str()),
                    ]
                };
                for (place, count) in counted.counts.iter().enumerate() {
                    let count = count.load(Relaxed);
                    if count > 0 {
                        let ([route, method], [status, code]) = (labels(), label_values(place));
                        let labels = [route, method, status, code];
                        snapshot.count(Metric::Requests, labels, count);
                    }
                }
                snapshot.times(Metric::RequestDuration, labels(), &counted.duration);
            }
        }
    }
}

/// What one method of one route has answered lately.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) route: Arc<Route>,
    pub(crate) method: MethodLabel,
    pub(crate) count: u64,
    /// How many of them were problems.
    pub(crate) failed: u64,
    pub(crate) slowest: Duration,
}

/// The requests of one route.
#[derive(Debug)]
pub(crate) struct Route {
    template: Arc<str>,
    is_routine: bool,
    methods: [OnceLock<Arc<RouteMethod>>; MethodLabel::ALL.len()],
}

impl Route {
    fn new(template: &str) -> Self {
        // Asked for by every page, and by LiveKit for every conversation.
        let routine = ["/core/public/", "/public/", "/core/livekit/"];
        Self {
            template: template.into(),
            is_routine: routine.iter().any(|prefix| template.starts_with(prefix)),
            methods: array::from_fn(|_| OnceLock::new()),
        }
    }

    /// Its path, with parameters in braces.
    pub(crate) fn template(&self) -> &Arc<str> {
        &self.template
    }

    /// Whether it is this template; no template stands for every path without a route.
    pub(crate) fn is(&self, template: Option<&str>) -> bool {
        *self.template == *template.unwrap_or(UNMATCHED)
    }

    /// Whether it is asked for so often that its successes are not logged one by one.
    pub(crate) fn is_routine(&self) -> bool {
        self.is_routine
    }

    /// The numbers of one method.
    pub(crate) fn method(&self, method: MethodLabel) -> &Arc<RouteMethod> {
        self.methods[method as usize].get_or_init(Arc::default)
    }

    fn methods(&self) -> impl Iterator<Item = (MethodLabel, &Arc<RouteMethod>)> {
        let counted = self.methods.iter().zip(MethodLabel::ALL);
        counted.filter_map(|(counted, method)| Some((*method, counted.get()?)))
    }
}

/// The requests of one method of one route.
#[derive(Debug)]
pub(crate) struct RouteMethod {
    counts: [AtomicU64; OUTCOMES],
    duration: Histogram,
    /// Nanoseconds of the slowest one since it was last asked for.
    slowest: AtomicU64,
    /// All and the problems among them when that was last asked for.
    reported: [AtomicU64; 2],
}

impl Default for RouteMethod {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; OUTCOMES],
            duration: Histogram::default(),
            slowest: AtomicU64::default(),
            reported: Default::default(),
        }
    }
}

impl RouteMethod {
    /// Counts an answer.
    pub(crate) fn count(&self, outcome: Outcome, took: Duration) {
        self.counts[outcome.place()].fetch_add(1, Relaxed);
        self.duration.observe(took);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // Rarely true, so that it is rarely written.
        if nanoseconds > self.slowest.load(Relaxed) {
            self.slowest.fetch_max(nanoseconds, Relaxed);
        }
    }

    fn take_recent(&self) -> Option<(u64, u64, Duration)> {
        let sum = |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Relaxed)).sum();
        let (answered, refused) = self.counts.split_at(STATUSES.len() + 1);
        let refused: u64 = sum(refused);
        let all = sum(answered) + refused;
        let slowest = self.slowest.swap(0, Relaxed);
        let all_before = self.reported[0].swap(all, Relaxed);
        let refused_before = self.reported[1].swap(refused, Relaxed);
        let recent = (
            all.saturating_sub(all_before),
            refused.saturating_sub(refused_before),
            Duration::from_nanos(slowest),
        );
        (recent.0 > 0).then_some(recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_problem_has_a_text() {
        for code in ProblemCode::ALL {
            assert_eq!(status_text(status(*code)), status(*code).as_str());
        }
        for (status, text) in STATUSES {
            assert_eq!(status.to_string(), text);
        }
    }

    #[test]
    fn each_outcome_has_a_place_of_its_own() {
        let statuses = STATUSES.iter().map(|(status, _)| *status).chain([299]);
        let statuses = statuses.filter_map(|status| StatusCode::from_u16(status).ok());
        let problems = ProblemCode::ALL.iter().copied().map(Outcome::Refused);
        let outcomes = statuses.map(Outcome::Answered).chain(problems);
        let places: Vec<usize> = outcomes.map(Outcome::place).collect();
        assert_eq!(places, (0..OUTCOMES).collect::<Vec<_>>());
    }
}
