//! `widget domains`: the list of sites that may show a widget.

use clap::{Args, Subcommand};
use serde::Serialize;
use widget_api::{Widget, WidgetPatch};
use widget_core::{
    embed::PublicUrl,
    explain::{Difference, explain},
    finding::{Code, Finding, FindingList},
    go_live::PinnedVersion,
    origin::{AllowedOrigins, Entry, SuffixList},
};

use super::set::invalid;
use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        advice::About,
        change::{self, PendingChange},
        proposal::{self, ChangeOptions, Current},
        reference::Reference,
    },
    printer::{Printer, count, printable},
};

pub(crate) const HELP: &str = "\
Entries are origins such as https://shop.example, patterns such as https://*.shop.example, or * for \
every site. They are stored as `widget origins normalize` shows them.

Examples:
  widget domains 0197a8b2 list
  widget domains 0197a8b2 add https://shop.example
  widget domains 0197a8b2 remove http://localhost:3000";

pub(crate) const ADD_HELP: &str = "\
Examples:
  widget domains 0197a8b2 add https://shop.example --www     also https://www.shop.example
  widget domains 0197a8b2 add 'https://*.shop.example' --yes

Put entries with a `*` in quotes, or the shell may replace them with file names.";

pub(crate) const REMOVE_HELP: &str = "\
Conversations on a site that is removed end.

Examples:
  widget domains 0197a8b2 remove http://localhost:3000
  widget domains 0197a8b2 remove shop.example www.shop.example --yes";

pub(crate) const LIST_HELP: &str = "\
Examples:
  widget domains 0197a8b2 list
  widget domains https://shop.example/cart list --output json";

/// Arguments of `domains`.
#[derive(Debug, Args)]
pub(crate) struct Domains {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What to do with the list.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Add sites to the list
    #[command(after_long_help = ADD_HELP)]
    Add(Add),
    /// Remove sites from the list
    #[command(after_long_help = REMOVE_HELP)]
    Remove(Remove),
    /// Show the list, and what is probably a mistake in it
    #[command(after_long_help = LIST_HELP)]
    List,
}

/// Arguments of `domains add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The entries to add
    #[arg(value_name = "ENTRY", required = true)]
    pub(crate) entries: Vec<String>,
    /// Also add each site with `www.` before its name, or without it
    #[arg(long)]
    pub(crate) www: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// Arguments of `domains remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The entries to remove
    #[arg(value_name = "ENTRY", required = true)]
    pub(crate) entries: Vec<String>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// One entry as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ListedEntry"))]
pub(crate) struct EntryJson<'e> {
    entry: &'e str,
    warnings: Vec<widget_api::decisions::Finding>,
}

/// Shows or changes the list.
pub(super) fn run(
    arguments: &Domains,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    // What is wrong with an entry needs no service.
    let entries = match &arguments.action {
        Action::Add(add) => parse_entries(&add.entries)?,
        Action::Remove(remove) => parse_entries(&remove.entries)?,
        Action::List => Vec::new(),
    };
    online::run(&global.service, printer, async |session, printer| {
        let before = reference.find_widget(session, printer).await?;
        let widget = &before.value;
        let (domains, done, options) = match &arguments.action {
            Action::List => return list(widget, printer),
            Action::Add(add) => {
                let entries = with_twins(entries, add.www);
                note_canonical(&add.entries, printer)?;
                note_similar(widget, &entries, session, printer)?;
                let new = entries
                    .iter()
                    .map(Entry::to_text)
                    .filter(|entry| !widget.domains.contains(entry));
                let domains: Vec<String> = widget.domains.iter().cloned().chain(new).collect();
                (domains, "lists these sites", add.change)
            }
            Action::Remove(remove) => {
                let texts: Vec<String> = entries.iter().map(Entry::to_text).collect();
                require_listed(widget, &texts)?;
                let mut domains = widget.domains.clone();
                domains.retain(|entry| !texts.contains(entry));
                (domains, "no longer lists these sites", remove.change)
            }
        };
        let after = canonical(&domains)?;
        let pending = PendingChange {
            before: Current::of(&before, session)?,
            patch: WidgetPatch {
                domains: Some(after.entries().to_vec()),
                ..WidgetPatch::default()
            },
            effects: Vec::new(),
            done,
            options,
        };
        change::write(pending, session, printer).await
    })
}

/// A list as it is stored.
pub(super) fn canonical(domains: &[String]) -> Result<AllowedOrigins, Failure> {
    AllowedOrigins::parse(domains, SuffixList::builtin()).map_err(|findings| invalid(&findings))
}

fn parse_entries(texts: &[String]) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for text in texts {
        let entry = Entry::parse(text, SuffixList::builtin()).map_err(|error| {
            let findings = error.findings("");
            let details: Vec<&str> = findings.iter().map(|found| found.detail.as_str()).collect();
            let failure = Failure::bad_input(format_args!(
                "`{text}` cannot be on the list: {}",
                details.join("; ")
            ));
            match findings.iter().find_map(|finding| finding.hint.as_ref()) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// The entries, with the same sites with or without `www.`.
fn with_twins(entries: Vec<Entry>, www: bool) -> Vec<Entry> {
    if !www {
        return entries;
    }
    let mut all = Vec::new();
    for entry in entries {
        let twin = match &entry {
            Entry::Exact(origin) => origin.www_twin(SuffixList::builtin()).map(Entry::Exact),
            _ => None,
        };
        for entry in [Some(entry), twin].into_iter().flatten() {
            if !all.contains(&entry) {
                all.push(entry);
            }
        }
    }
    all
}

fn note_canonical(texts: &[String], printer: &mut Printer) -> Result<(), Failure> {
    for text in texts {
        let Ok(entry) = Entry::parse(text, SuffixList::builtin()) else {
            continue;
        };
        let stored = entry.to_text();
        if stored != *text {
            printer.note(format_args!(
                "`{}` is stored as `{}`",
                printable(text),
                printable(&stored)
            ))?;
        }
    }
    Ok(())
}

/// Warns of a new site whose name looks like, or is spelled almost like, one that is listed.
fn note_similar(
    widget: &Widget,
    entries: &[Entry],
    session: &Session,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let listed = change::to_core(widget)?;
    for entry in entries {
        let Entry::Exact(origin) = entry else {
            continue;
        };
        let decision = explain(
            Some(&listed),
            PinnedVersion::Published,
            origin.as_str(),
            PublicUrl::origin(session.client.service()),
            SuffixList::builtin(),
        );
        if let Some(nearest) = decision.nearest
            && matches!(
                nearest.difference,
                Difference::LookAlike | Difference::Spelling
            )
        {
            let detail = match nearest.difference {
                Difference::LookAlike => "the name only looks alike and is another site",
                _ => "the spelling differs",
            };
            let entry = &nearest.entry;
            let hint = "add it only if you mean this other site";
            printer.warning(
                &format!("`{entry}` is listed, and this is `{origin}`: {detail}"),
                Some(hint),
            )?;
        }
    }
    Ok(())
}

/// Removing what is not there is a mistake: probably another entry was meant.
fn require_listed(widget: &Widget, entries: &[String]) -> Result<(), Failure> {
    let missing: Vec<&str> = entries
        .iter()
        .filter(|entry| !widget.domains.contains(entry))
        .map(String::as_str)
        .collect();
    let [first, ..] = &missing[..] else {
        return Ok(());
    };
    let failure = Failure::bad_input(format_args!(
        "widget {} does not list `{}`; nothing was written",
        widget.id,
        missing.join("`, `")
    ));
    let nearest = widget
        .domains
        .iter()
        .max_by(|left, right| similarity(first, left).total_cmp(&similarity(first, right)));
    Err(match nearest {
        Some(nearest) => failure.hint(format_args!("did you mean `{nearest}`?")),
        None => failure.hint("its list is empty"),
    })
}

fn similarity(left: &str, right: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(left, right)
}

fn list(widget: &Widget, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let list = AllowedOrigins::load(&widget.domains, SuffixList::builtin());
    let warnings: FindingList = list.warnings();
    for (position, entry) in widget.domains.iter().enumerate() {
        let place = format!("/domains/{position}");
        let own = warnings
            .iter()
            .filter(|finding| finding.pointer.as_deref() == Some(&place));
        if printer.is_data() {
            let warnings = own.cloned().map(Into::into).collect();
            printer.data(&EntryJson { entry, warnings })?;
            continue;
        }
        printer.line(printable(entry))?;
        for finding in own {
            warn(finding, widget, printer)?;
        }
    }
    if widget.domains.is_empty() {
        let empty = warnings.iter().find(|found| found.code == Code::NoDomains);
        if let Some(finding) = empty {
            warn(finding, widget, printer)?;
        }
    } else if !printer.is_data() {
        printer.note(count(widget.domains.len(), "site", "sites"))?;
    }
    Ok(ExitCode::Yes)
}

fn warn(finding: &Finding, widget: &Widget, printer: &mut Printer) -> Result<(), Failure> {
    let about = About {
        widget: widget.id,
        agent: None,
        domains: &widget.domains,
        origin: None,
    };
    let finding = widget_api::decisions::Finding::from(finding.clone());
    proposal::show_warnings(&about.advise(&[finding]), printer)
}
