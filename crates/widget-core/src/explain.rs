//! Why a widget is or is not shown on a page: the decision of [`serve`](crate::serve) step by
//! step, the entry that comes nearest, and the one change that would help.

use crate::{
    config::Config,
    embed::{self, HostPagePolicy},
    finding::Finding,
    go_live::{self, PinnedVersion},
    origin::{EntryError, Origin, RequestOrigin},
    serve,
    widget::Widget,
};

/// The page in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// An address that somebody typed or pasted.
    Address(String),
    /// What a request's `Origin` told.
    Request(RequestOrigin),
}

impl From<&str> for Page {
    fn from(address: &str) -> Self {
        Self::Address(address.to_owned())
    }
}

impl From<RequestOrigin> for Page {
    fn from(origin: RequestOrigin) -> Self {
        Self::Request(origin)
    }
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The widget is shown.
    Shown,
    /// The widget is not shown.
    NotShown,
}

/// One step of the decision, in the order in which it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stable code of the step's outcome: that of the refusal when `ok` is false.
    pub code: &'static str,
    /// Whether the step was passed.
    pub ok: bool,
    /// One sentence.
    pub detail: String,
}

/// In what the nearest entry differs from the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// `http` against `https`.
    Scheme,
    /// Another port.
    Port,
    /// With `www.` against without.
    Www,
    /// The page is on a subdomain of the entry.
    Subdomain,
    /// The page is on the domain of which the entry is a subdomain.
    ParentDomain,
    /// The page is on the base of a pattern, which covers subdomains only.
    PatternApex,
    /// The name looks the same and is another one.
    LookAlike,
    /// A final dot.
    TrailingDot,
    /// A few letters.
    Spelling,
}

/// The listed entry that comes nearest to a page that is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The entry.
    pub entry: String,
    /// Where it stands, such as `/domains/0`.
    pub pointer: String,
    /// In what it differs.
    pub difference: Difference,
    /// One sentence: "`https://www.shop.example` is listed, `https://shop.example` is not".
    pub detail: String,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Shown or not.
    pub verdict: Verdict,
    /// The code of the verdict: `shown`, or that of the first step that failed.
    pub code: &'static str,
    /// The page's origin, when there is one.
    pub origin: Option<Origin>,
    /// Each step, passed or not.
    pub steps: Vec<Step>,
    /// The listed entry that comes nearest, when the page is not listed.
    pub nearest: Option<Nearest>,
    /// The one change that makes the first failed step pass.
    pub hint: Option<String>,
    /// What the host page must let through.
    pub host_page_policy: HostPagePolicy,
    /// What can still keep the widget away although it is allowed.
    pub notes: Vec<Finding>,
}

/// Explains the decision for a page.
///
/// `widget` is `None` when there is none of that id in the organization; `service` is the origin
/// under which browsers reach the service.
#[must_use]
pub fn explain(
    widget: Option<&Widget>,
    version: PinnedVersion,
    page: impl Into<Page>,
    service: &Origin,
) -> Explanation {
    let default = Config::default();
    let config = widget.map_or(&default, |widget| &widget.config);
    let mut steps = Vec::new();
    let mut hint = None;
    let origin = match page.into() {
        Page::Address(address) => Origin::parse_page(&address)
            .map_err(|error: EntryError| (error.code(), error.to_string())),
        Page::Request(request) => request
            .into_tuple()
            .map_err(|refusal| (refusal.code(), refusal.to_string())),
    };
    let mut take = |step: Result<(&'static str, String), Finding>| match step {
        Ok((code, detail)) => steps.push(Step {
            code,
            ok: true,
            detail,
        }),
        Err(finding) => {
            if hint.is_none() {
                hint.clone_from(&finding.hint);
            }
            steps.push(Step {
                code: finding.code,
                ok: false,
                detail: finding.detail,
            });
        }
    };
    take(match &origin {
        Ok(origin) => Ok(("origin", format!("the page's origin is `{origin}`"))),
        Err((code, detail)) => Err(Finding::new(code, detail.clone())),
    });
    match widget {
        None => take(Err(Finding::new(
            "widget_not_found",
            "there is no widget with this id",
        ))),
        Some(widget) => {
            match go_live::check(widget, version) {
                Ok(_) => take(Ok(("live", "the widget is live".to_owned()))),
                Err(blockers) => {
                    for blocker in blockers {
                        take(Err(blocker));
                    }
                }
            }
            if let Ok(origin) = &origin {
                take(match widget.domains.admit(origin) {
                    Some(admitted) => Ok((
                        "origin_listed",
                        format!("`{origin}` is admitted by `{}`", admitted.entry()),
                    )),
                    None => Err(serve::not_listed(origin)),
                });
            }
        }
    }
    let failed = steps.iter().find(|step| !step.ok);
    Explanation {
        verdict: if failed.is_some() {
            Verdict::NotShown
        } else {
            Verdict::Shown
        },
        code: failed.map_or("shown", |step| step.code),
        origin: origin.ok(),
        nearest: None,
        hint,
        host_page_policy: embed::host_page_policy(service, config),
        notes: Vec::new(),
        steps,
    }
}
