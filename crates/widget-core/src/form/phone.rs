//! Telephone numbers as people and browsers write them, read into E.164.
//!
//! The lengths of numbers are those of Google's libphonenumber, by calling code; the window uses a
//! port of the whole library, and both read the same fixtures alike. A number is checked by its
//! length only: which numbers are assigned changes every month.

/// The numbering plans; the file says what its columns are.
const PLANS: &str = include_str!("../../data/calling_codes.txt");

/// A text with more digits is not a number.
const MAX_DIGITS: usize = 24;

/// The number in E.164, such as `+34912345678`; `None` when it is not an international number.
///
/// A plus or `00` comes before the calling code. White space, hyphens, dashes, dots, slashes,
/// parentheses and marks of writing direction are ignored, digits may be those of Arabic or be
/// full-width, and a 0 as in `+49 (0)171` is dropped where the country writes one.
pub(super) fn read_phone(text: &str) -> Option<String> {
    let number = plain_number(text)?;
    let digits = number
        .strip_prefix(['+'])
        .or_else(|| number.strip_prefix("00"))?;
    let plan = PLANS
        .lines()
        .find_map(|line| Plan::parse(line).filter(|plan| digits.starts_with(plan.code)))?;
    let national = &digits[plan.code.len()..];
    let without_zero = if plan.drops_zero {
        national.strip_prefix('0')
    } else {
        None
    };
    let national = without_zero
        .filter(|rest| plan.has_length(rest.len()))
        .unwrap_or(national);
    plan.has_length(national.len())
        .then(|| format!("+{}{national}", plan.code))
}

/// The numbers of one calling code.
struct Plan<'a> {
    code: &'a str,
    /// What a national number may have, as `8,9`.
    lengths: &'a str,
    /// Whether a 0 before the national number is not part of it.
    drops_zero: bool,
}

impl<'a> Plan<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut columns = line.split(' ');
        Some(Self {
            code: columns.next().filter(|code| !code.starts_with('#'))?,
            lengths: columns.next()?,
            drops_zero: columns.next() == Some("0"),
        })
    }

    fn has_length(&self, length: usize) -> bool {
        self.lengths
            .split(',')
            .any(|allowed| allowed.parse() == Ok(length))
    }
}

/// Digits, perhaps with a plus before them; `None` when there is anything else.
fn plain_number(text: &str) -> Option<String> {
    let mut plain = String::new();
    for letter in text.chars().filter(|letter| !is_separator(*letter)) {
        match letter {
            '+' | '\u{ff0b}' if plain.is_empty() => plain.push('+'),
            _ => plain.push(digit_of(letter)?),
        }
        if plain.len() > MAX_DIGITS {
            return None;
        }
    }
    Some(plain)
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        // Marks that come along when a number is copied.
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}')
        || matches!(letter, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The ASCII digit of a Latin, Arabic, Persian or full-width one.
fn digit_of(letter: char) -> Option<char> {
    let zero = match letter {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    char::from_digit(u32::from(letter) - u32::from(zero), 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn numbers_are_read_as_the_window_reads_them() {
        let text = include_str!("../../../../fixtures/phone_numbers.json");
        let cases: Vec<Value> = serde_json::from_str(text).expect("the fixtures");
        assert!(cases.len() > 250, "an example of each country");
        for case in cases {
            let written = case["written"].as_str().expect("a text");
            // Without the visitor's country, such a number could be anybody's.
            if case.get("country").is_none() {
                assert_eq!(
                    read_phone(written).as_deref(),
                    case["read"].as_str(),
                    "{written}"
                );
            } else if let Some(read) = case["read"].as_str() {
                assert_eq!(read_phone(read).as_deref(), Some(read), "{written}");
            }
        }
    }

    #[test]
    fn every_plan_is_complete_and_no_code_begins_with_another() {
        let plans: Vec<Plan> = PLANS.lines().filter_map(Plan::parse).collect();
        assert!(plans.len() > 200);
        for plan in &plans {
            assert!(
                (1..=17).any(|length| plan.has_length(length)),
                "{}",
                plan.code
            );
            let others = plans
                .iter()
                .filter(|other| other.code.starts_with(plan.code));
            assert_eq!(others.count(), 1, "{}", plan.code);
        }
    }

    proptest! {
        #[test]
        fn what_was_read_is_read_again_as_it_is(text in "(\\+|00)[1-9][0-9 ()-]{4,16}") {
            if let Some(read) = read_phone(&text) {
                prop_assert_eq!(read_phone(&read), Some(read));
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".*") {
            read_phone(&text);
        }
    }
}
