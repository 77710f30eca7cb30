//! Of many identical refusals, one line each few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use widget_api::ProblemCode;
use widget_core::id::WidgetId;

use crate::{metrics::Route, web::problem::Problem};

/// Least time between two lines about the same refusal.
const INTERVAL: Duration = Duration::from_secs(10);

/// Kinds of refusals that are counted apart at once; with more, widgets are not.
const MAX_KINDS: usize = 1_000;

/// Refusals with the same key say the same to an operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Where the route is in memory, where each has one place.
    route: usize,
    pub(super) code: ProblemCode,
    pub(super) limit: Option<&'static str>,
    /// Only one that exists, so that inventing ids makes no new kinds.
    pub(super) widget: Option<WidgetId>,
}

impl Key {
    pub(super) fn new(route: &Arc<Route>, problem: &Problem, widget: Option<WidgetId>) -> Self {
        Self {
            route: Arc::as_ptr(route) as usize,
            code: problem.code(),
            limit: problem.limit(),
            widget,
        }
    }
}

/// When each kind of refusal was last logged, and how often it came since.
#[derive(Debug, Default)]
pub(crate) struct Floods(Mutex<HashMap<Key, Flood>>);

#[derive(Debug)]
struct Flood {
    route: Arc<Route>,
    logged_at: Instant,
    repeated: u64,
}

/// What was not logged of a flood that is over.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) route: Arc<Route>,
    pub(super) key: Key,
    pub(super) repeated: u64,
}

impl Floods {
    /// Whether to log this one: how many of the same came since the last line, or nothing when that
    /// line is recent. A failure of the service's own is always logged: no two are the same.
    pub(super) fn admit(&self, mut key: Key, route: &Arc<Route>, now: Instant) -> Option<u64> {
        if key.code == ProblemCode::InternalError {
            return Some(0);
        }
        let mut floods = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if floods.len() >= MAX_KINDS && !floods.contains_key(&key) {
            floods.retain(|_, flood| now.duration_since(flood.logged_at) < INTERVAL);
            if floods.len() >= MAX_KINDS {
                key.widget = None;
            }
        }
        match floods.get_mut(&key) {
            Some(flood) if now.duration_since(flood.logged_at) < INTERVAL => {
                flood.repeated += 1;
                None
            }
            Some(flood) => {
                flood.logged_at = now;
                Some(std::mem::take(&mut flood.repeated))
            }
            None => {
                let (logged_at, repeated) = (now, 0);
                floods.insert(
                    key,
                    Flood {
                        route: Arc::clone(route),
                        logged_at,
                        repeated,
                    },
                );
                Some(0)
            }
        }
    }

    /// Forgets the floods that are over; those of which something was not logged.
    pub(super) fn take_ended(&self, now: Instant) -> Vec<Ended> {
        let mut floods = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = floods.extract_if(|_, flood| now.duration_since(flood.logged_at) >= INTERVAL);
        let unlogged = ended.filter(|(_, flood)| flood.repeated > 0);
        let ended = unlogged.map(|(key, flood)| Ended {
            route: flood.route,
            key,
            repeated: flood.repeated,
        });
        ended.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Requests;

    fn admit(floods: &Floods, key: Key, now: Instant) -> Option<u64> {
        floods.admit(key, &Requests::default().route(None), now)
    }

    fn key(code: ProblemCode, widget: u128) -> Key {
        Key {
            route: 0,
            code,
            limit: None,
            widget: Some(WidgetId::from_uuid(uuid::Uuid::from_u128(widget))),
        }
    }

    #[test]
    fn one_of_many_is_logged_each_interval() {
        let (floods, start) = (Floods::default(), Instant::now());
        let at = |code, seconds| {
            let now = start + Duration::from_secs(seconds);
            admit(&floods, key(code, 1), now)
        };
        let refused = ProblemCode::RateLimited;
        assert_eq!(at(refused, 0), Some(0));
        assert_eq!([at(refused, 1), at(refused, 9)], [None, None]);
        assert_eq!(at(ProblemCode::NotFound, 9), Some(0), "another one");
        assert_eq!(at(refused, 10), Some(2));
        assert_eq!(at(refused, 19), None);
        assert_eq!(at(ProblemCode::InternalError, 20), Some(0));
        assert_eq!(at(ProblemCode::InternalError, 20), Some(0));
    }

    #[test]
    fn the_end_of_a_flood_is_reported_once() {
        let (floods, start) = (Floods::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for (widget, count) in [(1, 3), (2, 1)] {
            for second in 0..count {
                let _ = admit(&floods, key(ProblemCode::RateLimited, widget), at(second));
            }
        }
        let ended = |seconds| {
            let ended = floods.take_ended(at(seconds)).into_iter();
            let ended = ended.map(|ended| (ended.key, ended.repeated));
            ended.collect::<Vec<_>>()
        };
        assert_eq!(ended(9), []);
        assert_eq!(ended(10), [(key(ProblemCode::RateLimited, 1), 2)]);
        assert_eq!(ended(20), []);
        let again = admit(&floods, key(ProblemCode::RateLimited, 1), at(20));
        assert_eq!(again, Some(0), "nothing is reported twice");
    }

    #[test]
    fn any_number_of_widgets_takes_bounded_memory() {
        let (floods, now) = (Floods::default(), Instant::now());
        let count = |now| {
            let widgets = 0..5 * MAX_KINDS as u128;
            let logged =
                widgets.filter_map(|id| admit(&floods, key(ProblemCode::NotFound, id), now));
            logged.count()
        };
        assert_eq!(count(now), MAX_KINDS + 1);
        let kinds = floods.0.lock().expect("nothing panics").len();
        assert_eq!(kinds, MAX_KINDS + 1);
        assert_eq!(
            count(now + INTERVAL),
            MAX_KINDS + 1,
            "the old ones are gone"
        );
    }
}
