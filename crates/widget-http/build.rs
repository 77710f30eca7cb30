//! Makes sure that the built embed is there to be put into the binary.
//!
//! A release without it would be a service that serves nothing to visitors, so that is an error. A
//! debug build goes on: most work on the service needs no embed, and the routes that do say what is
//! missing.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo's variables are never empty"
)]

use std::{env, fs, path::Path};

/// The files without which nothing can be served.
const NEEDED: [&str; 2] = ["loader.js", "window/.vite/manifest.json"];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let dist = Path::new(&root).join("../../embed/dist");
    let missing = NEEDED.iter().find(|file| !dist.join(file).is_file());
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if let (true, Some(file)) = (is_release, missing) {
        println!(
            "cargo::error=embed/dist/{file} is missing, and a release carries the embed inside: \
             build both with `cargo xtask build`, or the embed alone with `npm --prefix embed ci && npm --prefix embed run build`"
        );
    }
    if let Err(error) = fs::create_dir_all(&dist) {
        println!("cargo::error=the folder embed/dist cannot be created: {error}");
    }
    println!("cargo::rerun-if-changed=../../embed/dist");
    println!("cargo::rerun-if-changed=build.rs");
}
