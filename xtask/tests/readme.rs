//! The Rust in the README compiles as it stands, for somebody who depends on `widget-core`.

use std::{env, fs, path::Path, process::Command};

/// What the text around the example declares; what the example declares itself hides these.
const SIGNATURE: &str = "fn example(
    organization: widget_core::id::OrganizationId,
    agent: widget_core::id::AgentId,
    version: widget_core::id::AgentVersionId,
    id: widget_core::id::WidgetId,
    now: time::OffsetDateTime,
    public_url: url::Url,
) -> Result<(), Box<dyn std::error::Error>>";

#[test]
fn the_rust_of_the_readme_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let examples: Vec<_> = readme
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .enumerate()
        .map(|(number, (code, _))| {
            format!("mod block_{number} {{ pub {SIGNATURE} {{\n{code}\nOk(()) }} }}\n")
        })
        .collect();
    assert!(!examples.is_empty(), "the README shows Rust");

    // A workspace of its own, as a user has one, with the versions that are tested here.
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(&package).expect("the folder of the package");
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("the lock file");
    let core = root.join("crates/widget-core");
    let manifest = format!(
        "[package]\nname = \"readme\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
         [dependencies]\ntime = \"0.3\"\nurl = \"2\"\nwidget-core = {{ path = {core:?} }}\n"
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("the manifest");
    let lib = format!("#![allow(unused)]\n{}", examples.concat());
    fs::write(package.join("lib.rs"), lib).expect("the library");
    let output = Command::new(env::var_os("CARGO").expect("cargo runs the tests"))
        .args(["check", "--quiet", "--offline", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", package.join("target"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the README's Rust:\n{errors}");
}
