//! Rules about which part of the project may use which; ARCHITECTURE.md shows them as tables.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use crate::{files, none, output, read};

/// The crates, and which of the others each may use.
const CRATES: &[(&str, &[&str])] = &[
    ("widget-core", &[]),
    ("widget-api", &["widget-core"]),
    ("widget-cli", &["widget-core"]),
    ("widget-http", &["widget-core", "widget-api"]),
    ("widget-schema", &["widget-core", "widget-api"]),
    ("xtask", &[]),
];

#[test]
fn crates_use_only_those_below_them() {
    let metadata = output(
        "cargo",
        &["metadata", "--format-version=1", "--no-deps", "--locked"],
    );
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<_> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some((_, allowed)) = CRATES.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("{name} is new: say here what it may use"));
            continue;
        };
        let used = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter();
        faults.extend(
            used.filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|used| names.contains(used) && !allowed.contains(used))
                .map(|used| format!("{name} uses {used}")),
        );
    }
    none("dependencies between crates", &faults);
}

#[test]
fn areas_of_the_service_use_only_those_above_them() {
    let areas = areas();
    let place = |area: &str| areas.iter().position(|known| known == area);
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for path in files() {
        let Ok(inside) = path.strip_prefix("crates/widget-http/src") else {
            continue;
        };
        let first = inside.iter().next().and_then(|first| first.to_str());
        let area = first.expect("a file").trim_end_matches(".rs");
        if ["lib", "main"].contains(&area) {
            continue;
        }
        seen.insert(area.to_owned());
        let Some(own) = place(area) else {
            continue;
        };
        for used in used_modules(&read(&path).expect("a Rust file")) {
            match place(&used) {
                Some(used) if used <= own => {}
                Some(_) => faults.push(format!("{} uses {used}", path.display())),
                None => faults.push(format!("{} uses `crate::{used}`", path.display())),
            }
        }
    }
    let listed: BTreeSet<_> = areas.iter().cloned().collect();
    let differing = seen.symmetric_difference(&listed);
    faults.extend(differing.map(|area| format!("{area} is not in both: the table and the code")));
    none("areas that use one below them", &faults);
}

/// The areas of the service, in the order of the table in ARCHITECTURE.md.
fn areas() -> Vec<String> {
    let text = read(Path::new("ARCHITECTURE.md")).expect("a text");
    let (_, table) = text
        .split_once("| area | content |\n|---|---|\n")
        .expect("the table of areas");
    table
        .lines()
        .map_while(|row| row.strip_prefix("| `"))
        .filter_map(|row| row.split(['`', '/']).next())
        .map(str::to_owned)
        .collect()
}

/// The modules at the root of the crate that a file names, after `crate::` or in `crate::{…}`.
fn used_modules(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.flat_map(|line| [line, "\n"]).collect();
    let mut modules = BTreeSet::new();
    for (start, path) in code.match_indices("crate::") {
        let rest = &code[start + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            modules.insert(first_word(rest));
            continue;
        };
        let mut depth = 0_usize;
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && (at == 0 || character == ',') {
                modules.insert(first_word(group[at..].trim_start_matches(',').trim_start()));
            }
        }
    }
    // A comma after the last of a group, and the end of its line.
    modules.remove("");
    modules
}

fn first_word(text: &str) -> String {
    let is_word = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
    text.chars().take_while(is_word).collect()
}

#[test]
fn modules_are_found_in_paths_and_groups() {
    let text =
        "use crate::{\n    a::{b, c},\n    d,\n};\nfn f(e: crate::e::E) {} // x\n// crate::g\n";
    let found: Vec<_> = used_modules(text).into_iter().collect();
    assert_eq!(found, ["a", "d", "e"]);
}
