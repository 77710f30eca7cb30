//! `widget explain`: the decision that the service takes for a page, step by step.

use serde::Serialize;
use widget_core::{
    explain::{Explanation, Verdict, explain},
    finding::Finding,
    go_live::PinnedVersion,
    origin::Origin,
};

use crate::{
    cli::{Explain, VersionState},
    exit::ExitCode,
    failure::Failure,
    printer::{BOLD, GREEN, Printer, RED, YELLOW, hint_line, printable},
    suffixes::Suffixes,
    widget_file::{self, Chosen},
};

/// The answer as programs get it: what `GET /core/web-widgets/{id}/explain` answers, with what was
/// asked.
#[derive(Serialize)]
struct ExplanationJson<'e> {
    widget_id: Option<String>,
    page: &'e str,
    verdict: &'static str,
    origin: Option<&'e str>,
    code: &'static str,
    steps: Vec<StepJson<'e>>,
    nearest: Option<NearestJson<'e>>,
    hint: Option<&'e str>,
    notes: Vec<NoteJson<'e>>,
    /// Lines that the host page's policies need; null without `--service`.
    host_page_policy: Option<Vec<String>>,
    /// What was taken to be so because the file does not say it.
    assumptions: Vec<&'static str>,
}

#[derive(Serialize)]
struct StepJson<'e> {
    code: &'static str,
    ok: bool,
    detail: &'e str,
}

#[derive(Serialize)]
struct NearestJson<'e> {
    entry: &'e str,
    pointer: &'e str,
    difference: &'static str,
    detail: &'e str,
}

#[derive(Serialize)]
struct NoteJson<'e> {
    code: &'static str,
    pointer: Option<&'e str>,
    detail: &'e str,
    hint: Option<&'e str>,
}

/// Explains a widget of a file for a page.
pub(super) fn run(arguments: &Explain, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
    let service = arguments
        .service
        .as_deref()
        .map(service_origin)
        .transpose()?;
    let Some(chosen) = widget_file::choose(
        &arguments.file,
        arguments.format,
        arguments.id.as_deref(),
        &suffixes,
        printer,
    )?
    else {
        return Ok(ExitCode::No);
    };
    let state = arguments.agent_version.unwrap_or(VersionState::Published);
    let version = PinnedVersion::from(state);
    let unknown_service =
        Origin::parse_page("https://widgets.example").map_err(Failure::unexpected)?;
    let explanation = explain(
        Some(&chosen.record.widget),
        version,
        arguments.page.as_str(),
        service.as_ref().unwrap_or(&unknown_service),
    );
    let assumed = arguments.agent_version.is_none();
    if printer.is_json() {
        printer.json(&as_json(&explanation, &chosen, arguments, assumed))?;
    } else {
        human(&explanation, &chosen, arguments, assumed, printer)?;
    }
    Ok(ExitCode::from_answer(explanation.verdict == Verdict::Shown))
}

fn service_origin(url: &str) -> Result<Origin, Failure> {
    // The reason would speak of entries of a list, which this is not.
    Origin::parse_page(url).map_err(|_| {
        Failure::unexpected(format_args!(
            "`--service {url}` is not the address of a service"
        ))
        .hint("give the address under which browsers reach it, such as `https://widgets.example`")
    })
}

fn human(
    explanation: &Explanation,
    chosen: &Chosen,
    arguments: &Explain,
    assumed: bool,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let page = explanation
        .origin
        .as_ref()
        .map_or(arguments.page.as_str(), Origin::as_str);
    let name = chosen
        .record
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
        let assumption = if assumed && step.code == "version_published" {
            "\n    (assumed: the file does not say; `--agent-version` does)"
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
    if let Some(hint) = &explanation.hint {
        printer.line(format_args!("\n{}", hint_line(hint)))?;
    }
    // What else could be in the way matters once the first obstacle is gone.
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
        printer.line("\nIf the page sends policies of its own, they must let through:\n")?;
        for line in explanation.host_page_policy.lines() {
            printer.line(format_args!("  {line}"))?;
        }
    } else if explanation.verdict == Verdict::Shown {
        printer.line(format_args!(
            "\n{}",
            hint_line("if the page has policies of its own, `--service URL` prints what they must let through")
        ))?;
    }
    Ok(())
}

fn as_json<'e>(
    explanation: &'e Explanation,
    chosen: &Chosen,
    arguments: &'e Explain,
    assumed: bool,
) -> ExplanationJson<'e> {
    ExplanationJson {
        widget_id: chosen.record.id.map(|id| id.to_string()),
        page: &arguments.page,
        origin: explanation.origin.as_ref().map(Origin::as_str),
        verdict: explanation.verdict.as_str(),
        code: explanation.code,
        steps: explanation
            .steps
            .iter()
            .map(|step| StepJson {
                code: step.code,
                ok: step.ok,
                detail: &step.detail,
            })
            .collect(),
        nearest: explanation.nearest.as_ref().map(|nearest| NearestJson {
            entry: &nearest.entry,
            pointer: &nearest.pointer,
            difference: nearest.difference.as_str(),
            detail: &nearest.detail,
        }),
        hint: explanation.hint.as_deref(),
        notes: explanation.notes.iter().map(note_json).collect(),
        host_page_policy: arguments
            .service
            .as_ref()
            .map(|_| explanation.host_page_policy.lines()),
        assumptions: assumed
            .then_some("the pinned agent version is published")
            .into_iter()
            .collect(),
    }
}

fn note_json(note: &Finding) -> NoteJson<'_> {
    NoteJson {
        code: note.code,
        pointer: note.pointer.as_deref(),
        detail: &note.detail,
        hint: note.hint.as_deref(),
    }
}
