//! Which conversations are erased or exported: those that fit every criterion, exactly.
//!
//! ```
//! use serde_json::json;
//! use widget_core::conversation::selection::{Criteria, Selection};
//!
//! let mut criteria = Criteria::default();
//! criteria.metadata.insert("/email".to_owned(), json!("a@b.example"));
//! let selection = Selection::new(criteria)?;
//! assert!(selection.matches(&json!({"email": "a@b.example"})));
//! assert!(!selection.matches(&json!({"email": "A@b.example"})));
//! assert!(Selection::new(Criteria::default()).is_err());
//! # Ok::<(), widget_core::finding::Findings>(())
//! ```

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{
    finding::{Code, Finding, Findings},
    form::{FEEDBACK_KEY, FORMS_KEY, PAGE_KEY},
    id::WidgetId,
    json,
};

/// How many values one selection may name.
pub const MAX_VALUES: usize = 20;

/// What conversations must have to be selected; those that are left out do not matter.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Criteria {
    /// The widget that they were started on.
    pub web_widget_id: Option<WidgetId>,
    /// They began later than this.
    pub created_after: Option<OffsetDateTime>,
    /// They began earlier than this.
    pub created_before: Option<OffsetDateTime>,
    /// Values of the custom metadata, by JSON Pointer (RFC 6901).
    pub metadata: Map<String, Value>,
    /// Values of fields, all of them in one form: the one before the conversation, one in the
    /// middle of it, or the feedback.
    pub form: Map<String, Value>,
    /// A text that is somewhere in the custom metadata as a whole value, whoever sent it; an
    /// e-mail address in upper or lower case.
    pub visitor: Option<String>,
}

/// Criteria of which there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection(Criteria);

impl Selection {
    /// Checks the criteria; the pointers of the findings start at these.
    ///
    /// # Errors
    ///
    /// [`Findings`] when there is no criterion, when there are more than [`MAX_VALUES`] values, or
    /// when one has a place that is not a JSON Pointer.
    pub fn new(criteria: Criteria) -> Result<Self, Findings> {
        if criteria == Criteria::default() {
            let detail = "name at least one of `web_widget_id`, `created_after`, \
                `created_before`, `metadata`, `form`, `visitor`";
            return Err(Finding::new(Code::ValueMissing, detail).into());
        }
        if criteria.metadata.len() + criteria.form.len() > MAX_VALUES {
            let detail = format!("at most {MAX_VALUES} values are allowed");
            return Err(Finding::new(Code::TooMany, detail).into());
        }
        let is_malformed = |key: &&String| json::pointer_tokens(key).is_none();
        let malformed = criteria.metadata.keys().find(is_malformed);
        if let Some(key) = malformed {
            let detail = format!(
                "`{key}` is not a JSON Pointer; use one such as `/email` or `/page/context/user`"
            );
            let place = format!("/metadata/{}", json::escape_token(key));
            return Err(Finding::new(Code::PointerInvalid, detail).at(place).into());
        }
        Ok(Self(criteria))
    }

    /// The criteria.
    #[must_use]
    pub const fn criteria(&self) -> &Criteria {
        &self.0
    }

    /// Whether a conversation with this custom metadata fits the criteria about it. Those about
    /// the widget and the time are for whoever looks the conversations up.
    #[must_use]
    pub fn matches(&self, metadata: &Value) -> bool {
        let mut values = self.0.metadata.iter();
        values.all(|(pointer, value)| metadata.pointer(pointer) == Some(value))
            && (self.0.form.is_empty() || forms(metadata).any(|form| self.fits_form(form)))
            && self
                .0
                .visitor
                .as_ref()
                .is_none_or(|text| has_text(metadata, text))
    }

    fn fits_form(&self, form: &Map<String, Value>) -> bool {
        let mut fields = self.0.form.iter();
        fields.all(|(field, value)| form.get(field) == Some(value))
    }
}

/// The values of each form that was sent.
fn forms(metadata: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    let later = metadata.get(FORMS_KEY).and_then(Value::as_object);
    let later = later.into_iter().flat_map(Map::values);
    let others = [Some(metadata), metadata.get(FEEDBACK_KEY)];
    others
        .into_iter()
        .flatten()
        .chain(later)
        .filter_map(Value::as_object)
}

/// Whether a text is one of the values, at any depth.
fn has_text(value: &Value, text: &str) -> bool {
    find_text("", value, &|_, found| is_same(found, text)).is_some()
}

/// The first text at any depth that fits, together with the name of the member that has it.
fn find_text<'v>(
    key: &str,
    value: &'v Value,
    fits: &impl Fn(&str, &str) -> bool,
) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text.as_str()).filter(|text| fits(key, text)),
        Value::Array(items) => items.iter().find_map(|item| find_text(key, item, fits)),
        Value::Object(members) => members
            .iter()
            .find_map(|(key, member)| find_text(key, member, fits)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Members of what the page passes on in which pages describe their visitor.
const VISITOR_KEYS: [&str; 3] = ["user", "customer", "visitor"];

/// Who the visitor is, for people who look through conversations; [`Criteria::visitor`] finds it.
///
/// The first e-mail address that was sent in a form, else the first text sent as `name`. Else
/// `email` or `name` of what the page passes on, or of `user`, `customer` or `visitor` in its
/// context: a page has other addresses and names, too.
///
/// ```
/// use serde_json::json;
/// use widget_core::conversation::selection::find_visitor;
///
/// let page = json!({"context": {"user": {"name": "Ada"}, "product": {"name": "Tea"}}});
/// assert_eq!(find_visitor(&json!({"page": page})), Some("Ada"));
/// let sent = json!({"contact": "ada@mail.example", "page": page});
/// assert_eq!(find_visitor(&sent), Some("ada@mail.example"));
/// ```
#[must_use]
pub fn find_visitor(metadata: &Value) -> Option<&str> {
    let sent = |fits: &dyn Fn(&str, &str) -> bool| {
        let mut members = metadata.as_object()?.iter();
        members.find_map(|(key, value)| match key.as_str() {
            PAGE_KEY => None,
            key => find_text(key, value, &fits),
        })
    };
    let email = sent(&|_, text| is_email(text));
    let named = || sent(&|key, text| key == "name" && !text.is_empty());
    if let Some(found) = email.or_else(named) {
        return Some(found);
    }
    let page = metadata.get(PAGE_KEY)?;
    let context = page.get("context");
    let below = VISITOR_KEYS.iter().filter_map(|key| context?.get(key));
    let places: Vec<&Value> = [Some(page), context]
        .into_iter()
        .flatten()
        .chain(below)
        .collect();
    ["email", "name"].into_iter().find_map(|key| {
        let mut texts = places.iter().filter_map(|place| place.get(key)?.as_str());
        texts.find(|text| !text.is_empty())
    })
}

/// Whether both are the same text, or the same e-mail address: phones begin it with a capital
/// letter, and providers do not distinguish the two. Other texts, such as ids, can differ by it,
/// and so can letters outside of ASCII.
fn is_same(found: &str, text: &str) -> bool {
    found == text || (is_email(text) && found.eq_ignore_ascii_case(text))
}

/// Whether a text has the form of an e-mail address, `name@host.example`, and of nothing else: no
/// address of a page and no id.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    let is_host = |char: char| char.is_alphanumeric() || char == '-' || char == '.';
    let is_name = |char: char| !char.is_whitespace() && !"/:@".contains(char);
    let labels: Vec<&str> = host.split('.').collect();
    !name.is_empty()
        && name.chars().all(is_name)
        && host.chars().all(is_host)
        && labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn select(change: impl FnOnce(&mut Criteria)) -> Result<Selection, Findings> {
        let mut criteria = Criteria::default();
        change(&mut criteria);
        Selection::new(criteria)
    }

    fn members(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is not an object"),
        }
    }

    #[test]
    fn visitors_are_who_they_say_else_who_the_page_says() {
        let page = json!({"context": {
            "email": "user@a.example",
            "product": {"name": "Tea", "email": "help@shop.example"},
        }});
        let customer = json!({"context": {"customer": {"name": "Carl"}, "email": ""}});
        for (metadata, expected) in [
            (json!({}), None),
            (json!({"topic": "a@b", "name": 5, "full_name": "Ada"}), None),
            (
                json!({"page": {"url": "https://a@b.example/", "email": "a@b.example"}}),
                Some("a@b.example"),
            ),
            (
                json!({"page": {"context": {"support": "help@shop.example"}}}),
                None,
            ),
            (json!({"page": {"context": "a@b.example"}}), None),
            (json!({"name": "Ada"}), Some("Ada")),
            (json!({"name": "Ada", "page": page}), Some("Ada")),
            (
                json!({"mail": "a@b.example", "name": "Ada", "page": page}),
                Some("a@b.example"),
            ),
            (
                json!({"forms": {"x": {"to": ["c@d.example"]}}}),
                Some("c@d.example"),
            ),
            (
                json!({"feedback_form": {"name": "Ben"}, "page": page}),
                Some("Ben"),
            ),
            (json!({"page": page}), Some("user@a.example")),
            (json!({"page": customer}), Some("Carl")),
        ] {
            assert_eq!(find_visitor(&metadata), expected, "{metadata}");
            if let Some(visitor) = expected {
                let visitor = Some(visitor.to_owned());
                let found = select(|criteria| criteria.visitor = visitor).expect("it is valid");
                assert!(found.matches(&metadata), "{metadata}");
            }
        }
    }

    #[test]
    fn values_match_exactly() {
        let metadata = json!({
            "email": "a@b.example",
            "age": 30,
            "page": {"user": {"id": "u1"}, "tags": ["x", "y"]},
            "forms": {"order": {"number": "17", "email": "c@d.example"}},
            "feedback_form": {"rating": 5},
        });
        for (pointers, expected) in [
            (json!({"/email": "a@b.example"}), true),
            (json!({"/email": "A@b.example"}), false),
            (json!({"/email": "a@b.example "}), false),
            (json!({"/email": "a@b"}), false),
            (json!({"/age": 30}), true),
            (json!({"/age": "30"}), false),
            (json!({"/age": 30.0}), false),
            (json!({"/page/user/id": "u1"}), true),
            (json!({"/page/user": {"id": "u1"}}), true),
            (json!({"/page/tags/1": "y"}), true),
            (json!({"/missing": null}), false),
            (json!({"/email": "a@b.example", "/age": 31}), false),
            (json!({"/forms/order/number": "17"}), true),
        ] {
            let shown = pointers.to_string();
            let selection = select(|criteria| criteria.metadata = members(pointers));
            let found = selection.expect("valid").matches(&metadata);
            assert_eq!(found, expected, "{shown}");
        }
        for (form, expected) in [
            (json!({"email": "a@b.example"}), true),
            (json!({"email": "c@d.example"}), true),
            (json!({"email": "c@d.example", "number": "17"}), true),
            // Not in one form.
            (json!({"email": "a@b.example", "number": "17"}), false),
            (json!({"rating": 5}), true),
            // What the page says is not a form.
            (json!({"id": "u1"}), false),
        ] {
            let shown = form.to_string();
            let selection = select(|criteria| criteria.form = members(form));
            let found = selection.expect("valid").matches(&metadata);
            assert_eq!(found, expected, "{shown}");
        }
        for (visitor, expected) in [
            ("a@b.example", true),
            ("c@d.example", true),
            ("A@B.Example", true),
            ("u1", true),
            ("U1", false),
            ("y", true),
            ("email", false),
            ("a@b", false),
            ("30", false),
            ("", false),
        ] {
            let selection = select(|criteria| criteria.visitor = Some(visitor.to_owned()));
            let found = selection.expect("valid").matches(&metadata);
            assert_eq!(found, expected, "{visitor}");
        }
    }

    #[test]
    fn only_addresses_are_the_same_in_either_case() {
        for (found, text, expected) in [
            ("Ann@Mail.example", "ann@mail.example", true),
            ("ann+shop@mail.example", "ANN+SHOP@MAIL.EXAMPLE", true),
            ("aB3@tenant", "ab3@tenant", false),
            ("@Ann:server.example", "@ann:server.example", false),
            ("https://x.example/@Ann", "https://x.example/@ann", false),
            ("https://Ann@x.example", "https://ann@x.example", false),
            ("Ann@mail.example/x", "ann@mail.example/x", false),
            ("a@B@mail.example", "a@b@mail.example", false),
            // Signs that have the lower-case letters `k` and `i` with a dot.
            ("\u{212a}@b.example", "k@b.example", false),
            ("\u{130}@b.example", "i\u{307}@b.example", false),
            ("Ü@b.example", "ü@b.example", false),
            ("Ann", "ann", false),
        ] {
            assert_eq!(is_same(found, text), expected, "{found} {text}");
        }
    }

    #[test]
    fn a_selection_says_something() {
        let refused = |selection: Result<Selection, Findings>| {
            let findings = selection.expect_err("refused").into_list();
            findings.into_iter().map(|one| one.code).collect::<Vec<_>>()
        };
        assert_eq!(refused(select(|_| {})), [Code::ValueMissing]);
        for pointer in ["email", "/a~", "/a~2", "~"] {
            let found = select(|criteria| {
                criteria.metadata.insert(pointer.to_owned(), json!(1));
            });
            assert_eq!(refused(found), [Code::PointerInvalid], "{pointer}");
        }
        let everything = select(|criteria| criteria.metadata = members(json!({"": {"a": 1}})));
        assert!(everything.expect("valid").matches(&json!({"a": 1})));
        let places = select(|criteria| criteria.metadata = members(json!({"a/b~c": 1})));
        let places = places.expect_err("refused").into_list();
        let place = places[0].pointer.as_deref();
        assert_eq!(place, Some("/metadata/a~1b~0c"));
        let many = |in_metadata: usize, in_form: usize| {
            let values = |count| (0..count).map(|number| (format!("/{number}"), json!(1)));
            select(|criteria| {
                criteria.metadata = values(in_metadata).collect();
                criteria.form = values(in_form).collect();
            })
        };
        for (in_metadata, in_form) in [(MAX_VALUES, 0), (0, MAX_VALUES), (1, MAX_VALUES - 1)] {
            assert!(many(in_metadata, in_form).is_ok());
            let found = refused(many(in_metadata + 1, in_form));
            assert_eq!(found, [Code::TooMany]);
        }
        let time = OffsetDateTime::UNIX_EPOCH;
        assert!(select(|criteria| criteria.created_before = Some(time)).is_ok());
    }
}
