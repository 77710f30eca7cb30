//! `widget pin`: which version of its agent a widget has.

use clap::Args;
use widget_api::WidgetPatch;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        change::{self, PendingChange},
        ids,
        proposal::{ChangeOptions, Current},
        reference::Reference,
    },
    printer::Printer,
};

pub(crate) const HELP: &str = "\
A version is named by its number, its label, its id or the beginning of that (four characters or \
more). A widget keeps its version until it is pinned to another one.

Examples:
  widget pin 0197a8b2 --newest
  widget pin 0197a8b2 3
  widget pin 0197a8b2 'May 2026' --dry-run";

/// Arguments of `pin`.
#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// A version of the widget's agent: its number, its label, its id or the beginning of that
    #[arg(value_name = "VERSION", required_unless_present = "newest")]
    pub(crate) version: Option<String>,
    /// The newest version that is published
    #[arg(long, conflicts_with = "version")]
    pub(crate) newest: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// Pins a version.
pub(super) fn run(
    arguments: &Pin,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let before = reference.find_widget(session, printer).await?;
        let agent = before.value.agent_id;
        let found = match &arguments.version {
            Some(text) => ids::find_version(session, agent, text).await?,
            None => ids::find_newest_version(session, agent).await?,
        };
        let id = found.id;
        let draft = format!(
            "the version is a draft: the widget is not shown until `widget agents publish {agent} \
             {id}`"
        );
        let known = ids::known_versions(session, agent).await;
        let before_it = known
            .iter()
            .find(|known| known.id == before.value.agent_version_id && known.id != id);
        let names = before_it
            .map(|before| format!("{} instead of {}", found.describe(), before.describe()));
        let pending = PendingChange {
            before: Current::of(&before, session)?,
            patch: WidgetPatch {
                agent_version_id: Some(found.id),
                ..WidgetPatch::default()
            },
            effects: names
                .into_iter()
                .chain(found.is_draft.then_some(draft))
                .collect(),
            done: &format!("has {}", found.describe()),
            options: arguments.change,
        };
        change::write(pending, session, printer).await
    })
}
