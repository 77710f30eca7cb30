//! A text that a person edited, on top of what others have made of the widget since.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json, value::RawValue};
use widget_api::{Widget, WidgetPatch};
use widget_core::json::escape_token;

use crate::failure::Failure;

/// What of a widget is edited, in the order of the text.
pub(super) fn fields(widget: &Widget) -> Value {
    json!({
        "agent_id": widget.agent_id,
        "agent_version_id": widget.agent_version_id,
        "domains": widget.domains,
        "published": widget.published,
        "config": widget.config,
    })
}

/// The change that makes of the widget as it is `now` what the text made of `base`, or the places
/// that both changed.
pub(super) fn merge(
    base: &Widget,
    text: &Widget,
    now: &Widget,
) -> Result<Result<WidgetPatch, Vec<String>>, Failure> {
    let present = fields(now);
    let mut places = Vec::new();
    let sides = [base, text].map(fields);
    let merged = merge_values(
        Some(&sides[0]),
        Some(&sides[1]),
        Some(&present),
        "",
        &mut places,
    );
    if !places.is_empty() {
        return Ok(Err(places));
    }
    let Some(Value::Object(mut merged)) = merged else {
        return Err(Failure::unexpected("the text is not a widget"));
    };
    // What is not a difference is not sent.
    merged.retain(|key, value| present.get(key) != Some(&*value));
    let config = merged.remove("config");
    let config = config.map(|config| RawValue::from_string(config.to_string()));
    let rest = serde_json::from_value(Value::Object(merged)).map_err(Failure::unexpected)?;
    Ok(Ok(WidgetPatch {
        config: config.transpose().map_err(Failure::unexpected)?,
        ..rest
    }))
}

/// One value, `None` where there is none. Objects are merged key by key; anything else is one
/// value, lists, too.
fn merge_values(
    base: Option<&Value>,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    place: &str,
    places: &mut Vec<String>,
) -> Option<Value> {
    if ours == base || ours == theirs {
        return theirs.cloned();
    }
    if theirs == base {
        return ours.cloned();
    }
    let (Some(Value::Object(ours)), Some(Value::Object(theirs))) = (ours, theirs) else {
        places.push(place.to_owned());
        return theirs.cloned();
    };
    let base = base.and_then(Value::as_object);
    let mut merged = Map::new();
    let mut seen = BTreeSet::new();
    for key in theirs.keys().chain(ours.keys()) {
        if !seen.insert(key) {
            continue;
        }
        let value = merge_values(
            base.and_then(|base| base.get(key)),
            ours.get(key),
            theirs.get(key),
            &format!("{place}/{}", escape_token(key)),
            places,
        );
        merged.extend(value.map(|value| (key.clone(), value)));
    }
    Some(Value::Object(merged))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged([base, ours, theirs]: &[Value; 3]) -> (Option<Value>, Vec<String>) {
        let mut places = Vec::new();
        let merged = merge_values(Some(base), Some(ours), Some(theirs), "", &mut places);
        (merged, places)
    }

    #[test]
    fn changes_of_two_places_are_both_made() {
        let base = json!({"a": 1, "b": {"c": 1, "d": [1]}, "e": 1});
        let ours = json!({"a": 2, "b": {"c": 1, "d": [1]}, "f": {"x": 1}});
        let theirs = json!({"a": 1, "b": {"c": 3, "d": [1]}, "e": 1, "f": {"y": 1}});
        let expected = json!({"a": 2, "b": {"c": 3, "d": [1]}, "f": {"x": 1, "y": 1}});
        assert_eq!(merged(&[base, ours, theirs]), (Some(expected), Vec::new()));
    }

    #[test]
    fn a_place_that_both_changed_is_named() {
        for (ours, theirs, expected) in [
            (json!({"a/b": [1, 2]}), json!({"a/b": [2]}), vec!["/a~1b"]),
            (json!({}), json!({"a/b": [2]}), vec!["/a~1b"]),
            (json!({"a/b": [2]}), json!({"a/b": [2]}), vec![]),
            (json!({}), json!({}), vec![]),
        ] {
            assert_eq!(merged(&[json!({"a/b": [1]}), ours, theirs]).1, expected);
        }
    }
}
