//! What a command works on, as people name it: a file, `-`, a widget's id or its beginning, or the
//! address of a page; with `@N`, a revision.

use std::{
    path::{Path, PathBuf},
    slice,
};

use serde_json::Value;
use url::Url;
use widget_api::{
    Widget,
    client::{Error, Tagged},
    revisions::{Revision, RevisionsQuery},
    unreadable::{UnreadableWidget, WidgetRecord},
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::{
    doctor::quote_for_shell,
    id::{IdPrefix, WidgetId},
};

use super::{Session, page, short_ids::short_ids};
use crate::{
    failure::Failure,
    printer::{Printer, printable},
    suffixes::Suffixes,
    widget_file,
};

/// The shortest beginning of an id that names a widget.
const MIN_PREFIX: usize = IdPrefix::MIN_DIGITS;

/// How many widgets are listed that could have been meant.
const MAX_LISTED: usize = 10;

/// What a person named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) target: Target,
    /// A revision of the widget, for `<WIDGET>@<N>`.
    pub(crate) revision: Option<i64>,
}

/// The kinds of things that a person can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    File(PathBuf),
    StandardInput,
    Id(WidgetId),
    /// The beginning of an id, in lower case.
    Prefix(String),
    Page(Url),
}

impl Reference {
    /// Reads an argument. Asks the file system, and nothing else.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let whole = |target| Self {
            target,
            revision: None,
        };
        if text == "-" {
            return Ok(whole(Target::StandardInput));
        }
        let file = whole(Target::File(text.into()));
        let kind = std::fs::metadata(text);
        // A folder is no widget, whatever its name is.
        if kind.as_ref().is_ok_and(|kind| !kind.is_dir()) {
            return Ok(file);
        }
        let (name, revision) = match text.rsplit_once('@') {
            Some((name, number)) if !number.is_empty() => match number.parse::<i64>() {
                Ok(number) if number > 0 => (name, Some(number)),
                _ => (text, None),
            },
            _ => (text, None),
        };
        if let Ok(id) = name.parse() {
            return Ok(Self {
                target: Target::Id(id),
                revision,
            });
        }
        let hexadecimal = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        if !name.is_empty() && name.len() < 36 && name.bytes().all(hexadecimal) {
            name.parse::<IdPrefix>().map_err(Failure::bad_input)?;
            return Ok(Self {
                target: Target::Prefix(name.to_ascii_lowercase()),
                revision,
            });
        }
        match parse_page(text) {
            Some(page) => Ok(whole(Target::Page(page))),
            // That it is a folder is said where it is read.
            None if kind.is_ok() => Ok(file),
            None => Err(Failure::unexpected(format_args!(
                "`{text}` is neither a file that exists, nor a widget's id or the beginning of \
                 one, nor the address of a page"
            ))
            .hint(format_args!(
                "`widget list` shows the widgets, and `widget list --title {}` those with this in \
                 their title",
                quote_for_shell(text)
            ))),
        }
    }

    /// The file, or `-` for standard input, for which no service is needed.
    pub(crate) fn local(&self) -> Option<&Path> {
        match &self.target {
            Target::File(path) => Some(path),
            Target::StandardInput => Some(Path::new("-")),
            _ => None,
        }
    }

    /// Finds the id of the widget.
    pub(crate) async fn find_id(
        &self,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<WidgetId, Failure> {
        match &self.target {
            Target::Id(id) => Ok(*id),
            Target::Prefix(prefix) => find_by_prefix(session, prefix).await,
            Target::Page(page) => page::find_widget(session, page).await,
            Target::File(path) => find_in_file(path, printer),
            Target::StandardInput => find_in_file(Path::new("-"), printer),
        }
    }

    /// Finds the widget as it is now.
    pub(crate) async fn find_record(
        &self,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Tagged<WidgetRecord>, Failure> {
        let id = self.find_id(session, printer).await?;
        match session.client.get_web_widget(id).await {
            Ok(record) => {
                let seen = slice::from_ref(&record.value);
                session.seen.note_list(seen, false);
                Ok(record)
            }
            Err(error) if error.is_not_found() => Err(not_found(session, id).await),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds the widget as it is now, for a command that needs all of it.
    pub(crate) async fn find_widget(
        &self,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Tagged<Widget>, Failure> {
        let record = self.find_record(session, printer).await?;
        Ok(Tagged {
            value: require_readable(record.value)?,
            etag: record.etag,
        })
    }

    /// Finds the revision that is named.
    pub(crate) async fn find_revision(
        &self,
        number: i64,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Revision, Failure> {
        let id = self.find_id(session, printer).await?;
        let query = RevisionsQuery {
            limit: Some(1),
            before: Some(number.saturating_add(1)),
        };
        let found = session.client.list_revisions(id, &query).next().await?;
        let newest = found.unwrap_or_default().into_iter().next();
        newest
            .filter(|revision| revision.number == number)
            .ok_or_else(|| {
                Failure::bad_input(format_args!("widget {id} has no revision {number}"))
                    .hint(format_args!("`widget history {id}` shows its revisions"))
            })
    }

    /// Rejects `@N` for commands that work on the widget as it is now.
    pub(crate) fn require_current(&self) -> Result<(), Failure> {
        match self.revision {
            None => Ok(()),
            Some(number) => Err(Failure::unexpected(format_args!(
                "this command works on the widget as it is now, and not on revision {number}"
            ))
            .hint("leave out the `@` and the number")),
        }
    }
}

/// A widget that can be read whole.
pub(crate) fn require_readable(record: WidgetRecord) -> Result<Widget, Failure> {
    match record {
        WidgetRecord::Readable(widget) => Ok(widget),
        WidgetRecord::Unreadable(widget) => {
            let UnreadableWidget { id, unreadable, .. } = *widget;
            let fields: Vec<&str> = unreadable
                .iter()
                .map(|field| field.pointer.as_str())
                .collect();
            Err(Failure::bad_input(format_args!(
                "the service cannot read `{}` of widget {id}",
                fields.join("`, `")
            ))
            .hint(format_args!(
                "`widget history {id}` shows revisions that can be restored"
            )))
        }
    }
}

/// The title of a widget's window, as its owner wrote it.
pub(crate) fn title<W: AsRef<Widget>>(record: &WidgetRecord<W>) -> Option<&str> {
    match record {
        WidgetRecord::Readable(widget) => title_of(widget.as_ref()),
        WidgetRecord::Unreadable(widget) => title_in(widget.config.as_ref()?),
    }
}

/// As [`title`], of a widget that can be read.
pub(crate) fn title_of(widget: &Widget) -> Option<&str> {
    title_in(&widget.config)
}

fn title_in(config: &Value) -> Option<&str> {
    config.pointer("/v1/chat/title")?.as_str()
}

/// The id of a widget in a list.
pub(crate) fn id_of<W: AsRef<Widget>>(record: &WidgetRecord<W>) -> WidgetId {
    match record {
        WidgetRecord::Readable(widget) => widget.as_ref().id,
        WidgetRecord::Unreadable(widget) => widget.id,
    }
}

/// Widgets of the organization whose id begins so, at most `limit`.
async fn list_by_prefix(
    session: &Session,
    prefix: IdPrefix,
    limit: usize,
) -> Result<Vec<WidgetRecord<ListedWidget>>, Error> {
    let page = u32::try_from(limit).unwrap_or(u32::MAX);
    let query = WidgetsQuery {
        limit: Some(page.min(widget_api::MAX_PAGE_LIMIT)),
        id_prefix: Some(prefix),
        ..WidgetsQuery::default()
    };
    let pages = session.client.list_web_widgets(&query);
    pages.collect(Some(limit)).await
}

async fn find_by_prefix(session: &Session, prefix: &str) -> Result<WidgetId, Failure> {
    let beginning = prefix.parse().map_err(Failure::bad_input)?;
    // One more than are listed, to say that there are more.
    let found = list_by_prefix(session, beginning, MAX_LISTED + 1).await?;
    match &found[..] {
        [only] => Ok(id_of(only)),
        [] => Err(with_nearest(
            Failure::bad_input(format_args!(
                "no widget has an id that begins with `{prefix}`"
            )),
            session,
            prefix,
        )
        .await),
        several => {
            let number = match several.len() {
                more if more > MAX_LISTED => format!("more than {MAX_LISTED}"),
                number => number.to_string(),
            };
            Err(Failure::bad_input(format_args!(
                "`{prefix}` is the beginning of {number} widgets' ids; use more of it:\n{}",
                list_lines(several)
            )))
        }
    }
}

async fn not_found(session: &Session, id: WidgetId) -> Failure {
    let query = WidgetsQuery {
        limit: Some(1),
        id_prefix: id.to_string().parse().ok(),
        deleted: Some(true),
        ..WidgetsQuery::default()
    };
    let pages = session.client.list_web_widgets(&query);
    let deleted = pages.collect(Some(1)).await.unwrap_or_default();
    if deleted.iter().any(|record| id_of(record) == id) {
        return Failure::bad_input(format_args!("widget {id} was deleted"))
            .hint(format_args!("`widget undelete {id}` brings it back"));
    }
    let failure = Failure::bad_input(format_args!("there is no widget {id}"));
    with_nearest(failure, session, &id.to_string()).await
}

/// Adds the widget whose id is most similar, if one is, and the nearest others: all of those with
/// the same first half.
async fn with_nearest(failure: Failure, session: &Session, text: &str) -> Failure {
    const SIMILAR: f64 = 0.85;
    const MAX_COMPARED: usize = 1000;
    let half = text.get(..MIN_PREFIX.max(text.len() / 2)).unwrap_or(text);
    let all = match half.parse() {
        Ok(half) => list_by_prefix(session, half, MAX_COMPARED).await,
        Err(_) => Ok(Vec::new()),
    };
    let mut all = all.unwrap_or_default();
    let similarity = |record: &WidgetRecord<ListedWidget>| {
        let id = id_of(record).to_string();
        strsim::normalized_damerau_levenshtein(text, id.get(..text.len()).unwrap_or(&id))
    };
    all.sort_by(|left, right| similarity(right).total_cmp(&similarity(left)));
    let is_similar = all
        .first()
        .is_some_and(|record| similarity(record) >= SIMILAR);
    let nearest: Vec<String> = all.iter().take(MAX_LISTED).map(describe).collect();
    match &nearest[..] {
        [] => failure.hint("`widget list` shows the widgets"),
        [only] if is_similar => failure.hint(format_args!("did you mean {only}?")),
        [first, others @ ..] if is_similar => failure.hint(format_args!(
            "did you mean {first}?\nother ids that begin alike:\n  {}",
            others.join("\n  ")
        )),
        several => failure.hint(format_args!(
            "`widget list` shows the widgets; these ids begin alike:\n  {}",
            several.join("\n  ")
        )),
    }
}

/// The whole id of a widget and its title.
fn describe(record: &WidgetRecord<ListedWidget>) -> String {
    match title(record) {
        Some(title) => format!("{} \"{}\"", id_of(record), printable(title)),
        None => id_of(record).to_string(),
    }
}

fn list_lines(widgets: &[WidgetRecord<ListedWidget>]) -> String {
    let ids: Vec<String> = widgets
        .iter()
        .map(|record| id_of(record).to_string())
        .collect();
    // Of a part of them, nobody knows which beginnings name one.
    let shown = if widgets.len() > MAX_LISTED {
        ids
    } else {
        short_ids(&ids)
    };
    let mut lines: Vec<String> = shown
        .into_iter()
        .zip(widgets)
        .take(MAX_LISTED)
        .map(|(id, record)| match title(record) {
            Some(title) => format!("  {id} \"{}\"", printable(title)),
            None => format!("  {id}"),
        })
        .collect();
    if widgets.len() > MAX_LISTED {
        lines.push("  …".to_owned());
    }
    lines.join("\n")
}

fn find_in_file(path: &Path, printer: &mut Printer) -> Result<WidgetId, Failure> {
    let shown = path.display();
    let record = widget_file::find_record(path, None, None, &Suffixes::default(), printer)?
        .ok_or_else(|| Failure::bad_input(format_args!("the widget in `{shown}` is not valid")))?;
    record.id.ok_or_else(|| {
        Failure::bad_input(format_args!("the widget in `{shown}` has no `id`"))
            .hint("name the widget by its id, or by the address of a page with it")
    })
}

/// The address of a page. Without a scheme it is `https`; names of files are none.
fn parse_page(text: &str) -> Option<Url> {
    if text.contains("://") {
        return Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    }
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_file = [".json", ".yaml", ".yml"]
        .iter()
        .any(|ending| text.ends_with(ending));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let is_host = host == "localhost" || host.contains('.') && host.bytes().all(plain);
    if is_file || !is_host || host.starts_with('.') {
        return None;
    }
    Url::parse(&format!("https://{text}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";

    #[test]
    fn references_are_recognized() {
        let parse = |text: &str| {
            Reference::parse(text).map(|reference| (reference.target, reference.revision))
        };
        let id = || Target::Id(ID.parse().expect("an id"));
        let prefix = |text: &str| Target::Prefix(text.to_owned());
        let page = |text: &str| Target::Page(text.parse().expect("an address"));
        for (text, expected) in [
            ("-", (Target::StandardInput, None)),
            ("Cargo.toml", (Target::File("Cargo.toml".into()), None)),
            (ID, (id(), None)),
            (&format!("{ID}@3"), (id(), Some(3))),
            ("0197A8B2", (prefix("0197a8b2"), None)),
            ("0197a8b2-6c@12", (prefix("0197a8b2-6c"), Some(12))),
            (
                "shop.example/cart",
                (page("https://shop.example/cart"), None),
            ),
            ("localhost:8000", (page("https://localhost:8000"), None)),
            ("http://a.example/@3", (page("http://a.example/@3"), None)),
        ] {
            assert_eq!(parse(text).expect(text), expected, "{text}");
        }
        for text in [
            "019",
            "missing.json",
            "ftp://a.example",
            "",
            "0197a8b2@0",
            "shop",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
