//! The outermost level of a JSON text: its members or elements, each as it was written.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// The outermost level of a JSON text.
#[derive(Debug)]
pub(crate) enum Shape<'a> {
    Object(Members<'a>),
    Array(Vec<&'a RawValue>),
    Other,
}

/// The members of an object in their order, repeated keys included.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(pub(crate) Vec<(String, &'a RawValue)>);

/// The outermost level of a text that should be JSON.
pub(crate) fn read_shape(json: &str) -> Result<Shape<'_>, serde_json::Error> {
    match json.trim_start().as_bytes().first() {
        Some(b'{') => serde_json::from_str(json).map(Shape::Object),
        Some(b'[') => serde_json::from_str(json).map(Shape::Array),
        _ => serde_json::from_str::<&RawValue>(json).map(|_| Shape::Other),
    }
}

impl<'a> Members<'a> {
    /// The value of a key; of the last one when the key is duplicate.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| *value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Visitor).map(Members)
    }
}
