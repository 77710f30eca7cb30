//! `widget show`: one widget, as it is or as it was.

use clap::Args;
use widget_api::{decisions::GoLiveReport, unreadable::WidgetRecord};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        reference::{Reference, id_of, title},
    },
    printer::{GREEN, Printer, RED, YELLOW, printable},
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
        let report = if printer.is_data() {
            None
        } else {
            Some(session.client.get_go_live_report(id_of(&record)).await?)
        };
        show(&record, report.as_ref(), printer)?;
        Ok(ExitCode::Yes)
    })
}

fn show(
    record: &WidgetRecord,
    report: Option<&GoLiveReport>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(record);
    }
    let mut fields = vec![("id", id_of(record).to_string())];
    let config = match record {
        WidgetRecord::Readable(widget) => {
            fields.extend([
                ("title", title(record).unwrap_or_default().to_owned()),
                (
                    "published",
                    if widget.published { "yes" } else { "no" }.to_owned(),
                ),
                ("domains", widget.domains.join("\n")),
                ("agent", widget.agent_id.to_string()),
                ("version", widget.agent_version_id.to_string()),
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
    let Some(report) = report else { return Ok(()) };
    if report.live {
        printer.line(format_args!("\n{GREEN}✓{GREEN:#} live"))?;
    }
    for blocker in &report.blockers {
        printer.line(format_args!(
            "\n{RED}✗{RED:#} {}",
            printable(&blocker.detail)
        ))?;
    }
    for warning in &report.warnings {
        printer.line(format_args!(
            "{YELLOW}!{YELLOW:#} {}",
            printable(&warning.detail)
        ))?;
    }
    Ok(())
}
