//! What a visitor sends for a form, checked as a whole: all faults, or values fit to be stored.

use serde_json::{Map, Value};

use super::FormDefinition;
use crate::check::{nearest, shown};
use crate::finding::Finding;
use crate::json::{self, JsonError, Limits, push_token, shortened};

/// How much a visitor may send for one form: an object of plain values and lists.
pub const SUBMISSION_LIMITS: Limits = Limits {
    bytes: 16 * 1024,
    depth: 2,
};

/// The most unknown keys of a submission for which the nearest field is looked up.
const MOST_SUGGESTIONS: usize = 8;

/// Values that answer a form, in the order of its fields; unanswered fields are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    values: Map<String, Value>,
}

impl Submission {
    /// The answers by field id.
    #[must_use]
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The answers by field id, to be stored.
    #[must_use]
    pub fn into_values(self) -> Map<String, Value> {
        self.values
    }
}

impl FormDefinition {
    /// Checks what a visitor has sent.
    ///
    /// A blank text and an empty choice are no answer; a phone number is stored without spaces.
    ///
    /// # Errors
    /// Every fault, with pointers from the submission's root (`/email`): `wrong_type`, `required`,
    /// `unknown_field`, `too_short`, `too_long`, `out_of_range`, `off_step`, `not_one_of`,
    /// `duplicate_value`, `bad_email`, `bad_phone`, `bad_url`, `bad_date`,
    /// `submission_too_large`.
    pub fn validate(&self, submission: &Value) -> Result<Submission, Vec<Finding>> {
        match json::measure(submission, SUBMISSION_LIMITS) {
            Ok(()) => {}
            Err(JsonError::TooLarge { bytes, limit }) => {
                return Err(vec![too_large(bytes, limit)]);
            }
            // What is deeper is of a wrong type somewhere, and is not printed into a sentence.
            Err(error) => {
                return Err(vec![finding(
                    "wrong_type",
                    String::new(),
                    format!("a submission is an object of plain values and lists: {error}"),
                    None,
                )]);
            }
        }
        let Value::Object(given) = submission else {
            let detail = format!("{} is not an object keyed by field id", shown(submission));
            return Err(vec![finding("wrong_type", String::new(), detail, None)]);
        };
        let mut faults = self.unknown_fields(given);
        let mut values = Map::new();
        for field in &self.fields {
            let answer = match given.get(&field.id) {
                None => None,
                Some(value) => match field.kind.check(value) {
                    Ok(answer) => answer,
                    Err(refusal) => {
                        faults.push(finding(
                            refusal.code,
                            pointer_to(&field.id),
                            refusal.detail,
                            refusal.hint,
                        ));
                        continue;
                    }
                },
            };
            match answer {
                Some(Value::Bool(false)) if field.required => {
                    let detail = format!("`{}` must be accepted", field.id);
                    faults.push(finding("required", pointer_to(&field.id), detail, None));
                }
                Some(answer) => {
                    values.insert(field.id.clone(), answer);
                }
                None if field.required => {
                    let detail = format!("`{}` needs an answer", field.id);
                    faults.push(finding("required", pointer_to(&field.id), detail, None));
                }
                None => {}
            }
        }
        if faults.is_empty() {
            Ok(Submission { values })
        } else {
            Err(faults)
        }
    }

    /// Checks what a visitor has sent as JSON text, where also a key given twice and a number
    /// that cannot be kept exactly are seen.
    ///
    /// # Errors
    /// As [`FormDefinition::validate`], and `invalid_json`, `duplicate_key`, `inexact_number`,
    /// `invalid_string`.
    pub fn validate_text(&self, text: &str) -> Result<Submission, Vec<Finding>> {
        match json::parse(text, "", SUBMISSION_LIMITS) {
            Ok(parsed) if parsed.faults.is_empty() => self.validate(&parsed.value),
            Ok(parsed) => Err(parsed.faults),
            Err(JsonError::TooLarge { bytes, limit }) => Err(vec![too_large(bytes, limit)]),
            Err(error @ JsonError::TooDeep { .. }) => Err(vec![finding(
                "wrong_type",
                String::new(),
                format!("a submission is an object of plain values and lists: {error}"),
                None,
            )]),
            Err(error @ JsonError::Syntax(_)) => Err(vec![finding(
                "invalid_json",
                String::new(),
                error.to_string(),
                None,
            )]),
        }
    }

    fn unknown_fields(&self, given: &Map<String, Value>) -> Vec<Finding> {
        let known: Vec<&str> = self.fields.iter().map(|field| field.id.as_str()).collect();
        given
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .enumerate()
            .map(|(index, key)| {
                let detail = format!(
                    "`{}` is not a field of the form `{}`",
                    shortened(key),
                    self.id
                );
                // Who has many unknown keys has not mistyped them, and looking is slow.
                let nearest = if index < MOST_SUGGESTIONS {
                    nearest(key, &known)
                } else {
                    None
                };
                let hint = nearest.map(|id| format!("did you mean `{id}`?"));
                finding("unknown_field", pointer_to(key), detail, hint)
            })
            .collect()
    }
}

fn too_large(bytes: usize, limit: usize) -> Finding {
    finding(
        "submission_too_large",
        String::new(),
        format!("the submission has {bytes} bytes, at most {limit} are allowed"),
        None,
    )
}

fn pointer_to(key: &str) -> String {
    let mut pointer = String::new();
    push_token(&mut pointer, key);
    pointer
}

fn finding(code: &'static str, pointer: String, detail: String, hint: Option<String>) -> Finding {
    Finding {
        code,
        pointer: Some(pointer),
        detail,
        hint,
    }
}
