//! The members of an object or of a query string, for a visitor.

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess},
};

use super::fault::Fault;

/// Gives the members of an object to a visitor, and adds their keys to the place of a fault.
pub(super) struct Members<I, V> {
    rest: I,
    value: Option<(String, V)>,
}

impl<I, V> Members<I, V> {
    pub(super) fn new(rest: I) -> Self {
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
