//! What each kind of field accepts as an answer.

use std::borrow::Cow;

use serde_json::{Number, Value};
use time::{Date, Month};
use url::Url;

use super::kind::{FieldKind, NumberRange, Options, TextLength};
use super::phone::read_phone;
use crate::check::{nearest, shown};
use crate::finding::Code;

/// Why a field does not accept a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) code: Code,
    pub(super) detail: String,
    pub(super) hint: Option<String>,
}

impl Rejection {
    fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            hint: None,
        }
    }

    fn wrong_type(value: &Value, allowed: &str) -> Self {
        Self::new(
            Code::TypeInvalid,
            format!("{} is not {allowed}", shown(value)),
        )
    }
}

impl FieldKind {
    /// The answer as it is stored; `None` when the value says that there is none: an empty text,
    /// an empty choice.
    pub(super) fn check(&self, value: &Value) -> Result<Option<Value>, Rejection> {
        match self {
            Self::Number(range) => check_number(value, range).map(Some),
            Self::Checkbox => match value {
                Value::Bool(_) => Ok(Some(value.clone())),
                _ => Err(Rejection::wrong_type(value, "`true` or `false`")),
            },
            Self::Rating { max } => check_rating(value, *max).map(Some),
            Self::Multiselect(options) => check_choices(value, options),
            kind => {
                let Value::String(text) = value else {
                    return Err(Rejection::wrong_type(value, "a string"));
                };
                if text.trim().is_empty() {
                    return Ok(None);
                }
                let answer = kind.check_text(text)?;
                Ok(Some(Value::String(answer.into_owned())))
            }
        }
    }

    /// The check of the kinds that are written as a string, for one that is not blank.
    fn check_text<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, Rejection> {
        let quoted = || shown(&Value::String(text.to_owned()));
        match self {
            Self::Text(length) | Self::Textarea(length) => {
                check_length(text, *length)?;
                Ok(Cow::Borrowed(text))
            }
            Self::Email if is_email(text) => Ok(Cow::Borrowed(text)),
            Self::Email => Err(Rejection::new(
                Code::EmailInvalid,
                format!(
                    "{} is not an e-mail address such as `name@example.com`",
                    quoted()
                ),
            )),
            Self::Phone => read_phone(text).map(Cow::Owned).ok_or_else(|| {
                Rejection::new(
                    Code::PhoneInvalid,
                    format!(
                        "{} is not an international number such as `+34 912 345 678`: a plus, \
                         the country code and as many digits as that country's numbers have",
                        quoted()
                    ),
                )
            }),
            Self::Url => {
                let address = completed(text);
                if is_web_url(&address) {
                    Ok(address)
                } else {
                    Err(Rejection::new(
                        Code::UrlInvalid,
                        format!(
                            "{} is not an `http` or `https` URL such as `https://example.com`",
                            quoted()
                        ),
                    ))
                }
            }
            Self::Date if is_date(text) => Ok(Cow::Borrowed(text)),
            Self::Date => Err(Rejection::new(
                Code::DateInvalid,
                format!("{} is not a date such as `2026-02-28`", quoted()),
            )),
            Self::Select(options) => {
                check_option(text, options)?;
                Ok(Cow::Borrowed(text))
            }
            // `check` sends only the kinds above.
            Self::Number(_) | Self::Multiselect(_) | Self::Checkbox | Self::Rating { .. } => Err(
                Rejection::new(Code::TypeInvalid, format!("{} is a string", quoted())),
            ),
        }
    }
}

fn check_length(text: &str, length: TextLength) -> Result<(), Rejection> {
    let count = text.chars().count();
    if count < length.min_length.into() {
        let detail = format!(
            "{count} characters are too few; at least {} are required",
            length.min_length
        );
        return Err(Rejection::new(Code::TooShort, detail));
    }
    if count > length.max_length.into() {
        let detail = format!(
            "{count} characters are too many; at most {} are allowed",
            length.max_length
        );
        return Err(Rejection::new(Code::TooLong, detail));
    }
    Ok(())
}

fn check_number(value: &Value, range: &NumberRange) -> Result<Value, Rejection> {
    let Some(number) = value.as_f64() else {
        return Err(Rejection::wrong_type(value, "a number"));
    };
    let limit = |limit: &Option<Number>| limit.as_ref().and_then(Number::as_f64);
    let (min, max, step) = (limit(&range.min), limit(&range.max), limit(&range.step));
    if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
        let allowed = match (&range.min, &range.max) {
            (Some(min), Some(max)) => format!("from {min} to {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => String::new(),
        };
        let detail = format!(
            "{} is out of range; the number must be {allowed}",
            shown(value)
        );
        return Err(Rejection::new(Code::ValueOutOfRange, detail));
    }
    if let (Some(step), Some(written)) = (step, &range.step) {
        let steps = (number - min.unwrap_or(0.0)) / step;
        if !steps.is_finite() || (steps - steps.round()).abs() > step_tolerance(steps) {
            let detail = format!("{} is not in steps of {written}", shown(value));
            return Err(Rejection::new(Code::ValueOffStep, detail));
        }
    }
    Ok(value.clone())
}

/// How far from a whole number of steps a number may be. Decimal steps have no exact double: 0.3 is
/// the third step of 0.1. The tolerance must not grow to half a step, which allows everything, so
/// beyond a thousandth it is no more than the error of calculating with doubles.
fn step_tolerance(steps: f64) -> f64 {
    let steps = steps.abs().max(1.0);
    (1e-9 * steps).min((4.0 * f64::EPSILON * steps).max(1e-3))
}

fn check_rating(value: &Value, max: u8) -> Result<Value, Rejection> {
    match value {
        Value::Number(number) if !number.is_f64() => {
            if number
                .as_u64()
                .is_some_and(|stars| (1..=max.into()).contains(&stars))
            {
                Ok(value.clone())
            } else {
                let detail = format!(
                    "{} is out of range; it must be from 1 to {max}",
                    shown(value)
                );
                Err(Rejection::new(Code::ValueOutOfRange, detail))
            }
        }
        _ => Err(Rejection::wrong_type(
            value,
            &format!("an integer from 1 to {max}"),
        )),
    }
}

fn check_choices(value: &Value, options: &Options) -> Result<Option<Value>, Rejection> {
    let Value::Array(chosen) = value else {
        return Err(Rejection::wrong_type(value, "an array of option values"));
    };
    let mut seen = Vec::new();
    for choice in chosen {
        let Value::String(text) = choice else {
            return Err(Rejection::wrong_type(
                choice,
                "an option value, which is a string",
            ));
        };
        check_option(text, options)?;
        if seen.contains(&text) {
            let detail = format!("{} is chosen twice", shown(choice));
            return Err(Rejection::new(Code::ValueDuplicate, detail));
        }
        seen.push(text);
    }
    Ok((!chosen.is_empty()).then(|| value.clone()))
}

fn check_option(text: &str, options: &Options) -> Result<(), Rejection> {
    if options.options.iter().any(|option| option.value == text) {
        return Ok(());
    }
    let values: Vec<&str> = options
        .options
        .iter()
        .map(|option| option.value.as_str())
        .collect();
    let listed: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    Err(Rejection {
        code: Code::ValueNotAllowed,
        detail: format!(
            "{} is not an option; it must be one of {}",
            shown(&Value::String(text.to_owned())),
            listed.join(", ")
        ),
        hint: nearest(text, &values).map(|value| format!("did you mean `{value}`?")),
    })
}

/// A valid e-mail address of the HTML standard, so that server and browser accept the same.
///
/// Source: <https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address>; the limit of
/// 254 bytes is that of SMTP (RFC 5321, 4.5.3.1.3).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && !local.is_empty()
        && local.bytes().all(local_byte)
        && domain.split('.').all(label)
}

/// The address with its scheme: people leave it out. What comes first must then be a name with a
/// dot and a last label of letters, so that `javascript:x` and `3.5` are not completed.
fn completed(text: &str) -> Cow<'_, str> {
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let mut labels = name.rsplit('.');
    let is_name = labels
        .next()
        .is_some_and(|last| last.chars().count() > 1 && last.chars().all(char::is_alphabetic))
        && name.contains('.')
        && labels.all(|label| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '-')
        });
    if is_name && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        Cow::Owned(format!("https://{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// An absolute web address, written in full. The URL parser alone would accept
/// `https:example.com` and white space.
fn is_web_url(text: &str) -> bool {
    let scheme_is_written = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    scheme_is_written
        && !text.contains(|letter: char| {
            letter.is_whitespace() || letter.is_control() || letter == '\\'
        })
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// A calendar date of ISO 8601 in its extended form.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| {
            if matches!(index, 4 | 7) {
                *byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if !shape {
        return false;
    }
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse::<u8>(), day.parse()) else {
        return false;
    };
    Month::try_from(month).is_ok_and(|month| Date::from_calendar_date(year, month, day).is_ok())
}
