//! Kinds that are records and unions.

use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::context::Context;
use super::describe::{describe_record, describe_union, reference};
use super::keys::{Record, Union};
use super::kind::{Definitions, Kind};
use super::read::{read_record, read_union};

#[derive(Debug)]
pub(crate) struct RecordKind<T>(PhantomData<T>);

/// A nested record.
pub(crate) const fn record<T: Record>() -> RecordKind<T> {
    RecordKind(PhantomData)
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

#[derive(Debug)]
pub(crate) struct UnionKind<T>(PhantomData<T>);

/// A nested union.
pub(crate) const fn union<T: Union>() -> UnionKind<T> {
    UnionKind(PhantomData)
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
