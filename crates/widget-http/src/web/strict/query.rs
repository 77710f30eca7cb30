//! Query strings: an object whose values are texts.

use std::str::FromStr;

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Visitor,
        value::{MapAccessDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use widget_core::finding::Code;

use super::{
    fault::Fault,
    members::Members,
    whole::{deserialize_whole, read_whole},
};

/// Reads a `T` from a query string.
///
/// No parameter has a NUL, whatever it is for: PostgreSQL cannot compare a text with one.
pub(crate) fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Fault> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    if let Some((name, _)) = pairs.into_iter().find(|(_, value)| value.contains('\0')) {
        let detail = "has the character U+0000, which is not allowed; leave it out";
        return Err(Fault::new(Code::ValueInvalid, detail).below(&name));
    }
    let pairs = pairs.map(|(name, value)| (name.into_owned(), Parameter(value.into_owned())));
    T::deserialize(MapAccessDeserializer::new(Members::new(pairs)))
}

/// The value of a query parameter: a text, whatever is expected.
struct Parameter(String);

impl Parameter {
    fn read_whole<N: FromStr>(self) -> Result<N, Fault> {
        read_whole(&self.0)
    }
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

    deserialize_whole! {}

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}
