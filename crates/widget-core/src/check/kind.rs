//! What the value of one key may be: read, named in sentences, and described in the schema.

use serde_json::{Map, Value};

use super::context::{Context, shown};
use super::names::nearest;
use crate::choice::one_of;
use crate::finding::Code;

/// The schemas of the named records, by name, in the order in which they are first used.
pub(crate) type Definitions = Map<String, Value>;

/// What a value may be.
pub(crate) trait Kind {
    /// The typed value.
    type Value;

    /// What is allowed, to stand after "must be".
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

/// The members of a `json!({…})`.
pub(super) fn object(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Records that a length or count is outside its limits.
pub(super) fn check_count(
    count: usize,
    (minimum, maximum): (usize, usize),
    unit: &str,
    codes: (Code, Code),
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
        "{count} {unit} are {verdict}; `{}` must be {allowed}",
        context.name()
    );
    context.fault(code, detail, None);
    false
}

/// The name that the value is; records a fault when it is not one of `names`.
pub(super) fn pick(
    value: &Value,
    names: &'static [&'static str],
    context: &mut Context,
) -> Option<&'static str> {
    let Value::String(given) = value else {
        context.wrong_type(value, &one_of(names));
        return None;
    };
    if let Some(name) = names.iter().find(|name| *name == given) {
        return Some(name);
    }
    let detail = format!(
        "{} is not allowed; `{}` must be {}",
        shown(value),
        context.name(),
        one_of(names)
    );
    let hint = nearest(given, names).map(|name| format!("did you mean `{name}`?"));
    context.fault(Code::ValueNotAllowed, detail, hint);
    None
}
