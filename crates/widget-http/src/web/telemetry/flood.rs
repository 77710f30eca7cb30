//! Of many identical refusals, one line each few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

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
    code: ProblemCode,
    limit: Option<&'static str>,
    /// Only one that exists, so that inventing ids makes no new kinds.
    widget: Option<WidgetId>,
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
pub(super) struct Floods(Mutex<HashMap<Key, Flood>>);

#[derive(Debug)]
struct Flood {
    logged_at: Instant,
    repeated: u64,
}

impl Floods {
    /// Whether to log this one: how many of the same came since the last line, or nothing when that
    /// line is recent. A failure of the service's own is always logged: no two are the same.
    pub(super) fn admit(&self, mut key: Key, now: Instant) -> Option<u64> {
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
                        logged_at,
                        repeated,
                    },
                );
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            floods.admit(key(code, 1), now)
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
    fn any_number_of_widgets_takes_bounded_memory() {
        let (floods, now) = (Floods::default(), Instant::now());
        let count = |now| {
            let widgets = 0..5 * MAX_KINDS as u128;
            let logged = widgets.filter_map(|id| floods.admit(key(ProblemCode::NotFound, id), now));
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
