//! What a record is defined by, and how the keys of an object are asked for.

use serde::Serialize;
use serde_json::{Map, Value};

use super::describe::{Definitions, paragraph};
use super::kind::{Kind, pick};
use super::{Context, Unknown, nearest};
use crate::choice::one_of;
use crate::finding::Code;
use crate::json::{push_token, shortened};

/// An object with a fixed set of known keys.
pub(crate) trait Record: Sized {
    /// The name of the record's type, as in the schema.
    const NAME: &'static str;
    /// What the record is, one line or more.
    const DOC: &'static [&'static str];

    /// Asks for every key; `None` when a required one is missing or faulty. All keys must be
    /// asked for before the function returns, or their faults go unseen.
    fn define(keys: &mut Keys<'_>) -> Option<Self>;

    /// Rules that concern several keys, written into the schema where it can hold them.
    fn refine_schema(_schema: &mut Map<String, Value>) {}
}

/// An object whose other keys depend on one of them, the tag.
pub(crate) trait Union: Sized {
    /// The name of the type, as in the schema; variants put theirs in front.
    const NAME: &'static str;
    /// What the union is.
    const DOC: &'static [&'static str];
    /// The key that decides.
    const TAG: &'static str;
    /// What the tag decides.
    const TAG_DOC: &'static str;
    /// The values of the tag, each with its meaning.
    const VARIANTS: &'static [(&'static str, &'static str)];

    /// As [`Record::define`], for one value of the tag; `None` when the tag is missing or
    /// unknown, so that the faults of the common keys are found all the same.
    fn define(tag: Option<&'static str>, keys: &mut Keys<'_>) -> Option<Self>;
}

/// The keys of one object, while it is read or described.
#[derive(Debug)]
pub(crate) struct Keys<'a> {
    mode: Mode<'a>,
    known: Vec<&'static str>,
}

#[derive(Debug)]
enum Mode<'a> {
    Reading {
        map: &'a Map<String, Value>,
        context: &'a mut Context,
    },
    Describing {
        properties: &'a mut Map<String, Value>,
        required: &'a mut Vec<&'static str>,
        definitions: &'a mut Definitions,
    },
}

impl<'a> Keys<'a> {
    /// The keys of an object that is read.
    fn reading(map: &'a Map<String, Value>, context: &'a mut Context) -> Self {
        Self {
            mode: Mode::Reading { map, context },
            known: Vec::new(),
        }
    }

    /// The keys of a record that is described.
    pub(super) fn describing(
        properties: &'a mut Map<String, Value>,
        required: &'a mut Vec<&'static str>,
        definitions: &'a mut Definitions,
    ) -> Self {
        Self {
            mode: Mode::Describing {
                properties,
                required,
                definitions,
            },
            known: Vec::new(),
        }
    }
    /// A key that may be missing; then, and when it is faulty, the default is returned.
    pub(crate) fn optional<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
        default: K::Value,
    ) -> K::Value
    where
        K::Value: Serialize,
    {
        let described_default = match &self.mode {
            Mode::Describing { .. } => serde_json::to_value(&default).ok(),
            Mode::Reading { .. } => None,
        };
        self.key(name, doc, kind, described_default)
            .unwrap_or(default)
    }

    /// A key that may be missing and has no default.
    pub(crate) fn maybe<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
    ) -> Option<K::Value> {
        self.key(name, doc, kind, None)
    }

    /// A key that must be there.
    pub(crate) fn required<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
    ) -> Option<K::Value> {
        match &mut self.mode {
            Mode::Reading { map, context } => {
                if !map.contains_key(name) {
                    let owner = context.name();
                    context.below(name, |context| {
                        let detail = format!(
                            "`{name}` is missing in `{owner}`; it must be {}",
                            kind.allowed()
                        );
                        context.fault(Code::KeyMissing, detail, None);
                    });
                }
            }
            Mode::Describing { required, .. } => required.push(name),
        }
        self.key(name, doc, kind, None)
    }

    /// Records a fault at a key.
    pub(crate) fn fault(&mut self, name: &str, code: Code, detail: String) {
        if let Mode::Reading { context, .. } = &mut self.mode {
            context.below(name, |context| context.fault(code, detail, None));
        }
    }

    fn key<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
        default: Option<Value>,
    ) -> Option<K::Value> {
        self.known.push(name);
        match &mut self.mode {
            Mode::Reading { map, context } => {
                let value = map.get(name)?;
                context.below(name, |context| kind.read(value, context))
            }
            Mode::Describing {
                properties,
                definitions,
                ..
            } => {
                let mut schema = Map::new();
                schema.insert("description".to_owned(), Value::String(paragraph(doc)));
                let of_kind = kind.schema(definitions);
                schema.extend(of_kind);
                if let Some(default) = default.filter(|_| kind.has_plain_default()) {
                    schema.insert("default".to_owned(), default);
                }
                properties.insert(name.to_owned(), Value::Object(schema));
                None
            }
        }
    }
}

/// Reads one record; unknown keys are noted in the context.
pub(crate) fn read_record<T: Record>(map: &Map<String, Value>, context: &mut Context) -> Option<T> {
    let mut keys = Keys::reading(map, context);
    let record = T::define(&mut keys);
    let known = keys.known;
    note_unknown(map, &known, context);
    record
}

/// The names of the keys that a record knows, in order.
pub(crate) fn known_keys<T: Record>() -> Vec<&'static str> {
    let (map, mut context) = (Map::new(), Context::default());
    let mut keys = Keys::reading(&map, &mut context);
    let _ = T::define(&mut keys);
    keys.known
}

pub(super) fn read_union<T: Union>(map: &Map<String, Value>, context: &mut Context) -> Option<T> {
    let names: Vec<&str> = T::VARIANTS.iter().map(|(name, _)| *name).collect();
    let tag = match map.get(T::TAG) {
        None => {
            let owner = context.name();
            context.below(T::TAG, |context| {
                let detail = format!(
                    "`{}` is missing in `{owner}`; it must be {}",
                    T::TAG,
                    one_of(&names)
                );
                context.fault(Code::KeyMissing, detail, None);
            });
            None
        }
        Some(value) => context.below(T::TAG, |context| pick(value, &names, context)),
    };
    let mut keys = Keys::reading(map, context);
    keys.known.push(T::TAG);
    let union = T::define(tag, &mut keys);
    let known = keys.known;
    // Without the tag nobody can say which keys belong; the missing tag is fault enough.
    if tag.is_some() {
        note_unknown(map, &known, context);
    }
    union
}

/// The most unknown keys of a document for which the nearest known one is looked up: who has more
/// has not mistyped them, and looking is the slowest part of reading.
const MAX_SUGGESTIONS: usize = 32;

fn note_unknown(map: &Map<String, Value>, known: &[&'static str], context: &mut Context) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let owner = context.name();
        let nearest = if context.unknown.len() < MAX_SUGGESTIONS {
            nearest(key, known)
        } else {
            None
        };
        let question = nearest.map(|name| format!("; did you mean `{name}`?"));
        let detail = format!(
            "`{}` is not a key of `{owner}`{}",
            shortened(key),
            question.unwrap_or_default()
        );
        let hint = Some(match nearest {
            Some(name) => format!("rename it to `{name}`"),
            None => "it is kept and has no effect; remove it if it is not for a newer version"
                .to_owned(),
        });
        let mut pointer = context.path.clone();
        push_token(&mut pointer, key);
        context.unknown.push(Unknown {
            pointer,
            detail,
            hint,
        });
    }
}
