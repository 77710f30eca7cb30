//! One line a minute about all requests, most of which have no line of their own.

use std::fmt::Write as _;

use tokio::time::Instant;

use super::{context::milliseconds, flood::Ended};
use crate::metrics::Metrics;

/// Routes that are named in one line.
const MAX_ROUTES: usize = 20;

/// Logs how many requests each route has answered since this was last called, and which was the
/// slowest; nothing when there was none.
pub fn report_requests(metrics: &Metrics) {
    for ended in metrics.floods.take_ended(Instant::now()) {
        report_flood(&ended);
    }
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

/// Logs how often a refusal came after its last line.
fn report_flood(ended: &Ended) {
    let Ended {
        route,
        key,
        repeated,
    } = ended;
    tracing::info!(
        http.route = &**route.template(),
        problem.code = key.code.as_str(),
        limit = key.limit,
        widget.id = key.widget.map(tracing::field::display),
        repeated,
        "request refused as before"
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use widget_api::ProblemCode;

    use super::{
        super::{capture::Lines, flood::Key},
        *,
    };
    use crate::web::problem::Problem;

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_flood_has_a_line() {
        let (lines, metrics) = (Lines::capture(), Metrics::default());
        let route = metrics.requests.route(Some("/core/agents"));
        let problem = Problem::new(ProblemCode::RateLimited, "Wait.");
        for _ in 0..4 {
            let key = Key::new(&route, &problem, None);
            let _ = metrics.floods.admit(key, &route, Instant::now());
        }
        report_requests(&metrics);
        assert_eq!(lines.take(), "");
        tokio::time::advance(Duration::from_secs(10)).await;
        report_requests(&metrics);
        let line = lines.take();
        for part in [
            "request refused as before",
            "http.route=\"/core/agents\"",
            "problem.code=\"rate_limited\"",
            "repeated=3",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        report_requests(&metrics);
        assert_eq!(lines.take(), "");
    }
}
