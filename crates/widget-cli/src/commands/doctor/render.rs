//! The answer of `widget doctor` for people.

use widget_core::{
    doctor::{Audience, CODES, CheckStatus, Diagnosis, NeededFix, PageFinding},
    finding::Code,
    origin::Origin,
};

use super::Known;
use crate::{
    failure::Failure,
    printer::{BOLD, CYAN, GREEN, Printer, RED, YELLOW, hint_line, printable},
};

/// Who can change something stands behind this column.
const DETAIL_WIDTH: usize = 72;

pub(super) fn render(
    diagnosis: &Diagnosis,
    known: &Known,
    origin: Option<&Origin>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    printer.line(heading(diagnosis, known))?;
    for group in GROUPS {
        let findings: Vec<&PageFinding> = diagnosis
            .findings
            .iter()
            .filter(|finding| (group.has)(finding.code))
            .collect();
        if let Some(line) = (group.summary)(&findings, origin) {
            printer.line(format_args!("  {GREEN}✓{GREEN:#} {}", printable(&line)))?;
        }
        for finding in findings {
            // What is fine, and has advice all the same, is worth knowing.
            if finding.status != CheckStatus::Ok || finding.hint.is_some() {
                show(finding, printer)?;
            }
        }
    }
    show_fixes(&diagnosis.fixes, printer)
}

/// The first fix, and what remains to be done after it.
fn show_fixes(fixes: &[NeededFix], printer: &mut Printer) -> Result<(), Failure> {
    let Some((first, rest)) = fixes.split_first() else {
        return Ok(());
    };
    let line = |needed: &NeededFix| printable(&needed.fix.to_string()).to_string();
    printer.line(format_args!("{BOLD}Fix{BOLD:#}: {}", line(first)))?;
    if rest.is_empty() {
        return Ok(());
    }
    printer.line("Also:")?;
    for needed in rest {
        printer.line(format_args!("  - {}", line(needed)))?;
    }
    Ok(())
}

/// `shop.example/cart → widget 0197c3a2 "Ask the shop" (acme, widgets.example)`.
fn heading(diagnosis: &Diagnosis, known: &Known) -> String {
    let page = plain(&diagnosis.page);
    let Some(id) = diagnosis.widget_id else {
        return format!("{BOLD}{}{BOLD:#} → no widget", printable(page));
    };
    let id = id.to_string();
    let title = known
        .title
        .as_ref()
        .map_or_else(String::new, |title| format!(" \"{title}\""));
    let places: Vec<&str> = known
        .organization
        .as_deref()
        .into_iter()
        .chain(diagnosis.service.as_deref().map(plain))
        .collect();
    let places = match places.join(", ") {
        places if places.is_empty() => places,
        places => format!(" ({places})"),
    };
    format!(
        "{BOLD}{}{BOLD:#} → widget {}{}",
        printable(page),
        id.get(..8).unwrap_or(&id),
        printable(&format!("{title}{places}"))
    )
}

/// An address without what is usual.
fn plain(address: &str) -> &str {
    address.strip_prefix("https://").unwrap_or(address)
}

/// Findings that belong together, and one line for when nothing is wrong with them.
struct Group {
    has: fn(Code) -> bool,
    summary: fn(&[&PageFinding], Option<&Origin>) -> Option<String>,
}

const GROUPS: &[Group] = &[
    Group {
        has: |code| range(Code::PageUnreachable, Code::IntegrityUnknown).contains(&code),
        summary: summarize_page,
    },
    Group {
        has: |code| !CODES.contains(&code),
        summary: |findings, origin| {
            let mut kept = findings.iter().map(|finding| finding.status);
            let is_shown = kept.clone().any(|status| status == CheckStatus::Ok)
                && kept.all(|status| [CheckStatus::Ok, CheckStatus::Warn].contains(&status));
            let origin = origin.filter(|_| is_shown)?;
            Some(format!("the service shows the widget on {origin}"))
        },
    },
    Group {
        has: |code| range(Code::CspScriptBlocked, Code::PageFrameOnly).contains(&code),
        summary: |findings, _| {
            is_fine(findings).then(|| "no policy of the page is in the way".to_owned())
        },
    },
    Group {
        has: |code| range(Code::ServiceUnreachable, Code::ClockSkewed).contains(&code),
        summary: summarize_service,
    },
];

/// The codes from one to another.
fn range(first: Code, last: Code) -> &'static [Code] {
    let position = |code| CODES.iter().position(|known| *known == code);
    match (position(first), position(last)) {
        (Some(first), Some(last)) => &CODES[first..=last],
        _ => &[],
    }
}

/// Whether something was looked at, and nothing is wrong.
fn is_fine(findings: &[&PageFinding]) -> bool {
    !findings.is_empty()
        && findings
            .iter()
            .all(|finding| finding.status == CheckStatus::Ok)
}

fn summarize_page(findings: &[&PageFinding], _: Option<&Origin>) -> Option<String> {
    let is_ok = |code| {
        findings
            .iter()
            .find(|finding| finding.code == code && finding.status == CheckStatus::Ok)
    };
    let fails = |code| {
        findings
            .iter()
            .any(|finding| finding.code == code && finding.status == CheckStatus::Fail)
    };
    is_ok(Code::PageUnreachable)?;
    if fails(Code::PageStatus) || fails(Code::PageNotHtml) {
        return None;
    }
    Some(match is_ok(Code::SnippetMissing) {
        Some(finding) => {
            let has = finding.detail.trim_start_matches("the page has");
            format!("the page loads and has{has}")
        }
        None => "the page loads".to_owned(),
    })
}

fn summarize_service(findings: &[&PageFinding], _: Option<&Origin>) -> Option<String> {
    let is_ok = |code| {
        let mut found = findings.iter().filter(|finding| finding.code == code);
        found.any(|finding| finding.status == CheckStatus::Ok)
    };
    let both = is_fine(findings) && is_ok(Code::LivekitUnreachable);
    is_ok(Code::ServiceUnreachable).then(|| {
        if both {
            "the service and LiveKit answer".to_owned()
        } else {
            "the service answers".to_owned()
        }
    })
}

fn show(finding: &PageFinding, printer: &mut Printer) -> Result<(), Failure> {
    let mark = match finding.status {
        CheckStatus::Ok => format!("{GREEN}✓{GREEN:#}"),
        CheckStatus::Fail => format!("{RED}✗{RED:#}"),
        CheckStatus::Warn => format!("{YELLOW}!{YELLOW:#}"),
        CheckStatus::Unknown => format!("{CYAN}?{CYAN:#}"),
    };
    let audience = match finding.audience {
        Audience::Site => "site owner",
        Audience::Widget => "widget owner",
        Audience::Operator => "operator",
    };
    let detail = printable(&finding.detail);
    printer.line(format_args!("  {mark} {detail:<DETAIL_WIDTH$}  {audience}"))?;
    if let Some(evidence) = &finding.evidence {
        printer.line(format_args!("    {}", printable(evidence)))?;
    }
    if let Some(hint) = &finding.hint {
        printer.line(format_args!("    {}", hint_line(hint)))?;
    }
    Ok(())
}
