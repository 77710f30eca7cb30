//! Rules about what the project depends on.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{none, output, root};

/// What `widget-core` may depend on, with all its features. Nothing here reads a clock, an
/// environment, a file, a network or randomness; whoever adds a name has checked that.
const CORE: &str = "
    adler2 base64 bitflags block-buffer cfg-if content-security-policy cpufeatures crc32fast
    crypto-common deranged digest displaydoc equivalent flate2 foldhash form_urlencoded
    generic-array hashbrown html5gum icu_collections icu_locale_core icu_normalizer
    icu_normalizer_data icu_properties icu_properties_data icu_provider idna idna_adapter
    indexmap itoa litemap memchr miniz_oxide num-conv once_cell oxilangtag percent-encoding
    potential_utf powerfmt proc-macro2 psl-types publicsuffix quote ref-cast ref-cast-impl regex
    regex-automata regex-syntax serde serde_core serde_derive serde_json sfv sha2 simd-adler32
    smallvec stable_deref_trait strsim syn synstructure thiserror thiserror-impl time time-core
    time-macros tinystr typenum unicode-ident url utf8_iter utf_types uuid widget-core writeable
    yoke yoke-derive zerofrom zerofrom-derive zerotrie zerovec zerovec-derive zmij";

/// Licenses that may be shipped inside an Apache-2.0 OR MIT binary, with their notices kept.
const LICENSES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The domain stays pure: its dependencies are exactly those listed above.
#[test]
fn core_depends_on_nothing_else() {
    let tree = output(
        "cargo",
        &[
            "tree",
            "--package",
            "widget-core",
            "--all-features",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--locked",
        ],
    );
    let found: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let allowed: BTreeSet<_> = CORE.split_whitespace().collect();
    let faults: Vec<_> = found
        .difference(&allowed)
        .map(|name| format!("{name} is new: is it pure?"))
        .chain(
            allowed
                .difference(&found)
                .map(|name| format!("{name} is no longer used: remove it from the list")),
        )
        .collect();
    none("dependencies of widget-core", &faults);
}

/// Another service gets the crate with its data and with all that its licenses ask for.
#[test]
fn core_is_packaged_whole() {
    let arguments = [
        "package",
        "--package",
        "widget-core",
        "--list",
        "--allow-dirty",
        "--locked",
    ];
    let packaged = output("cargo", &arguments);
    let packaged: BTreeSet<_> = packaged.lines().collect();
    let needed = [
        "README.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "data/public_suffix_list.dat",
        "data/shared_hosts.dat",
    ];
    let missing: Vec<_> = needed
        .into_iter()
        .filter(|file| !packaged.contains(file))
        .map(str::to_owned)
        .collect();
    none("files that the package of widget-core lacks", &missing);
}

/// Every crate that is compiled here has a license that fits.
#[test]
fn licenses_of_crates_are_compatible() {
    let host = output("rustc", &["-vV"]);
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host");
    let metadata = output(
        "cargo",
        &[
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            host,
        ],
    );
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let used: BTreeSet<_> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let faults: Vec<_> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id)))
        .filter_map(|package| fault(&package["name"], &package["version"], &package["license"]))
        .collect();
    none("licenses of crates", &faults);
}

/// Every npm package that ends up in what visitors load has a license that fits.
#[test]
fn licenses_of_npm_packages_are_compatible() {
    let lock = std::fs::read_to_string(root().join("embed/package-lock.json"))
        .expect("the lock file of the embed");
    let lock: Value = serde_json::from_str(&lock).expect("JSON");
    let faults: Vec<_> = lock["packages"]
        .as_object()
        .expect("packages")
        .iter()
        .filter(|(name, package)| !name.is_empty() && package["dev"] != true)
        .filter_map(|(name, package)| {
            fault(
                &Value::from(name.as_str()),
                &package["version"],
                &package["license"],
            )
        })
        .collect();
    none("licenses of npm packages", &faults);
}

fn fault(name: &Value, version: &Value, license: &Value) -> Option<String> {
    let expression = license.as_str().unwrap_or("no license named");
    (!fits(expression)).then(|| format!("{name} {version}: {expression}"))
}

/// Whether one may choose licenses from the list so that an SPDX expression holds. `/` is the old
/// way to write `OR`.
fn fits(expression: &str) -> bool {
    let words = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = words
        .split_whitespace()
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    let holds = any(&mut words);
    holds && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::vec::IntoIter<&'a str>>;

fn any(words: &mut Words<'_>) -> bool {
    let mut holds = all(words);
    while words.next_if_eq(&"OR").is_some() {
        holds |= all(words);
    }
    holds
}

fn all(words: &mut Words<'_>) -> bool {
    let mut holds = one(words);
    while words.next_if_eq(&"AND").is_some() {
        holds &= one(words);
    }
    holds
}

fn one(words: &mut Words<'_>) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let holds = any(words);
        return words.next() == Some(")") && holds;
    }
    let Some(name) = words.next() else {
        return false;
    };
    match words.next_if_eq(&"WITH") {
        Some(_) => words.next().is_some_and(|exception| {
            LICENSES.contains(&format!("{name} WITH {exception}").as_str())
        }),
        None => LICENSES.contains(&name),
    }
}

#[test]
fn license_expressions_are_read() {
    for (expression, expected) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0 WITH Other-exception", false),
        ("GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(fits(expression), expected, "{expression}");
    }
}
