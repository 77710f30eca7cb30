//! Rules about which part of the project may use which; ARCHITECTURE.md shows them as tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;

use crate::{files, none, output, read};

/// The crates, and which of the others each may use.
const CRATES: &[(&str, &[&str])] = &[
    ("widget-core", &[]),
    ("widget-api", &["widget-core"]),
    ("widget-cli", &["widget-core", "widget-api"]),
    ("widget-http", &["widget-core", "widget-api"]),
    ("widget-schema", &["widget-core", "widget-api"]),
    ("widget-bench", &["widget-http"]),
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

/// The crates that are divided: their sources, and the head of their table in ARCHITECTURE.md.
const DIVIDED: &[(&str, &str)] = &[
    ("crates/widget-core/src", "module"),
    ("crates/widget-http/src", "area"),
];

/// Areas that observe all others, which may use them therefore.
const OBSERVERS: [&str; 2] = ["metrics", "telemetry"];

#[test]
fn areas_use_only_those_above_them() {
    let mut faults = Vec::new();
    for (sources, head) in DIVIDED {
        faults.extend(wrong_uses(sources, &areas(head)));
    }
    none("areas that use one below them", &faults);
}

/// The uses of an area below, and the areas that are not in both: the table and the code.
fn wrong_uses(sources: &str, areas: &[String]) -> Vec<String> {
    let place = |area: &str| areas.iter().position(|known| known == area);
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for path in files() {
        let Ok(inside) = path.strip_prefix(sources) else {
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
        let text = read(&path).expect("a Rust file");
        let is_test = inside
            .iter()
            .any(|part| part == "tests" || part == "tests.rs");
        let code = if is_test { "" } else { without_tests(&text) };
        let observes = |used: &String| OBSERVERS.contains(&used.as_str());
        for used in used_modules(code)
            .into_iter()
            .filter(|used| !observes(used))
        {
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
    faults
}

/// The areas of a crate, in the order of its table in ARCHITECTURE.md.
fn areas(head: &str) -> Vec<String> {
    let text = read(Path::new("ARCHITECTURE.md")).expect("a text");
    let (_, table) = text
        .split_once(&format!("| {head} | content |\n|---|---|\n"))
        .expect("the table of areas");
    table
        .lines()
        .map_while(|row| row.strip_prefix("| `"))
        .filter_map(|row| row.split(['`', '/']).next())
        .map(str::to_owned)
        .collect()
}

/// A parent may use its children, or they may use what it has, but not both: what both need is in a
/// file of its own.
#[test]
fn files_of_an_area_form_no_circle() {
    for (sources, _) in DIVIDED {
        none(
            "files that use each other in a circle",
            &circles_in(sources),
        );
    }
}

fn circles_in(sources: &str) -> Vec<String> {
    let mut texts = BTreeMap::new();
    for path in files() {
        let Ok(inside) = path.strip_prefix(sources) else {
            continue;
        };
        let module: Vec<String> = inside
            .with_extension("")
            .iter()
            .map(|part| part.to_str().expect("UTF-8").to_owned())
            .collect();
        let area = module[0].as_str();
        let is_area = !["lib", "main"].contains(&area);
        if is_area && module.iter().all(|name| name != "tests") {
            texts.insert(module, read(&path).expect("a Rust file"));
        }
    }
    let texts = place_by_attributes(&texts);
    let uses: BTreeMap<_, _> = texts
        .iter()
        .map(|(module, text)| (module, used_files(module, text, &texts)))
        .collect();
    uses.keys()
        .filter_map(|module| find_circle(module, &uses))
        .collect()
}

/// The same texts, each at the module that it is: one that `#[path]` names is a module of whoever
/// names it, also of several, and not one of its own folder.
fn place_by_attributes(files: &BTreeMap<Vec<String>, String>) -> BTreeMap<Vec<String>, String> {
    let mut placed = BTreeMap::new();
    let mut named = BTreeSet::new();
    let mut open: Vec<_> = files.keys().map(|file| (file.clone(), file)).collect();
    while let Some((module, file)) = open.pop() {
        for attribute in files[file].split("#[path = \"").skip(1) {
            let (path, rest) = attribute.split_once(".rs\"]").expect("a path of a file");
            let (declaration, _) = rest.split_once(';').expect("a module");
            let (_, name) = declaration.rsplit_once(' ').expect("a name");
            let folder = file[..file.len() - 1].iter().map(String::as_str);
            let target: Vec<_> = folder.chain(path.split('/')).map(str::to_owned).collect();
            let (target, _) = files.get_key_value(&target).expect("a file of the area");
            named.insert(target);
            let own = module.iter().cloned().chain([name.to_owned()]).collect();
            open.push((own, target));
        }
        placed.insert(module, files[file].clone());
    }
    placed.retain(|module, _| !named.contains(module));
    placed
}

/// The files of the same area that a file names.
fn used_files(
    module: &[String],
    text: &str,
    files: &BTreeMap<Vec<String>, String>,
) -> BTreeSet<Vec<String>> {
    let text = without_tests(text);
    let named = ["crate", "self", "super"].into_iter().map(str::to_owned);
    let own = text
        .lines()
        .filter_map(|line| line.trim_end_matches(';').rsplit_once("mod "))
        .map(|(_, name)| name.to_owned());
    named
        .chain(own)
        .flat_map(|start| paths_from(&start, text))
        .filter_map(|path| {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let mut absolute = match path[0].as_str() {
                "crate" => Vec::new(),
                _ => module[..module.len().checked_sub(ups)?].to_vec(),
            };
            let is_word = |part: &&String| !["crate", "self", "super"].contains(&part.as_str());
            absolute.extend(path.iter().filter(is_word).cloned());
            while !absolute.is_empty() && !files.contains_key(&absolute) {
                absolute.pop();
            }
            let is_other = absolute != module && absolute.first() == module.first();
            is_other.then_some(absolute)
        })
        .collect()
}

/// A circle that leads from a file back to it, if it is the first file of that circle.
fn find_circle(
    start: &Vec<String>,
    uses: &BTreeMap<&Vec<String>, BTreeSet<Vec<String>>>,
) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![vec![start]];
    while let Some(way) = open.pop() {
        for used in uses.get(way[way.len() - 1]).into_iter().flatten() {
            if used == start {
                let names: Vec<String> = way.iter().map(|module| module.join("::")).collect();
                return Some(names.join(" -> "));
            }
            if used > start && seen.insert(used) {
                open.push(way.iter().copied().chain([used]).collect());
            }
        }
    }
    None
}

/// The text before the tests inside a file.
fn without_tests(text: &str) -> &str {
    text.split_once("\nmod tests {")
        .map_or(text, |(text, _)| text)
}

/// The modules at the root of the crate that a file names, after `crate::` or in `crate::{…}`.
fn used_modules(text: &str) -> BTreeSet<String> {
    paths_from("crate", text)
        .into_iter()
        .filter_map(|path| path.get(1).cloned())
        .collect()
}

/// The paths in a file that begin with this word, those of a group each for itself.
fn paths_from(start: &str, text: &str) -> Vec<Vec<String>> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut paths = Vec::new();
    for (at, found) in code.match_indices(&format!("{start}::")) {
        let is_whole = |before: char| !(before.is_alphanumeric() || "_:".contains(before));
        let before = &code[..at];
        if before.chars().next_back().is_none_or(is_whole) && !before.ends_with("pub(in ") {
            let rest = &code[at + found.len()..];
            read_path(rest, &[start.to_owned()], &mut paths);
        }
    }
    paths
}

/// Reads the rest of a path, and returns what comes after it.
fn read_path<'a>(text: &'a str, before: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([' ', ',', '\n']);
            let Some(next) = rest.chars().next().filter(|next| *next != '}') else {
                return rest.strip_prefix('}').unwrap_or(rest);
            };
            let after = read_path(rest, before, paths);
            rest = if after.len() < rest.len() {
                after
            } else {
                &rest[next.len_utf8()..]
            };
        }
    }
    let word = first_word(text);
    let rest = &text[word.len()..];
    let path: Vec<String> = before.iter().cloned().chain([word]).collect();
    if let Some(rest) = rest.strip_prefix("::") {
        return read_path(rest, &path, paths);
    }
    // An exported macro is at the root of the crate, wherever it is defined.
    if !rest.starts_with('!') {
        paths.push(path);
    }
    rest
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

#[test]
fn files_are_found_by_the_paths_that_name_them() {
    let module = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
    let files = ["a", "a::b", "a::b::c", "a::d", "e"];
    let files: BTreeMap<_, _> = files
        .iter()
        .map(|file| (module(file), String::new()))
        .collect();
    let text = "use super::{D, d::{self, X}};\nmod c;\nuse crate::{a::b::c::Y, e::Z};\n\
                #[cfg(test)]\nmod tests {\n    use super::*;\n}\n";
    let found: Vec<_> = used_files(&module("a::b"), text, &files)
        .into_iter()
        .map(|file| file.join("::"))
        .collect();
    assert_eq!(found, ["a", "a::b::c", "a::d"]);
    let uses = BTreeMap::from([
        (module("a"), BTreeSet::from([module("a::b")])),
        (module("a::b"), BTreeSet::from([module("a")])),
    ]);
    let uses = uses
        .iter()
        .map(|(file, used)| (file, used.clone()))
        .collect();
    let circle = find_circle(&module("a"), &uses);
    assert_eq!(circle.as_deref(), Some("a -> a::b"));
    assert_eq!(find_circle(&module("a::b"), &uses), None);
}
