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

mod address;
mod blockers;
mod copy_checks;
mod decision_checks;
mod decompress;
mod deferred;
mod encoded;
mod evidence;
mod fetch;
mod fix;
mod foreign;
mod framed;
mod frames;
mod inert_checks;
mod inserter_policies;
mod inserters;
mod integrity;
mod page;
mod page_checks;
mod part;
mod past;
mod permissions;
mod policy;
mod policy_checks;
mod question;
mod read_page;
mod redirects;
mod report;
mod script;
mod service_checks;
mod snippet;
mod snippet_checks;
mod sorted;
mod source;
mod target;
mod templates;
#[cfg(test)]
mod tests;
mod tools;
mod visit;
mod walls;

pub use decompress::{DecompressError, decompress};
pub use evidence::{page_argument, shown_page};
pub use fetch::{
    ACCEPT, ACCEPT_ENCODING, ByteBudget, FETCH_TIMEOUT, MAX_HEADERS, MAX_PAGE_BYTES,
    MAX_PART_REDIRECTS, MAX_REDIRECTS, MAX_REQUESTS, MAX_SCRIPTS, PARALLEL_SCRIPTS, PART_TIMEOUT,
    RedirectError, RequestBudget, next_address,
};
pub use fix::{Fix, quote_for_shell};
pub use part::Part;
pub use past::{PastRevision, describe_past, was_for_page};
pub use question::{
    Answer, LauncherAnswer, LiveKitAnswer, OtherWidget, Question, ScriptAnswer, ServiceAnswers,
    Target,
};
pub use report::{Audience, CODES, CheckStatus, Diagnosis, NeededFix, PageFinding, PageVerdict};
pub use visit::{FailureCause, Hop, PageFailure, PageFrame, PageScript, Visit};

use std::collections::BTreeSet;

use url::Url;

use crate::{
    finding::Code,
    id::WidgetId,
    origin::{EntryError, Origin},
};
use page::PageTags;
use policy::PagePolicies;
use read_page::Page;
use script::Kind;
use snippet::Snippets;

/// Reads the address of a page as somebody typed it; the scheme may be missing (`https` is meant).
///
/// # Errors
/// What is wrong with the address.
#[expect(clippy::missing_panics_doc, reason = "an origin is an address")]
pub fn parse_page(text: &str) -> Result<Url, EntryError> {
    let text = text.trim();
    let origin = Origin::parse_page(text)?;
    let is_whole = text.contains("://");
    let url = if is_whole {
        Url::parse(text)
    } else {
        Url::parse(&format!("https://{text}"))
    };
    // Browsers read some addresses more strictly: then it is the first page of the site.
    Ok(url.unwrap_or_else(|_| Url::parse(origin.as_str()).expect("an origin is an address")))
}

/// Finds the widgets that a page names, each once: by tags, also those that browsers do not run
/// yet, and by scripts that make such tags.
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
    let tags = PageTags::read(visit);
    let snippets = find_own(&tags, visit, hop, &[]);
    target::find_named(&tags, &snippets)
}

/// What may have the snippet of a page beside the page itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartsToRead {
    /// The scripts in which a snippet may be, for a page that has none which browsers run: such a
    /// script may make the tag, or be a copy of the service's. The likely ones are first, at most
    /// [`MAX_SCRIPTS`].
    pub scripts: Vec<Url>,
    /// How many more scripts there are; they count as [`Visit::unread_scripts`].
    pub left_out: usize,
    /// The frames of the same site in which a snippet may be, for a page that has none of its own.
    pub frames: Vec<Url>,
}

impl PartsToRead {
    /// The addresses to ask, each with its place, and whether it is a frame.
    pub fn into_addresses(self) -> impl Iterator<Item = (usize, Url, bool)> {
        let frames = self.frames.into_iter().map(|url| (url, true));
        let scripts = self.scripts.into_iter().map(|url| (url, false));
        let all = frames.chain(scripts).enumerate();
        all.map(|(at, (url, is_frame))| (at, url, is_frame))
    }
}

/// Finds what has to be read beside a page.
#[must_use]
pub fn parts_to_read(visit: &Visit) -> PartsToRead {
    let Some(hop) = visit.page() else {
        return PartsToRead::default();
    };
    let tags = PageTags::read(visit);
    let base = tags.base(&hop.url);
    let snippets = Snippets::find(&tags, &base).of_services(&[], &hop.url);
    let mut scripts = scripts_to_read(&tags, &snippets, &base, &hop.url);
    let left_out = scripts.len().saturating_sub(MAX_SCRIPTS);
    scripts.truncate(MAX_SCRIPTS);
    PartsToRead {
        scripts,
        left_out,
        frames: frames_to_read(&tags, &snippets, &base, &hop.url),
    }
}

fn scripts_to_read(tags: &PageTags, snippets: &Snippets, base: &Url, page: &Url) -> Vec<Url> {
    let runs = |tag: &snippet::SnippetTag| !matches!(tag.state, snippet::State::Inert { .. });
    if snippets.tags.iter().any(runs) {
        return Vec::new();
    }
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for script in &tags.scripts {
        let src = script.attribute("src").filter(|_| Kind::of(script).runs());
        if let Some(url) = src.and_then(|src| base.join(src.trim()).ok())
            && matches!(url.scheme(), "http" | "https")
            && seen.insert(url.clone())
        {
            found.push(url);
        }
    }
    let copies = snippets.copied.iter().filter_map(|tag| tag.url.as_ref());
    let copies: BTreeSet<&Url> = copies.collect();
    let likelihood = |url: &Url| match (tools::find_joiner(url.as_str()), url.origin()) {
        _ if copies.contains(url) => 0,
        (Some(_), _) => 1,
        (None, origin) if origin == page.origin() => 2,
        _ => 3,
    };
    found.sort_by_cached_key(likelihood);
    found
}

fn frames_to_read(tags: &PageTags, snippets: &Snippets, base: &Url, page: &Url) -> Vec<Url> {
    /// More are rarely pages.
    const MAX_FRAMES: usize = 3;
    if !snippets.tags.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for frame in &tags.frames {
        if let Ok(url) = base.join(&frame.content)
            && url.origin() == page.origin()
            && url != *page
            && !found.contains(&url)
            && found.len() < MAX_FRAMES
        {
            found.push(url);
        }
    }
    found
}

/// Everything on a page that names a widget.
fn find_own(tags: &PageTags, visit: &Visit, hop: &Hop, services: &[Url]) -> Snippets {
    Snippets::find(tags, &tags.base(&hop.url))
        .of_services(services, &hop.url)
        .with_scripts(visit)
}

/// Finds the widget that a page has to show: the one of its snippet, however that is hidden.
///
/// `services` and `widget_id` are those that are expected; a snippet for them is preferred.
#[must_use]
pub fn find_target(visit: &Visit, services: &[Url], widget_id: Option<WidgetId>) -> Option<Target> {
    let hop = visit.page()?;
    let tags = PageTags::read(visit);
    let snippets = find_own(&tags, visit, hop, services);
    let framed = frames::find_framed(&tags, visit);
    target::choose_target(&tags, &snippets, &framed, services, widget_id)
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
        let tags = PageTags::read(visit);
        let snippets = find_own(&tags, visit, hop, question.services);
        let framed = frames::find_framed(&tags, visit);
        let found = walls::find_wall(&tags).filter(|_| snippets.tags.is_empty());
        let wall = walls::find_challenge(hop).or(found);
        let sent_on = match wall {
            // What such a page redirects to is the page that was asked for.
            Some(_) => None,
            None => redirects::find_refresh(hop, &tags, &snippets),
        };
        let page = Page {
            question,
            hop,
            policies: PagePolicies::of(&hop.headers, &tags),
            target: target::choose_target(
                &tags,
                &snippets,
                &framed,
                question.services,
                question.widget_id,
            ),
            sent_on,
            wall,
            tags,
            snippets,
            framed,
        };
        page_checks::check_wall(&page, &mut findings);
        findings.extend(page_checks::check_refresh(&page));
        findings.extend(page_checks::check_amp(&page));
        let (snippets, runs) = snippet_checks::check(&page);
        findings.extend(snippets);
        // An error page has policies of its own, and so has a page of another site to log in on.
        let is_elsewhere = runs.is_empty() && page_checks::find_foreign_gate(question).is_some();
        if page.is_answer() && !is_elsewhere {
            let has_fault = findings.iter().any(|finding| {
                finding.code != Code::PageStatus && finding.status == CheckStatus::Fail
            });
            let framed = page.framed.first();
            let framed = framed.filter(|framed| framed.is_shown() && runs.is_empty() && !has_fault);
            findings.extend(match framed {
                Some(framed) => frames::check_policies(&page, framed),
                None => policy_checks::check(&page, &runs),
            });
        }
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
    findings.extend(decision_checks::check_modes(question, target.as_ref()));
    let order = |finding: &PageFinding| {
        let position = CODES.iter().position(|code| *code == finding.code);
        position.unwrap_or(CODES.len())
    };
    findings.sort_by_key(order);
    // Several parts may come to the same.
    findings.dedup();
    Diagnosis {
        page: shown_page(question.page),
        service: target.as_ref().map(|target| {
            let text = target.service.as_str();
            text.trim_end_matches('/').to_owned()
        }),
        widget_id: question
            .widget_id
            .or_else(|| target.as_ref().and_then(|target| target.widget_id)),
        verdict: report::judge(&findings),
        fixes: report::list_fixes(&findings),
        findings,
    }
}
