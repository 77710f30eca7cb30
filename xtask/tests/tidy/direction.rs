//! Rules about which part of the project may use which; ARCHITECTURE.md shows them as tables.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{none, output};

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
