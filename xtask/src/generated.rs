//! Generated files, and what others generate out of them: clients of the HTTP API.

use std::{fs, path::Path};

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    packages,
    process::{self, attached, cargo},
    report,
    service::{self, Build},
    workspace,
};

/// The description of the API that the service writes.
const OPENAPI: &str = "schema/openapi.json";

/// What to do with the generated files.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail when a file is not what the generator would write
    #[arg(long)]
    check: bool,
}

/// Writes the generated files, or checks them.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.check {
        return check();
    }
    // The service describes itself; everything about its bodies is read out of that.
    let document = process::output(&mut cargo(
        "run --quiet --locked --package widget-http -- openapi",
    ))?;
    let document = document.trim_end().to_owned() + "\n";
    fs::write(workspace::root().join(OPENAPI), document)?;
    process::run(&mut cargo(
        "run --quiet --locked --package widget-schema -- write",
    ))
}

/// Checks that the generated files are what the generator would write, that the public API of
/// `widget-core` is the listed one, and that the OpenAPI document is fit for generators of clients.
pub(crate) fn check() -> Result<()> {
    // What the tests have compiled; alone, the package would be compiled again with fewer features.
    service::build(Build::Workspace)?;
    let built = |name: &str, arguments: &str| {
        attached(workspace::target().join("debug").join(name), arguments)
    };
    let document = workspace::root().join(OPENAPI);
    let described = process::output(&mut built("widget-http", "openapi"))?;
    if fs::read_to_string(&document)?.trim_end() != described.trim_end() {
        bail!("{OPENAPI} is out of date.\n  run: cargo xtask gen");
    }
    process::run(&mut built("widget-schema", "check"))?;
    process::run(&mut cargo("test --locked --package xtask --test api"))?;
    let settings = workspace::root().join("xtask/clients");
    let output = workspace::empty_folder("xtask/clients")?;
    typescript(&document, &settings, &output)?;
    python(&document, &settings, &output)
}

/// A TypeScript client compiles under the strictest settings.
fn typescript(document: &Path, settings: &Path, output: &Path) -> Result<()> {
    packages::npm("the TypeScript client", settings)?;
    let programs = settings.join("node_modules/.bin");
    let client = output.join("client.ts");
    report::part("Compiling a TypeScript client of the API", || {
        let mut generate = attached(programs.join("openapi-typescript"), "--output");
        process::run_logged(generate.arg(&client).arg(document), "client-typescript")?;
        process::run(attached(programs.join("tsc"), "--strict --noEmit").arg(&client))
    })
}

/// All of a Python client can be imported.
fn python(document: &Path, settings: &Path, output: &Path) -> Result<()> {
    let python = packages::openapi_python()?;
    report::part("Importing a Python client of the API", || {
        let mut generate = attached(
            python.with_file_name("openapi-python-client"),
            "generate --overwrite --fail-on-warning --meta none --config",
        );
        generate.arg(settings.join("openapi-python-client.yml"));
        generate.arg("--path").arg(document);
        generate.arg("--output-path").arg(output.join("widgets"));
        process::run_logged(&mut generate, "client-python")?;
        let mut import = attached(&python, "-B");
        process::run(
            import
                .arg(settings.join("import_all.py"))
                .env("PYTHONPATH", output),
        )
    })
}
