//! Bodies of `/healthz` and `/readyz`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::words::words;

/// The process answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`.
    pub status: Cow<'static, str>,
}

/// Whether this node can serve visitors, and what each part of it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Readiness {
    /// Whether to send visitors to this node.
    pub status: ReadinessStatus,
    /// What it needs.
    pub parts: ReadinessParts,
}

/// What a node needs in order to serve visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ReadinessParts {
    /// Whether the database answers.
    pub database: DatabasePart,
    /// Whether the database has every migration of this release.
    pub migrations: MigrationsPart,
    /// What the last check of LiveKit found, at most about a minute ago.
    pub livekit: LiveKitPart,
    /// Whether the database can write.
    pub disk: DiskPart,
}

words! {
    /// Whether to send visitors to a node.
    pub enum ReadinessStatus {
        /// Everything works.
        Ready = "ready",
        /// A part is missing that another node would miss, too.
        Degraded = "degraded",
        /// A part is missing without which this node answers with errors.
        Unavailable = "unavailable",
        /// It is about to stop.
        Stopping = "stopping",
    }
}

words! {
    /// Whether the database answers.
    pub enum DatabasePart {
        /// It answers.
        Ok = "ok",
        /// It can be read and not written.
        ReadOnly = "storage_read_only",
        /// It does not answer, or its file was removed or replaced.
        Unavailable = "storage_unavailable",
    }
}

words! {
    /// Whether the database has every migration.
    pub enum MigrationsPart {
        /// It has.
        Ok = "ok",
        /// Some are missing.
        Pending = "migrations_pending",
        /// The database does not answer.
        Unknown = "unknown",
    }
}

words! {
    /// What LiveKit answers to a visitor's token.
    pub enum LiveKitPart {
        /// It accepts the token.
        Ok = "ok",
        /// It has not been asked yet.
        Unknown = "unknown",
        /// No LiveKit is set up.
        NotConfigured = "livekit_not_configured",
        /// It does not answer, or what answers is not LiveKit.
        Unavailable = "livekit_unavailable",
        /// It does not know the key, or has another secret for it.
        KeyRejected = "livekit_key_rejected",
        /// Its setting `room.auto_create` is off, so that joining creates no room.
        AutoCreateDisabled = "livekit_auto_create_disabled",
    }
}

words! {
    /// Whether the database can write.
    pub enum DiskPart {
        /// It can, as far as is known.
        Ok = "ok",
        /// Its disk is full.
        Full = "storage_full",
        /// The database does not answer.
        Unknown = "unknown",
    }
}

impl Readiness {
    /// The status that follows from the parts.
    #[must_use]
    pub fn new(parts: ReadinessParts, is_stopping: bool) -> Self {
        let is_available =
            parts.database == DatabasePart::Ok && parts.migrations == MigrationsPart::Ok;
        // Before the first answer of LiveKit nothing is known against it.
        let livekit_works = [LiveKitPart::Ok, LiveKitPart::Unknown].contains(&parts.livekit);
        let status = if is_stopping {
            ReadinessStatus::Stopping
        } else if !is_available {
            ReadinessStatus::Unavailable
        } else if livekit_works && parts.disk == DiskPart::Ok {
            ReadinessStatus::Ready
        } else {
            ReadinessStatus::Degraded
        };
        Self { status, parts }
    }
}
