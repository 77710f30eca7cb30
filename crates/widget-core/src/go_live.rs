//! The two gates: a widget serves only while its owner has published it **and** the version that
//! it pins is a published version of its agent, in the same organization.
//!
//! All blockers are reported together, so that nobody opens one gate only to find the next.
//!
//! ```
//! use widget_core::{finding::Code, go_live::{self, PinnedVersion}, widget::NewWidget};
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//!
//! let widget = NewWidget::new("acme".parse()?, agent, version).into_widget(id, now);
//! let blockers = go_live::check(&widget, PinnedVersion::Draft).expect_err("two closed gates");
//! assert_eq!(blockers[0].code, Code::NotPublished);
//! assert_eq!(blockers[1].code, Code::AgentVersionDraft);
//! # Ok::<(), widget_core::id::IdError>(())
//! ```

use time::{Duration, OffsetDateTime};

use crate::{
    agent::VersionStatus,
    choice::choices,
    finding::{Code, Finding, FindingList, Findings, MAX_FINDINGS},
    id::{AgentId, AgentVersionId},
    unreadable::UnreadableWidget,
    widget::Widget,
};

choices! {
    /// What storage knows of the version that a widget pins, looked up within the widget's
    /// organization.
    pub enum PinnedVersion {
        /// The organization has no such agent.
        AgentMissing = "agent_missing",
        /// The organization has the agent, but no such version.
        VersionMissing = "version_missing",
        /// The version exists, but is one of another agent.
        OtherAgent = "other_agent",
        /// The version is the agent's, and not published yet.
        Draft = "draft",
        /// The version is the agent's, and published.
        Published = "published",
        /// The agent directory does not answer.
        DirectoryUnavailable = "directory_unavailable",
        /// The agent directory has no such version of the agent.
        DirectoryMissing = "directory_missing",
        /// The version is a draft in the agent directory.
        DirectoryDraft = "directory_draft",
        /// The version is published in the agent directory.
        DirectoryPublished = "directory_published",
    }
}

choices! {
    /// Where versions of agents are kept.
    pub enum VersionSource {
        /// In the registry beside the widgets.
        Registry = "registry",
        /// In the agent directory, which is another service.
        AgentDirectory = "agent_directory",
    }
}

impl PinnedVersion {
    /// What a look-up within the widget's organization says of the version that it pins.
    ///
    /// `agent` is the widget's agent, and `agent_exists` whether the organization has it;
    /// `version` is the agent and the status of the pinned version, if the organization has it.
    #[must_use]
    pub fn found(
        agent: AgentId,
        agent_exists: bool,
        version: Option<(AgentId, VersionStatus)>,
    ) -> Self {
        match version {
            _ if !agent_exists => Self::AgentMissing,
            None => Self::VersionMissing,
            Some((other, _)) if other != agent => Self::OtherAgent,
            Some((_, VersionStatus::Draft)) => Self::Draft,
            Some((_, VersionStatus::Published)) => Self::Published,
        }
    }

    /// Who said so.
    #[must_use]
    pub const fn source(self) -> VersionSource {
        match self {
            Self::AgentMissing
            | Self::VersionMissing
            | Self::OtherAgent
            | Self::Draft
            | Self::Published => VersionSource::Registry,
            Self::DirectoryUnavailable
            | Self::DirectoryMissing
            | Self::DirectoryDraft
            | Self::DirectoryPublished => VersionSource::AgentDirectory,
        }
    }

    /// The state for which [`version_blocker`] reports this code, of those of the registry where
    /// both have it; `None` for other codes.
    #[must_use]
    pub const fn of_blocker(code: Code) -> Option<Self> {
        match code {
            Code::AgentNotFound => Some(Self::AgentMissing),
            Code::AgentVersionNotFound => Some(Self::VersionMissing),
            Code::AgentVersionOfOtherAgent => Some(Self::OtherAgent),
            Code::AgentVersionDraft => Some(Self::Draft),
            Code::AgentDirectoryUnavailable => Some(Self::DirectoryUnavailable),
            _ => None,
        }
    }
}

/// Proof that both gates of a widget were open; nothing but [`check`] makes one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveWidget<'a>(&'a Widget);

impl<'a> LiveWidget<'a> {
    /// The widget whose gates are open.
    #[must_use]
    pub const fn widget(&self) -> &'a Widget {
        self.0
    }
}

/// Everything that the owner should know before visitors see a widget.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GoLiveReport {
    /// Whether both gates are open.
    pub live: bool,
    /// What keeps them closed; empty exactly when `live`.
    pub blockers: Vec<Finding>,
    /// Who said whether the version is published; none when that was not asked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub version_source: Option<VersionSource>,
    /// Probable mistakes: in the sites, in the config, and in both together.
    pub warnings: Vec<Finding>,
    /// How many of them there are, when `warnings` holds only the first.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub warnings_total: Option<u64>,
}

impl GoLiveReport {
    /// The report with one more warning, as the first: of many, the last are left out.
    #[must_use]
    pub fn with_warning(mut self, warning: Option<Finding>) -> Self {
        let Some(warning) = warning else { return self };
        let listed = u64::try_from(self.warnings.len()).unwrap_or(u64::MAX);
        let total = self.warnings_total.unwrap_or(listed) + 1;
        self.warnings.insert(0, warning);
        self.warnings.truncate(MAX_FINDINGS);
        self.warnings_total = (total > listed + 1 || total > MAX_FINDINGS as u64).then_some(total);
        self
    }
}

/// Passes a widget through both gates.
///
/// # Errors
///
/// Every blocker: `not_published` for the owner's gate, and for the version's one of
/// `agent_not_found`, `agent_version_not_found`, `agent_version_of_other_agent`,
/// `agent_version_draft`, `agent_directory_unavailable`.
pub fn check(widget: &Widget, version: PinnedVersion) -> Result<LiveWidget<'_>, Findings> {
    let blockers = owner_gate(widget)
        .into_iter()
        .chain(version_blocker(widget, version))
        .collect();
    Findings::none_or(blockers, LiveWidget(widget))
}

/// Both gates, and all warnings.
#[must_use]
pub fn report(widget: &Widget, version: PinnedVersion) -> GoLiveReport {
    let blockers = check(widget, version)
        .err()
        .map(Findings::into_vec)
        .unwrap_or_default();
    let warnings = warnings(widget);
    GoLiveReport {
        live: blockers.is_empty(),
        blockers,
        version_source: Some(version.source()),
        warnings_total: warnings.total_if_omitted(),
        warnings: warnings.into_vec(),
    }
}

/// The report about a widget that cannot be read: each unreadable field is a blocker, and so is
/// what else is known to keep a gate closed.
#[must_use]
pub fn report_unreadable(widget: &UnreadableWidget) -> GoLiveReport {
    let mut blockers = widget.blockers();
    if widget.published == Some(false) {
        blockers.push(not_published());
    }
    GoLiveReport {
        live: false,
        blockers: blockers.into_vec(),
        version_source: None,
        warnings: Vec::new(),
        warnings_total: None,
    }
}

/// Everything that is probably a mistake in a widget: in its sites, in its config, and in both
/// together.
#[must_use]
pub fn warnings(widget: &Widget) -> FindingList {
    let mut warnings = widget.domains.warnings();
    warnings.append(widget.config.warnings());
    warnings.extend(cross_warnings(widget));
    warnings
}

pub(crate) fn owner_gate(widget: &Widget) -> Option<Finding> {
    (!widget.published).then(not_published)
}

fn not_published() -> Finding {
    Finding::new(Code::NotPublished, "the widget is not published")
        .at("/published")
        .with_hint("set `published` to true")
}

/// What keeps the gate of the version closed: to be shown where a version is pinned.
#[must_use]
pub fn version_blocker(widget: &Widget, version: PinnedVersion) -> Option<Finding> {
    let agent = widget.agent_id;
    let pinned = widget.agent_version_id;
    Some(match version {
        PinnedVersion::Published | PinnedVersion::DirectoryPublished => return None,
        PinnedVersion::DirectoryUnavailable => Finding::new(
            Code::AgentDirectoryUnavailable,
            format!(
                "the agent directory does not answer, so that it is not known whether the version \
                 `{pinned}` is published"
            ),
        )
        .at("/agent_version_id")
        .with_hint("try again in a minute; the log of the service says why it does not answer"),
        PinnedVersion::DirectoryMissing => Finding::new(
            Code::AgentVersionNotFound,
            format!("the agent directory has no version `{pinned}` of the agent `{agent}`"),
        )
        .at("/agent_version_id")
        .with_hint("set `agent_version_id` to a published version in the agent directory"),
        PinnedVersion::DirectoryDraft => Finding::new(
            Code::AgentVersionDraft,
            format!("the version `{pinned}` is a draft in the agent directory"),
        )
        .at("/agent_version_id")
        .with_hint("publish the version there, or pin one that is published"),
        PinnedVersion::AgentMissing => agent_not_found(agent),
        PinnedVersion::VersionMissing => agent_version_not_found(pinned),
        PinnedVersion::OtherAgent => Finding::new(
            Code::AgentVersionOfOtherAgent,
            format!("the version `{pinned}` is not one of the agent `{agent}`"),
        )
        .at("/agent_version_id")
        .with_hint("set `agent_version_id` to a published version of the agent"),
        PinnedVersion::Draft => Finding::new(
            Code::AgentVersionDraft,
            format!("the version `{pinned}` is a draft"),
        )
        .at("/agent_version_id")
        .with_hint("publish the version, or pin one that is published"),
    })
}

/// A widget points at an agent that its organization does not have.
#[must_use]
pub fn agent_not_found(agent: AgentId) -> Finding {
    Finding::new(
        Code::AgentNotFound,
        format!("the organization has no agent `{agent}`"),
    )
    .at("/agent_id")
    .with_hint("set `agent_id` to an agent of the organization")
}

/// A widget points at a version that its organization does not have.
#[must_use]
pub fn agent_version_not_found(version: AgentVersionId) -> Finding {
    Finding::new(
        Code::AgentVersionNotFound,
        format!("the organization has no agent version `{version}`"),
    )
    .at("/agent_version_id")
    .with_hint("set `agent_version_id` to a published version of the agent")
}

/// What neither the list nor the config can see by itself.
fn cross_warnings(widget: &Widget) -> Vec<Finding> {
    if !widget.config.current().modes.voice {
        return Vec::new();
    }
    let insecure = widget
        .domains
        .warnings()
        .into_iter()
        .filter(|warning| warning.code == Code::InsecureOrigin);
    insecure
        .map(|warning| Finding {
            code: Code::VoiceNeedsHttps,
            detail:
                "voice is switched on, but browsers do not give the microphone to a page that is not encrypted"
                    .to_owned(),
            hint: Some("serve the page over https, or set `modes.voice` to false".to_owned()),
            pointer: warning.pointer,
        })
        .collect()
}

/// How long ago a worker may have joined a room that is remembered as the last: that is written
/// once an hour.
const WORKER_SEEN_EVERY: Duration = Duration::HOUR;

/// What is known of the workers that register with LiveKit under one name: LiveKit has no list of
/// them, so that a misspelled name shows only by nobody joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerActivity {
    /// When one was last seen to join a room, to an hour.
    pub seen_at: Option<OffsetDateTime>,
    /// When a visitor last joined a conversation for which one was requested.
    pub wanted_at: Option<OffsetDateTime>,
}

/// A warning when no worker with that name joins the conversations of its visitors, or none ever
/// has.
#[must_use]
pub fn worker_warning(livekit_agent_name: &str, activity: WorkerActivity) -> Option<Finding> {
    let WorkerActivity { seen_at, wanted_at } = activity;
    let is_missed =
        |seen: OffsetDateTime| wanted_at.is_some_and(|at| at - seen > WORKER_SEEN_EVERY);
    let name = livekit_agent_name;
    let (detail, hint) = match (seen_at, wanted_at) {
        (Some(seen), _) if !is_missed(seen) => return None,
        (None, None) => (
            format!("no worker named `{name}` has joined a room yet"),
            "normal before the first conversation; otherwise compare the worker's name",
        ),
        (None, Some(_)) => (
            format!(
                "no worker named `{name}` has joined a room yet, though a visitor has been waiting \
                 in one"
            ),
            "start the worker, and compare the name with that under which it registers with LiveKit",
        ),
        (Some(_), _) => (
            format!(
                "a visitor has been waiting in a room, and no worker named `{name}` has joined one \
                 for more than an hour"
            ),
            "check that the worker runs and is registered with LiveKit under this name",
        ),
    };
    let finding = Finding::new(Code::AgentWorkerMissing, detail);
    Some(finding.at("/agent_version_id").with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_known_by_its_blocker() {
        let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001";
        let (agent, version) = (id.parse().expect("an id"), id.parse().expect("an id"));
        let organization = "acme".parse().expect("an organization");
        let now = time::macros::datetime!(2026-01-01 00:00 UTC);
        let widget = crate::widget::NewWidget::new(organization, agent, version)
            .into_widget(id.parse().expect("an id"), now);
        let states = PinnedVersion::ALL.iter().copied();
        let only_of_directory = [
            PinnedVersion::DirectoryMissing,
            PinnedVersion::DirectoryDraft,
        ];
        for state in states.filter(|state| !only_of_directory.contains(state)) {
            let code = version_blocker(&widget, state).map(|blocker| blocker.code);
            assert_eq!(
                code.and_then(PinnedVersion::of_blocker),
                code.map(|_| state)
            );
        }
        assert_eq!(PinnedVersion::of_blocker(Code::NotPublished), None);
    }

    #[test]
    fn what_a_look_up_finds_is_one_of_five_cases() {
        use VersionStatus::{Draft, Published};
        let agent = AgentId::from_uuid(uuid::Uuid::from_u128(1));
        let other = AgentId::from_uuid(uuid::Uuid::from_u128(2));
        for (exists, version, expected) in [
            (false, None, PinnedVersion::AgentMissing),
            (false, Some((agent, Published)), PinnedVersion::AgentMissing),
            (true, None, PinnedVersion::VersionMissing),
            (true, Some((other, Published)), PinnedVersion::OtherAgent),
            (true, Some((agent, Draft)), PinnedVersion::Draft),
            (true, Some((agent, Published)), PinnedVersion::Published),
        ] {
            assert_eq!(PinnedVersion::found(agent, exists, version), expected);
        }
        let now = time::macros::datetime!(2026-01-01 00:00 UTC);
        assert_eq!(VersionStatus::of(Some(now)), Published);
        assert_eq!(VersionStatus::of(None::<i64>), Draft);
    }

    #[test]
    fn a_missing_worker_is_a_warning() {
        let seen = time::macros::datetime!(2026-01-01 00:00 UTC);
        let after = |minutes| Some(seen + Duration::minutes(minutes));
        for (seen_at, wanted_at, expected) in [
            (None, None, Some("has joined a room yet")),
            (None, after(0), Some("yet, though a visitor")),
            (Some(seen), None, None),
            (Some(seen), after(-90), None),
            (Some(seen), after(60), None),
            (Some(seen), after(61), Some("for more than an hour")),
        ] {
            let warning = worker_warning("concierge", WorkerActivity { seen_at, wanted_at });
            assert_eq!(warning.is_some(), expected.is_some(), "{warning:?}");
            if let (Some(warning), Some(expected)) = (warning, expected) {
                assert_eq!(warning.code, Code::AgentWorkerMissing);
                assert!(warning.detail.contains("`concierge`"), "{}", warning.detail);
                assert!(warning.detail.contains(expected), "{}", warning.detail);
            }
        }
    }
}
