//! One definition of a record of the config gives everything that must agree: the typed value
//! with its defaults, every fault with its pointer, the unknown keys, and the JSON Schema.
//!
//! A record is defined by a function that asks [`Keys`] for one key after the other. When reading,
//! `Keys` answers with the value of the document; when describing, it writes the schema of the
//! key. So a limit is written once, and a key that is read is a key that the schema knows.

mod choices;
mod kind;
mod names;
mod settings;

pub(crate) use choices::choices;
pub(crate) use kind::{
    Choice, Kind, boolean, choice, dependent, example, identifier, integer, list, localized,
    nullable, number, text, written,
};
pub(crate) use kind::{Written, any};
pub(crate) use names::nearest;
pub(crate) use settings::settings;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::finding::Finding;
use crate::json::{push_token, shortened};

/// Where the reader is, and what it has found so far.
#[derive(Debug, Default)]
pub(crate) struct Context {
    path: String,
    /// How much of the path is left out where a person reads it: `/config/v1`.
    hidden: usize,
    pub(crate) faults: Vec<Finding>,
    pub(crate) unknown: Vec<Unknown>,
    pub(crate) warnings: Vec<Finding>,
}

/// A key that no definition asked for; it is kept and told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unknown {
    pub(crate) pointer: String,
    /// The sentence for the owner.
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
}

impl Unknown {
    /// The warning about the key.
    pub(crate) fn to_finding(&self) -> Finding {
        Finding {
            code: "unknown_key",
            pointer: Some(self.pointer.clone()),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
        }
    }
}

impl Context {
    /// Starts at `root`, a pointer that is left out of names in sentences.
    pub(crate) fn new(root: &str) -> Self {
        Self {
            path: root.to_owned(),
            hidden: root.len(),
            ..Self::default()
        }
    }

    /// Runs `read` one key or index further down.
    pub(crate) fn below<T>(&mut self, token: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at(&[token], read)
    }

    /// Runs `read` several keys or indexes further down.
    pub(crate) fn at<T>(&mut self, tokens: &[&str], read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        for token in tokens {
            push_token(&mut self.path, token);
        }
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// The name of the value that is being read, as people write it: `trigger.size`.
    pub(crate) fn name(&self) -> String {
        let shown = self.path.get(self.hidden..).unwrap_or_default();
        if shown.is_empty() {
            let last = self.path.rsplit('/').next().unwrap_or_default();
            return if last.is_empty() {
                "the submission"
            } else {
                last
            }
            .to_owned();
        }
        shown.trim_start_matches('/').replace('/', ".")
    }

    /// Records a fault at the value that is being read.
    pub(crate) fn fault(&mut self, code: &'static str, detail: String, hint: Option<String>) {
        self.faults.push(Finding {
            code,
            pointer: Some(self.path.clone()),
            detail,
            hint,
        });
    }

    /// Records a warning at the value that is being read.
    pub(crate) fn warn(&mut self, code: &'static str, detail: String, hint: Option<String>) {
        self.warnings.push(Finding {
            code,
            pointer: Some(self.path.clone()),
            detail,
            hint,
        });
    }

    /// Records the fault that every type shares.
    fn wrong_type(&mut self, value: &Value, allowed: &str) {
        let detail = format!(
            "{} is {}, but `{}` takes {allowed}",
            shown(value),
            type_name(value),
            self.name()
        );
        self.fault("wrong_type", detail, None);
    }
}

/// A value in backticks, shortened, for sentences.
pub(crate) fn shown(value: &Value) -> String {
    format!("`{}`", shortened(&value.to_string()))
}

/// The JSON type of a value with its article.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction or exponent",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The schemas of the named records, by name, in the order in which they are first used.
pub(crate) type Definitions = Map<String, Value>;

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

impl Keys<'_> {
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
                            "`{name}` is missing in `{owner}`, it takes {}",
                            kind.allowed()
                        );
                        context.fault("required", detail, None);
                    });
                }
            }
            Mode::Describing { required, .. } => required.push(name),
        }
        self.key(name, doc, kind, None)
    }

    /// Records a fault at a key.
    pub(crate) fn fault(&mut self, name: &str, code: &'static str, detail: String) {
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
    let mut keys = Keys {
        mode: Mode::Reading { map, context },
        known: Vec::new(),
    };
    let record = T::define(&mut keys);
    let known = keys.known;
    note_unknown(map, &known, context);
    record
}

/// The names of the keys that a record knows, in order.
pub(crate) fn known_keys<T: Record>() -> Vec<&'static str> {
    let (map, mut context) = (Map::new(), Context::default());
    let mut keys = Keys {
        mode: Mode::Reading {
            map: &map,
            context: &mut context,
        },
        known: Vec::new(),
    };
    let _ = T::define(&mut keys);
    keys.known
}

fn read_union<T: Union>(map: &Map<String, Value>, context: &mut Context) -> Option<T> {
    let names: Vec<&str> = T::VARIANTS.iter().map(|(name, _)| *name).collect();
    let tag = match map.get(T::TAG) {
        None => {
            let owner = context.name();
            context.below(T::TAG, |context| {
                let detail = format!(
                    "`{}` is missing in `{owner}`, it takes {}",
                    T::TAG,
                    one_of(&names)
                );
                context.fault("required", detail, None);
            });
            None
        }
        Some(value) => context.below(T::TAG, |context| pick(value, &names, context)),
    };
    let mut keys = Keys {
        mode: Mode::Reading { map, context },
        known: vec![T::TAG],
    };
    let union = T::define(tag, &mut keys);
    let known = keys.known;
    // Without the tag nobody can say which keys belong; the missing tag is fault enough.
    if tag.is_some() {
        note_unknown(map, &known, context);
    }
    union
}

/// The one of `names` that the value is; a fault when it is none.
fn pick(value: &Value, names: &[&'static str], context: &mut Context) -> Option<&'static str> {
    let Value::String(given) = value else {
        context.wrong_type(value, &one_of(names));
        return None;
    };
    if let Some(name) = names.iter().find(|name| *name == given) {
        return Some(name);
    }
    let detail = format!(
        "{} is not allowed, `{}` takes {}",
        shown(value),
        context.name(),
        one_of(names)
    );
    let hint = nearest(given, names).map(|name| format!("did you mean `{name}`?"));
    context.fault("not_one_of", detail, hint);
    None
}

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("one of {}", quoted.join(", "))
}

fn note_unknown(map: &Map<String, Value>, known: &[&'static str], context: &mut Context) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let owner = context.name();
        let nearest = nearest(key, known);
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

/// The lines of a doc comment as one paragraph.
fn paragraph(lines: &[&str]) -> String {
    let words: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    words.join(" ")
}

/// The schema of a record, put among the definitions.
fn describe_record<T: Record>(definitions: &mut Definitions) {
    if definitions.contains_key(T::NAME) {
        return;
    }
    definitions.insert(T::NAME.to_owned(), Value::Null);
    let schema = described(T::DOC, definitions, Map::new(), Vec::new(), |keys| {
        let _ = T::define(keys);
    });
    let mut schema = schema;
    T::refine_schema(&mut schema);
    definitions.insert(T::NAME.to_owned(), Value::Object(schema));
}

/// The schema of a union and of each of its variants, put among the definitions.
fn describe_union<T: Union>(definitions: &mut Definitions) {
    if definitions.contains_key(T::NAME) {
        return;
    }
    definitions.insert(T::NAME.to_owned(), Value::Null);
    let mut variants = Vec::new();
    for (tag, doc) in T::VARIANTS {
        let name = format!("{}{}", pascal_case(tag), T::NAME);
        let mut properties = Map::new();
        properties.insert(
            T::TAG.to_owned(),
            json!({"description": T::TAG_DOC, "const": tag}),
        );
        let schema = described(&[doc], definitions, properties, vec![T::TAG], |keys| {
            let _ = T::define(Some(tag), keys);
        });
        variants.push(json!({"$ref": format!("#/$defs/{name}")}));
        definitions.insert(name, Value::Object(schema));
    }
    let union = json!({"description": paragraph(T::DOC), "oneOf": variants});
    definitions.insert(T::NAME.to_owned(), union);
}

fn described(
    doc: &[&str],
    definitions: &mut Definitions,
    mut properties: Map<String, Value>,
    mut required: Vec<&'static str>,
    define: impl FnOnce(&mut Keys<'_>),
) -> Map<String, Value> {
    define(&mut Keys {
        mode: Mode::Describing {
            properties: &mut properties,
            required: &mut required,
            definitions,
        },
        known: Vec::new(),
    });
    let mut schema = Map::new();
    schema.insert("description".to_owned(), Value::String(paragraph(doc)));
    schema.insert("type".to_owned(), json!("object"));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema
}

fn pascal_case(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
        })
        .collect()
}

/// A nested record as the value of a key.
#[derive(Debug)]
pub(crate) struct RecordKind<T>(std::marker::PhantomData<T>);

/// A nested record.
pub(crate) const fn record<T: Record>() -> RecordKind<T> {
    RecordKind(std::marker::PhantomData)
}

impl<T: Record> Kind for RecordKind<T> {
    type Value = T;

    fn allowed(&self) -> String {
        "an object".to_owned()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        let Value::Object(map) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        read_record(map, context)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        describe_record::<T>(definitions);
        reference(T::NAME)
    }

    fn has_plain_default(&self) -> bool {
        false
    }
}

/// A nested union as the value of a key.
#[derive(Debug)]
pub(crate) struct UnionKind<T>(std::marker::PhantomData<T>);

/// A nested union.
pub(crate) const fn union<T: Union>() -> UnionKind<T> {
    UnionKind(std::marker::PhantomData)
}

impl<T: Union> Kind for UnionKind<T> {
    type Value = T;

    fn allowed(&self) -> String {
        format!("an object with `{}`", T::TAG)
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        let Value::Object(map) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        read_union(map, context)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        describe_union::<T>(definitions);
        reference(T::NAME)
    }
}

fn reference(name: &str) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
    schema
}
