//! `widget publish` and `widget unpublish`.

use clap::Args;
use widget_api::WidgetPatch;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        change::{self, PendingChange},
        proposal::{ChangeOptions, Current},
        reference::Reference,
    },
    printer::Printer,
};

pub(crate) const PUBLISH_HELP: &str = "\
Shows the widget on its domains, if the version of the agent that it pins is published.

Examples:
  widget publish 0197a8b2
  widget publish https://shop.example/cart --yes";

pub(crate) const UNPUBLISH_HELP: &str = "\
Examples:
  widget unpublish 0197a8b2
  widget unpublish 0197a8b2 --dry-run";

/// Arguments of `publish` and `unpublish`.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// Publishes a widget, or ends that.
pub(super) fn run(
    arguments: &Publish,
    published: bool,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let before = reference.find_widget(session, printer).await?;
        let patch = WidgetPatch {
            published: Some(published),
            ..WidgetPatch::default()
        };
        let pending = PendingChange {
            before: Current::of(&before, session)?,
            patch,
            effects: Vec::new(),
            done: if published {
                "is published"
            } else {
                "is not published"
            },
            options: arguments.change,
        };
        change::write(pending, session, printer).await
    })
}
