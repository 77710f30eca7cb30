//! The laws of the fuzz targets, on the inputs that are committed for them.

use std::{fs, path::PathBuf};

#[expect(
    unreachable_pub,
    reason = "the file is a crate of its own to the fuzzer"
)]
#[path = "../../../../fuzz/src/lib.rs"]
mod laws;

fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|file| fs::read(file.expect("an entry").path()).expect("a file"))
        .collect();
    assert!(inputs.len() >= 10, "{target}: {} inputs", inputs.len());
    inputs
}

#[test]
fn origin() {
    for data in inputs("origin") {
        laws::origin(&data);
    }
}

#[test]
fn config() {
    for data in inputs("config") {
        laws::config(&data);
    }
}

#[test]
fn form() {
    for data in inputs("form") {
        laws::form(&data);
    }
}
