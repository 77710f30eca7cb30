//! Kinds that are made of other kinds.

use serde_json::{Map, Value, json};

use super::context::{Context, shown};
use super::kind::{Definitions, Kind, check_count, object};
use crate::finding::Code;

#[derive(Debug)]
pub(crate) struct NullableKind<K>(K);

/// A value or null.
pub(crate) const fn nullable<K: Kind>(kind: K) -> NullableKind<K> {
    NullableKind(kind)
}

impl<K: Kind> Kind for NullableKind<K> {
    type Value = Option<K::Value>;

    fn allowed(&self) -> String {
        format!("{}, or null", self.0.allowed())
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<Self::Value> {
        match value {
            Value::Null => Some(None),
            value => self.0.read(value, context).map(Some),
        }
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        let mut schema = self.0.schema(definitions);
        if let Some(Value::String(name)) = schema.get("type") {
            let types = json!([name, "null"]);
            schema.insert("type".to_owned(), types);
            return schema;
        }
        object(json!({"anyOf": [schema, {"type": "null"}]}))
    }
}

#[derive(Debug)]
pub(crate) struct OptionalKind<K>(K);

/// A value of a key that may be left out and has no default to write down. Null does not leave it
/// out.
pub(crate) const fn optional<K: Kind>(kind: K) -> OptionalKind<K> {
    OptionalKind(kind)
}

impl<K: Kind> Kind for OptionalKind<K> {
    type Value = Option<K::Value>;

    fn allowed(&self) -> String {
        self.0.allowed()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<Self::Value> {
        self.0.read(value, context).map(Some)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        self.0.schema(definitions)
    }

    fn has_plain_default(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(crate) struct ListKind<K> {
    item: K,
    minimum: usize,
    maximum: usize,
    unique: Option<&'static str>,
}

/// An array with limits on the number of its items.
pub(crate) const fn list<K: Kind>(item: K, minimum: usize, maximum: usize) -> ListKind<K> {
    ListKind {
        item,
        minimum,
        maximum,
        unique: None,
    }
}

impl<K> ListKind<K> {
    /// The same, with a key of the items that must differ from item to item.
    pub(crate) const fn unique(mut self, key: &'static str) -> Self {
        self.unique = Some(key);
        self
    }

    fn check_unique(&self, items: &[Value], context: &mut Context) {
        let Some(key) = self.unique else { return };
        let mut seen: Vec<&Value> = Vec::new();
        for (index, item) in items.iter().take(self.maximum).enumerate() {
            let Some(value @ Value::String(_)) = item.get(key) else {
                continue;
            };
            if !seen.contains(&value) {
                seen.push(value);
                continue;
            }
            context.below(&index.to_string(), |context| {
                context.below(key, |context| {
                    let detail = format!(
                        "{} occurs twice; `{}` must be unique in its list",
                        shown(value),
                        context.name()
                    );
                    let code = if key == "id" {
                        Code::IdDuplicate
                    } else {
                        Code::ValueDuplicate
                    };
                    context.fault(code, detail, None);
                });
            });
        }
    }
}

impl<K: Kind> Kind for ListKind<K> {
    type Value = Vec<K::Value>;

    fn allowed(&self) -> String {
        match (self.minimum, self.maximum) {
            (0, maximum) => format!("an array of at most {maximum} items"),
            (minimum, maximum) => format!("an array of {minimum} to {maximum} items"),
        }
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<Self::Value> {
        let Value::Array(items) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        let inside = check_count(
            items.len(),
            (self.minimum, self.maximum),
            "items",
            (Code::TooFew, Code::TooMany),
            &self.allowed(),
            context,
        );
        // What is beyond the limit is not read, so that the number of findings has a limit too.
        let values: Option<Vec<_>> = items
            .iter()
            .take(self.maximum)
            .enumerate()
            .map(|(index, item)| {
                context.below(&index.to_string(), |context| self.item.read(item, context))
            })
            // Every item is read before the first failure ends the list.
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
        self.check_unique(items, context);
        values.filter(|_| inside)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        let mut schema = object(json!({"type": "array", "items": self.item.schema(definitions)}));
        if self.minimum > 0 {
            schema.insert("minItems".to_owned(), json!(self.minimum));
        }
        schema.insert("maxItems".to_owned(), json!(self.maximum));
        schema
    }
}

#[derive(Debug)]
pub(crate) struct ExampleKind<K> {
    kind: K,
    example: &'static str,
}

/// The same kind, with an example for an editor's completion.
pub(crate) const fn example<K: Kind>(kind: K, example: &'static str) -> ExampleKind<K> {
    ExampleKind { kind, example }
}

impl<K: Kind> Kind for ExampleKind<K> {
    type Value = K::Value;

    fn allowed(&self) -> String {
        self.kind.allowed()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<K::Value> {
        self.kind.read(value, context)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        let mut schema = self.kind.schema(definitions);
        schema.insert("examples".to_owned(), json!([self.example]));
        schema
    }
}

#[derive(Debug)]
pub(crate) struct DependentKind<K>(K);

/// The same kind, where what a missing key means depends on other keys.
pub(crate) const fn dependent<K: Kind>(kind: K) -> DependentKind<K> {
    DependentKind(kind)
}

impl<K: Kind> Kind for DependentKind<K> {
    type Value = K::Value;

    fn allowed(&self) -> String {
        self.0.allowed()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<K::Value> {
        self.0.read(value, context)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        self.0.schema(definitions)
    }

    fn has_plain_default(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(crate) struct AnyKind(&'static str);

/// Any value; its JSON Schema type (an array is one of strings) is only described, the caller
/// checks it.
pub(crate) const fn any(schema_type: &'static str) -> AnyKind {
    AnyKind(schema_type)
}

impl Kind for AnyKind {
    type Value = Value;

    fn allowed(&self) -> String {
        format!("a value of type {}", self.0)
    }

    fn read(&self, value: &Value, _: &mut Context) -> Option<Value> {
        Some(value.clone())
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        match self.0 {
            "array" => object(json!({"type": "array", "items": {"type": "string"}})),
            name => object(json!({"type": name})),
        }
    }
}
