//! `widget explain`: the decision that the service makes for a page, step by step.

use std::path::Path;

use serde::Serialize;
use widget_api::{
    Received,
    decisions::{ExplainQuery, Explanation, ExplanationStep, Finding, NearestEntry},
    unreadable::WidgetRecord,
};
use widget_core::{
    doctor::{quote_for_shell, shown_page},
    embed::PublicUrl,
    explain::{Verdict, explain},
    finding::Code,
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId, WidgetId},
    origin::Origin,
};

use crate::{
    cli::{Explain, Global},
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        advice::About,
        change::to_core,
        reference::{Reference, Target, id_of, require_readable},
    },
    printer::{BOLD, GREEN, Printer, RED, YELLOW, hint_line, printable},
    service::parse_service_url,
    suffixes::Suffixes,
    widget_file,
};

/// The answer as JSON: what `GET /core/web-widgets/{id}/explain` returns, and what was asked.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PageExplanation"))]
pub(crate) struct ExplanationJson<'e> {
    #[cfg_attr(test, schemars(with = "Option<widget_api::schema::Text<WidgetId>>"))]
    widget_id: Option<WidgetId>,
    page: &'e str,
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<Verdict>"))]
    verdict: Verdict,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    origin: Option<&'e Origin>,
    #[cfg_attr(test, schemars(with = "widget_api::schema::FieldCode"))]
    code: &'e Received<Code>,
    steps: &'e [ExplanationStep],
    nearest: Option<&'e NearestEntry>,
    hint: Option<&'e str>,
    notes: &'e [Finding],
    /// Lines that the policies of the host page need; null without the address of the service.
    host_page_policy: Option<&'e [String]>,
    /// What is assumed because the file does not say it.
    assumptions: Vec<&'static str>,
}

/// Explains why a widget is or is not shown on a page.
pub(super) fn run(
    arguments: &Explain,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    let page = find_page(arguments, &reference)?;
    if let Some(file) = reference.local() {
        return explain_file(file, page, arguments, printer);
    }
    refuse_options_of_files(arguments)?;
    online::run(&global.service, printer, async |session, printer| {
        if let Some(number) = reference.revision {
            let revision = reference.find_revision(number, session, printer).await?;
            let widget = to_core(&require_readable(revision.web_widget)?)?;
            let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
            let version = arguments.agent_version.map(PinnedVersion::from);
            let decision = explain(
                Some(&widget),
                version.unwrap_or(PinnedVersion::Published),
                page.as_str(),
                PublicUrl::origin(session.client.service()),
                suffixes.list(),
            );
            let answer = Answer {
                id: Some(widget.id),
                page,
                decision: to_body(&decision)?,
                has_service: true,
                assumed: version.is_none(),
                source: "a revision",
                agent: None,
            };
            return show(&answer, arguments, printer);
        }
        let record = reference.find_record(session, printer).await?.value;
        let id = id_of(&record);
        let agent = match &record {
            WidgetRecord::Readable(widget) => Some((widget.agent_id, widget.agent_version_id)),
            WidgetRecord::Unreadable(_) => None,
        };
        let query = ExplainQuery {
            origin: origin_of(&page),
        };
        let answer = Answer {
            id: Some(id),
            page,
            decision: session.client.explain_web_widget(id, &query).await?,
            has_service: true,
            assumed: false,
            source: SERVICE,
            agent,
        };
        show(&answer, arguments, printer)
    })
}

/// What the service gets of the address of a page: its origin decides, and the rest may have
/// secrets in it.
fn origin_of(page: &str) -> String {
    Origin::parse_page(page).map_or_else(|_| shown_page(page), |origin| origin.as_str().to_owned())
}

/// A decision, and where it comes from.
struct Answer {
    id: Option<WidgetId>,
    /// The page that it is about, as it was named.
    page: String,
    decision: Explanation,
    /// Whether the address of the service is known, and so the policy that the page needs.
    has_service: bool,
    /// Nobody said whether the pinned version is published.
    assumed: bool,
    /// What does not say it.
    source: &'static str,
    /// The agent and the version that the widget pins, if they are known.
    agent: Option<(AgentId, AgentVersionId)>,
}

/// Where a decision comes from that is about the widget as it is now.
const SERVICE: &str = "the service";

/// The service knows what these options say.
fn refuse_options_of_files(arguments: &Explain) -> Result<(), Failure> {
    let is_revision = arguments.widget.contains('@');
    let given = [
        ("--service", arguments.service.is_some()),
        (
            "--agent-version",
            arguments.agent_version.is_some() && !is_revision,
        ),
        ("--id", arguments.id.is_some()),
        ("--format", arguments.format.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => {
            let failure = Failure::unexpected(format_args!(
                "`{option}` is for files, and `{}` is not one that exists",
                arguments.widget
            ));
            Err(if option == "--service" {
                failure
                    .hint("leave it out: of a widget of the service, the lines are printed anyway")
            } else {
                failure
            })
        }
    }
}

/// The page that is asked about: the one with the widget, unless another is named.
fn find_page(arguments: &Explain, reference: &Reference) -> Result<String, Failure> {
    match (&arguments.page, &reference.target) {
        (Some(page), _) => Ok(page.clone()),
        (None, Target::Page(page)) => Ok(page.to_string()),
        (None, _) => Err(Failure::unexpected(
            "`--page` is missing: only the address of a page says which page is meant",
        )
        .hint(format_args!(
            "add its address: `widget explain {} --page URL`",
            quote_for_shell(&arguments.widget)
        ))),
    }
}

fn explain_file(
    file: &Path,
    page: String,
    arguments: &Explain,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
    let service = arguments
        .service
        .as_deref()
        .map(parse_service_url)
        .transpose()?;
    let Some(record) = widget_file::find_record(
        file,
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
    let mut decision = explain(
        Some(&record.widget),
        known_version.unwrap_or(PinnedVersion::Published),
        page.as_str(),
        service.as_ref().map_or(&unknown_service, PublicUrl::origin),
        suffixes.list(),
    );
    if let Some(time) = record.deleted_at {
        decision = decision.of_deleted(record.widget.id, time);
    }
    let answer = Answer {
        id: record.id,
        page,
        decision: to_body(&decision)?,
        has_service: service.is_some(),
        assumed: known_version.is_none(),
        source: "the file",
        agent: None,
    };
    show(&answer, arguments, printer)
}

/// Core's decision as the service returns it.
fn to_body(decision: &widget_core::explain::Explanation) -> Result<Explanation, Failure> {
    let value = serde_json::to_value(decision).map_err(Failure::unexpected)?;
    serde_json::from_value(value).map_err(Failure::unexpected)
}

fn show(answer: &Answer, arguments: &Explain, printer: &mut Printer) -> Result<ExitCode, Failure> {
    if printer.is_data() {
        printer.data(&build_json(answer))?;
    } else {
        print_for_people(answer, arguments, printer)?;
    }
    Ok(ExitCode::from_answer(
        answer.decision.verdict == Verdict::Shown,
    ))
}

fn print_for_people(
    answer: &Answer,
    arguments: &Explain,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let explanation = &answer.decision;
    let page = explanation
        .origin
        .as_ref()
        .map_or(answer.page.as_str(), Origin::as_str);
    let name = answer
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
        let assumption = if answer.assumed && step.code == Code::VersionPublished {
            let source = answer.source;
            format!(
                "\n    (assumed, because {source} does not say it; set it with `--agent-version`)"
            )
        } else {
            String::new()
        };
        printer.line(format_args!(
            "  {mark} {}{assumption}",
            printable(&step.detail)
        ))?;
    }
    if let Some(nearest) = &explanation.nearest {
        printer.line(format_args!(
            "\n{BOLD}nearest{BOLD:#}: {}",
            printable(&nearest.detail)
        ))?;
    }
    for step in explanation.steps.iter().filter(|step| !step.ok) {
        let hint = step.hint.as_deref();
        // Commands are for a widget of the service, as it is now.
        let hint = match answer.id.filter(|_| answer.source == SERVICE) {
            Some(widget) => {
                let about = About {
                    widget,
                    agent: answer.agent,
                    domains: &[],
                    origin: explanation.origin.as_ref(),
                };
                about.hint(&step.code, None, hint)
            }
            None => hint.map(str::to_owned),
        };
        if let Some(hint) = hint {
            printer.line(format_args!("\n{}", hint_line(&hint)))?;
        }
    }
    // Other obstacles matter once the widget is shown.
    let notes = match explanation.verdict {
        Verdict::Shown => &explanation.notes[..],
        Verdict::NotShown => &[],
    };
    for note in notes {
        printer.line(format_args!(
            "\n{YELLOW}note{YELLOW:#}: {}",
            printable(&note.detail)
        ))?;
    }
    if answer.has_service && explanation.verdict == Verdict::Shown || arguments.service.is_some() {
        printer.line("\nIf the page has its own policies, they must allow:\n")?;
        for line in &explanation.host_page_policy {
            printer.line(format_args!("  {}", printable(line)))?;
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

fn build_json(answer: &Answer) -> ExplanationJson<'_> {
    let decision = &answer.decision;
    ExplanationJson {
        widget_id: answer.id,
        page: &answer.page,
        verdict: decision.verdict,
        origin: decision.origin.as_ref(),
        code: &decision.code,
        steps: &decision.steps,
        nearest: decision.nearest.as_ref(),
        hint: decision.hint.as_deref(),
        notes: &decision.notes,
        host_page_policy: answer
            .has_service
            .then_some(decision.host_page_policy.as_slice()),
        assumptions: answer
            .assumed
            .then_some("the pinned agent version is published")
            .into_iter()
            .collect(),
    }
}
