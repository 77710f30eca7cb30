//! Every metric of the service: its name, what it is, and what it means.

use prometheus_client::metrics::MetricType;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows; its name ends in `_total`.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// How many values were at most so large; its name is followed by `_bucket`, `_sum`, `_count`.
    Histogram,
}

impl Kind {
    pub(super) const fn as_type(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
        }
    }
}

macro_rules! metrics {
    ($($variant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// Every metric of the service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $(#[doc = $help] $variant,)*
        }

        impl Metric {
            /// All of them, in the order in which they are written.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name as it is written, for a histogram without what follows it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// What it means.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }

            /// The labels of each of its values.
            #[must_use]
            pub const fn labels(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($label),*],)* }
            }
        }
    };
}

metrics! {
    BuildInfo = Gauge "widget_build_info" ["version"] "The release that runs; always 1";
    Requests = Counter "widget_requests_total" ["route", "method", "status", "code"] "Requests that were answered; `code` is the code of the problem, if there is one";
    RequestDuration = Histogram "widget_request_duration_seconds" ["route", "method"] "Time from the head of a request to the head of its answer";
    Decisions = Counter "widget_decisions_total" ["code"] "Whether a widget serves a page: `served`, or the first reason why not";
    LimitRefusals = Counter "widget_limit_refusals_total" ["limit"] "Requests that were refused by a limit on rates or numbers";
    ConversationsStarted = Counter "widget_conversations_started_total" [] "Conversations that were started";
    ConversationsJoined = Counter "widget_conversations_joined_total" [] "Conversations that were joined for the first time";
    ConversationsResumed = Counter "widget_conversations_resumed_total" [] "Resumes of conversations";
    ConversationsEnded = Counter "widget_conversations_ended_total" ["status", "reason"] "Conversations that ended";
    ConversationsOpen = Gauge "widget_conversations_open" ["status"] "Open conversations: of `token_created` the visitor has not joined yet, of `in_progress` they have";
    ConversationsErased = Counter "widget_conversations_erased_total" ["cause"] "Conversations whose content was erased: `request` by a holder of a key, `job` by one that selected it, `retention` by its age";
    FirstAnswer = Histogram "widget_first_answer_seconds" [] "Time from the first join to the first message of the agent";
    OldestDue = Gauge "widget_oldest_due_conversation_seconds" [] "For how long a conversation has been due to be ended by its limits, the longest of all";
    RoomsToRemove = Gauge "widget_rooms_to_remove" [] "Rooms that are to be removed from LiveKit";
    ErasureJobs = Gauge "widget_erasure_jobs_open" [] "Jobs to erase conversations that are not done";
    Readiness = Gauge "widget_readiness" ["part", "state"] "What `/readyz` reports: 1 for the state of each part, 0 for the others";
    LiveKitCalls = Counter "widget_livekit_calls_total" ["call", "outcome"] "Calls to LiveKit";
    LiveKitCallDuration = Histogram "widget_livekit_call_duration_seconds" ["call"] "How long calls to LiveKit took";
    DirectoryQuestions = Counter "widget_agent_directory_questions_total" ["outcome"] "Questions to the agent directory; answers out of memory are none";
    DirectoryQuestionDuration = Histogram "widget_agent_directory_question_duration_seconds" [] "How long the agent directory took to answer";
    DatabaseConnections = Gauge "widget_database_connections" ["pool", "state"] "Connections to the database";
    DatabaseConnectionsMax = Gauge "widget_database_connections_max" ["pool"] "How many connections there may be";
    DatabaseWaiting = Gauge "widget_database_waiting" ["pool"] "Statements and transactions that wait for a connection";
    DatabaseWait = Histogram "widget_database_wait_seconds" ["pool"] "How long they waited for a connection";
    DatabaseStatementDuration = Histogram "widget_database_statement_duration_seconds" ["pool"] "How long statements took, without the wait for a connection";
    DatabaseErrors = Counter "widget_database_errors_total" ["code"] "Statements that failed";
    CacheHits = Counter "widget_cache_hits_total" ["cache"] "Reads that were answered from memory";
    CacheMisses = Counter "widget_cache_misses_total" ["cache"] "Reads that needed the database or waited for another one that did";
    CacheBytes = Gauge "widget_cache_bytes" ["cache"] "An upper bound of the memory of the cache";
    ConnectionsOpen = Gauge "widget_connections_open" [] "Open connections of clients";
    ConnectionsClosed = Counter "widget_connections_closed_total" ["reason"] "Connections that the service closed: `evicted` for another one, `timed_out` because the client took too long";
    ConnectionsRefused = Counter "widget_connections_refused_total" [] "Connections that were refused because all others were in use";
    EventStreamsOpen = Gauge "widget_event_streams_open" [] "Open event streams of conversations";
    EventsSent = Counter "widget_events_sent_total" [] "Events of conversations that were sent on event streams";
    LogLinesDropped = Counter "widget_log_lines_dropped_total" [] "Lines that were not logged because whoever reads the log was too slow";
    TraceSpansDropped = Counter "widget_trace_spans_dropped_total" [] "Spans that did not reach the collector of traces";
    ProcessStart = Gauge "process_start_time_seconds" [] "When the process started, in seconds since 1970";
    ProcessCpu = Counter "process_cpu_seconds_total" [] "Time of processors that the process has used";
    ProcessMemory = Gauge "process_resident_memory_bytes" [] "Memory of the process";
    ProcessFiles = Gauge "process_open_fds" [] "Open files";
    ProcessFilesMax = Gauge "process_max_fds" [] "How many files may be open";
}
