//! Whether the page has the snippet, where browsers run it.

use url::Url;

use super::copy_checks::check_copies;
use super::integrity::check_integrity;
use super::read_page::Page;
use super::report::{Audience, CheckStatus, PageFinding};
use super::script::Place;
use super::snippet::{Address, SnippetTag, State};
use super::sorted::{Run, Sorted, sort};
use super::tools::{self, Effect, Inserter, Tool};

use crate::{embed, finding::Code, id::WidgetId};

/// How to see in a browser what cannot be seen from outside.
const CONSOLE: &str = "open the page in a browser, and enter in the console of its developer tools \
                       (F12): `document.querySelector('script[src*=\"/public/embed/\"]')?.outerHTML`; \
                       `undefined` means that the page has no snippet";

pub(super) fn check<'a>(page: &'a Page<'a>) -> (Vec<PageFinding>, Vec<Run<'a>>) {
    let sorted = sort(page);
    let inserters = tools::find_inserters(&page.tags);
    let is_inserted = !inserters.is_empty() || !page.snippets.scripted.is_empty();
    let mut runs: Vec<Run<'_>> = Vec::new();
    let of_tag = |tag: &'a SnippetTag, by_parser| Run {
        script: Some(&tag.script),
        url: Some(&tag.address.url),
        by_parser,
    };
    runs.extend(sorted.live.iter().map(|tag| of_tag(tag, true)));
    runs.extend(sorted.delayed.iter().map(|(tag, _)| of_tag(tag, false)));

    let mut findings = Vec::new();
    findings.extend(check_live(page, &sorted));
    let before = findings.len();
    let copied_runs = check_copies(page, &sorted, &mut findings);
    let runs_as_copy = !copied_runs.is_empty();
    runs.extend(copied_runs);
    let runs_somehow = sorted.runs() || runs_as_copy;
    if !runs_somehow {
        let mut reasons = check_kept_from_running(page, &sorted);
        if is_inserted {
            // Where something else may insert it, what is left in the page may be an old one.
            for finding in &mut reasons {
                if finding.code != Code::SnippetInert || finding.hint.is_none() {
                    finding.status = CheckStatus::Warn;
                }
            }
        }
        findings.extend(reasons);
    }
    check_others(page, &sorted, runs_somehow, &mut findings);
    if !runs_somehow && findings.len() == before {
        findings.extend(check_missing(page, &inserters));
    } else if !runs_somehow
        && is_inserted
        && !findings
            .iter()
            .any(|finding| finding.status == CheckStatus::Fail)
        && !findings
            .iter()
            .any(|finding| finding.status == CheckStatus::Unknown)
    {
        findings.push(by_script(page, &inserters));
    }
    for tag in sorted
        .live
        .iter()
        .chain(sorted.delayed.iter().map(|(tag, _)| tag))
    {
        if let Some(finding) = check_integrity(page, tag) {
            findings.push(finding);
            break;
        }
    }
    (findings, runs)
}

fn check_live(page: &Page<'_>, sorted: &Sorted<'_>) -> Vec<PageFinding> {
    let mut findings = Vec::new();
    let own = |id: Option<WidgetId>| {
        page.target
            .as_ref()
            .is_some_and(|target| target.widget_id == id)
    };
    let (ours, others): (Vec<&SnippetTag>, Vec<&SnippetTag>) = sorted
        .live
        .iter()
        .partition(|tag| own(tag.address.widget_id()));
    if let Some(first) = ours.first() {
        let times = if ours.len() == 1 {
            "the page has the snippet once"
        } else {
            "the page has the snippet"
        };
        findings.push(
            PageFinding::ok(Code::SnippetMissing, Audience::Site, times)
                .with_evidence(first.script.evidence.clone()),
        );
        findings.extend(check_hidden(page, first));
        if let State::Live { is_module: true } = first.state {
            findings.push(
                PageFinding::ok(
                    Code::SnippetModule,
                    Audience::Site,
                    "the snippet is a module: it knows the address from which it runs",
                )
                .with_evidence(first.script.evidence.clone()),
            );
        }
    }
    if let Some(second) = ours.get(1) {
        findings.push(
            PageFinding::warn(
                Code::SnippetDuplicate,
                Audience::Site,
                format!(
                    "the page has the snippet {} times; only the first has an effect",
                    ours.len()
                ),
            )
            .with_evidence(second.script.evidence.clone())
            .with_hint("remove all but one of the tags"),
        );
    }
    if let Some(other) = others.first() {
        findings.push(
            PageFinding::ok(
                Code::SnippetOtherWidget,
                Audience::Site,
                format!("the page also has the widget `{}`", other.address.id),
            )
            .with_evidence(other.script.evidence.clone()),
        );
    }
    if let Some((tag, tool)) = sorted.delayed.first().filter(|_| sorted.live.is_empty()) {
        findings.push(
            PageFinding::warn(
                Code::SnippetDelayed,
                Audience::Site,
                format!(
                    "{} delays the snippet: the launcher may appear only after the visitor's first \
                     movement or tap",
                    capitalized(tool.name)
                ),
            )
            .with_evidence(tag.script.evidence.clone())
            .with_hint(exception_of(tool)),
        );
        findings.extend(check_hidden(page, tag));
    }
    findings
}

fn exception_of(tool: &Tool) -> String {
    if tool.name == "Cloudflare Rocket Loader" {
        "write `data-cfasync=\"false\"` before `src` in the tag".to_owned()
    } else {
        format!("add `/public/embed/` to the exceptions of {}", tool.name)
    }
}

/// The tag may say that the launcher is not drawn.
fn check_hidden(page: &Page<'_>, tag: &SnippetTag) -> Option<PageFinding> {
    let option = |attribute: &str, query: &str| {
        let in_query = tag
            .address
            .url
            .query_pairs()
            .find(|(name, _)| name == query)
            .map(|(_, value)| value.into_owned());
        tag.script
            .attribute(attribute)
            .map(str::to_owned)
            .or(in_query)
    };
    let finding = |detail: String| {
        PageFinding::warn(Code::SnippetMissing, Audience::Site, detail)
            .with_evidence(tag.script.evidence.clone())
    };
    if option("data-hidden", "hidden").is_some() {
        return Some(
            finding(
                "the snippet has `data-hidden`: no launcher is drawn, and the page opens the window \
                 itself"
                    .to_owned(),
            )
            .with_hint("remove `data-hidden` to show the launcher"),
        );
    }
    let pattern = option("data-hidden-on", "hiddenOn")?;
    let path = page.hop.url.path();
    match matches_plainly(&pattern, path) {
        Some(false) => None,
        Some(true) => Some(
            finding(format!(
                "`data-hidden-on` hides the launcher on `{path}`, which `{pattern}` matches"
            ))
            .with_hint("change the pattern to show the launcher here"),
        ),
        None => Some(
            finding(format!(
                "`data-hidden-on` hides the launcher where the path matches `{pattern}`"
            ))
            .with_hint(format!("check whether the pattern matches `{path}`")),
        ),
    }
}

/// Whether a pattern of plain letters matches; `None` for any other pattern.
fn matches_plainly(pattern: &str, path: &str) -> Option<bool> {
    let (start, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (end, text) = match rest.strip_suffix('$') {
        Some(text) => (true, text),
        None => (false, rest),
    };
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'));
    is_plain.then(|| match (start, end) {
        (true, true) => path == text,
        (true, false) => path.starts_with(text),
        (false, true) => path.ends_with(text),
        (false, false) => path.contains(text),
    })
}

/// Snippets that are in the page, and that no browser runs.
fn check_kept_from_running(page: &Page<'_>, sorted: &Sorted<'_>) -> Vec<PageFinding> {
    let mut findings = Vec::new();
    let expected = page.question.widget_id;
    let is_ours = |address: &Address| expected.is_none() || address.widget_id() == expected;
    let mut of_place = |place: Place, code: Code, detail: &str, hint: &str| {
        let mut hidden = page.snippets.hidden.iter();
        if let Some(found) =
            hidden.find(|found| found.tag.place == place && is_ours(&found.address))
        {
            let evidence = match place {
                Place::Comment => format!("<!-- {} … -->", found.tag.script.evidence),
                Place::Noscript => format!("<noscript>{}", found.tag.script.evidence),
                _ => format!("<template>{}", found.tag.script.evidence),
            };
            findings.push(
                PageFinding::fail(code, Audience::Site, detail)
                    .with_evidence(evidence)
                    .with_hint(hint),
            );
        }
    };
    of_place(
        Place::Comment,
        Code::SnippetCommentedOut,
        "the snippet is commented out",
        "remove `<!--` and `-->` around the tag",
    );
    of_place(
        Place::Template,
        Code::SnippetInert,
        "the snippet is inside of `<template>`, where browsers run nothing",
        "move the tag out of `<template>`",
    );
    of_place(
        Place::Noscript,
        Code::SnippetInert,
        "the snippet is inside of `<noscript>`, which browsers that run scripts ignore",
        "move the tag out of `<noscript>`",
    );
    if let Some((tag, tool, reason)) = sorted.inert.first() {
        let (detail, hint) = match tool {
            Some(tool) if tool.effect == Effect::Consent => (
                format!(
                    "{} holds the snippet back until the visitor agrees",
                    capitalized(tool.name)
                ),
                format!(
                    "agree on the page and look again; to show the widget to everybody, exempt the \
                     script in {}",
                    tool.name
                ),
            ),
            Some(tool) if tool.effect == Effect::Worker => (
                format!(
                    "{} runs the snippet in a worker, which has no page",
                    tool.name
                ),
                "remove `type` from the tag".to_owned(),
            ),
            _ => (
                format!("the browser does not run the snippet: {reason}"),
                "paste the snippet as it is, without other attributes".to_owned(),
            ),
        };
        findings.push(
            PageFinding::fail(Code::SnippetInert, Audience::Site, detail)
                .with_evidence(tag.script.evidence.clone())
                .with_hint(hint),
        );
    }
    findings
}

/// Snippets of other widgets and services.
fn check_others(page: &Page<'_>, sorted: &Sorted<'_>, runs: bool, findings: &mut Vec<PageFinding>) {
    let mut push = |code, tag: &SnippetTag, detail: String, hint: String| {
        let finding = if runs {
            PageFinding::warn(code, Audience::Site, detail)
        } else {
            PageFinding::fail(code, Audience::Site, detail)
        };
        findings.push(
            finding
                .with_evidence(tag.script.evidence.clone())
                .with_hint(hint),
        );
    };
    if let Some(tag) = sorted.other_widgets.first() {
        let id = &tag.address.id;
        match (page.question.widget_id, tag.address.widget_id()) {
            // Several widgets on one page are fine.
            (Some(_), Some(_)) if runs => {}
            (Some(expected), Some(_)) => push(
                Code::SnippetOtherWidget,
                tag,
                format!("the page has the snippet of the widget `{id}`, not of `{expected}`"),
                paste_hint(page),
            ),
            _ => push(
                Code::SnippetOtherWidget,
                tag,
                format!("`{id}` in the snippet is not the id of a widget"),
                "paste the snippet again, as it is".to_owned(),
            ),
        }
    }
    if let Some(tag) = sorted.other_services.first() {
        let service = page.question.services.first().map_or("", Url::as_str);
        push(
            Code::SnippetOtherService,
            tag,
            format!(
                "the snippet uses the service `{}`, not `{}`",
                tag.address.service.as_str().trim_end_matches('/'),
                service.trim_end_matches('/')
            ),
            paste_hint(page),
        );
    }
}

/// The line to paste.
fn paste_hint(page: &Page<'_>) -> String {
    let id = page.target.as_ref().and_then(|target| target.widget_id);
    match (&page.target, id) {
        (Some(target), Some(id)) => {
            format!(
                "paste this line into the page: {}",
                embed::snippet(&target.service, id)
            )
        }
        _ => "paste the line that `widget snippet` prints into the page".to_owned(),
    }
}

/// Nothing on the page names a widget.
fn check_missing(page: &Page<'_>, inserters: &[Inserter]) -> Vec<PageFinding> {
    if !inserters.is_empty() || !page.snippets.scripted.is_empty() {
        return vec![by_script(page, inserters)];
    }
    let text = page.snippets.texts.first();
    let joiner = page.tags.scripts.iter().find_map(|script| {
        let src = script.attribute("src")?;
        Some((tools::find_joiner(src)?, script))
    });
    let is_page = (200..300).contains(&page.hop.status);
    let doubt = if !is_page {
        Some("the answer is not the page that visitors see")
    } else if page.tags.refresh.is_some() {
        Some("visitors are sent on to another page")
    } else if page.question.visit.is_cut {
        Some("the page is too large to be read to its end")
    } else {
        None
    };
    let missing = "the page does not have the snippet";
    let finding = match (doubt, text, joiner) {
        (Some(doubt), ..) => PageFinding::unknown(
            Code::SnippetMissing,
            Audience::Site,
            format!("{missing}, but {doubt}"),
        )
        .with_hint(CONSOLE),
        (None, Some((_, evidence, element)), _) => PageFinding::fail(
            Code::SnippetMissing,
            Audience::Site,
            match element.as_str() {
                "data" => "the page has the snippet inside of data only, not as a tag".to_owned(),
                "text" => {
                    "the page shows the snippet as text instead of having it as a tag".to_owned()
                }
                element => {
                    format!("the page has the snippet inside of `<{element}>` only, not as a tag")
                }
            },
        )
        .with_evidence(evidence.clone())
        .with_hint(format!(
            "{}; in an editor, paste it in the mode for HTML",
            paste_hint(page)
        )),
        (None, None, Some((name, script))) => PageFinding::fail(
            Code::SnippetMissing,
            Audience::Site,
            format!("{missing}, unless {name} has joined it with other scripts"),
        )
        .with_evidence(script.evidence.clone())
        .with_hint(format!(
            "{}; and add `/public/embed/` to the exceptions of {name}",
            paste_hint(page)
        )),
        (None, None, None) => PageFinding::fail(Code::SnippetMissing, Audience::Site, missing)
            .with_hint(paste_hint(page)),
    };
    vec![finding]
}

/// The snippet may come when the page runs.
fn by_script(page: &Page<'_>, inserters: &[Inserter]) -> PageFinding {
    let (detail, evidence) = match (page.snippets.scripted.first(), inserters.first()) {
        (Some((_, line)), _) => (
            "a script of the page makes the tag, which cannot be seen without running it"
                .to_owned(),
            line.clone(),
        ),
        (None, Some(inserter)) => (
            format!(
                "the page does not have the snippet when it is loaded; {} may add it, which cannot \
                 be seen without running the page",
                inserter.name
            ),
            inserter.evidence.clone(),
        ),
        (None, None) => (String::new(), String::new()),
    };
    PageFinding::unknown(Code::SnippetByScript, Audience::Site, detail)
        .with_evidence(evidence)
        .with_hint(CONSOLE)
}

/// The name of a tool at the beginning of a sentence; names are written as their owners do.
fn capitalized(name: &str) -> String {
    match name.strip_prefix('a') {
        Some(rest) if rest.starts_with([' ', 'n']) => format!("A{rest}"),
        _ => name.to_owned(),
    }
}
