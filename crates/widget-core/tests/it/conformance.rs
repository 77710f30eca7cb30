//! Other people's test data: the URL cases of web-platform-tests and the cases of the public
//! suffix list, with what we do otherwise on purpose in checked-in lists.
//!
//! A list is a ratchet: a case that differs and is not listed fails, and so does a listed case that
//! no longer differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use widget_core::origin::{Entry, Origin};

use crate::support::{builtin, fixture};

/// The lines of a list without comments; `key` up to the last tab, then the value.
fn known(name: &str) -> BTreeMap<String, String> {
    fixture(name)
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| {
            let (key, value) = line.rsplit_once('\t').expect("a key, a tab and a value");
            (key.to_owned(), value.to_owned())
        })
        .collect()
}

#[track_caller]
fn compare(found: &BTreeMap<String, String>, list: &str) {
    let known = known(list);
    let lines = |left: &BTreeMap<String, String>, right: &BTreeMap<String, String>| {
        let mut lines = String::new();
        for (key, value) in left {
            if right.get(key) != Some(value) {
                lines.extend([key, "\t", value, "\n"]);
            }
        }
        lines
    };
    let (new, stale) = (lines(found, &known), lines(&known, found));
    assert!(
        new.is_empty() && stale.is_empty(),
        "not in {list}:\n{new}\nno longer so:\n{stale}"
    );
}

fn wpt_cases() -> Vec<(String, Option<String>)> {
    let data: Value = serde_json::from_str(&fixture("origin_wpt.json")).expect("JSON");
    data["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| {
            (
                case["input"].as_str().expect("an input").to_owned(),
                case["origin"].as_str().map(str::to_owned),
            )
        })
        .collect()
}

/// The origin of the address, or the code of its first fault.
fn outcome(address: &str) -> Result<String, &'static str> {
    match Entry::parse(address, builtin()) {
        Ok(entry) => Ok(entry.to_text()),
        Err(error) => Err(error.code().as_str()),
    }
}

/// An entry is the origin that a browser would give the same address, or is refused; what
/// browsers refuse is refused.
#[test]
fn entries_against_web_platform_tests() {
    let mut differing = BTreeMap::new();
    for (input, expected) in wpt_cases() {
        let key = input.escape_default().to_string();
        match (outcome(&input), expected) {
            (Ok(ours), Some(theirs)) if ours == theirs => {}
            (Err(_), None) => {}
            (Ok(ours), None) => {
                differing.insert(key, format!("accepted as {ours}"));
            }
            (Ok(ours), Some(theirs)) => panic!("{input:?} is {ours}, to browsers {theirs}"),
            (Err(code), Some(_)) => {
                differing.insert(key, code.to_owned());
            }
        }
    }
    compare(&differing, "origin_wpt_known.txt");
}

/// Every origin that browsers serialize is read as that origin, byte for byte.
#[test]
fn requests_against_web_platform_tests() {
    let mut refused = BTreeMap::new();
    let origins: BTreeSet<_> = wpt_cases()
        .into_iter()
        .filter_map(|(_, origin)| origin)
        .collect();
    for text in origins {
        match Origin::from_header([&text]) {
            Ok(origin) => {
                assert_eq!(origin.as_str(), text);
                assert_eq!(Origin::parse_page(&text), Ok(origin));
            }
            Err(error) => {
                refused.insert(text.escape_default().to_string(), format!("{error:?}"));
            }
        }
    }
    compare(&refused, "origin_wpt_requests_known.txt");
}

#[test]
fn suffixes_against_the_lists_own_cases() {
    let mut differing = BTreeMap::new();
    let mut count = 0;
    for line in fixture("origin_psl.txt").lines() {
        let Some(case) = line
            .strip_prefix("checkPublicSuffix(")
            .and_then(|rest| rest.strip_suffix(");"))
        else {
            continue;
        };
        let (name, expected) = case.split_once(", ").expect("two arguments");
        let plain = |text: &str| {
            let quoted = text.strip_prefix('\'')?.strip_suffix('\'')?;
            idna::domain_to_ascii(quoted).ok()
        };
        let Some(name) = plain(name) else { continue };
        count += 1;
        let ours = builtin().registrable(&name).map(str::to_owned);
        if ours != plain(expected) {
            differing.insert(name, ours.unwrap_or_else(|| "none".to_owned()));
        }
    }
    assert!(count > 60, "{count} cases");
    compare(&differing, "origin_psl_known.txt");
}

/// The algorithm as the list's site describes it, without optimizations.
fn registrable_by_the_book(rules: &BTreeSet<String>, name: &str) -> Option<String> {
    let labels: Vec<_> = name.split('.').collect();
    let tail = |from: usize| labels[from..].join(".");
    let exception = (0..labels.len()).find(|&from| rules.contains(&format!("!{}", tail(from))));
    let suffix = match exception {
        Some(from) => from + 1,
        None => (0..labels.len())
            .find(|&from| {
                rules.contains(&tail(from))
                    || (from + 1 < labels.len() && rules.contains(&format!("*.{}", tail(from + 1))))
            })
            .unwrap_or(labels.len() - 1),
    };
    (suffix > 0).then(|| tail(suffix - 1))
}

/// Every rule of the list compiled in, its parent, and names one and two labels below.
#[test]
fn suffixes_against_the_algorithm() {
    let rules: BTreeSet<String> = include_str!("../../data/public_suffix_list.dat")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|line| {
            let rule = line.split_whitespace().next().expect("a rule");
            let (mark, name) = match rule.strip_prefix('!') {
                Some(name) => ("!", name),
                None => match rule.strip_prefix("*.") {
                    Some(name) => ("*.", name),
                    None => ("", rule),
                },
            };
            format!("{mark}{}", idna::domain_to_ascii(name).expect("a name"))
        })
        .collect();
    assert!(rules.len() > 9_000);
    let mut differing = BTreeMap::new();
    for rule in &rules {
        let name = rule.trim_start_matches('!').replace('*', "any");
        let mut names = vec![name.clone(), format!("a.{name}"), format!("b.a.{name}")];
        names.extend(name.split_once('.').map(|(_, parent)| parent.to_owned()));
        for name in names {
            let expected = registrable_by_the_book(&rules, &name);
            let ours = builtin().registrable(&name).map(str::to_owned);
            if ours != expected {
                differing.insert(name, ours.unwrap_or_else(|| "none".to_owned()));
            }
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}
