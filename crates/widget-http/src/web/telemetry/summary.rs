//! One line a minute about all requests, most of which have no line of their own.

use std::fmt::Write as _;

use super::milliseconds;
use crate::metrics::Metrics;

/// Routes that are named in one line.
const MAX_ROUTES: usize = 20;

/// Logs how many requests each route has answered since this was last called, and which was the
/// slowest; nothing when there was none.
pub fn report_requests(metrics: &Metrics) {
    let mut recent = metrics.requests.take_recent();
    let Some(slowest) = recent.first() else {
        return;
    };
    let count: u64 = recent.iter().map(|route| route.count).sum();
    let failed: u64 = recent.iter().map(|route| route.failed).sum();
    let (method, template) = (slowest.method, slowest.route.template().clone());
    let took = milliseconds(slowest.slowest);
    recent.sort_by_key(|route| std::cmp::Reverse(route.count));
    let mut routes = String::new();
    for route in recent.iter().take(MAX_ROUTES) {
        let separator = if routes.is_empty() { "" } else { ", " };
        let (method, template) = (route.method, route.route.template());
        // Writing to memory does not fail.
        let _ = write!(routes, "{separator}{method} {template} {}", route.count);
        if route.failed > 0 {
            let _ = write!(routes, " ({} problems)", route.failed);
        }
    }
    tracing::info!(
        requests = count,
        problems = failed,
        routes,
        slowest.route = format!("{method} {template}"),
        slowest.milliseconds = took,
        "requests of the last minute"
    );
}
