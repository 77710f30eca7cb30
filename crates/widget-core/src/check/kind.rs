//! What the value of one key may be: read, named in sentences, and described in the schema.

use std::marker::PhantomData;
use std::str::FromStr;

use serde_json::{Map, Number, Value, json};

use super::{Context, Definitions, one_of, pick, shown};

/// What a value may be.
pub(crate) trait Kind {
    /// The typed value.
    type Value;

    /// What is allowed, to stand after "takes".
    fn allowed(&self) -> String;

    /// Reads a value; a fault is recorded and `None` returned when it is not allowed.
    fn read(&self, value: &Value, context: &mut Context) -> Option<Self::Value>;

    /// The JSON Schema of the value.
    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value>;

    /// Whether a missing key always means the same value, one that could be written out.
    fn has_plain_default(&self) -> bool {
        true
    }
}

/// A closed set of names.
pub(crate) trait Choice: Copy + 'static {
    /// Every variant with its name in the document.
    const NAMES: &'static [(&'static str, Self)];
}

fn object(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Records that a length or count is outside its limits.
fn check_count(
    count: usize,
    (minimum, maximum): (usize, usize),
    unit: &str,
    codes: (&'static str, &'static str),
    allowed: &str,
    context: &mut Context,
) -> bool {
    let (code, verdict) = if count < minimum {
        (codes.0, "too few")
    } else if count > maximum {
        (codes.1, "too many")
    } else {
        return true;
    };
    let detail = format!(
        "{count} {unit} are {verdict}, `{}` takes {allowed}",
        context.name()
    );
    context.fault(code, detail, None);
    false
}

#[derive(Debug)]
pub(crate) struct ChoiceKind<T>(PhantomData<T>);

/// One of a closed set of names.
pub(crate) const fn choice<T: Choice>() -> ChoiceKind<T> {
    ChoiceKind(PhantomData)
}

impl<T: Choice> ChoiceKind<T> {
    fn names() -> Vec<&'static str> {
        T::NAMES.iter().map(|(name, _)| *name).collect()
    }
}

impl<T: Choice> Kind for ChoiceKind<T> {
    type Value = T;

    fn allowed(&self) -> String {
        one_of(&Self::names())
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        let name = pick(value, &Self::names(), context)?;
        T::NAMES
            .iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, choice)| *choice)
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        object(json!({"enum": Self::names()}))
    }
}

#[derive(Debug)]
pub(crate) struct BooleanKind;

/// `true` or `false`.
pub(crate) const fn boolean() -> BooleanKind {
    BooleanKind
}

impl Kind for BooleanKind {
    type Value = bool;

    fn allowed(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<bool> {
        let boolean = value.as_bool();
        if boolean.is_none() {
            context.wrong_type(value, &self.allowed());
        }
        boolean
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        object(json!({"type": "boolean"}))
    }
}

#[derive(Debug)]
pub(crate) struct IntegerKind<T> {
    minimum: T,
    maximum: T,
}

/// An integer within limits, written without fraction and exponent: `56`, not `56.0`.
pub(crate) const fn integer<T>(minimum: T, maximum: T) -> IntegerKind<T> {
    IntegerKind { minimum, maximum }
}

impl<T> Kind for IntegerKind<T>
where
    T: Copy + Into<u64> + TryFrom<u64>,
{
    type Value = T;

    fn allowed(&self) -> String {
        let (minimum, maximum): (u64, u64) = (self.minimum.into(), self.maximum.into());
        format!("an integer from {minimum} to {maximum}")
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        let (minimum, maximum): (u64, u64) = (self.minimum.into(), self.maximum.into());
        match value {
            Value::Number(number) if !number.is_f64() => {
                let inside = number
                    .as_u64()
                    .filter(|integer| (minimum..=maximum).contains(integer));
                if inside.is_none() {
                    let detail = format!(
                        "{} is out of range, `{}` takes {}",
                        shown(value),
                        context.name(),
                        self.allowed()
                    );
                    context.fault("out_of_range", detail, None);
                }
                inside.and_then(|integer| T::try_from(integer).ok())
            }
            _ => {
                context.wrong_type(value, &self.allowed());
                None
            }
        }
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        let (minimum, maximum): (u64, u64) = (self.minimum.into(), self.maximum.into());
        object(json!({"type": "integer", "minimum": minimum, "maximum": maximum}))
    }
}

#[derive(Debug)]
pub(crate) struct NumberKind {
    positive: bool,
}

/// Any number; a positive one when asked for.
pub(crate) const fn number(positive: bool) -> NumberKind {
    NumberKind { positive }
}

impl Kind for NumberKind {
    type Value = Number;

    fn allowed(&self) -> String {
        if self.positive {
            "a number above 0"
        } else {
            "a number"
        }
        .to_owned()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<Number> {
        let Value::Number(number) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        if self.positive && number.as_f64().is_none_or(|number| number <= 0.0) {
            let detail = format!(
                "{} is out of range, `{}` takes {}",
                shown(value),
                context.name(),
                self.allowed()
            );
            context.fault("out_of_range", detail, None);
            return None;
        }
        Some(number.clone())
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        let mut schema = object(json!({"type": "number"}));
        if self.positive {
            schema.insert("exclusiveMinimum".to_owned(), json!(0));
        }
        schema
    }
}

#[derive(Debug)]
pub(crate) struct TextKind {
    minimum: usize,
    maximum: Option<usize>,
}

/// A string of a number of characters (Unicode scalar values, as JSON Schema counts them).
pub(crate) const fn text(minimum: usize, maximum: Option<usize>) -> TextKind {
    TextKind { minimum, maximum }
}

impl Kind for TextKind {
    type Value = String;

    fn allowed(&self) -> String {
        match (self.minimum, self.maximum) {
            (0, None) => "a string".to_owned(),
            (0, Some(maximum)) => format!("a string of at most {maximum} characters"),
            (1, None) => "a string that is not empty".to_owned(),
            (minimum, None) => format!("a string of at least {minimum} characters"),
            (minimum, Some(maximum)) => {
                format!("a string of {minimum} to {maximum} characters")
            }
        }
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<String> {
        let Value::String(string) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        check_count(
            string.chars().count(),
            (self.minimum, self.maximum.unwrap_or(usize::MAX)),
            "characters",
            ("too_short", "too_long"),
            &self.allowed(),
            context,
        )
        .then(|| string.clone())
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        let mut schema = object(json!({"type": "string"}));
        if self.minimum > 0 {
            schema.insert("minLength".to_owned(), json!(self.minimum));
        }
        if let Some(maximum) = self.maximum {
            schema.insert("maxLength".to_owned(), json!(maximum));
        }
        schema
    }
}

#[derive(Debug)]
pub(crate) struct IdentifierKind {
    reserved: &'static [&'static str],
}

/// An id that names something in stored data: `[a-z][a-z0-9_]{0,63}`, none of `reserved`.
pub(crate) const fn identifier(reserved: &'static [&'static str]) -> IdentifierKind {
    IdentifierKind { reserved }
}

/// The longest identifier: the pattern's first letter and 63 more.
const LONGEST_IDENTIFIER: usize = 64;

impl Kind for IdentifierKind {
    type Value = String;

    fn allowed(&self) -> String {
        format!(
            "a lower-case letter and at most {} more letters, digits or `_`",
            LONGEST_IDENTIFIER - 1
        )
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<String> {
        let Value::String(string) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        let well_formed = string.len() <= LONGEST_IDENTIFIER
            && string.starts_with(|first: char| first.is_ascii_lowercase())
            && string
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !well_formed {
            let detail = format!(
                "{} is not an id, `{}` takes {}",
                shown(value),
                context.name(),
                self.allowed()
            );
            context.fault("bad_id", detail, None);
            return None;
        }
        if self.reserved.contains(&string.as_str()) {
            let names: Vec<String> = self
                .reserved
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            let detail = format!(
                "{} is reserved in `{}`, any id but {} can be taken",
                shown(value),
                context.name(),
                names.join(", ")
            );
            context.fault("reserved_id", detail, None);
            return None;
        }
        Some(string.clone())
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        let mut schema = object(json!({
            "type": "string",
            "pattern": format!("^[a-z][a-z0-9_]{{0,{}}}$", LONGEST_IDENTIFIER - 1),
        }));
        if !self.reserved.is_empty() {
            schema.insert("not".to_owned(), json!({"enum": self.reserved}));
        }
        schema
    }
}

/// A value that is written as a string with rules of its own.
pub(crate) trait Written: FromStr {
    /// What is allowed, to stand after "takes".
    const ALLOWED: &'static str;
    /// The code of the fault.
    const CODE: &'static str;
    /// The pattern of the schema (ECMA-262), as near to the rule as a pattern can be.
    const PATTERN: &'static str;
    /// Examples for an editor's completion.
    const EXAMPLES: &'static [&'static str];
}

#[derive(Debug)]
pub(crate) struct WrittenKind<T>(PhantomData<T>);

/// A value that is written as a string with rules of its own.
pub(crate) const fn written<T: Written>() -> WrittenKind<T> {
    WrittenKind(PhantomData)
}

impl<T> Kind for WrittenKind<T>
where
    T: Written,
    T::Err: std::fmt::Display,
{
    type Value = T;

    fn allowed(&self) -> String {
        T::ALLOWED.to_owned()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        let Value::String(string) = value else {
            context.wrong_type(value, T::ALLOWED);
            return None;
        };
        match string.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let detail = format!("{error}, but `{}` takes {}", context.name(), T::ALLOWED);
                context.fault(T::CODE, detail, None);
                None
            }
        }
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        object(json!({"type": "string", "pattern": T::PATTERN, "examples": T::EXAMPLES}))
    }
}

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
                        "{} is given twice, `{}` must be unique among its neighbours",
                        shown(value),
                        context.name()
                    );
                    let code = if key == "id" {
                        "duplicate_id"
                    } else {
                        "duplicate_value"
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
            ("too_few", "too_many"),
            &self.allowed(),
            context,
        );
        // What is beyond the limit is not read: the answer stays in proportion to the limits.
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
pub(crate) struct LocalizedKind(usize);

/// A string of at most so many characters that is localized when it is left out; null is not a
/// way to leave it out.
pub(crate) const fn localized(maximum: usize) -> LocalizedKind {
    LocalizedKind(maximum)
}

impl Kind for LocalizedKind {
    type Value = Option<String>;

    fn allowed(&self) -> String {
        text(0, Some(self.0)).allowed()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<Self::Value> {
        text(0, Some(self.0)).read(value, context).map(Some)
    }

    fn schema(&self, definitions: &mut Definitions) -> Map<String, Value> {
        text(0, Some(self.0)).schema(definitions)
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
