//! Why a widget is or is not shown on a page: the decision of [`serve`] step by
//! step, the entry that comes nearest, and the one change that would help.
//!
//! ```
//! use widget_core::{explain::{Difference, Verdict, explain}, go_live::PinnedVersion};
//! use widget_core::{origin::{AllowedOrigins, SuffixList}, widget::NewWidget};
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//!
//! let suffixes = SuffixList::builtin();
//! let widget = NewWidget {
//!     domains: AllowedOrigins::parse(&["https://www.shop.example"], suffixes)?,
//!     published: true,
//!     ..NewWidget::new("acme".parse()?, agent, version)
//! }.into_widget(id, now);
//!
//! let service = "https://widgets.example".parse()?;
//! let page = "https://shop.example/cart";
//! let answer = explain(Some(&widget), PinnedVersion::Published, page, &service, suffixes);
//! assert_eq!(answer.verdict, Verdict::NotShown);
//! assert_eq!(answer.nearest.expect("the twin").difference, Difference::Www);
//! assert_eq!(answer.hint.as_deref(), Some("add `https://shop.example`"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod nearest;

pub use nearest::{Difference, Nearest};

use time::OffsetDateTime;

use crate::{
    choice::choices,
    config::Config,
    embed::HostPagePolicy,
    finding::{Code, Finding},
    go_live::{self, PinnedVersion, VersionSource},
    id::WidgetId,
    origin::{AllowedOrigins, Entry, Origin, OriginHeaderError, Scheme, SuffixList, Unnameable},
    serve,
    unreadable::UnreadableWidget,
    widget::Widget,
};

/// The page in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageRef {
    /// An address that somebody typed or pasted.
    Address(String),
    /// What [`Origin::from_header`] returned for a request.
    Request(Result<Origin, OriginHeaderError>),
}

impl From<&str> for PageRef {
    fn from(address: &str) -> Self {
        Self::Address(address.to_owned())
    }
}

impl From<Result<Origin, OriginHeaderError>> for PageRef {
    fn from(origin: Result<Origin, OriginHeaderError>) -> Self {
        Self::Request(origin)
    }
}

choices! {
    /// What is decided.
    pub enum Verdict {
        /// The widget is shown.
        Shown = "shown",
        /// The widget is not shown.
        NotShown = "not_shown",
    }
}

/// One step of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Step {
    /// The stable code of the step's outcome: that of the refusal when `ok` is false.
    pub code: Code,
    /// Whether the step was passed.
    pub ok: bool,
    /// One sentence.
    pub detail: String,
    /// The one change that makes the step pass, when `ok` is false.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub hint: Option<String>,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Explanation {
    /// Shown or not.
    pub verdict: Verdict,
    /// The code of the verdict: `shown`, or that of the first step that failed.
    pub code: Code,
    /// The page's origin, when there is one.
    pub origin: Option<Origin>,
    /// Each step, passed or not.
    pub steps: Vec<Step>,
    /// The listed entry that comes nearest, when the page is not listed.
    pub nearest: Option<Nearest>,
    /// The one change that makes the first failed step pass.
    pub hint: Option<String>,
    /// What the host page must allow.
    pub host_page_policy: HostPagePolicy,
    /// What can still keep the widget away although it is allowed.
    pub notes: Vec<Finding>,
}

/// Explains the decision for a page.
///
/// `widget` is `None` when the organization has none with that id. `service` is the origin under
/// which browsers reach the service. `suffixes` is the list with which the owner's next write will
/// be judged, so that no advice is an entry that is then refused.
#[must_use]
pub fn explain(
    widget: Option<&Widget>,
    version: PinnedVersion,
    page: impl Into<PageRef>,
    service: &Origin,
    suffixes: &SuffixList,
) -> Explanation {
    let default = Config::default();
    let config = widget.map_or(&default, |widget| &widget.config);
    let mut steps = Steps::default();

    let origin = steps.origin(page.into());
    steps.widget(widget, version);
    let domains = widget.map(|widget| &widget.domains);
    steps.finish(origin, domains, service, config, suffixes)
}

/// Explains the decision for a page and a widget that cannot be read: it is not shown.
#[must_use]
pub fn explain_unreadable(
    widget: &UnreadableWidget,
    page: impl Into<PageRef>,
    service: &Origin,
    suffixes: &SuffixList,
) -> Explanation {
    let default = Config::default();
    let config = widget.config.as_ref().unwrap_or(&default);
    let mut steps = Steps::default();

    let origin = steps.origin(page.into());
    steps.passed(Code::WidgetFound, format!("the widget is `{}`", widget.id));
    for blocker in go_live::report_unreadable(widget).blockers {
        steps.failed(blocker);
    }
    let domains = widget.domains.as_ref();
    steps.finish(origin, domains, service, config, suffixes)
}

impl Explanation {
    /// The explanation of a widget that was deleted at `time`: after the step that found it, a step
    /// that failed.
    #[must_use]
    pub fn of_deleted(mut self, id: WidgetId, time: OffsetDateTime) -> Self {
        let step = Step {
            code: Code::WidgetDeleted,
            ok: false,
            detail: format!("the widget was deleted on {}", time.date()),
            hint: Some(format!(
                "restore the widget with `POST /core/web-widgets/{id}/restore`, and publish it \
                 again"
            )),
        };
        let found = |step: &Step| step.code == Code::WidgetFound;
        let position = self
            .steps
            .iter()
            .position(found)
            .map_or(0, |found| found + 1);
        if self.steps[..position].iter().all(|step| step.ok) {
            self.code = step.code;
            self.hint.clone_from(&step.hint);
        }
        self.verdict = Verdict::NotShown;
        self.steps.insert(position, step);
        self
    }
}

/// The steps so far, and the advice of the first that failed.
#[derive(Default)]
struct Steps {
    done: Vec<Step>,
    hint: Option<String>,
}

impl Steps {
    /// The explanation, after the last step: whether the page is listed.
    fn finish(
        mut self,
        origin: Option<Origin>,
        domains: Option<&AllowedOrigins>,
        service: &Origin,
        config: &Config,
        suffixes: &SuffixList,
    ) -> Explanation {
        let nearest = match (domains, &origin) {
            (Some(domains), Some(origin)) => self.listed(domains, origin, suffixes),
            _ => None,
        };
        let steps = self;
        let failed = steps.done.iter().find(|step| !step.ok);
        Explanation {
            verdict: if failed.is_some() {
                Verdict::NotShown
            } else {
                Verdict::Shown
            },
            code: failed.map_or(Code::Shown, |step| step.code),
            nearest,
            hint: steps.hint,
            host_page_policy: HostPagePolicy::new(service, config),
            notes: origin
                .as_ref()
                .map(|origin| notes(origin, service))
                .unwrap_or_default(),
            origin,
            steps: steps.done,
        }
    }

    fn passed(&mut self, code: Code, detail: impl Into<String>) {
        self.done.push(Step {
            code,
            ok: true,
            detail: detail.into(),
            hint: None,
        });
    }

    fn failed(&mut self, finding: Finding) {
        if self.done.iter().all(|step| step.ok) {
            self.hint.clone_from(&finding.hint);
        }
        self.done.push(Step {
            code: finding.code,
            ok: false,
            detail: finding.detail,
            hint: finding.hint,
        });
    }

    fn origin(&mut self, page: PageRef) -> Option<Origin> {
        let finding = match page {
            PageRef::Address(address) => match Origin::parse_page(&address) {
                Ok(origin) => return Some(self.known_origin(origin)),
                Err(error) => Finding {
                    code: error.code(),
                    pointer: None,
                    detail: format!("the page's address cannot be read: {error}"),
                    hint: error.hint(),
                },
            },
            PageRef::Request(origin) => match origin {
                Ok(origin) => return Some(self.known_origin(origin)),
                Err(error) => Finding::new(error.code(), error.to_string()).with_hint(error.hint()),
            },
        };
        self.failed(finding);
        None
    }

    fn known_origin(&mut self, origin: Origin) -> Origin {
        self.passed(Code::Origin, format!("the page's origin is `{origin}`"));
        origin
    }

    fn widget(&mut self, widget: Option<&Widget>, version: PinnedVersion) {
        let Some(widget) = widget else {
            self.failed(
                Finding::new(Code::WidgetNotFound, "there is no widget with this id")
                    .with_hint("compare the id in the page's snippet with that of the widget"),
            );
            return;
        };
        self.passed(Code::WidgetFound, format!("the widget is `{}`", widget.id));
        match go_live::owner_gate(widget) {
            None => self.passed(Code::Published, "the widget is published"),
            Some(blocker) => self.failed(blocker),
        }
        match go_live::version_blocker(widget, version) {
            None => self.passed(
                Code::VersionPublished,
                match version.source() {
                    VersionSource::Registry => format!(
                        "the pinned version `{}` is a published one of the agent",
                        widget.agent_version_id
                    ),
                    VersionSource::AgentDirectory => format!(
                        "the agent directory has the pinned version `{}` as a published one of the \
                         agent",
                        widget.agent_version_id
                    ),
                },
            ),
            Some(blocker) => self.failed(blocker),
        }
    }

    fn listed(
        &mut self,
        domains: &AllowedOrigins,
        origin: &Origin,
        suffixes: &SuffixList,
    ) -> Option<Nearest> {
        if let Some(admitted) = domains.admit(origin) {
            self.passed(
                Code::OriginListed,
                format!("`{origin}` is allowed by the entry `{}`", admitted.entry()),
            );
            return None;
        }
        let nearest = nearest::find_nearest(domains, origin, suffixes);
        let mut finding = serve::not_listed(origin);
        if domains.is_empty() {
            finding.detail = format!("the list of domains is empty, so `{origin}` is not on it");
        }
        finding.hint = Some(advice(origin, nearest.as_ref(), suffixes));
        self.failed(finding);
        nearest
    }
}

/// Whether [`advice`] is to list the page, and nothing else.
#[cfg(feature = "doctor")]
pub(crate) fn advises_to_list(
    origin: &Origin,
    nearest: Option<&Nearest>,
    suffixes: &SuffixList,
) -> bool {
    let is_other = match nearest.map(|nearest| nearest.difference) {
        Some(Difference::LookAlike | Difference::TrailingDot | Difference::Spelling) => true,
        Some(Difference::Scheme) => origin.scheme() == Scheme::Http && !origin.is_loopback(),
        _ => false,
    };
    !is_other && Entry::parse(origin.as_str(), suffixes).is_ok()
}

/// The one change that admits the page, or the reason why it must not be admitted.
fn advice(origin: &Origin, nearest: Option<&Nearest>, suffixes: &SuffixList) -> String {
    if let Some(nearest) = nearest
        && matches!(
            nearest.difference,
            Difference::LookAlike | Difference::TrailingDot
        )
    {
        return format!(
            "open the page under the name that is listed, `{}`",
            nearest.entry
        );
    }
    if let Err(error) = Entry::parse(origin.as_str(), suffixes) {
        return error.hint().map_or_else(
            || format!("open the page under a name that can be listed: {error}"),
            |reason| format!("the page cannot be listed under this name; {reason}"),
        );
    }
    match nearest.map(|nearest| (nearest.difference, &nearest.entry)) {
        Some((Difference::Scheme, entry))
            if origin.scheme() == Scheme::Http && !origin.is_loopback() =>
        {
            format!("open the page over https, as `{entry}`; or add `{origin}`")
        }
        Some((Difference::Spelling, entry)) => format!(
            "check the spelling of the page, because `{entry}` is listed; only if this is your \
             site, add `{origin}`"
        ),
        Some((Difference::Subdomain | Difference::Sibling, _)) => {
            let all = suffixes
                .registrable(origin.host())
                .and_then(|owner| pattern_that_admits(origin, owner, suffixes));
            match all {
                Some(pattern) => format!("add `{origin}`; or `{pattern}` for all its subdomains"),
                None => format!("add `{origin}`"),
            }
        }
        _ => format!("add `{origin}`"),
    }
}

/// The pattern of all subdomains of `owner`, with the page's scheme and port; nothing when it
/// would be rejected, or would not admit the page itself.
fn pattern_that_admits(origin: &Origin, owner: &str, suffixes: &SuffixList) -> Option<String> {
    let written = format!("{}://*.{owner}:{}", origin.scheme(), origin.port());
    let list = AllowedOrigins::parse(&[written], suffixes).ok()?;
    list.admit(origin)
        .map(|admitted| admitted.entry().to_owned())
}

/// A page to which browsers do not give the microphone.
fn insecure_page(origin: &Origin) -> Option<Finding> {
    (!origin.is_secure_context()).then(|| {
        Finding::new(
            Code::InsecurePage,
            format!("`{origin}` is not encrypted: browsers do not give it the microphone, so only text works"),
        )
        .with_hint("open the page over https")
    })
}

/// A page on which browsers do not show the window, whatever is listed: no `frame-ancestors` can
/// name its host.
fn unnameable_page(origin: &Origin) -> Option<Finding> {
    let (code, detail, hint) = match origin.unnameable()? {
        Unnameable::Ipv6 => (
            Code::Ipv6Page,
            format!(
                "`{origin}` is an IPv6 address, which browsers do not accept in `frame-ancestors`: the window stays blank"
            ),
            "open the page under a host name",
        ),
        Unnameable::Underscore => (
            Code::PageHostUnsupported,
            format!(
                "the host of `{origin}` contains `_`, which browsers do not accept in `frame-ancestors`: the window stays blank"
            ),
            "open the page under a host name without `_`",
        ),
        Unnameable::TrailingDot => (
            Code::PageHostUnsupported,
            format!(
                "the host of `{origin}` ends in a dot, which not all browsers accept in `frame-ancestors`: the window stays blank in the others"
            ),
            "open the page under its host name without the final dot",
        ),
    };
    Some(Finding::new(code, detail).with_hint(hint))
}

/// What browsers withhold from a page because of its address.
pub(crate) fn notes_on_page(origin: &Origin) -> impl Iterator<Item = Finding> {
    insecure_page(origin)
        .into_iter()
        .chain(unnameable_page(origin))
}

/// What can still keep the window or the microphone away on an admitted page.
fn notes(origin: &Origin, service: &Origin) -> Vec<Finding> {
    let mut notes = vec![
        Finding::new(
            Code::FramedPage,
            "when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it",
        )
        .with_hint("open the page by itself"),
    ];
    if origin.scheme() == Scheme::Https && !service.is_secure_context() {
        notes.push(
            Finding::new(
                Code::MixedContent,
                format!("`{origin}` is encrypted and the service `{service}` is not: browsers refuse to load the widget"),
            )
            .with_hint("serve the service over https"),
        );
    }
    notes.extend(notes_on_page(origin));
    notes
}
