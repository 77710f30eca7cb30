//! Reads a widget record as the API returns it, and reports every fault of every part. The rules
//! of the parts are in `widget-core`; here is only which key contains which part.

use std::{fmt, str::FromStr};

use serde_json::{Value, value::RawValue};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;
use widget_core::{
    config::Config,
    finding::{Code, Finding, FindingList},
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    json::escape_token,
    origin::{AllowedOrigins, Entry},
    widget::Widget,
};

use crate::{source::members::Members, suffixes::Suffixes};

/// The keys of a widget record, as the API writes it: of one that was deleted, and in the answer to
/// a write, too.
pub(crate) const RECORD_KEYS: [&str; 13] = [
    "id",
    "organization_id",
    "agent_id",
    "agent_version_id",
    "domains",
    "published",
    "config",
    "created_at",
    "updated_at",
    "deleted_at",
    "deleted_by",
    "warnings",
    "unreadable",
];

/// A record with all its faults.
#[derive(Debug)]
pub(crate) struct Record {
    /// The id, when the record has a valid one.
    pub(crate) id: Option<WidgetId>,
    /// The widget as far as it could be read; a missing or invalid part has its default.
    pub(crate) widget: Widget,
    /// When the widget was deleted, if it was.
    pub(crate) deleted_at: Option<OffsetDateTime>,
    /// The state of the pinned version, when the warnings of a write say it.
    pub(crate) version: Option<PinnedVersion>,
    /// Required keys that are missing: faults that do not prevent a decision.
    pub(crate) missing: FindingList,
    pub(crate) faults: FindingList,
    /// The position of each entry of `widget.domains` in the list as written.
    positions: Vec<usize>,
}

/// Reads the members of a record.
pub(crate) fn read_record(members: &Members<'_>, suffixes: &Suffixes) -> Record {
    let mut reader = Reader {
        members,
        faults: FindingList::new(),
    };
    reader.check_keys();
    let id = reader.parse::<WidgetId>("id", Code::IdInvalid);
    let organization_id = reader.parse::<OrganizationId>("organization_id", Code::IdInvalid);
    let agent_id = reader.parse::<AgentId>("agent_id", Code::IdInvalid);
    let agent_version_id = reader.parse::<AgentVersionId>("agent_version_id", Code::IdInvalid);
    let (domains, positions) = reader.domains(suffixes);
    let published = reader.published();
    let config = reader.config();
    let unknown_time = OffsetDateTime::UNIX_EPOCH;
    let created_at = reader.time("created_at").unwrap_or(unknown_time);
    let updated_at = reader.time("updated_at").unwrap_or(unknown_time);
    let deleted_at = reader.time("deleted_at");
    reader.string("deleted_by");
    let version = reader.version();
    reader.report_unreadable();
    let missing = ["agent_id", "agent_version_id"]
        .into_iter()
        .filter(|key| !members.has(key))
        .map(|key| {
            Finding::new(
                Code::KeyMissing,
                format!("the record has no `{key}`, and every widget needs one"),
            )
            .at(format!("/{key}"))
        })
        .collect();
    Record {
        id,
        missing,
        positions,
        faults: reader.faults,
        deleted_at,
        version,
        widget: Widget {
            id: id.unwrap_or_else(|| WidgetId::from_uuid(Uuid::nil())),
            organization_id: organization_id.unwrap_or_else(unnamed_organization),
            agent_id: agent_id.unwrap_or_else(|| AgentId::from_uuid(Uuid::nil())),
            agent_version_id: agent_version_id
                .unwrap_or_else(|| AgentVersionId::from_uuid(Uuid::nil())),
            domains,
            published,
            config,
            created_at,
            updated_at,
        },
    }
}

impl Record {
    /// The position in the list as written of an entry of the canonical list.
    pub(crate) fn written_position(&self, index: usize) -> Option<usize> {
        self.positions.get(index).copied()
    }

    /// Changes the pointer of a finding from the canonical list to the list as written.
    pub(crate) fn with_written_position(&self, mut finding: Finding) -> Finding {
        if let Some(position) = finding
            .pointer
            .as_deref()
            .and_then(|pointer| pointer.strip_prefix("/domains/"))
            .and_then(|position| self.positions.get(position.parse::<usize>().ok()?))
        {
            finding.pointer = Some(format!("/domains/{position}"));
        }
        finding
    }
}

fn unnamed_organization() -> OrganizationId {
    "unknown".parse().expect("seven letters are a name")
}

struct Reader<'m, 'd> {
    members: &'m Members<'d>,
    faults: FindingList,
}

impl Reader<'_, '_> {
    fn check_keys(&mut self) {
        let mut seen = std::collections::HashSet::new();
        for (key, _) in &self.members.0 {
            let pointer = format!("/{}", escape_token(key));
            if !seen.insert(key.as_str()) {
                self.faults.push(
                    Finding::new(Code::KeyDuplicate, format!("the key `{key}` occurs twice"))
                        .at(pointer)
                        .with_hint("remove one of the two"),
                );
            } else if !RECORD_KEYS.contains(&key.as_str()) {
                self.faults.push(build_key_unknown(key).at(pointer));
            }
        }
    }

    /// The string value of a key; another type is a fault.
    fn string(&mut self, key: &str) -> Option<String> {
        let raw = self.members.get(key)?;
        let text = serde_json::from_str(raw.get()).ok();
        if text.is_none() {
            self.report_type(key, raw, "a string");
        }
        text
    }

    fn parse<T>(&mut self, key: &str, code: Code) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let text = self.string(key)?;
        text.parse()
            .map_err(|error: T::Err| {
                self.faults
                    .push(Finding::new(code, error.to_string()).at(format!("/{key}")));
            })
            .ok()
    }

    fn published(&mut self) -> bool {
        let Some(raw) = self.members.get("published") else {
            return false;
        };
        serde_json::from_str(raw.get()).unwrap_or_else(|_| {
            self.report_type("published", raw, "`true` or `false`");
            false
        })
    }

    fn config(&mut self) -> Config {
        let Some(raw) = self.members.get("config") else {
            return Config::default();
        };
        Config::parse(raw.get()).unwrap_or_else(|error| {
            self.faults.append(error.findings().into_list());
            Config::default()
        })
    }

    fn time(&mut self, key: &str) -> Option<OffsetDateTime> {
        let text = self.string(key)?;
        let time = OffsetDateTime::parse(&text, &Rfc3339).ok();
        if time.is_none() {
            self.faults.push(
                Finding::new(
                    Code::TimeInvalid,
                    format!("`{text}` is not a time; use RFC 3339, such as `2026-11-24T09:30:00Z`"),
                )
                .at(format!("/{key}")),
            );
        }
        time
    }

    /// What the warnings in the answer to a write say about the pinned version.
    fn version(&mut self) -> Option<PinnedVersion> {
        let raw = self.members.get("warnings")?;
        let Ok(warnings) = serde_json::from_str::<Vec<Value>>(raw.get()) else {
            self.report_type("warnings", raw, "a list of warnings, as the API returns it");
            return None;
        };
        warnings.iter().find_map(|warning| {
            let code = warning.get("code")?.as_str()?.parse().ok()?;
            PinnedVersion::of_blocker(code)
        })
    }

    /// Reports the fields that the service could not read.
    fn report_unreadable(&mut self) {
        let Some(raw) = self.members.get("unreadable") else {
            return;
        };
        let Ok(fields) = serde_json::from_str::<Vec<Value>>(raw.get()) else {
            self.report_type("unreadable", raw, "a list of fields, as the API returns it");
            return;
        };
        for field in &fields {
            let text = |key| field.get(key).and_then(Value::as_str).unwrap_or_default();
            let detail = format!(
                "the service could not read `{}`: {}",
                text("pointer"),
                text("detail")
            );
            let code = text("code").parse().unwrap_or(Code::FieldUnreadable);
            self.faults.push(
                Finding::new(code, detail)
                    .at(text("pointer"))
                    .with_hint("restore a revision, or send the field again with `PATCH`"),
            );
        }
    }

    /// The list, with the position of each entry as written: equal entries become one.
    fn domains(&mut self, suffixes: &Suffixes) -> (AllowedOrigins, Vec<usize>) {
        let Some(raw) = self.members.get("domains") else {
            return Default::default();
        };
        let Ok(values) = serde_json::from_str::<Vec<Value>>(raw.get()) else {
            self.report_type(
                "domains",
                raw,
                "a list of sites such as `[\"https://shop.example\"]`",
            );
            return Default::default();
        };
        let mut texts = Vec::new();
        for (position, value) in values.iter().enumerate() {
            match value.as_str() {
                Some(text) => texts.push((position, text)),
                None => self.faults.push(build_type_invalid(
                    format!("/domains/{position}"),
                    &value.to_string(),
                    "an entry of `domains`",
                    "a string such as `\"https://shop.example\"`",
                )),
            }
        }
        let entries: Vec<_> = texts.iter().map(|(_, text)| *text).collect();
        match AllowedOrigins::parse(&entries, suffixes.list()) {
            Ok(domains) => {
                let positions = find_positions(&domains, &texts, suffixes);
                (domains, positions)
            }
            Err(error) => {
                self.faults.append(error.into_list().map(|mut finding| {
                    let position = finding
                        .pointer
                        .as_deref()
                        .and_then(|pointer| pointer.strip_prefix("/domains/"))
                        .and_then(|position| texts.get(position.parse::<usize>().ok()?));
                    if let Some((position, _)) = position {
                        finding.pointer = Some(format!("/domains/{position}"));
                    }
                    finding
                }));
                Default::default()
            }
        }
    }

    fn report_type(&mut self, key: &str, raw: &RawValue, allowed: &str) {
        self.faults.push(build_type_invalid(
            format!("/{key}"),
            raw.get(),
            &format!("`{key}`"),
            allowed,
        ));
    }
}

fn find_positions(
    domains: &AllowedOrigins,
    texts: &[(usize, &str)],
    suffixes: &Suffixes,
) -> Vec<usize> {
    if domains.entries().len() == texts.len() {
        return texts.iter().map(|(position, _)| *position).collect();
    }
    let canonical: Vec<_> = texts
        .iter()
        .map(|(_, text)| Entry::parse(text, suffixes.list()).map(|entry| entry.to_text()))
        .collect();
    domains
        .entries()
        .iter()
        .filter_map(|entry| {
            let first = canonical
                .iter()
                .position(|text| text.as_ref().is_ok_and(|text| text == entry))?;
            texts.get(first).map(|(position, _)| *position)
        })
        .collect()
}

fn build_type_invalid(pointer: String, raw: &str, name: &str, allowed: &str) -> Finding {
    Finding::new(
        Code::TypeInvalid,
        format!("{name} must be {allowed}, not `{}`", shorten(raw)),
    )
    .at(pointer)
}

fn shorten(text: &str) -> String {
    const MAX_CHARACTERS: usize = 40;
    if text.chars().count() <= MAX_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(MAX_CHARACTERS).chain(['…']).collect()
}

fn build_key_unknown(key: &str) -> Finding {
    let unknown = Finding::new(
        Code::KeyUnknown,
        format!("`{}` is not a key of a widget", shorten(key)),
    );
    let nearest = RECORD_KEYS
        .iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(key, known), known))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match nearest {
        _ if key == "v1" => unknown.with_hint("move `v1` into `config`"),
        Some((likeness, known)) if likeness >= 0.6 => {
            unknown.with_hint(format!("did you mean `{known}`?"))
        }
        _ => unknown,
    }
}
