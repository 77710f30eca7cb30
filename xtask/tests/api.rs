//! The public API of `widget-core`, as other services see it, compared with a committed list, so
//! that a change of it is a decision.

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

use public_api::Builder;

/// The list, relative to this package.
const LIST: &str = "../crates/widget-core/public-api.txt";

/// What updates the list.
const UPDATE: &str = "UPDATE_EXPECT=1 cargo test -p xtask --test api";

#[test]
fn the_public_api_of_core_is_the_listed_one() {
    // A folder of its own: the variable below would have every build script run again.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    let status = Command::new(env::var_os("CARGO").expect("cargo runs the tests"))
        .args(["rustdoc", "--quiet", "--locked", "--package", "widget-core"])
        .args(["--lib", "--all-features", "--"])
        .args(["-Zunstable-options", "--output-format", "json"])
        // The JSON is not stable yet; the compiler is pinned, and the reader of the JSON with it.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "rustdoc ended with {status}");
    let api = Builder::from_rustdoc_json(target.join("doc/widget_core.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .expect("the JSON of the pinned compiler");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST);
    let actual = api.to_string();
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&list, &actual).expect("the list can be written");
    }
    let listed = fs::read_to_string(&list).expect("the list can be read");
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (listed.lines().collect(), actual.lines().collect());
    let removed = old.difference(&new).map(|line| format!("- {line}\n"));
    let added = new.difference(&old).map(|line| format!("+ {line}\n"));
    assert!(
        listed == actual,
        "the public API is not the listed one; if that is intended, run `{UPDATE}`:\n{}",
        removed.chain(added).collect::<String>()
    );
}
