//! What a visitor sends for a form, checked as a whole: all faults, or values fit to be stored.

use serde_json::{Map, Value};

use super::definition::FormDefinition;
use crate::check::{nearest, shown};
use crate::finding::{Code, Finding, FindingList, Findings};
use crate::json::{self, JsonError, JsonLimits, push_token};
use crate::text::shortened;

/// How much a visitor may send for one form: an object of plain values and lists.
pub const SUBMISSION_LIMITS: JsonLimits = JsonLimits {
    bytes: 16 * 1024,
    depth: 2,
};

/// How many unknown keys of a submission get the nearest field as a hint.
const MAX_SUGGESTIONS: usize = 8;

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
    /// A blank text and an empty choice count as no answer; a phone number is stored in E.164, and
    /// a web address with its scheme.
    ///
    /// # Errors
    /// Every fault. Pointers start at the submission's root (`/email`), because a submission is
    /// not a part of a widget's record: `type_invalid`,
    /// `value_missing`, `key_unknown`, `too_short`, `too_long`, `value_out_of_range`,
    /// `value_off_step`, `value_not_allowed`, `value_duplicate`, `email_invalid`, `phone_invalid`,
    /// `url_invalid`, `date_invalid`, `submission_too_large`.
    pub fn validate(&self, submission: &Value) -> Result<Submission, Findings> {
        match json::measure(submission, SUBMISSION_LIMITS) {
            Ok(()) => {}
            Err(JsonError::TooLarge { bytes, limit }) => {
                return Err(too_large(bytes, limit).into());
            }
            // A deeper value has a wrong type somewhere and is too long for a sentence.
            Err(error) => {
                return Err(finding(
                    Code::TypeInvalid,
                    String::new(),
                    format!("a submission is an object of plain values and lists: {error}"),
                    None,
                )
                .into());
            }
        }
        let Value::Object(given) = submission else {
            let detail = format!("{} is not an object keyed by field id", shown(submission));
            return Err(finding(Code::TypeInvalid, String::new(), detail, None).into());
        };
        let mut faults = self.unknown_fields(given);
        let mut values = Map::new();
        for field in &self.fields {
            let answer = match given.get(&field.id) {
                None => None,
                Some(value) => match field.kind.check(value) {
                    Ok(answer) => answer,
                    Err(rejection) => {
                        faults.push(finding(
                            rejection.code,
                            pointer_to(&field.id),
                            rejection.detail,
                            rejection.hint,
                        ));
                        continue;
                    }
                },
            };
            match answer {
                Some(Value::Bool(false)) if field.required => {
                    let detail = format!("`{}` must be accepted", field.id);
                    faults.push(finding(
                        Code::ValueMissing,
                        pointer_to(&field.id),
                        detail,
                        None,
                    ));
                }
                Some(answer) => {
                    values.insert(field.id.clone(), answer);
                }
                None if field.required => {
                    let detail = format!("`{}` needs an answer", field.id);
                    faults.push(finding(
                        Code::ValueMissing,
                        pointer_to(&field.id),
                        detail,
                        None,
                    ));
                }
                None => {}
            }
        }
        Findings::none_or(faults, Submission { values })
    }

    /// Checks what a visitor has sent as JSON text. Unlike [`FormDefinition::validate`], this finds
    /// keys that occur twice and numbers that cannot be kept exactly.
    ///
    /// # Errors
    /// As [`FormDefinition::validate`], and `json_invalid`, `key_duplicate`, `number_inexact`,
    /// `string_invalid`.
    pub fn validate_text(&self, text: &str) -> Result<Submission, Findings> {
        match json::parse(text, "", SUBMISSION_LIMITS) {
            Ok(parsed) => match Findings::from_list(parsed.faults) {
                None => self.validate(&parsed.value),
                Some(faults) => Err(faults),
            },
            Err(JsonError::TooLarge { bytes, limit }) => Err(too_large(bytes, limit).into()),
            Err(error @ JsonError::TooDeep { .. }) => Err(finding(
                Code::TypeInvalid,
                String::new(),
                format!("a submission is an object of plain values and lists: {error}"),
                None,
            )
            .into()),
            Err(error @ JsonError::Syntax(_)) => {
                Err(finding(Code::JsonInvalid, String::new(), error.to_string(), None).into())
            }
        }
    }

    fn unknown_fields(&self, given: &Map<String, Value>) -> FindingList {
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
                // Finding the nearest is slow.
                let nearest = if index < MAX_SUGGESTIONS {
                    nearest(key, &known)
                } else {
                    None
                };
                let hint = nearest.map(|id| format!("did you mean `{id}`?"));
                finding(Code::KeyUnknown, pointer_to(key), detail, hint)
            })
            .collect()
    }
}

fn too_large(bytes: usize, limit: usize) -> Finding {
    finding(
        Code::SubmissionTooLarge,
        String::new(),
        format!("the submission has {bytes} bytes; at most {limit} are allowed"),
        None,
    )
}

fn pointer_to(key: &str) -> String {
    let mut pointer = String::new();
    push_token(&mut pointer, key);
    pointer
}

fn finding(code: Code, pointer: String, detail: String, hint: Option<String>) -> Finding {
    Finding {
        code,
        pointer: Some(pointer),
        detail,
        hint,
    }
}
