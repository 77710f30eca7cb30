//! Reads JSON and query strings into plain types. What does not fit is a [`Fault`], which has the
//! code and the place of what is wrong; serde's own errors have a text only.
//!
//! Knows nothing of HTTP: [`extract`](super::extract) makes problems out of faults.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess,
        SeqAccess, Unexpected, Visitor,
        value::{MapAccessDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;
use widget_api::FieldError;
use widget_core::finding::Code;

/// How deeply a body may be nested. Each level is scanned once more, so this also limits the work.
const MAX_DEPTH: usize = 128;

/// One fault of a text that is not a `T`.
#[derive(Debug)]
pub(crate) struct Fault(FieldError);

impl Fault {
    fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(FieldError::new("", code, detail))
    }

    fn not_json(error: &serde_json::Error) -> Self {
        Self::new(Code::JsonInvalid, error.to_string())
    }

    /// The same fault with the code of a refused text, unless it is about something else.
    fn with_code(mut self, code: Code) -> Self {
        if self.0.code == Code::ValueInvalid {
            self.0.code = code.into();
        }
        self
    }

    /// The fault as seen from the object or list around it.
    fn below(mut self, token: &str) -> Self {
        let token = token.replace('~', "~0").replace('/', "~1");
        self.0.pointer.insert_str(0, &format!("/{token}"));
        self
    }
}

impl From<Fault> for FieldError {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.pointer, self.0.detail)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Code::ValueInvalid, message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(
            Code::TypeInvalid,
            format!("must be {expected}, but is {found}"),
        )
    }

    fn unknown_variant(text: &str, known: &'static [&'static str]) -> Self {
        let known = known.join("`, `");
        Self::new(
            Code::ValueInvalid,
            format!("`{text}` is not allowed; use one of `{known}`"),
        )
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let detail = if known.is_empty() {
            format!("`{key}` is not a key here; there are none")
        } else {
            format!(
                "`{key}` is not a key here; use one of `{}`",
                known.join("`, `")
            )
        };
        Self::new(Code::KeyUnknown, detail).below(key)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(Code::KeyMissing, format!("`{key}` is missing")).below(key)
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::new(Code::KeyDuplicate, format!("`{key}` occurs twice")).below(key)
    }
}

/// Reads a `T` out of JSON. A `RawValue` in it keeps its text.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| Fault::not_json(&error))?;
    T::deserialize(Json::new(raw, 0))
}

/// Reads a `T` from a query string.
pub(crate) fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Fault> {
    let pairs = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), Parameter(value.into_owned())));
    T::deserialize(MapAccessDeserializer::new(Members::new(pairs)))
}

/// A value whose text is known to be JSON. Its parts are looked at when they are asked for.
#[derive(Clone, Copy)]
struct Json<'de> {
    text: &'de str,
    depth: usize,
}

impl<'de> Json<'de> {
    fn new(raw: &'de RawValue, depth: usize) -> Self {
        Self {
            text: raw.get(),
            depth,
        }
    }

    /// Reads one level.
    fn read<T: Deserialize<'de>>(self) -> Result<T, Fault> {
        if self.depth > MAX_DEPTH {
            let detail = format!("is nested more than {MAX_DEPTH} levels deep");
            return Err(Fault::new(Code::JsonInvalid, detail));
        }
        serde_json::from_str(self.text).map_err(|error| Fault::not_json(&error))
    }

    /// Refuses a value of another JSON type, which begins otherwise.
    fn require(self, starts: &[char], name: &str) -> Result<Self, Fault> {
        if self.text.starts_with(starts) {
            return Ok(self);
        }
        let found = match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        let detail = format!("must be {name}, but is {found}");
        Err(Fault::new(Code::TypeInvalid, detail))
    }
}

impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let depth = self.depth + 1;
        match self.text.as_bytes().first() {
            Some(b'{') => {
                let Object(members) = self.read()?;
                let members = members
                    .into_iter()
                    .map(|(key, raw)| (key, Json::new(raw, depth)));
                visitor.visit_map(Members::new(members))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = self.read()?;
                let items = items.into_iter().map(|raw| Json::new(raw, depth));
                visitor.visit_seq(Items(items.enumerate()))
            }
            Some(b'"') => visitor.visit_string(self.read()?),
            Some(b't') => visitor.visit_bool(true),
            Some(b'f') => visitor.visit_bool(false),
            Some(b'n') => visitor.visit_unit(),
            _ => {
                let number: serde_json::Number = self.read()?;
                match (number.as_u64(), number.as_i64()) {
                    (Some(number), _) => visitor.visit_u64(number),
                    (None, Some(number)) => visitor.visit_i64(number),
                    (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
                }
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.text.starts_with('n') {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    /// Either a text of core, whose name is the code of a refused one, or one that `serde_json`
    /// reads: its `RawValue`.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Ok(code) = name.parse() {
            let read = visitor.visit_newtype_struct(self);
            return read.map_err(|fault| fault.with_code(code));
        }
        serde_json::Deserializer::from_str(self.text)
            .deserialize_newtype_struct(name, visitor)
            .map_err(Fault::custom)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.require(&['t', 'f'], "`true` or `false`")?
            .deserialize_any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.require(&['"'], "a string")?.deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.require(&['['], "a list")?.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.require(&['{'], "an object")?.deserialize_any(visitor)
    }

    /// A derived visitor would also read the members from a list, by position.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let text: String = self.require(&['"'], "a string")?.read()?;
        visitor.visit_enum(StringDeserializer::<Fault>::new(text))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct identifier ignored_any
    }
}

/// The value of a query parameter: a text, whatever is expected.
struct Parameter(String);

macro_rules! numbers {
    ($($method:ident: $type:ty => $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => {
                    let (text, min, max) = (self.0, <$type>::MIN, <$type>::MAX);
                    let detail = format!("`{text}` is not a whole number from {min} to {max}");
                    Err(Fault::new(Code::ValueInvalid, detail))
                }
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = visitor.visit_newtype_struct(self);
        match name.parse() {
            Ok(code) => read.map_err(|fault| fault.with_code(code)),
            Err(_) => read,
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            text => Err(Fault::new(
                Code::ValueInvalid,
                format!("`{text}` is neither `true` nor `false`"),
            )),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(StringDeserializer::<Fault>::new(self.0))
    }

    numbers! {
        deserialize_i64: i64 => visit_i64,
        deserialize_u32: u32 => visit_u32,
        deserialize_u64: u64 => visit_u64,
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The members of an object in their order, also those whose key occurs twice.
struct Object<'de>(Vec<(String, &'de RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// Gives the members of an object to a visitor, and adds their keys to the place of a fault.
struct Members<I, V> {
    rest: I,
    value: Option<(String, V)>,
}

impl<I, V> Members<I, V> {
    fn new(rest: I) -> Self {
        Self { rest, value: None }
    }
}

impl<'de, I, V> MapAccess<'de> for Members<I, V>
where
    I: Iterator<Item = (String, V)>,
    V: Deserializer<'de, Error = Fault>,
{
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(key.as_str().into_deserializer())?;
        self.value = Some((key, value));
        Ok(Some(read))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, value) = self
            .value
            .take()
            .ok_or_else(|| Fault::custom("a value was read before its key"))?;
        seed.deserialize(value).map_err(|fault| fault.below(&key))
    }
}

/// Gives the items of a list to a visitor, and adds their index to the place of a fault.
struct Items<I>(I);

impl<'de, I: Iterator<Item = (usize, Json<'de>)>> SeqAccess<'de> for Items<I> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(item);
        read.map(Some)
            .map_err(|fault| fault.below(&index.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value};
    use widget_api::Received;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default)]
        count: Option<u32>,
        #[serde(default)]
        is_open: bool,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        raw: Option<Box<RawValue>>,
        #[serde(default)]
        other: Map<String, Value>,
        #[serde(default)]
        color: Option<Color>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        id: widget_core::id::AgentId,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Color {
        Red,
        Blue,
    }

    #[track_caller]
    fn check(text: &str, pointer: &str, code: Code, detail: &str) {
        let fault = from_json::<Body>(text.as_bytes()).expect_err(text).0;
        let found = (fault.pointer.as_str(), fault.code, fault.detail.as_str());
        assert_eq!(found, (pointer, code.into(), detail), "{text}");
    }

    #[test]
    fn what_fits_is_read_as_serde_json_reads_it() {
        let text = r#" {"name": "a\u00e4", "count": 3, "is_open": true,
            "parts": [{"id": "0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01"}], "raw": { "b":1 },
            "other": {"~": [1, -2, 0.5, null, {"x": "y"}]}, "color": "blue"} "#;
        let body: Body = from_json(text.as_bytes()).expect("it fits");
        assert_eq!((body.name.as_str(), body.count), ("aä", Some(3)));
        assert!(body.is_open);
        let id = "0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01";
        assert_eq!(body.parts[0].id.to_string(), id);
        assert_eq!(body.raw.expect("sent").get(), r#"{ "b":1 }"#);
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(Value::Object(body.other), expected["other"]);
        assert_eq!(body.color, Some(Color::Blue));
    }

    #[test]
    fn faults_have_their_code_and_place() {
        check("{}", "/name", Code::KeyMissing, "`name` is missing");
        check(
            r#"{"name": "a", "name": "b"}"#,
            "/name",
            Code::KeyDuplicate,
            "`name` occurs twice",
        );
        check(
            r#"{"name": "a", "parts": [{"x/y": 1}]}"#,
            "/parts/0/x~1y",
            Code::KeyUnknown,
            "`x/y` is not a key here; use one of `id`",
        );
        check(
            r#"{"name": "a", "parts": [["x"]]}"#,
            "/parts/0",
            Code::TypeInvalid,
            "must be an object, but is a list",
        );
        check(
            r#"{"name": "a", "is_open": "true"}"#,
            "/is_open",
            Code::TypeInvalid,
            "must be `true` or `false`, but is a string",
        );
        check(
            r#"{"name": null}"#,
            "/name",
            Code::TypeInvalid,
            "must be a string, but is null",
        );
        check(
            r#"{"name": "a", "color": "green"}"#,
            "/color",
            Code::ValueInvalid,
            "`green` is not allowed; use one of `red`, `blue`",
        );
        check(
            "[]",
            "",
            Code::TypeInvalid,
            "must be an object, but is a list",
        );
        let id = r#"{"name": "a", "parts": [{"id": "x"}]}"#;
        let fault = from_json::<Body>(id.as_bytes()).expect_err(id).0;
        assert_eq!(
            (fault.pointer.as_str(), fault.code),
            ("/parts/0/id", Code::IdInvalid.into())
        );
    }

    #[test]
    fn what_is_not_json_is_a_fault_of_its_own() {
        let nested = |depth| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"{{"name": "a", "other": {{"x": {open}{close}}}}}"#)
        };
        from_json::<Body>(nested(100).as_bytes()).expect("not too deep");
        for text in [
            "",
            "{",
            r#"{"name": "\ud800"}"#,
            r#"{"\ud800": 1}"#,
            r#"{"name": "a", "count": 1e999}"#,
            r#"{"name": "a"} x"#,
            &nested(200),
            &nested(100_000),
        ] {
            let fault = from_json::<Body>(text.as_bytes()).expect_err(text).0;
            assert_eq!(fault.code, Code::JsonInvalid, "{text}");
        }
        let fault = from_json::<Body>(b"{\"name\": \"\xff\"}").expect_err("not UTF-8");
        assert_eq!(fault.0.code, Code::JsonInvalid);
    }

    #[test]
    fn parameters_of_a_query_are_read_by_what_is_expected() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Query {
            limit: Option<u32>,
            published: Option<bool>,
            name: Option<String>,
        }
        let query: Query = from_query("limit=3&published=false&name=a+%26").expect("it fits");
        assert_eq!(
            (query.limit, query.published, query.name.as_deref()),
            (Some(3), Some(false), Some("a &"))
        );
        let faults: BTreeMap<&str, (String, Received<Code>)> = [
            "limit=-1",
            "limit=",
            "published=yes",
            "nome=a",
            "limit=1&limit=2",
        ]
        .into_iter()
        .map(|text| {
            let fault = from_query::<Query>(text).expect_err(text).0;
            (text, (fault.pointer, fault.code))
        })
        .collect();
        let fault = |pointer: &str, code: Code| (pointer.to_owned(), code.into());
        let expected = BTreeMap::from([
            ("limit=-1", fault("/limit", Code::ValueInvalid)),
            ("limit=", fault("/limit", Code::ValueInvalid)),
            ("published=yes", fault("/published", Code::ValueInvalid)),
            ("nome=a", fault("/nome", Code::KeyUnknown)),
            ("limit=1&limit=2", fault("/limit", Code::KeyDuplicate)),
        ]);
        assert_eq!(faults, expected);
    }
}
