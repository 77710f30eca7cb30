//! What is wrong with a widget on a page: the page as it was fetched, what the service answers to
//! it, and what the widget's owner set.
//!
//! Whoever calls this fetches the page, each redirect by itself ([`Visit`]), finds out with
//! [`find_target`] which widget of which service the page has, asks that service
//! ([`ServiceAnswers`]), and gets a [`Diagnosis`].
//!
//! ```
//! use widget_core::doctor::{self, Hop, Question, Visit};
//! use widget_core::{doctor::PageVerdict, finding::Code};
//!
//! let page = "https://shop.example/cart".parse()?;
//! let visit = Visit {
//!     hops: vec![Hop { url: page, status: 200, headers: Vec::new() }],
//!     body: b"<!-- <script src=https://widgets.example/public/embed/1></script> -->".to_vec(),
//!     ..Visit::default()
//! };
//! let diagnosis = doctor::diagnose(&Question::new("https://shop.example/cart", &visit));
//! assert_eq!(diagnosis.verdict, PageVerdict::NotShown);
//! assert_eq!(diagnosis.findings[1].code, Code::SnippetCommentedOut);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod copy_checks;
mod decision_checks;
mod evidence;
mod integrity;
mod page;
mod page_checks;
mod permissions;
mod policy;
mod policy_checks;
mod service_checks;
mod snippet;
mod snippet_checks;
mod target;
#[cfg(test)]
mod tests;
mod tools;

use time::Duration;
use url::Url;

use crate::{
    choice::choices,
    explain::Explanation,
    finding::Code,
    id::WidgetId,
    mode::Mode,
    origin::{EntryError, Origin, SuffixList},
};
use page::PageTags;
use policy::PagePolicies;
use snippet::Snippets;

/// What can be wrong with a page and with the service behind its widget, in the order in which it
/// is looked at. The codes of an [`Explanation`] follow.
pub const CODES: &[Code] = &[
    Code::PageUnreachable,
    Code::PageStatus,
    Code::PageNotHtml,
    Code::PageRedirected,
    Code::SnippetMissing,
    Code::SnippetCommentedOut,
    Code::SnippetInert,
    Code::SnippetDelayed,
    Code::SnippetCopied,
    Code::SnippetOtherWidget,
    Code::SnippetOtherService,
    Code::SnippetDuplicate,
    Code::SnippetModule,
    Code::SnippetByScript,
    Code::IntegrityUnknown,
    Code::CspScriptBlocked,
    Code::CspConnectBlocked,
    Code::CspFrameBlocked,
    Code::CspImageBlocked,
    Code::CspSandboxed,
    Code::PermissionsPolicyMicrophone,
    Code::PermissionsPolicyAutoplay,
    Code::CoepBlocksWindow,
    Code::MixedContent,
    Code::PageFrameOnly,
    Code::ServiceUnreachable,
    Code::LivekitUnreachable,
    Code::ClockSkewed,
];

choices! {
    /// What a check found.
    pub enum CheckStatus {
        /// Nothing is wrong there.
        Ok = "ok",
        /// It keeps the widget from being shown or from working.
        Fail = "fail",
        /// The widget is shown, and somebody should look at it.
        Warn = "warn",
        /// It cannot be seen from outside.
        Unknown = "unknown",
    }
}

choices! {
    /// Who can change what was found.
    pub enum Audience {
        /// The owner of the page.
        Site = "site",
        /// The owner of the widget.
        Widget = "widget",
        /// Who runs the service.
        Operator = "operator",
    }
}

choices! {
    /// Whether the page shows the widget.
    pub enum PageVerdict {
        /// It does.
        Shown = "shown",
        /// It does not.
        NotShown = "not_shown",
        /// What was fetched does not say.
        Unknown = "unknown",
    }
}

/// One answer on the way to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address that was asked.
    pub url: Url,
    /// The status of the answer.
    pub status: u16,
    /// Its headers in their order; a name may occur several times. Names may be in any case.
    pub headers: Vec<(String, String)>,
}

/// What was fetched of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visit {
    /// The answers in their order: redirects, and the page.
    pub hops: Vec<Hop>,
    /// Why there is no page, when there is none.
    pub failure: Option<String>,
    /// The bytes of the page, without the encoding of their transfer.
    pub body: Vec<u8>,
    /// Whether the page has more bytes than were read.
    pub is_cut: bool,
    /// Scripts of the page, as [`scripts_to_read`] names them; those that were not read are missing.
    pub scripts: Vec<PageScript>,
}

/// A script that a page loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageScript {
    /// Its address.
    pub url: Url,
    /// Its text.
    pub text: String,
}

/// The service and the widget that a page has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address of the service, with a slash at the end.
    pub service: Url,
    /// The widget; `None` when what the page names is not an id.
    pub widget_id: Option<WidgetId>,
    /// The address of the script in the page's tag, when it has one.
    pub script: Option<Url>,
}

/// What came of asking something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer<T> {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// There was no answer, for this reason.
    Failed(String),
    /// There was one.
    Given(T),
}

/// The service's script, as it is served under the address in the page's tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptAnswer {
    /// The status.
    pub status: u16,
    /// Its hashes as in an `integrity` attribute, such as `sha384-…`, one for each algorithm.
    pub hashes: Vec<String>,
}

/// What the service says to the page's origin about the widget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LauncherAnswer {
    /// It is shown.
    Shown {
        /// The image of the launcher.
        icon_url: Option<Url>,
    },
    /// It is refused, with this code.
    Refused(String),
}

/// What the service, and what is behind it, answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceAnswers {
    /// The script in the page's tag.
    pub script: Answer<ScriptAnswer>,
    /// The config of the launcher, for the page's origin.
    pub launcher: Answer<LauncherAnswer>,
    /// The headers of the window's document, for the page's origin.
    pub window: Answer<Vec<(String, String)>>,
    /// Values of `integrity` that the service knows, beside those of the script above.
    pub known_hashes: Vec<String>,
    /// Whether LiveKit can be reached.
    pub livekit: Answer<()>,
    /// How far the service's clock is ahead of the caller's.
    pub clock_difference: Option<Duration>,
}

/// What is asked about a page.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The page as it was asked for.
    pub page: &'a str,
    /// What was fetched of it.
    pub visit: &'a Visit,
    /// The addresses of the service that the page should use; without one, that of its snippet.
    pub services: &'a [Url],
    /// The widget that the page should show; without one, that of its snippet.
    pub widget_id: Option<WidgetId>,
    /// The answers of the service.
    pub answers: &'a ServiceAnswers,
    /// Core's decision about the widget and the page, when the widget is known.
    pub explanation: Option<&'a Explanation>,
    /// The modes that the widget has; `None` when they are not known.
    pub modes: Option<&'a [Mode]>,
    /// The list that says which names belong together.
    pub suffixes: &'a SuffixList,
}

/// No answers.
const NOT_ASKED: &ServiceAnswers = &ServiceAnswers {
    script: Answer::NotAsked,
    launcher: Answer::NotAsked,
    window: Answer::NotAsked,
    known_hashes: Vec::new(),
    livekit: Answer::NotAsked,
    clock_difference: None,
};

impl<'a> Question<'a> {
    /// The question about a page of which nothing else is known.
    #[must_use]
    pub fn new(page: &'a str, visit: &'a Visit) -> Self {
        Self {
            page,
            visit,
            services: &[],
            widget_id: None,
            answers: NOT_ASKED,
            explanation: None,
            modes: None,
            suffixes: SuffixList::builtin(),
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PageFinding {
    /// What was looked at.
    pub code: Code,
    /// What came of it.
    pub status: CheckStatus,
    /// One sentence without a full stop.
    pub detail: String,
    /// The very header or tag, cut, without query strings and nonces.
    pub evidence: Option<String>,
    /// The one change that helps.
    pub hint: Option<String>,
    /// Who can change it.
    #[cfg_attr(feature = "serde", serde(rename = "for"))]
    pub audience: Audience,
}

impl PageFinding {
    fn new(code: Code, status: CheckStatus, audience: Audience, detail: impl Into<String>) -> Self {
        Self {
            code,
            status,
            detail: detail.into(),
            evidence: None,
            hint: None,
            audience,
        }
    }

    fn ok(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Ok, audience, detail)
    }

    fn fail(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Fail, audience, detail)
    }

    fn warn(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Warn, audience, detail)
    }

    fn unknown(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Unknown, audience, detail)
    }

    fn with_evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnosis {
    /// The page as it was asked for.
    pub page: String,
    /// The service that the page uses, or should use.
    pub service: Option<String>,
    /// The widget that the page shows, or should show.
    pub widget_id: Option<WidgetId>,
    /// Whether the page shows it.
    pub verdict: PageVerdict,
    /// Everything that was looked at, in the order of [`CODES`].
    pub findings: Vec<PageFinding>,
}

/// The page of a visit, read once.
struct Page<'a> {
    question: &'a Question<'a>,
    /// The answer that is the page.
    hop: &'a Hop,
    tags: PageTags,
    snippets: Snippets,
    policies: PagePolicies,
    target: Option<Target>,
}

impl Visit {
    /// The answer that is the page, when there is one.
    #[must_use]
    pub fn page(&self) -> Option<&Hop> {
        self.hops.last().filter(|_| self.failure.is_none())
    }

    /// The origin of the page after all redirects; `None` when there is no page.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        Origin::try_from(&self.page()?.url).ok()
    }

    fn html(&self) -> String {
        let kind = self.page().and_then(|hop| hop.header("content-type"));
        decode(&self.body, kind)
    }
}

impl Hop {
    /// The first header of this name.
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(found.1.as_str())
    }
}

/// The text of a page. Everything that is looked for is ASCII, which all encodings of the web have
/// in common except UTF-16, so that no other is decoded.
fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    let declares =
        |name: &str| content_type.is_some_and(|value| value.to_ascii_lowercase().contains(name));
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        bytes if declares("utf-16be") => wide(bytes, u16::from_be_bytes),
        bytes if declares("utf-16") => wide(bytes, u16::from_le_bytes),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Reads the address of a page as somebody typed it; the scheme may be missing (`https` is meant).
///
/// # Errors
/// What is wrong with the address, in the terms of an entry of the list of domains.
pub fn parse_page(text: &str) -> Result<Url, EntryError> {
    let text = text.trim();
    let origin = Origin::parse_page(text)?;
    let is_whole = text.contains("://");
    let url = if is_whole {
        Url::parse(text)
    } else {
        Url::parse(&format!("https://{text}"))
    };
    // Browsers read some addresses more strictly than people: then it is the first page of the site.
    Ok(url.unwrap_or_else(|_| Url::parse(origin.as_str()).expect("an origin is an address")))
}

/// Finds the widgets that a page names, each once: by tags, also those that browsers do not run yet,
/// and by scripts that make such tags.
///
/// ```
/// use widget_core::doctor::{self, Hop, Visit};
///
/// let page = "https://shop.example/cart".parse()?;
/// let html = "<script async src='https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b'></script>";
/// let visit = Visit {
///     hops: vec![Hop { url: page, status: 200, headers: Vec::new() }],
///     body: html.into(),
///     ..Visit::default()
/// };
/// let snippets = doctor::find_snippets(&visit);
/// assert_eq!(snippets[0].service.as_str(), "https://widgets.example/");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn find_snippets(visit: &Visit) -> Vec<Target> {
    let Some(hop) = visit.page() else {
        return Vec::new();
    };
    let tags = PageTags::read(&visit.html());
    let snippets = Snippets::find(&tags, &tags.base(&hop.url)).with_scripts(visit);
    target::find_named(&tags, &snippets)
}

/// The scripts in which a snippet may be, for a page that has none which browsers run: such a script
/// may make the tag, or be a copy of the service's. The likely ones are first.
#[must_use]
pub fn scripts_to_read(visit: &Visit) -> Vec<Url> {
    /// A page has tens of scripts; more say nothing new.
    const MAX_SCRIPTS: usize = 20;
    let Some(hop) = visit.page() else {
        return Vec::new();
    };
    let tags = PageTags::read(&visit.html());
    let base = tags.base(&hop.url);
    let snippets = Snippets::find(&tags, &base);
    let runs = |tag: &snippet::SnippetTag| !matches!(tag.state, snippet::State::Inert { .. });
    if snippets.tags.iter().any(runs) {
        return Vec::new();
    }
    let mut found: Vec<Url> = Vec::new();
    for script in &tags.scripts {
        let src = script
            .attribute("src")
            .filter(|_| snippet::Kind::of(script).runs());
        if let Some(url) = src.and_then(|src| base.join(src.trim()).ok())
            && matches!(url.scheme(), "http" | "https")
            && !found.contains(&url)
        {
            found.push(url);
        }
    }
    let likelihood = |url: &Url| match (tools::find_joiner(url.as_str()), url.origin()) {
        (Some(_), _) => 0,
        (None, origin) if origin == hop.url.origin() => 1,
        _ => 2,
    };
    found.sort_by_key(likelihood);
    found.truncate(MAX_SCRIPTS);
    found
}

/// Finds the widget that a page has to show: the one of its snippet, however that is hidden.
///
/// `services` and `widget_id` are those that are expected; a snippet for them is preferred.
#[must_use]
pub fn find_target(visit: &Visit, services: &[Url], widget_id: Option<WidgetId>) -> Option<Target> {
    let hop = visit.page()?;
    let tags = PageTags::read(&visit.html());
    let snippets = Snippets::find(&tags, &tags.base(&hop.url)).with_scripts(visit);
    target::choose_target(&tags, &snippets, services, widget_id)
}

/// Looks at everything.
#[must_use]
pub fn diagnose(question: &Question<'_>) -> Diagnosis {
    let visit = question.visit;
    let mut findings = page_checks::check_visit(question);
    let mut target = None;
    if let Some(hop) = visit.page()
        && !findings
            .iter()
            .any(|finding| finding.code == Code::PageNotHtml && finding.status == CheckStatus::Fail)
    {
        let tags = PageTags::read(&visit.html());
        let snippets = Snippets::find(&tags, &tags.base(&hop.url)).with_scripts(visit);
        let page = Page {
            question,
            hop,
            policies: PagePolicies::of(&hop.headers, &tags),
            target: target::choose_target(&tags, &snippets, question.services, question.widget_id),
            tags,
            snippets,
        };
        findings.extend(page_checks::check_refresh(&page));
        let (snippets, runs) = snippet_checks::check(&page);
        findings.extend(snippets);
        findings.extend(policy_checks::check(&page, &runs));
        findings.extend(service_checks::check(&page));
        target = page.target;
    } else if let ([service, ..], id) = (question.services, question.widget_id) {
        target = Some(Target {
            service: service.clone(),
            widget_id: id,
            script: None,
        });
    }
    let origin = visit.origin();
    findings.extend(decision_checks::check(
        question,
        origin.as_ref(),
        target.as_ref(),
    ));
    let order = |finding: &PageFinding| {
        let position = CODES.iter().position(|code| *code == finding.code);
        position.unwrap_or(CODES.len())
    };
    findings.sort_by_key(order);
    Diagnosis {
        page: question.page.to_owned(),
        service: target.as_ref().map(|target| {
            let text = target.service.as_str();
            text.trim_end_matches('/').to_owned()
        }),
        widget_id: question
            .widget_id
            .or_else(|| target.as_ref().and_then(|target| target.widget_id)),
        verdict: judge(&findings),
        findings,
    }
}

/// What the findings mean together: a page that was not seen as visitors see it says nothing.
fn judge(findings: &[PageFinding]) -> PageVerdict {
    let has = |status, codes: &[Code]| {
        findings
            .iter()
            .any(|finding| finding.status == status && codes.contains(&finding.code))
    };
    if has(
        CheckStatus::Fail,
        &[Code::PageUnreachable, Code::PageStatus],
    ) {
        return PageVerdict::Unknown;
    }
    let is = |status| findings.iter().any(|finding| finding.status == status);
    if is(CheckStatus::Fail) {
        PageVerdict::NotShown
    } else if is(CheckStatus::Unknown) {
        PageVerdict::Unknown
    } else {
        PageVerdict::Shown
    }
}
