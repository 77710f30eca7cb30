//! Reads a document: finds its version, and migrates what that version says to the newest one.
//!
//! The steps from one version to the next are in the versions themselves, so this file stays as it
//! is when there is a new one; `docs/config.md` says which files change.
//!
//! A migrated document contains the settings that differ from the defaults of the newest version.
//! A setting that was left out, and whose default is another one in the newest version, is written
//! out with its old default. Unknown keys are copied to the same place. When a place does not exist
//! in the newest version, or is read there as something else, nothing is copied, and the old
//! version stays in the document beside the new one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::stored::StoredText;
use super::v1::ConfigV1;
use super::version::{LIMITS, Past as _, ROOT, Version, is_version_key, key_of};
use crate::check::{Context, known_keys, nearest, type_name};
use crate::finding::{Code, Finding, FindingList, Findings};
use crate::json;
use crate::text::shortened;

/// A document that was read, and the typed values of version `V` that it means.
#[derive(Debug, Clone)]
pub(crate) struct Document<V> {
    /// The document as it is stored. Its values in memory would take up to twenty times as much.
    text: StoredText,
    /// The version that was read; `None` for the empty document.
    found: Option<u64>,
    pub(crate) current: V,
}

impl<V: Version> Default for Document<V> {
    fn default() -> Self {
        Self {
            text: StoredText::default(),
            found: None,
            current: V::default(),
        }
    }
}

/// Reads a document; `text_faults` are those that reading its text has found already.
pub(crate) fn read<V: Version>(
    value: Value,
    text_faults: FindingList,
) -> Result<Document<V>, ConfigError> {
    let Value::Object(document) = value else {
        let detail = format!(
            "`config` is {}, but it must be an object",
            type_name(&value)
        );
        return Err(match Findings::from_list(text_faults) {
            Some(faults) => ConfigError::Invalid(faults),
            None => Finding::new(Code::TypeInvalid, detail).at(ROOT).into(),
        });
    };
    if document.is_empty() {
        return Document::build(document, None, V::default(), text_faults);
    }
    let version_keys: Vec<&String> = document.keys().filter(|key| is_version_key(key)).collect();
    if version_keys.is_empty() {
        return read_unversioned(document, text_faults);
    }
    let Some(found) = V::newest_in(&document) else {
        return Err(ConfigError::TooNew {
            found: version_keys.into_iter().cloned().collect(),
            newest: V::NUMBER,
        });
    };
    let key = key_of(found);
    let mut context = Context::new(&format!("{ROOT}/{key}"));
    let current: V = match document.get(&key) {
        Some(Value::Object(version)) => V::load(found, version, &mut context).unwrap_or_default(),
        other => {
            let kind = other.map_or("missing", type_name);
            context.fault(
                Code::TypeInvalid,
                format!("`{key}` is {kind}, but it must be an object"),
                None,
            );
            V::default()
        }
    };
    let faults = merged(text_faults, context.faults);
    Document::build(document, Some(found), current, faults)
}

/// Reads a document without a version as what it becomes: its keys under `v1`.
/// Faults point to where the values are then, and it must fit with that key around it.
fn read_unversioned<V: Version>(
    document: Map<String, Value>,
    text_faults: FindingList,
) -> Result<Document<V>, ConfigError> {
    let known = known_keys::<ConfigV1>();
    let unknown: Vec<String> = document
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(ConfigError::Unversioned { unknown });
    }
    let key = key_of(ConfigV1::NUMBER);
    let text_faults = text_faults.map(|mut fault| {
        if let Some(below) = fault.pointer.as_deref().and_then(|p| p.strip_prefix(ROOT)) {
            fault.pointer = Some(format!("{ROOT}/{key}{below}"));
        }
        fault
    });
    let mut versioned = Map::new();
    versioned.insert(key, Value::Object(document));
    read(Value::Object(versioned), text_faults)
}

/// Both lists; where the text has a fault, the value that stands in for it is not reported as well.
fn merged(text_faults: FindingList, mut faults: FindingList) -> FindingList {
    let mut all = text_faults;
    faults.retain(|fault| !all.iter().any(|other| other.pointer == fault.pointer));
    all.append(faults);
    all
}

/// What is in the document beside the version that was read.
fn beside(document: &Map<String, Value>, found: u64, newest: u64) -> FindingList {
    let read = key_of(found);
    document
        .keys()
        .filter(|key| **key != read)
        .map(|key| {
            let pointer = Some(format!("{ROOT}/{}", json::escape_token(key)));
            let shown = shortened(key);
            if is_version_key(key) {
                let is_older = key[1..].parse().is_ok_and(|number: u64| number < found);
                return Finding {
                    code: if is_older {
                        Code::VersionSuperseded
                    } else {
                        Code::VersionUnknown
                    },
                    pointer,
                    detail: if is_older {
                        format!("`{shown}` is kept and not read, because `{read}` is newer")
                    } else {
                        format!(
                            "`{shown}` is kept and not read, the newest version of this build is \
                             `v{newest}`"
                        )
                    },
                    hint: None,
                };
            }
            let nearest = nearest(key, &[read.as_str()]);
            let question = nearest.map(|name| format!("; did you mean `{name}`?"));
            Finding {
                code: Code::KeyUnknown,
                pointer,
                detail: format!(
                    "`{shown}` is not a version and has no effect{}",
                    question.unwrap_or_default()
                ),
                hint: Some(format!("settings belong under `{read}`")),
            }
        })
        .collect()
}

/// Two documents are equal if their values are; the order of keys does not matter.
impl<V> PartialEq for Document<V> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || self.value() == other.value()
    }
}

impl<V> Document<V> {
    /// Every document is made here: it has no faults, and fits as it is stored, also when that is
    /// not the text that was sent.
    fn build(
        document: Map<String, Value>,
        found: Option<u64>,
        current: V,
        faults: FindingList,
    ) -> Result<Self, ConfigError> {
        // An object with a key that cannot be stored was read as an empty one.
        if let Some(faults) = Findings::from_list(faults) {
            return Err(ConfigError::Invalid(faults));
        }
        Ok(Self {
            text: StoredText::of(&Value::Object(document))?,
            found,
            current,
        })
    }

    /// The document as it is stored.
    pub(crate) fn as_json(&self) -> &str {
        self.text.as_str()
    }

    /// The document's values.
    pub(crate) fn value(&self) -> Value {
        self.text.value()
    }
}

impl<V: Version> Document<V> {
    /// The same settings as a document of the newest version; `None` for a document that has it
    /// already, or is empty, or would be too large, and so stays as it is.
    pub(crate) fn migrated(&self) -> Option<Value> {
        let found = self.found.filter(|found| *found != V::NUMBER)?;
        let value = self.value();
        let document = value.as_object()?;
        let settings = differences(&self.current);
        let (settings, all_carried) = match Self::carried(&value, &settings, found) {
            Some(with_unknown) => (with_unknown, true),
            None => (settings, false),
        };
        let mut migrated = Map::new();
        for (key, value) in document {
            if *key == key_of(found) {
                migrated.insert(key_of(V::NUMBER), Value::Object(settings.clone()));
                if all_carried {
                    continue;
                }
            }
            migrated.insert(key.clone(), value.clone());
        }
        let migrated = Value::Object(migrated);
        json::measure(&migrated, LIMITS).is_ok().then_some(migrated)
    }

    /// The settings with every unknown key at its old place; `None` when one has no place there.
    fn carried(
        document: &Value,
        settings: &Map<String, Value>,
        found: u64,
    ) -> Option<Map<String, Value>> {
        let prefix = format!("{ROOT}/{}", key_of(found));
        let unknown = Self::noted(document, found)?.unknown_pointers;
        let mut target = Value::Object(settings.clone());
        for pointer in &unknown {
            let value = document.pointer(pointer.strip_prefix(ROOT)?)?;
            insert(&mut target, pointer.strip_prefix(&prefix)?, value)?;
        }
        let Value::Object(target) = target else {
            return None;
        };
        // What the new version reads is no longer unknown: it would change its meaning.
        let mut context = Context::noting_unknown(&prefix);
        let _ = V::read(&target, &mut context);
        let before: BTreeSet<String> = unknown.into_iter().collect();
        let now: BTreeSet<String> = context.unknown_pointers.into_iter().collect();
        (context.faults.is_empty() && now == before).then_some(target)
    }

    /// The same settings with a document that contains nothing else. In a list all settings of an
    /// item are written out; a document that would be too large then stays as it is.
    pub(crate) fn without_unread(self) -> Self {
        if self.found.is_none() {
            return self;
        }
        let mut document = Map::new();
        document.insert(key_of(V::NUMBER), Value::Object(differences(&self.current)));
        match StoredText::of(&Value::Object(document)) {
            Ok(text) => Self {
                text,
                found: Some(V::NUMBER),
                current: self.current,
            },
            Err(_) => self,
        }
    }

    /// What reading a document notes beside its values.
    fn noted(document: &Value, found: u64) -> Option<Context> {
        let key = key_of(found);
        let mut context = Context::noting_unknown(&format!("{ROOT}/{key}"));
        V::load(found, document.get(&key)?.as_object()?, &mut context)?;
        Some(context)
    }

    /// What deserves a look although the document is valid. It is found again each time, because
    /// few who read a document ask for it, and it can take more memory than the document.
    pub(crate) fn warnings(&self) -> FindingList {
        let Some(found) = self.found else {
            return FindingList::new();
        };
        let value = self.value();
        let document = value.as_object();
        let mut warnings = document
            .map(|document| beside(document, found, V::NUMBER))
            .unwrap_or_default();
        if let Some(noted) = Self::noted(&value, found) {
            warnings.append(noted.unknown);
        }
        let mut warned = Context::new(&format!("{ROOT}/{}", key_of(found)));
        self.current.warn(&mut warned);
        warnings.append(warned.warnings);
        warnings
    }
}

/// Puts a value at a pointer where nothing is; objects on the way are made, arrays are not.
fn insert(target: &mut Value, pointer: &str, value: &Value) -> Option<()> {
    let mut tokens: Vec<String> = json::pointer_tokens(pointer)?;
    let last = tokens.pop()?;
    let mut place = target;
    for token in tokens {
        place = match place {
            Value::Object(map) => map
                .entry(token)
                .or_insert_with(|| Value::Object(Map::new())),
            Value::Array(items) => items.get_mut(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    let Value::Object(map) = place else {
        return None;
    };
    if map.contains_key(&last) {
        return None;
    }
    map.insert(last, value.clone());
    Some(())
}

/// The settings as the document writes them: only what differs from the defaults.
fn differences<V: Version>(settings: &V) -> Map<String, Value> {
    fn differing(value: Value, default: &Value) -> Option<Value> {
        match (value, default) {
            (value, default) if value == *default => None,
            (Value::Object(map), Value::Object(defaults)) => {
                let kept = map
                    .into_iter()
                    .filter_map(|(key, value)| match defaults.get(&key) {
                        Some(default) => differing(value, default).map(|value| (key, value)),
                        None => Some((key, value)),
                    })
                    .collect();
                Some(Value::Object(kept))
            }
            (value, _) => Some(value),
        }
    }
    // Serializing records with string keys into memory cannot fail.
    let value = serde_json::to_value(settings).unwrap_or_default();
    let default = serde_json::to_value(V::default()).unwrap_or_default();
    match differing(value, &default) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}
