//! How much memory a config holds, as an upper bound.

use std::mem::size_of;

use serde::Serialize;
use serde_json::Value;

use super::v1::QuickAction;
use crate::form::{Field, FormDefinition, SelectOption};

/// What an allocator keeps beside each allocation, and rounds it up to.
const ALLOCATION: usize = 32;

/// The largest item of a list in the settings.
const ITEM: usize = max(
    max(size_of::<FormDefinition>(), size_of::<Field>()),
    max(size_of::<QuickAction>(), size_of::<SelectOption>()),
);

const fn max(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}

/// Of a text on the heap.
pub(super) const fn of_text(text: &str) -> usize {
    text.len() + ALLOCATION
}

/// Of typed settings, beside their own size. They hold their texts and lists on the heap, and
/// serializing shows both.
pub(super) fn of_settings(settings: &impl Serialize) -> usize {
    // Serializing records with string keys into memory cannot fail.
    of_value(&serde_json::to_value(settings).unwrap_or_default())
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => of_text(text),
        Value::Array(items) => {
            let held = |item: &Value| match item {
                Value::String(_) => size_of::<String>() + of_value(item),
                item => ITEM + of_value(item),
            };
            ALLOCATION + items.iter().map(held).sum::<usize>()
        }
        Value::Object(map) => map.values().map(of_value).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
