//! JSON texts.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor,
        value::StringDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;
use widget_core::finding::Code;

use super::{
    fault::Fault,
    members::Members,
    whole::{deserialize_whole, read_whole},
};

/// How deeply a body may be nested. Each level is scanned once more, so this also limits the work.
const MAX_DEPTH: usize = 128;

/// How numbers begin.
const NUMBER: &[char] = &['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// Reads a `T` out of JSON. A `RawValue` in it keeps its text.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| Fault::not_json(&error))?;
    T::deserialize(Json::new(raw, 0))
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

    fn read_whole<N: FromStr>(self) -> Result<N, Fault> {
        read_whole(self.require(NUMBER, "a whole number")?.text)
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

    deserialize_whole! {}

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct identifier ignored_any
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
