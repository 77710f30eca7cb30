//! Reading records and unions: [`Keys`] over an object of a document.

use serde::Serialize;
use serde_json::{Map, Value};

use super::context::Context;
use super::keys::{Keys, Record, Union};
use super::kind::{Kind, pick};
use super::names::nearest;
use crate::choice::{Choice, one_of};
use crate::finding::{Code, Finding};
use crate::text::shortened;

/// How many unknown keys of a document get the nearest known one as a hint. A document with more
/// of them was not mistyped, and finding the nearest is the slowest part of reading.
const MAX_SUGGESTIONS: usize = 32;

/// The keys of an object that is read.
struct Reader<'a> {
    map: &'a Map<String, Value>,
    context: &'a mut Context,
    /// The keys that were asked for.
    known: Vec<&'static str>,
}

impl Keys for Reader<'_> {
    fn with_default<K: Kind>(
        &mut self,
        name: &'static str,
        _: &[&str],
        kind: &K,
        default: K::Value,
    ) -> K::Value
    where
        K::Value: Serialize,
    {
        self.read(name, kind).unwrap_or(default)
    }

    fn required<K: Kind>(&mut self, name: &'static str, _: &[&str], kind: &K) -> Option<K::Value> {
        if !self.map.contains_key(name) {
            report_missing(name, &kind.allowed(), self.context);
        }
        self.read(name, kind)
    }

    fn fault(&mut self, name: &str, code: Code, detail: String) {
        self.context
            .below(name, |context| context.fault(code, detail, None));
    }
}

impl<'a> Reader<'a> {
    fn new(map: &'a Map<String, Value>, context: &'a mut Context) -> Self {
        Self {
            map,
            context,
            known: Vec::new(),
        }
    }

    fn read<K: Kind>(&mut self, name: &'static str, kind: &K) -> Option<K::Value> {
        self.known.push(name);
        let value = self.map.get(name)?;
        self.context
            .below(name, |context| kind.read(value, context))
    }

    /// Notes the keys that were not asked for.
    fn note_unknown(self) {
        let Self {
            map,
            context,
            known,
        } = self;
        if !context.notes_unknown() {
            return;
        }
        let owner = context.name();
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let nearest = if context.unknown_pointers.len() < MAX_SUGGESTIONS {
                nearest(key, &known)
            } else {
                None
            };
            let pointer = context.pointer_to(key);
            context.unknown.push_with(|| {
                let question = nearest.map(|name| format!("; did you mean `{name}`?"));
                Finding {
                    code: Code::KeyUnknown,
                    pointer: Some(pointer.clone()),
                    detail: format!(
                        "`{}` is not a key of `{owner}`{}",
                        shortened(key),
                        question.unwrap_or_default()
                    ),
                    hint: Some(match nearest {
                        Some(name) => format!("rename it to `{name}`"),
                        None => "it is kept and has no effect; remove it if it is not for a newer \
                             version"
                            .to_owned(),
                    }),
                }
            });
            context.unknown_pointers.push(pointer);
        }
    }
}

/// Reads one record; unknown keys are noted in the context.
pub(crate) fn read_record<T: Record>(map: &Map<String, Value>, context: &mut Context) -> Option<T> {
    let mut reader = Reader::new(map, context);
    let record = T::define(&mut reader);
    reader.note_unknown();
    record
}

/// The names of the keys that a record knows, in order.
pub(crate) fn known_keys<T: Record>() -> Vec<&'static str> {
    let (map, mut context) = (Map::new(), Context::default());
    let mut reader = Reader::new(&map, &mut context);
    let _ = T::define(&mut reader);
    reader.known
}

/// Reads one union; unknown keys are noted in the context.
pub(super) fn read_union<T: Union>(map: &Map<String, Value>, context: &mut Context) -> Option<T> {
    let names = T::Tag::NAMES;
    let tag = match map.get(T::TAG) {
        None => {
            report_missing(T::TAG, &one_of(names), context);
            None
        }
        Some(value) => context.below(T::TAG, |context| pick(value, names, context)),
    };
    let tag = tag.and_then(|name| name.parse().ok());
    let mut reader = Reader::new(map, context);
    reader.known.push(T::TAG);
    let union = T::define(tag, &mut reader);
    // Without the tag it is not known which keys belong here.
    if tag.is_some() {
        reader.note_unknown();
    }
    union
}

fn report_missing(name: &str, allowed: &str, context: &mut Context) {
    let owner = context.name();
    context.below(name, |context| {
        let detail = format!("`{name}` is missing in `{owner}`; it must be {allowed}");
        context.fault(Code::KeyMissing, detail, None);
    });
}
