//! `widget explain`: the decision that the service makes for a page, step by step.

use serde::Serialize;
use widget_core::{
    embed::{HostPagePolicy, PublicUrl},
    explain::{Explanation, Nearest, Step, Verdict, explain},
    finding::{Code, Finding},
    go_live::PinnedVersion,
    id::WidgetId,
    origin::Origin,
};

use crate::{
    cli::Explain,
    exit::ExitCode,
    failure::Failure,
    printer::{BOLD, GREEN, Printer, RED, YELLOW, hint_line, printable},
    record::Record,
    service::parse_service_url,
    suffixes::Suffixes,
    widget_file,
};

/// The answer as JSON: what `GET /core/web-widgets/{id}/explain` returns, and what was asked.
#[derive(Serialize)]
struct ExplanationJson<'e> {
    widget_id: Option<WidgetId>,
    page: &'e str,
    verdict: Verdict,
    origin: Option<&'e Origin>,
    code: Code,
    steps: &'e [Step],
    nearest: Option<&'e Nearest>,
    hint: Option<&'e str>,
    notes: &'e [Finding],
    /// Lines that the policies of the host page need; null without `--service`.
    host_page_policy: Option<&'e HostPagePolicy>,
    /// What is assumed because the file does not say it.
    assumptions: Vec<&'static str>,
}

/// Explains why a widget in a file is or is not shown on a page.
pub(super) fn run(arguments: &Explain, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
    let service = arguments
        .service
        .as_deref()
        .map(parse_service_url)
        .transpose()?;
    let Some(record) = widget_file::find_record(
        &arguments.file,
        arguments.format,
        arguments.id.as_deref(),
        &suffixes,
        printer,
    )?
    else {
        return Ok(ExitCode::No);
    };
    let version = arguments.agent_version.map(PinnedVersion::from);
    let known_version = version.or(record.version);
    let unknown_service =
        Origin::parse_page("https://widgets.example").map_err(Failure::unexpected)?;
    let mut explanation = explain(
        Some(&record.widget),
        known_version.unwrap_or(PinnedVersion::Published),
        arguments.page.as_str(),
        service.as_ref().map_or(&unknown_service, PublicUrl::origin),
        suffixes.list(),
    );
    if let Some(time) = record.deleted_at {
        explanation = explanation.of_deleted(record.widget.id, time);
    }
    let assumed = known_version.is_none();
    if printer.is_data() {
        printer.data(&build_json(&explanation, &record, arguments, assumed))?;
    } else {
        print_for_people(&explanation, &record, arguments, assumed, printer)?;
    }
    Ok(ExitCode::from_answer(explanation.verdict == Verdict::Shown))
}

fn print_for_people(
    explanation: &Explanation,
    record: &Record,
    arguments: &Explain,
    assumed: bool,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let page = explanation
        .origin
        .as_ref()
        .map_or(arguments.page.as_str(), Origin::as_str);
    let name = record
        .id
        .map_or_else(|| "The widget".to_owned(), |id| format!("Widget {id}"));
    let verdict = match explanation.verdict {
        Verdict::Shown => format!("{GREEN}is shown{GREEN:#}"),
        Verdict::NotShown => format!("{RED}is not shown{RED:#}"),
    };
    printer.line(format_args!(
        "{BOLD}{name}{BOLD:#} {verdict} on {BOLD}{}{BOLD:#}\n",
        printable(page)
    ))?;
    for step in &explanation.steps {
        let mark = if step.ok {
            format!("{GREEN}✓{GREEN:#}")
        } else {
            format!("{RED}✗{RED:#}")
        };
        let assumption = if assumed && step.code == Code::VersionPublished {
            "\n    (assumed, because the file does not say it; set it with `--agent-version`)"
        } else {
            ""
        };
        printer.line(format_args!(
            "  {mark} {} [{}]{assumption}",
            printable(&step.detail),
            step.code
        ))?;
    }
    if let Some(nearest) = &explanation.nearest {
        printer.line(format_args!(
            "\n{BOLD}nearest{BOLD:#}: {} [{}, {}]",
            printable(&nearest.detail),
            nearest.difference.as_str(),
            nearest.pointer,
        ))?;
    }
    for hint in explanation
        .steps
        .iter()
        .filter_map(|step| step.hint.as_ref())
    {
        printer.line(format_args!("\n{}", hint_line(hint)))?;
    }
    // Other obstacles matter once the widget is shown.
    let notes = match explanation.verdict {
        Verdict::Shown => &explanation.notes[..],
        Verdict::NotShown => &[],
    };
    for note in notes {
        printer.line(format_args!(
            "\n{YELLOW}note{YELLOW:#}: {} [{}]",
            printable(&note.detail),
            note.code
        ))?;
    }
    if arguments.service.is_some() {
        printer.line("\nIf the page has its own policies, they must allow:\n")?;
        for line in explanation.host_page_policy.lines() {
            printer.line(format_args!("  {line}"))?;
        }
    } else if explanation.verdict == Verdict::Shown {
        printer.line(format_args!(
            "\n{}",
            hint_line(
                "if the page has its own policies, `--service URL` prints what they must allow"
            )
        ))?;
    }
    Ok(())
}

fn build_json<'e>(
    explanation: &'e Explanation,
    record: &Record,
    arguments: &'e Explain,
    assumed: bool,
) -> ExplanationJson<'e> {
    ExplanationJson {
        widget_id: record.id,
        page: &arguments.page,
        origin: explanation.origin.as_ref(),
        verdict: explanation.verdict,
        code: explanation.code,
        steps: &explanation.steps,
        nearest: explanation.nearest.as_ref(),
        hint: explanation.hint.as_deref(),
        notes: &explanation.notes,
        host_page_policy: arguments
            .service
            .as_ref()
            .map(|_| &explanation.host_page_policy),
        assumptions: assumed
            .then_some("the pinned agent version is published")
            .into_iter()
            .collect(),
    }
}
