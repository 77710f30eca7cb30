//! Whether the page has the snippet, where browsers run it.

use url::Url;

use super::copy_checks::check_copies;
use super::evidence;
use super::fix::Fix;
use super::inert_checks::{check_blockers, check_kept_from_running, check_xml};
use super::inserters::{Inserter, find_inserters};
use super::integrity::check_integrity;
use super::page_checks::find_gate;
use super::question::{Answer, LauncherAnswer};
use super::read_page::Page;
use super::report::{Audience, CheckStatus, PageFinding};
use super::snippet::{SnippetTag, State};
use super::sorted::{Run, Sorted, sort};
use super::source::find_in_source;
use super::tools::{self, Tool, capitalized};

use crate::{embed, finding::Code, id::WidgetId};

/// How to see in a browser what cannot be seen from outside.
const CONSOLE: &str = "open the page in a browser, and enter in the console of its developer tools \
                       (F12): `document.querySelector('script[src*=\"/public/embed/\"]')?.outerHTML`; \
                       `undefined` means that the page has no snippet";

pub(super) fn check<'a>(page: &'a Page<'a>) -> (Vec<PageFinding>, Vec<Run<'a>>) {
    let sorted = sort(page);
    // Browsers never get to the tags of a page that they cannot read.
    let xml = check_xml(page, &sorted);
    // What runs on a page that redirects says nothing about the page that they see.
    let inserters = match page.sent_on {
        Some(_) => Vec::new(),
        None => find_inserters(&page.tags),
    };
    let is_inserted = !inserters.is_empty()
        || !page.snippets.scripted.is_empty()
        || page.question.visit.has_unread_scripts();
    let mut runs: Vec<Run<'_>> = Vec::new();
    let of_tag = |tag: &'a SnippetTag, by_parser| Run {
        script: Some(&tag.script),
        url: Some(&tag.address.url),
        by_parser,
    };
    runs.extend(sorted.live.iter().map(|tag| of_tag(tag, true)));
    runs.extend(sorted.delayed.iter().map(|(tag, _)| of_tag(tag, false)));

    let mut findings = Vec::new();
    findings.extend(xml);
    findings.extend(check_live(page, &sorted));
    findings.extend(check_blockers(page, &sorted));
    let before = findings.len();
    let copied_runs = check_copies(page, &sorted, &mut findings);
    let runs_as_copy = !copied_runs.is_empty();
    runs.extend(copied_runs);
    let runs_somehow = sorted.runs() || runs_as_copy;
    findings.extend(check_relative(page, &sorted, runs_somehow));
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
    findings.extend(check_own_service(page, &sorted));
    for tag in sorted
        .live
        .iter()
        .chain(sorted.delayed.iter().map(|(tag, _)| tag))
    {
        let found = check_integrity(page, tag);
        if !found.is_empty() {
            findings.extend(found);
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
    let others = each_once(others.into_iter());
    findings.extend(others.into_iter().map(|other| check_other(page, other)));
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

/// One tag of each widget.
fn each_once<'a>(tags: impl Iterator<Item = &'a SnippetTag>) -> Vec<&'a SnippetTag> {
    /// More are rarely on purpose.
    const MAX_NAMED: usize = 5;
    let mut found: Vec<&SnippetTag> = Vec::new();
    for tag in tags {
        if found.len() < MAX_NAMED && !found.iter().any(|known| known.address.id == tag.address.id)
        {
            found.push(tag);
        }
    }
    found
}

/// Another widget of the page.
fn check_other(page: &Page<'_>, tag: &SnippetTag) -> PageFinding {
    let id = &tag.address.id;
    let mut others = page.question.answers.others.iter();
    let answer = others.find(|(other, _)| tag.address.widget_id() == Some(*other));
    let ask = format!("`widget doctor {id} --page URL`");
    let finding = match answer {
        Some((_, LauncherAnswer::Refused(_))) => PageFinding::warn(
            Code::SnippetOtherWidget,
            Audience::Site,
            format!("the page also has the widget `{id}`, which the service does not show here"),
        )
        .with_hint(format!(
            "remove that tag, or see with a key what is wrong: {ask}"
        )),
        _ => PageFinding::ok(
            Code::SnippetOtherWidget,
            Audience::Site,
            format!("the page also has the widget `{id}`"),
        )
        .with_hint(format!("to look at that one: {ask}")),
    };
    finding.with_evidence(tag.script.evidence.clone())
}

/// A tag without the address of the service.
fn check_relative(page: &Page<'_>, sorted: &Sorted<'_>, runs: bool) -> Option<PageFinding> {
    let tag = sorted.relative.first()?;
    let (hint, fix) = if page.question.services.is_empty() {
        let hint = "write the address of the service before `/public/embed/` in `src`; `widget \
                    snippet WIDGET` prints the whole line";
        (hint.to_owned(), None)
    } else {
        paste(page)
    };
    let status = if runs {
        CheckStatus::Warn
    } else {
        CheckStatus::Fail
    };
    let finding = PageFinding::new(
        Code::SnippetInert,
        status,
        Audience::Site,
        "`src` lacks the address of the service, so that browsers ask the page's own site for the \
         script",
    );
    let finding = finding.with_evidence(tag.script.evidence.clone());
    Some(finding.with_hint(hint).with_fix(fix))
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

/// Snippets of other widgets and services.
fn check_others(page: &Page<'_>, sorted: &Sorted<'_>, runs: bool, findings: &mut Vec<PageFinding>) {
    let question = page.question;
    let status = if runs {
        CheckStatus::Warn
    } else {
        CheckStatus::Fail
    };
    let found = |code, tag: &SnippetTag, detail: String| {
        PageFinding::new(code, status, Audience::Site, detail)
            .with_evidence(tag.script.evidence.clone())
    };
    for tag in each_once(sorted.other_widgets.iter().copied()) {
        let id = &tag.address.id;
        match (question.widget_id, tag.address.widget_id()) {
            // Several widgets on one page are fine.
            (Some(_), Some(_)) if runs => findings.push(check_other(page, tag)),
            (Some(expected), Some(_)) => findings.push(pasting(
                page,
                found(
                    Code::SnippetOtherWidget,
                    tag,
                    format!("the page has the snippet of the widget `{id}`, not of `{expected}`"),
                ),
            )),
            _ => {
                let finding = found(Code::SnippetOtherWidget, tag, describe_non_id(id));
                let known = page.target.as_ref().and_then(|target| target.widget_id);
                findings.push(match known {
                    Some(_) if runs => finding.with_hint("remove that tag"),
                    Some(_) => pasting(page, finding),
                    None => finding.with_hint(
                        "write the id of the widget in its place; `widget snippet WIDGET` prints \
                         the whole line",
                    ),
                });
            }
        }
    }
    let plain = |service: &Url| service.as_str().trim_end_matches('/').to_owned();
    if let Some(tag) = sorted.other_services.first() {
        let service = &tag.address.service;
        let own = question.services.first().map(plain).unwrap_or_default();
        let finding = found(
            Code::SnippetOtherService,
            tag,
            format!(
                "the snippet uses the service `{}`, not `{own}`",
                plain(service)
            ),
        );
        let mut finding = if runs {
            finding.with_hint("remove that tag")
        } else {
            pasting(page, finding)
        };
        if let Some(profile) = question.profile_of(service) {
            finding.hint = finding.hint.map(|hint| {
                format!(
                    "{hint}; if the page should show the widget of `{}`, ask with `--profile \
                     {profile}`",
                    plain(service)
                )
            });
        }
        findings.push(finding);
    }
}

/// What stands where the id of a widget should.
fn describe_non_id(id: &str) -> String {
    if id.is_empty() {
        return "the address in the snippet ends before the id of the widget".to_owned();
    }
    let is_visible = |letter: &char| letter.is_ascii_graphic() || letter.is_alphanumeric();
    let invisible = id
        .chars()
        .find(|letter| !letter.is_ascii() && !is_visible(letter));
    let plain: String = id.chars().filter(is_visible).collect();
    match invisible {
        Some(letter) if plain.parse::<WidgetId>().is_ok() => format!(
            "the id in the snippet has an invisible character, U+{:04X}",
            u32::from(letter)
        ),
        _ => format!(
            "what stands in the place of the id is not the id of a widget: `{}`",
            evidence::of_text(id)
        ),
    }
}

/// A snippet of another service than the one that the caller works with: either the page or the
/// caller has the wrong one.
fn check_own_service(page: &Page<'_>, sorted: &Sorted<'_>) -> Option<PageFinding> {
    let question = page.question;
    let (own, target) = (question.own_service?, page.target.as_ref()?);
    let plain = |service: &Url| service.as_str().trim_end_matches('/').to_owned();
    let (own, other) = (plain(own), plain(&target.service));
    // What is shown may well be what the owner of the page wants.
    let is_shown = matches!(
        question.answers.launcher,
        Answer::Given(LauncherAnswer::Shown { .. })
    );
    let ask = match question.with_profile_of(&target.service) {
        Some(command) => format!("look with the profile of that service: {command}"),
        None => "look with a key of that service (`widget login --profile NAME`)".to_owned(),
    };
    let paste =
        format!("replace the snippet by that of the widget of `{own}` (`widget snippet WIDGET`)");
    let tags = sorted
        .live
        .first()
        .or(sorted.inert.first().map(|(tag, ..)| tag));
    let mut finding = PageFinding::new(
        Code::SnippetOtherService,
        if is_shown {
            CheckStatus::Warn
        } else {
            CheckStatus::Fail
        },
        Audience::Site,
        format!("the snippet uses the service `{other}`, and you work with `{own}`"),
    )
    .with_hint(format!(
        "if the page should show a widget of `{own}`: {paste}; if `{other}` is right: {ask}"
    ))
    .with_fix(Fix::Words(format!(
        "{paste}; or, if `{other}` is right, {ask}"
    )));
    finding.evidence = tags.map(|tag| tag.script.evidence.clone());
    Some(finding)
}

/// A finding that the right line corrects.
fn pasting(page: &Page<'_>, finding: PageFinding) -> PageFinding {
    let (hint, fix) = paste(page);
    finding.with_hint(hint).with_fix(fix)
}

/// The line to paste.
fn paste(page: &Page<'_>) -> (String, Option<Fix>) {
    let id = page.target.as_ref().and_then(|target| target.widget_id);
    match (&page.target, id) {
        (Some(target), Some(id)) => {
            let fix = Fix::Line(embed::snippet(&target.service, id));
            (fix.to_string(), Some(fix))
        }
        _ => (
            "paste the line that `widget snippet` prints into the page".to_owned(),
            None,
        ),
    }
}

/// Nothing on the page names a widget.
fn check_missing(page: &Page<'_>, inserters: &[Inserter]) -> Vec<PageFinding> {
    let is_page = page.is_answer();
    let framed = page.framed.first();
    if is_page
        && framed.is_none_or(|framed| !framed.is_shown())
        && (!inserters.is_empty()
            || !page.snippets.scripted.is_empty()
            || page.question.visit.has_unread_scripts())
    {
        return vec![by_script(page, inserters)];
    }
    if let Some(framed) = framed {
        return vec![framed.to_finding()];
    }
    let text = page.snippets.texts.first();
    let joiner = page.tags.scripts.iter().find_map(|script| {
        let src = script.attribute("src")?;
        Some((tools::find_joiner(src)?, script))
    });
    let doubt = if !is_page {
        Some("the answer is not the page that visitors see".to_owned())
    } else if page.sent_on.is_some() {
        Some("visitors are sent on to another page".to_owned())
    } else if let Some(gate) = find_gate(page.question) {
        Some(format!(
            "the site first sends its visitors to `{}`, to log in or to agree",
            evidence::of_url(gate)
        ))
    } else if page.question.visit.is_cut {
        Some("only the beginning of the page could be read".to_owned())
    } else {
        None
    };
    let missing = "the page does not have the snippet";
    let (paste, line) = paste(page);
    let fail = |detail: String, hint: &str| {
        PageFinding::fail(Code::SnippetMissing, Audience::Site, detail).with_hint(hint)
    };
    if doubt.is_none() && page.question.visit.body.trim_ascii().is_empty() {
        let status = page.hop.status;
        let hint = "open the address in a browser; correct the site first, if it shows nothing \
                    there, too";
        return vec![fail(
            format!("{missing}: the answer is empty ({status})"),
            hint,
        )];
    }
    if doubt.is_none() && page.tags.is_amp {
        return vec![
            fail(
                format!("{missing}, and as AMP it does not allow scripts of others"),
                &format!("in the usual page, not in the AMP one: {paste}"),
            )
            .with_evidence("<html amp>"),
        ];
    }
    if doubt.is_none() && page.tags.has_frameset && !page.tags.frames.is_empty() {
        let hint = "the page has only frames, in which the widget has no place: use the page in \
                    the frame instead";
        return vec![fail(missing.to_owned(), hint)];
    }
    let finding = match (doubt, text, joiner) {
        (Some(doubt), ..) => PageFinding::unknown(
            Code::SnippetMissing,
            Audience::Site,
            format!("{missing}, but {doubt}"),
        )
        .with_hint(CONSOLE),
        (None, Some(text), _) => PageFinding::fail(
            Code::SnippetMissing,
            Audience::Site,
            match text.element.as_str() {
                "data" => "the page has the snippet inside of data only, not as a tag".to_owned(),
                "text" => {
                    "the page shows the snippet as text instead of having it as a tag".to_owned()
                }
                element => {
                    format!("the page has the snippet inside of `<{element}>` only, not as a tag")
                }
            },
        )
        .with_evidence(text.evidence.clone())
        .with_hint(match text.element.as_str() {
            // Nothing ends that one.
            element if text.is_open && element != "plaintext" => {
                format!("close `<{element}>` before the snippet: `</{element}>` is missing")
            }
            _ => format!("{paste}; in an editor, paste it in the mode for HTML"),
        }),
        (None, None, Some((name, script))) => PageFinding::fail(
            Code::SnippetMissing,
            Audience::Site,
            format!("{missing}, unless {name} has joined it with other scripts"),
        )
        .with_evidence(script.evidence.clone())
        .with_hint(format!(
            "{paste}; and add `/public/embed/` to the exceptions of {name}"
        )),
        (None, None, None) => missing_tag(page, &paste, line),
    };
    vec![finding]
}

/// Nothing on the page is a snippet, but its source may have something of one.
fn missing_tag(page: &Page<'_>, paste: &str, line: Option<Fix>) -> PageFinding {
    let missing = "the page does not have the snippet";
    let fail = |detail| PageFinding::fail(Code::SnippetMissing, Audience::Site, detail);
    match find_in_source(page) {
        Some(found) => fail(format!(
            "{missing} as a tag that browsers load; line {} of its source has `{}`",
            found.line, found.text
        ))
        .with_evidence(found.evidence)
        .with_hint(format!(
            "{paste}; if it is there already, correct the tag, or what is not closed before it"
        )),
        None if page.tags.has_manager_frame => without_manager(paste),
        None => fail(missing.to_owned()).with_hint(paste).with_fix(line),
    }
}

/// A page that has of a tag manager only what browsers without scripts show.
fn without_manager(paste: &str) -> PageFinding {
    PageFinding::fail(
        Code::SnippetMissing,
        Audience::Site,
        "the page does not have the snippet, and Google Tag Manager cannot add it: the page has only \
         its `<noscript>`, not its script",
    )
    .with_hint(format!(
        "add the script of Google Tag Manager to the page; or {paste}"
    ))
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
        (None, None) => {
            let scripts = &page.question.visit.scripts;
            let read = scripts.iter().filter(|script| !script.is_cut).count();
            let all = scripts.len() + page.question.visit.unread_scripts;
            let detail = format!(
                "the page does not have the snippet when it is loaded; one of its scripts may add \
                 it, of which only {read} of {all} were read"
            );
            (detail, String::new())
        }
    };
    let finding = PageFinding::unknown(Code::SnippetByScript, Audience::Site, detail);
    let finding = finding.with_hint(CONSOLE);
    if evidence.is_empty() {
        return finding;
    }
    finding.with_evidence(evidence)
}
