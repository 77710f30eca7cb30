//! One file with one widget: what it wants, and how it is changed without losing its comments.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, value::RawValue};
use widget_api::{Widget, WidgetPatch, widgets::NewWidget};
use widget_core::{config::Change, id::WidgetId};

use crate::{
    check::check,
    failure::Failure,
    file_write::PreparedFile,
    online::change,
    record::Record,
    rewrite::rewrite,
    source::{
        document::Document,
        edit,
        fault::SourceCode,
        input::{Format, Input},
    },
    subject::{Kind, Located, LocatedList, find_subjects},
    suffixes::Suffixes,
};

/// Keys of a record that the service decides; in a file they are only kept up to date.
const SERVICE_KEYS: [&str; 3] = ["organization_id", "created_at", "updated_at"];

/// A file with one widget. A key that is missing is not managed by the file.
#[derive(Debug)]
pub(crate) struct FolderFile {
    pub(crate) path: PathBuf,
    input: Input,
    record: Record,
    /// The file as an object.
    members: Map<String, Value>,
    config: Option<Box<RawValue>>,
}

/// Reads a file; it must hold exactly one widget without faults.
pub(super) fn read(
    path: PathBuf,
    input: Input,
    suffixes: &Suffixes,
) -> Result<FolderFile, (Input, LocatedList)> {
    let read = || -> Result<_, LocatedList> {
        let document = Document::read(&input)?;
        let subjects = find_subjects(&document, Some(Kind::Widget))?;
        let [subject] = &subjects[..] else {
            return Err(Located::whole(
                SourceCode::ObjectMissing,
                "a file of the folder must hold one widget, and this one holds a list",
                "put each widget into a file of its own",
            )
            .into());
        };
        let checked = check(subject, suffixes);
        // A key that is missing is not managed here.
        let record = checked
            .record
            .filter(|record| record.faults.is_empty())
            .ok_or(checked.faults)?;
        let config = subject
            .config_json()
            .and_then(|json| RawValue::from_string(json.to_owned()).ok());
        let members = serde_json::from_str(document.json()).unwrap_or_default();
        Ok((*record, config, members))
    };
    match read() {
        Ok((record, config, members)) => Ok(FolderFile {
            path,
            input,
            record,
            members,
            config,
        }),
        Err(faults) => Err((input, faults)),
    }
}

impl FolderFile {
    /// The widget that the file describes; a new one has no id yet.
    pub(crate) fn id(&self) -> Option<WidgetId> {
        self.record.id
    }

    /// The name to show.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The title of the window in the file.
    pub(crate) fn title(&self) -> Option<&str> {
        self.members
            .get("config")?
            .pointer("/v1/chat/title")?
            .as_str()
    }

    /// Everything that the file wants of its widget.
    pub(crate) fn wanted(&self) -> WidgetPatch {
        let widget = &self.record.widget;
        let has = |key| self.members.contains_key(key);
        WidgetPatch {
            agent_id: has("agent_id").then_some(widget.agent_id),
            agent_version_id: has("agent_version_id").then_some(widget.agent_version_id),
            domains: has("domains").then(|| widget.domains.entries().to_vec()),
            published: has("published").then_some(widget.published),
            config: self.config.clone(),
        }
    }

    /// What of the widget has to change, by core's rule, and the change that does it.
    pub(crate) fn find_changes(
        &self,
        before: &Widget,
    ) -> Result<(WidgetPatch, Vec<Change>), Failure> {
        let wanted = self.wanted();
        let changes = change::diff(before, &change::apply(before, &wanted)?)?;
        let differs = |key: &str| differing_keys(&changes).any(|differing| differing == key);
        let patch = WidgetPatch {
            agent_id: wanted.agent_id.filter(|_| differs("agent_id")),
            agent_version_id: wanted
                .agent_version_id
                .filter(|_| differs("agent_version_id")),
            domains: wanted.domains.filter(|_| differs("domains")),
            published: wanted.published.filter(|_| differs("published")),
            config: wanted.config.filter(|_| differs("config")),
        };
        Ok((patch, changes))
    }

    /// The widget to create, or which keys are missing for that.
    pub(crate) fn to_new(&self) -> Result<NewWidget, Vec<&'static str>> {
        let wanted = self.wanted();
        match (wanted.agent_id, wanted.agent_version_id) {
            (Some(agent_id), Some(agent_version_id)) => Ok(NewWidget {
                agent_id,
                agent_version_id,
                domains: wanted.domains.unwrap_or_default(),
                published: wanted.published.unwrap_or(false),
                config: wanted.config,
            }),
            (agent, version) => Err([
                ("agent_id", agent.is_none()),
                ("agent_version_id", version.is_none()),
            ]
            .into_iter()
            .filter_map(|(key, missing)| missing.then_some(key))
            .collect()),
        }
    }

    /// The file with the id in it, in its first place. `None` when its notation cannot be changed.
    pub(crate) fn with_id(&self, id: WidgetId) -> Option<String> {
        let mut wanted = Map::from_iter([("id".to_owned(), Value::from(id.to_string()))]);
        wanted.extend(self.members.clone());
        edit::edit(&self.input, &wanted).map(|text| self.input.with_mark(&text).into_owned())
    }

    /// The file as the service has its widget: only what differs is changed. `None` when its
    /// notation cannot be changed.
    pub(crate) fn with_widget(&self, widget: &Widget, changes: &[Change]) -> Option<String> {
        let differs: Vec<&str> = differing_keys(changes).collect();
        // Comments of an older config stay only if it is brought to the current version first.
        let current = rewrite(&self.input, Some(Kind::Widget)).ok()?;
        let mut input = Input::new(current.text, self.input.format);
        input.has_mark = self.input.has_mark;
        if !differs.contains(&"config") {
            input.text.clone_from(&self.input.text);
        }
        let server = members_of(widget);
        let mut wanted: Map<String, Value> = {
            let document = Document::read(&input).ok()?;
            serde_json::from_str(document.json()).ok()?
        };
        for (key, value) in server {
            let is_the_services = SERVICE_KEYS.contains(&key.as_str());
            if !wanted.contains_key(&key) || !is_the_services && !differs.contains(&&*key) {
                continue;
            }
            let value = if key == "domains" {
                self.as_written(&widget.domains)
            } else {
                value
            };
            wanted.insert(key, value);
        }
        edit::edit(&input, &wanted).map(|text| input.with_mark(&text).into_owned())
    }

    /// Entries of `domains` as the file writes them, if it has them, so that their comments stay.
    fn as_written(&self, domains: &[String]) -> Value {
        let written = self.members.get("domains").and_then(Value::as_array);
        let entries = self.record.widget.domains.entries();
        domains
            .iter()
            .map(|domain| {
                let index = entries.iter().position(|entry| entry == domain)?;
                written?.get(self.record.written_position(index)?).cloned()
            })
            .zip(domains)
            .map(|(written, domain)| written.unwrap_or_else(|| Value::from(domain.as_str())))
            .collect()
    }

    /// Whether the text is the one of the file.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        self.input.with_mark(&self.input.text) == text
    }
}

/// A new file for a widget.
pub(crate) fn new_text(widget: &Widget) -> Option<String> {
    let mut members = members_of(widget);
    members.retain(|key, _| !SERVICE_KEYS.contains(&key.as_str()));
    let text = edit::to_yaml(&members)?;
    let input = Input::new(text, Format::Yaml);
    // Read again, so that nothing is written that means something else.
    let read: Map<String, Value> =
        serde_json::from_str(Document::read(&input).ok()?.json()).ok()?;
    (read == members).then_some(input.text)
}

/// Writes a text in the place of a file.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    PreparedFile::new(path)?.write(text)
}

/// The keys of the record that changes are in.
fn differing_keys(changes: &[Change]) -> impl Iterator<Item = &str> {
    changes
        .iter()
        .filter_map(|change| change.pointer.split('/').nth(1))
}

fn members_of(widget: &Widget) -> Map<String, Value> {
    match serde_json::to_value(widget) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
