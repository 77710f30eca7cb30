//! `widget show`: one widget, as it is or as it was.

use clap::Args;
use widget_api::{
    Widget,
    decisions::GoLiveReport,
    unreadable::WidgetRecord,
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::{go_live::VersionSource, id::WidgetId};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        advice::About,
        ids::{self, FoundVersion},
        reference::{Reference, id_of, title},
    },
    printer::{GREEN, Printer, RED, YELLOW, hint_line, printable},
    suffixes::Suffixes,
    widget_file,
};

pub(crate) const HELP: &str = "\
Examples:
  widget show 0197a8b2
  widget show https://shop.example/cart
  widget show 0197a8b2@3 --output yaml      revision 3
  widget show widget.json                   without a service";

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A file, - for standard input, a widget's id or its beginning (with @N, revision N), or the
    /// address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
}

/// Shows a widget.
pub(super) fn run(
    arguments: &Show,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    if let Some(file) = reference.local() {
        let found = widget_file::find_record(file, None, None, &Suffixes::default(), printer)?;
        let Some(record) = found else {
            return Ok(ExitCode::No);
        };
        let record = WidgetRecord::Readable(record.widget.into());
        show(&record, None, printer)?;
        return Ok(ExitCode::Yes);
    }
    online::run(&global.service, printer, async |session, printer| {
        if let Some(number) = reference.revision {
            let revision = reference.find_revision(number, session, printer).await?;
            show(&revision.web_widget, None, printer)?;
            return Ok(ExitCode::Yes);
        }
        let record = reference.find_record(session, printer).await?.value;
        let seen = if printer.is_data() {
            None
        } else {
            let id = id_of(&record);
            Some(Seen {
                report: session.client.get_go_live_report(id).await?,
                listed: find_listed(id, session).await,
                newer: match &record {
                    WidgetRecord::Readable(widget) => find_newer(widget, session).await,
                    WidgetRecord::Unreadable(_) => None,
                },
            })
        };
        show(&record, seen.as_ref(), printer)?;
        Ok(ExitCode::Yes)
    })
}

/// What people are shown of a widget beside what it is.
struct Seen {
    report: GoLiveReport,
    /// Names of its agent and version, if the service says them.
    listed: Option<ListedWidget>,
    /// Which newer versions are published.
    newer: Option<String>,
}

/// Says which versions of the agent are published and newer than the one that a widget pins.
async fn find_newer(widget: &Widget, session: &Session) -> Option<String> {
    let versions = ids::known_versions(session, widget.agent_id).await;
    let is_pinned = |version: &FoundVersion| version.id == widget.agent_version_id;
    let pinned = versions.iter().position(is_pinned)?;
    let mut newer = versions[..pinned]
        .iter()
        .filter(|version| version.is_published());
    let newest = newer.next()?.describe();
    Some(match newer.count() {
        0 => format!("{newest} is newer and published"),
        more => format!(
            "{} newer ones are published, the last is {newest}",
            more + 1
        ),
    })
}

async fn find_listed(id: WidgetId, session: &Session) -> Option<ListedWidget> {
    let query = WidgetsQuery {
        limit: Some(1),
        id_prefix: id.to_string().parse().ok(),
        ..WidgetsQuery::default()
    };
    let found = session
        .client
        .list_web_widgets(&query)
        .next()
        .await
        .ok()??;
    match found.into_iter().next()? {
        WidgetRecord::Readable(listed) => Some(listed),
        WidgetRecord::Unreadable(_) => None,
    }
}

fn show(record: &WidgetRecord, seen: Option<&Seen>, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(record);
    }
    let mut fields = vec![("id", id_of(record).to_string())];
    let config = match record {
        WidgetRecord::Readable(widget) => {
            let listed = seen.and_then(|seen| seen.listed.as_ref());
            let (agent, mut version) = pinned(widget, listed);
            if let Some(newer) = seen.and_then(|seen| seen.newer.as_ref()) {
                version.extend(["\n", newer]);
            }
            fields.extend([
                ("title", title(record).unwrap_or_default().to_owned()),
                (
                    "published",
                    if widget.published { "yes" } else { "no" }.to_owned(),
                ),
                ("domains", widget.domains.join("\n")),
                ("agent", agent),
                ("version", version),
                ("created", super::time(widget.created_at)),
                ("updated", super::time(widget.updated_at)),
            ]);
            Some(&widget.config)
        }
        WidgetRecord::Unreadable(widget) => {
            for field in &widget.unreadable {
                fields.push(("unreadable", format!("{}: {}", field.pointer, field.detail)));
            }
            widget.config.as_ref()
        }
    };
    if let Some(config) = config {
        let text = serde_json::to_string_pretty(config).map_err(Failure::unexpected)?;
        fields.push(("config", text));
    }
    printer.fields(fields)?;
    let Some(Seen { report, .. }) = seen else {
        return Ok(());
    };
    printer.line("")?;
    if report.live {
        printer.line(format_args!("{GREEN}✓{GREEN:#} live"))?;
    }
    let (agent, domains) = match record {
        WidgetRecord::Readable(widget) => (
            Some((widget.agent_id, widget.agent_version_id)),
            &widget.domains[..],
        ),
        WidgetRecord::Unreadable(_) => (None, &[][..]),
    };
    let is_elsewhere = report
        .version_source
        .as_ref()
        .is_some_and(|source| *source == VersionSource::AgentDirectory);
    let about = About {
        widget: id_of(record),
        agent: agent.filter(|_| !is_elsewhere),
        domains,
        origin: None,
    };
    let (blockers, warnings) = (
        about.advise(&report.blockers),
        about.advise(&report.warnings),
    );
    let blockers = blockers.iter().map(|found| (RED, "✗", found));
    let warnings = warnings.iter().map(|found| (YELLOW, "!", found));
    for (color, mark, found) in blockers.chain(warnings) {
        let detail = printable(&found.detail);
        printer.line(format_args!("{color}{mark}{color:#} {detail}"))?;
        if let Some(hint) = &found.hint {
            printer.line(format_args!("  {}", hint_line(hint)))?;
        }
    }
    Ok(())
}

/// The agent and its version, as people know them, with their ids.
fn pinned(widget: &Widget, listed: Option<&ListedWidget>) -> (String, String) {
    let (agent, version) = (widget.agent_id, widget.agent_version_id);
    let name = listed.and_then(|listed| listed.agent_name.as_ref());
    let number = listed.and_then(|listed| listed.agent_version_number);
    let label = listed.and_then(|listed| listed.agent_version_label.as_ref());
    let agent = name.map_or_else(|| agent.to_string(), |name| format!("{name} ({agent})"));
    let version = match (number, label) {
        (Some(number), Some(label)) => format!("{number} \"{label}\" ({version})"),
        (Some(number), None) => format!("{number} ({version})"),
        (None, _) => version.to_string(),
    };
    (agent, version)
}
