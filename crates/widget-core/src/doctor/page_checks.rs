//! Whether there is a page, and whether it is the one that was asked for.

use url::Url;

use super::evidence;
use super::question::{Answer, LauncherAnswer, Question};
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::visit::{Hop, essence_of};
use super::walls;
use crate::finding::Code;

/// The namespace of HTML in XML.
const XHTML: &[u8] = b"http://www.w3.org/1999/xhtml";

pub(super) fn check_visit(question: &Question<'_>) -> Vec<PageFinding> {
    let visit = question.visit;
    let mut findings = Vec::new();
    if let Some(failure) = &visit.failure {
        let mut finding = PageFinding::fail(
            Code::PageUnreachable,
            Audience::Site,
            format!("the page cannot be loaded: {}", failure.reason),
        )
        .with_hint(failure.cause.hint());
        if let Some(hop) = visit.hops.last() {
            finding = finding.with_evidence(describe(hop));
        }
        findings.push(finding);
    }
    let Some(hop) = visit.page() else {
        findings.extend(check_redirects(question));
        return findings;
    };
    findings.push(PageFinding::ok(
        Code::PageUnreachable,
        Audience::Site,
        "the page loads",
    ));
    findings.extend(check_status(hop));
    findings.extend(check_type(hop, &visit.body));
    findings.extend(check_redirects(question));
    findings
}

fn check_status(hop: &Hop) -> Option<PageFinding> {
    if let Some((name, evidence)) = walls::find_challenge(hop) {
        return Some(walled(name, evidence, hop.status));
    }
    if (200..300).contains(&hop.status) {
        return None;
    }
    let error = format!("the page answers with the error {}", hop.status);
    let (detail, hint) = match hop.status {
        401 if hop.header("www-authenticate").is_some() => (
            "the page asks for a password (401)".to_owned(),
            "open the page in a browser with the password, and look there with the developer \
             tools (F12)",
        ),
        429 => (
            "the site is asked too often, and does not show the page now (429)".to_owned(),
            "try again later, when the site answers again",
        ),
        503 => (
            "the site says that it is not available now (503)".to_owned(),
            "try again when the site is available; it may answer programs differently than \
             browsers, so open it in a browser, too",
        ),
        401 | 403 | 407 => (
            error,
            "the site may answer programs differently than browsers: open the page in a \
             browser, and look there with the developer tools (F12)",
        ),
        404 | 410 => (
            error,
            "compare the address with that in the browser's address bar",
        ),
        300..=399 => (
            format!(
                "the page is a redirect ({}) that does not say where to",
                hop.status
            ),
            "correct the redirect of the site first: it needs the header `Location`",
        ),
        _ => (error, "correct the error of the site first"),
    };
    let later = hop
        .header("retry-after")
        .filter(|_| matches!(hop.status, 429 | 503));
    let evidence = match later {
        Some(value) => format!(
            "{}, {}",
            describe(hop),
            evidence::of_header("Retry-After", value)
        ),
        None => describe(hop),
    };
    Some(
        PageFinding::fail(Code::PageStatus, Audience::Site, detail)
            .with_evidence(evidence)
            .with_hint(hint),
    )
}

/// A page that is shown to browsers only, whatever its status is.
pub(super) fn check_wall(page: &Page<'_>, findings: &mut Vec<PageFinding>) {
    let Some((name, evidence)) = &page.wall else {
        return;
    };
    findings.retain(|finding| finding.code != Code::PageStatus);
    findings.push(walled(name, evidence.clone(), page.hop.status));
}

fn walled(name: &str, evidence: String, status: u16) -> PageFinding {
    PageFinding::fail(
        Code::PageStatus,
        Audience::Site,
        format!(
            "{name} checks whether a browser asks for the page, and does not show it to programs \
             ({status})"
        ),
    )
    .with_evidence(evidence)
    .with_hint(format!(
        "open the page in a browser, and look there with the developer tools (F12); or let this \
         program pass in {name}"
    ))
}

/// Whether browsers show the answer as a page.
pub(super) fn check_type(hop: &Hop, body: &[u8]) -> Option<PageFinding> {
    let fail = |detail: &str, evidence: String, hint: &str| {
        let finding = PageFinding::fail(Code::PageNotHtml, Audience::Site, detail);
        Some(finding.with_evidence(evidence).with_hint(hint))
    };
    if let Some(value) = hop.header("content-disposition") {
        let kind = value.split(';').next().unwrap_or_default().trim();
        // What is not known counts as a download.
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("inline") {
            return fail(
                "browsers save the page as a file instead of showing it",
                evidence::of_header("Content-Disposition", value),
                "remove the header `Content-Disposition`",
            );
        }
    }
    let Some(kind) = hop.content_type() else {
        let value = hop.header("x-content-type-options")?;
        let is_strict = value
            .split(',')
            .next()
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("nosniff"));
        // Without it, browsers look at the text.
        return fail(
            "the page does not say that it is HTML, and browsers may not guess",
            evidence::of_header("X-Content-Type-Options", value),
            "add the header `Content-Type: text/html; charset=utf-8`",
        )
        .filter(|_| is_strict);
    };
    let essence = essence_of(kind);
    let is_page = essence.eq_ignore_ascii_case("application/xhtml+xml") || {
        // Other XML is a page by its elements.
        hop.is_xml() && body.windows(XHTML.len()).any(|part| part == XHTML)
    };
    if is_page || essence.eq_ignore_ascii_case("text/html") {
        return None;
    }
    if essence.eq_ignore_ascii_case("text/plain") {
        return fail(
            "the page comes as `text/plain`, and browsers show its text instead of the page",
            evidence::of_header("Content-Type", kind),
            "let the site send it with `Content-Type: text/html; charset=utf-8`",
        );
    }
    fail(
        "the address answers with something else than a page",
        evidence::of_header("Content-Type", kind),
        "use the address of a page, as it is in the browser's address bar",
    )
}

/// A page of a kind that keeps out the scripts of others.
pub(super) fn check_amp(page: &Page<'_>) -> Option<PageFinding> {
    let has_snippet = !page.snippets.tags.is_empty() || !page.snippets.hidden.is_empty();
    (page.tags.is_amp && has_snippet).then(|| {
        PageFinding::warn(
            Code::SnippetMissing,
            Audience::Site,
            "the page is AMP, which does not allow scripts of others: search engines show it \
             without the snippet",
        )
        .with_evidence("<html amp>")
        .with_hint("paste the snippet into the usual page, not into the AMP one")
    })
}

/// The page to which a visit was sent, when it looks like one on which to log in or to agree.
pub(super) fn find_gate<'a>(question: &'a Question<'_>) -> Option<&'a Url> {
    const WORDS: &[&str] = &[
        "login",
        "log-in",
        "signin",
        "sign-in",
        "wp-login.php",
        "password",
        "auth",
        "sso",
        "account",
        "accounts",
        "consent",
    ];
    let hops = &question.visit.hops;
    let (first, last) = (&hops.first()?.url, &hops.last()?.url);
    // Whoever asks for the page of an account looks at that.
    let words = |url: &'a Url| {
        let label = url.host_str().unwrap_or_default().split('.').next();
        url.path().split('/').chain(label)
    };
    let is_new = |word: &str| !words(first).any(|asked| asked.eq_ignore_ascii_case(word));
    let is_gate =
        |word: &str| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) && is_new(word);
    words(last).any(is_gate).then_some(last)
}

/// The same for a page on another site, which says nothing about the site of the page.
pub(super) fn find_foreign_gate<'a>(question: &'a Question<'_>) -> Option<&'a Url> {
    let gate = find_gate(question)?;
    let name = |url: &'a Url| {
        let host = url.host_str().unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host)
    };
    (name(&question.visit.hops.first()?.url) != name(gate)).then_some(gate)
}

fn check_redirects(question: &Question<'_>) -> Option<PageFinding> {
    let hops = &question.visit.hops;
    let (first, last) = (hops.first()?, hops.last()?);
    let shown = evidence::of_url(&last.url);
    if first.url.origin() == last.url.origin() || find_gate(question).is_some() {
        return check_moved(question, &first.url, &shown);
    }
    let at = hops
        .iter()
        .rposition(|hop| hop.url.origin() != last.url.origin())?;
    let from = &hops[at];
    let origin = last.url.origin().ascii_serialization();
    let evidence = format!("{} → {shown}", describe(from));
    let listed = question.explanation.is_some_and(|explanation| {
        let mut steps = explanation.steps.iter();
        steps.any(|step| step.code == Code::OriginListed && step.ok)
    });
    let answer = &question.answers.launcher;
    if listed || matches!(answer, Answer::Given(LauncherAnswer::Shown { .. })) {
        let finding = PageFinding::ok(
            Code::PageRedirected,
            Audience::Site,
            format!("the page redirects to `{origin}`, which is listed"),
        );
        return Some(finding.with_evidence(evidence));
    }
    Some(
        PageFinding::warn(
            Code::PageRedirected,
            Audience::Site,
            format!("the page redirects to `{origin}`, which is the site that has to be listed"),
        )
        .with_evidence(evidence)
        .with_hint(format!("use `{origin}` in the list of domains")),
    )
}

/// A redirect within the site, or to a page on which to log in.
fn check_moved(question: &Question<'_>, first: &Url, shown: &str) -> Option<PageFinding> {
    if find_gate(question).is_some() {
        let finding = PageFinding::warn(
            Code::PageRedirected,
            Audience::Site,
            format!(
                "the site sends its visitors to `{shown}` first, to log in or to agree; what \
                 follows is about that page"
            ),
        );
        return Some(finding.with_hint("log in with a browser, and look there at the page"));
    }
    let last = &question.visit.hops.last()?.url;
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    (path(first) != path(last)).then(|| {
        PageFinding::ok(
            Code::PageRedirected,
            Audience::Site,
            format!("the page redirects to `{shown}`"),
        )
        .with_hint("what follows is about that page")
    })
}

/// A page that redirects to another one by itself.
pub(super) fn check_refresh(page: &Page<'_>) -> Option<PageFinding> {
    let found = page.sent_on.as_ref()?;
    let what = if found.by_script {
        "a script of the page"
    } else {
        "the page"
    };
    let finding = |detail: String| {
        PageFinding::warn(Code::PageRedirected, Audience::Site, detail)
            .with_evidence(found.evidence.clone())
    };
    Some(match &found.url {
        Some(url) => {
            let shown = evidence::of_url(url);
            finding(format!("{what} redirects to `{shown}`"))
                .with_hint(format!("look at that page: widget doctor {}", evidence::argument(url)))
        }
        None => finding(format!("{what} redirects to another page")).with_hint(
            "open the page in a browser, and look at the page in its address bar: widget doctor URL",
        ),
    })
}

fn describe(hop: &Hop) -> String {
    format!("{} {}", hop.status, evidence::of_url(&hop.url))
}
