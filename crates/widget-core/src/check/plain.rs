//! Kinds that are names, booleans and numbers.

use std::marker::PhantomData;

use serde_json::{Map, Number, Value, json};

use super::context::{Context, shown};
use super::kind::{Definitions, Kind, object, pick};
use crate::choice::{Choice, one_of};
use crate::finding::Code;

#[derive(Debug)]
pub(crate) struct ChoiceKind<T>(PhantomData<T>);

/// One of a closed set of names.
pub(crate) const fn choice<T: Choice>() -> ChoiceKind<T> {
    ChoiceKind(PhantomData)
}

impl<T: Choice> Kind for ChoiceKind<T> {
    type Value = T;

    fn allowed(&self) -> String {
        one_of(T::NAMES)
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        pick(value, T::NAMES, context)?.parse().ok()
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        object(json!({"enum": T::NAMES}))
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
                        "{} is out of range; `{}` must be {}",
                        shown(value),
                        context.name(),
                        self.allowed()
                    );
                    context.fault(Code::ValueOutOfRange, detail, None);
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
                "{} is out of range; `{}` must be {}",
                shown(value),
                context.name(),
                self.allowed()
            );
            context.fault(Code::ValueOutOfRange, detail, None);
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
