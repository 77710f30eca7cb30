//! What is kept, what is rejected, and that neither depth nor size does harm.

use super::*;
use serde_json::json;

const LIMITS: JsonLimits = JsonLimits {
    bytes: 65_536,
    depth: 16,
};

#[track_caller]
fn read(text: &str) -> Parsed {
    parse(text, "", LIMITS).expect("JSON")
}

fn faults(text: &str) -> Vec<(&'static str, String)> {
    read(text)
        .faults
        .into_iter()
        .map(|fault| (fault.code.as_str(), fault.pointer.unwrap_or_default()))
        .collect()
}

#[test]
fn numbers_are_compared_by_their_exact_value() {
    let same = |one: &str, other: &str| {
        let number = |text: &str| match read(text).value {
            Value::Number(number) => number,
            value => panic!("{value}"),
        };
        let (one, other) = (number(one), number(other));
        let result = is_same_number(&one, &other);
        assert_eq!(result, is_same_number(&other, &one));
        result
    };
    for (one, other) in [
        ("1", "1.0"),
        ("25e-1", "2.5"),
        ("0", "-0.0"),
        ("0.0", "-0"),
        ("9007199254740992", "9007199254740992.0"),
        ("10000000000000000000", "1e19"),
        ("-9223372036854775808", "-9223372036854775808"),
    ] {
        assert!(same(one, other), "{one} is {other}");
    }
    for (one, other) in [
        ("1", "-1"),
        ("2", "2.5"),
        ("9007199254740992", "9007199254740993"),
        ("9007199254740992.0", "9007199254740993"),
        ("18446744073709551615", "18446744073709551614"),
        ("-9223372036854775808", "-9223372036854775807"),
    ] {
        assert!(!same(one, other), "{one} is not {other}");
    }
}

#[test]
fn numbers_are_kept_or_refused() {
    for kept in [
        "0",
        "-0",
        "-0.0",
        "0.0",
        "1",
        "-1",
        "1.0",
        "1e2",
        "1E+2",
        "1.50",
        "0.1",
        "1e-7",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "1e20",
        "5e-324",
        "1.7976931348623157e308",
        "0e999999999999999999999",
        "0.30000000000000004",
        "1e0001",
    ] {
        let parsed = read(kept);
        assert!(parsed.faults.is_empty(), "{kept}: {:?}", parsed.faults);
        let again = read(&parsed.value.to_string());
        assert_eq!(again.value.to_string(), parsed.value.to_string(), "{kept}");
    }
    for rejected in [
        "1e400",
        "-1e400",
        "1e-400",
        "123456789012345678901234567890",
        "18446744073709551616",
        "-9223372036854775809",
        "0.1234567890123456789",
        "100000000000000000000",
        "1e99999999999999999999999",
        "1e-99999999999999999999999",
        "2.5e-324",
        "9007199254740993.0",
    ] {
        assert_eq!(
            faults(rejected),
            [("number_inexact", String::new())],
            "{rejected}"
        );
    }
}

#[test]
fn an_integer_stays_one() {
    assert_eq!(read("[1,1.0]").value.to_string(), "[1,1.0]");
}

#[test]
fn equal_keys_are_named() {
    assert_eq!(
        faults(r#"{"a":{"b/c":1,"b\/c":2,"d":[{"~":1,"~":1}]},"a":null}"#),
        [
            ("key_duplicate", "/a/b~1c".to_owned()),
            ("key_duplicate", "/a/d/0/~0".to_owned()),
            ("key_duplicate", "/a".to_owned()),
        ]
    );
}

#[test]
fn half_a_surrogate_pair_is_named() {
    assert_eq!(
        faults(r#"{"a":"\ud800","b":"\ud83d\ude00"}"#),
        [("string_invalid", "/a".to_owned())]
    );
    assert_eq!(
        faults(r#"{"a":{"\udfff":1}}"#),
        [("string_invalid", "/a".to_owned())]
    );
}

#[test]
fn order_and_values_are_kept() {
    let text = r#"{"z":1,"a":[true,false,null,"é\n",{"b":{}}],"":2}"#;
    assert_eq!(read(text).value.to_string(), text);
}

#[test]
fn text_that_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "{\"a\":1,}",
        "nul",
        "01",
        "'a'",
        "[1] 2",
        "NaN",
        "\u{feff}{}",
    ] {
        assert!(
            matches!(parse(text, "", LIMITS), Err(JsonError::Syntax(_))),
            "{text}"
        );
    }
}

#[test]
fn depth_is_counted_at_any_depth() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&nested(16), "", LIMITS).is_ok());
    for depth in [17, 127, 128, 129, 100_000, 3_000_000] {
        let expected = Err(JsonError::TooDeep { depth, limit: 16 });
        assert_eq!(parse(&nested(depth), "", LIMITS), expected);
    }
    assert!(parse(r#"["[[[[[[[[[[[[[[[[[[[[\"[[["]"#, "", LIMITS).is_ok());
}

#[test]
fn a_value_in_memory_is_measured_without_recursion() {
    let mut value = json!(1);
    for _ in 0..100_000 {
        value = Value::Array(vec![value]);
    }
    let expected = JsonError::TooDeep {
        depth: 100_000,
        limit: 16,
    };
    assert_eq!(measure(&value, LIMITS), Err(expected));
    drop_flat(value);
}

#[test]
fn size_is_that_of_compact_json() {
    let limits = JsonLimits {
        bytes: 10,
        depth: 2,
    };
    assert!(parse("  {  \"a\"  :  1234  }  ", "", limits).is_ok());
    assert!(parse(r#"{"a":"\u0061b"}"#, "", limits).is_ok());
    let over = Err(JsonError::TooLarge {
        bytes: 11,
        limit: 10,
    });
    assert_eq!(parse("{\"a\":12345}", "", limits), over);
    assert_eq!(
        measure(&json!({"a": 12345}), limits),
        over.map(|_: Parsed| ())
    );
    assert!(parse(&"[1]".repeat(1_000), "", limits).is_err());
}

#[test]
fn reading_in_one_pass_is_the_same() {
    for plain in [
        "null",
        " true ",
        "[]",
        "{}",
        "-0",
        "-0.0",
        "1.50",
        "0.00000000000001",
        "123456789012345",
        "-1234567890.12345",
        r#""\u00e9\n\"\/""#,
        r#"{"b": [1, {"a": null}], "a": {"b": "", "": [[]]}}"#,
    ] {
        let Plain(fast) = serde_json::from_str(plain).expect("plain");
        let mut careful = Reader {
            path: String::new(),
            faults: FindingList::new(),
        };
        let value = careful.value(serde_json::from_str(plain).expect("JSON"));
        assert_eq!(*careful.faults, []);
        assert_eq!(fast.to_string(), value.to_string(), "{plain}");
        let outline = Outline::of(plain);
        assert!(!outline.long_numbers, "{plain}");
        assert!(compact_size(&fast) <= 2 * outline.bytes, "{plain}");
    }
    assert!(serde_json::from_str::<Plain>(r#"{"a":1,"a":1}"#).is_err());
    for other in [
        "1e2",
        "1E-2",
        "1234567890.123456",
        "[ 1, 18446744073709551616]",
    ] {
        assert!(Outline::of(other).long_numbers, "{other}");
    }
}
