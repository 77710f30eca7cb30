//! Reads every number of the process, and asks the database for those that only it has.

use std::sync::Arc;

use tracing_appender::non_blocking::ErrorCounter;
use widget_api::health::{
    DatabasePart, DiskPart, LiveKitPart, MigrationsPart, Readiness, ReadinessStatus,
};
use widget_core::conversation::Status;

use super::{
    catalog::Metric,
    process,
    snapshot::{LabelValue, Snapshot},
};
use crate::{
    readiness,
    state::AppState,
    storage::{SweepPosition, deadline::share_time},
    telemetry::trace,
    web::connections::Connections,
};

/// Everything that is measured.
#[derive(Debug, Clone)]
pub struct Scrape {
    state: AppState,
    connections: Option<Arc<Connections>>,
    log: Option<ErrorCounter>,
}

impl Scrape {
    /// What these services count.
    #[must_use]
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            connections: None,
            log: None,
        }
    }

    /// Adds the connections of the public listener.
    #[must_use]
    pub fn with_connections(mut self, connections: Arc<Connections>) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Adds the lines that the log has dropped.
    #[must_use]
    pub fn with_log(mut self, dropped: ErrorCounter) -> Self {
        self.log = Some(dropped);
        self
    }

    /// The text of all metrics in the format of Prometheus.
    ///
    /// # Errors
    /// Never for lack of anything that is measured: what does not answer is left out.
    pub async fn text(&self) -> Result<String, std::fmt::Error> {
        self.read().await.into_text(false)
    }

    pub(super) async fn read(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let version = LabelValue::of(env!("CARGO_PKG_VERSION"));
        snapshot.count(Metric::BuildInfo, [version], 1);
        let Self { state, .. } = self;
        state.metrics.requests.write(&mut snapshot);
        state.metrics.decisions.write(&mut snapshot);
        state.metrics.limits.write(&mut snapshot);
        state.storage.meters().write(&mut snapshot);
        for pool in state.storage.pools() {
            pool.write(&mut snapshot);
        }
        let widgets = LabelValue::of("widgets");
        state.public_widgets.write_metrics(&mut snapshot, &widgets);
        let builds = LabelValue::of("embed_builds");
        state.embed_builds.write_metrics(&mut snapshot, &builds);
        if let Some(livekit) = &state.livekit {
            livekit.meters().write(&mut snapshot);
        }
        if let Some(directory) = &state.agent_directory {
            directory.meters().write(&mut snapshot);
        }
        state.event_streams.write_metrics(&mut snapshot);
        let dropped = trace::dropped_spans();
        snapshot.count(Metric::TraceSpansDropped, [], dropped);
        self.write_connections(&mut snapshot);
        if let Some(log) = &self.log {
            let dropped = log.dropped_lines().try_into().unwrap_or(u64::MAX);
            snapshot.count(Metric::LogLinesDropped, [], dropped);
        }
        process::write(&mut snapshot);
        // All questions together have the time of one request, so that a silent database does not
        // hold up the numbers that say so.
        share_time(self.ask_database(&mut snapshot)).await;
        snapshot
    }

    fn write_connections(&self, snapshot: &mut Snapshot) {
        let Some(connections) = &self.connections else {
            return;
        };
        let counts = connections.counts();
        let open = counts.open.try_into().unwrap_or(u64::MAX);
        snapshot.count(Metric::ConnectionsOpen, [], open);
        for (reason, count) in [("evicted", counts.evicted), ("timed_out", counts.timed_out)] {
            let reason = LabelValue::of(reason);
            snapshot.count(Metric::ConnectionsClosed, [reason], count);
        }
        snapshot.count(Metric::ConnectionsRefused, [], counts.refused);
    }

    async fn ask_database(&self, snapshot: &mut Snapshot) {
        let Self { state, .. } = self;
        let (storage, livekit) = (state.storage.as_ref(), state.livekit.as_ref());
        let report = readiness::report(&state.drain, storage, livekit).await;
        write_readiness(report, snapshot);
        if report.parts.database != DatabasePart::Ok {
            return;
        }
        let now = state.now();
        let first = SweepPosition::default();
        if let Ok(due) = state.storage.find_due_conversations(now, &first, 1).await {
            let due_at = due.next.and_then(|oldest| oldest.due_at());
            let late = due_at.map_or(time::Duration::ZERO, |due_at| now - due_at);
            snapshot.real(Metric::OldestDue, [], late.as_seconds_f64().max(0.0));
        }
        if let Ok(open) = state.storage.count_open_conversations().await {
            let statuses = Status::ALL.iter().filter(|status| !status.is_terminal());
            for status in statuses {
                let count = open.iter().find(|(other, _)| other == status);
                let count = count.map_or(0, |(_, count)| *count);
                let count = count.try_into().unwrap_or(0);
                let label = LabelValue::of(status.as_str());
                snapshot.count(Metric::ConversationsOpen, [label], count);
            }
        }
        if let Ok(rooms) = state.storage.count_rooms_to_remove().await {
            snapshot.count(Metric::RoomsToRemove, [], rooms.try_into().unwrap_or(0));
        }
        if let Ok(jobs) = state.storage.count_erasure_jobs().await {
            snapshot.count(Metric::ErasureJobs, [], jobs.try_into().unwrap_or(0));
        }
    }
}

/// One value for each state that a part can have.
fn write_readiness(report: Readiness, snapshot: &mut Snapshot) {
    macro_rules! part {
        ($name:literal, $type:ident, $state:expr) => {
            for state in $type::ALL {
                let labels = [$name, state.as_str()].map(LabelValue::of);
                snapshot.count(Metric::Readiness, labels, u64::from(*state == $state));
            }
        };
    }
    part!("node", ReadinessStatus, report.status);
    part!("database", DatabasePart, report.parts.database);
    part!("migrations", MigrationsPart, report.parts.migrations);
    part!("livekit", LiveKitPart, report.parts.livekit);
    part!("disk", DiskPart, report.parts.disk);
}
