//! Writes the JSON Schemas of what this project stores, accepts and answers, the TypeScript types
//! of the embed and the tables of keys in `docs/config.md`; or checks that the committed files are
//! those.
//!
//! The config's schema comes from the definitions in `widget-core` that check a config, those of
//! the bodies from `schema/openapi.json`, which the service writes from its own routes
//! (`widget-http openapi`): nothing is written down twice.

mod bodies;
mod keys;
mod typescript;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use serde_json::Value;
use widget_core::config;

use crate::bodies::Bodies;

/// The command line.
#[derive(Debug, Parser)]
#[command(version, about = "Writes and checks the generated schemas and types")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Write every generated file.
    Write,
    /// Fail, naming the files, when one is not what `write` would write.
    Check,
}

/// The document with the tables of keys, which is written by hand around them.
const CONFIG_DOCUMENT: &str = "docs/config.md";

/// One generated file.
struct Generated {
    /// From the root of the workspace.
    path: &'static str,
    content: String,
}

fn main() -> Result<ExitCode> {
    let root = workspace();
    match Arguments::parse().command {
        Command::Write => {
            for file in generated(&root)? {
                let path = root.join(file.path);
                if fs::read_to_string(&path).is_ok_and(|content| content == file.content) {
                    continue;
                }
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)
                        .with_context(|| format!("cannot make {}", folder.display()))?;
                }
                fs::write(&path, &file.content)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                writeln!(io::stdout(), "{}", file.path)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check => {
            let stale = find_stale(&root)?;
            for path in &stale {
                writeln!(io::stderr(), "{path} is out of date")?;
            }
            if stale.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            writeln!(io::stderr(), "\nhint: run `cargo xtask gen`")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The root of the workspace that this tool is part of.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every generated file as it should be.
fn generated(root: &Path) -> Result<Vec<Generated>> {
    let config = config::json_schema();
    let bodies = Bodies::new(&openapi(root)?, &config);
    Ok(vec![
        Generated {
            path: "embed/src/generated/api.ts",
            content: typescript::body_types(&bodies),
        },
        Generated {
            path: "embed/src/generated/codes.ts",
            content: typescript::codes(),
        },
        Generated {
            path: "embed/src/generated/languages.ts",
            content: typescript::languages(),
        },
        Generated {
            path: "embed/src/generated/limits.ts",
            content: typescript::limits(),
        },
        Generated {
            path: "embed/src/generated/config.ts",
            content: typescript::config_types(&config::launcher_json_schema()),
        },
        schema("schema/widget.schema.json", &bodies.alone("Widget")),
        schema("schema/new-widget.schema.json", &bodies.alone("NewWidget")),
        schema(
            "schema/widget-patch.schema.json",
            &bodies.alone("WidgetPatch"),
        ),
        schema("schema/api.schema.json", &bodies.all()),
        schema("schema/config.schema.json", &config),
        Generated {
            path: CONFIG_DOCUMENT,
            content: keys::replace(&read(root, CONFIG_DOCUMENT)?, &config)?,
        },
    ])
}

/// The document that the service has written about itself.
fn openapi(root: &Path) -> Result<Value> {
    let path = "schema/openapi.json";
    serde_json::from_str(&read(root, path)?).with_context(|| format!("{path} is not JSON"))
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path))
        .with_context(|| format!("cannot read {path}; run `cargo xtask gen`"))
}

fn schema(path: &'static str, schema: &Value) -> Generated {
    Generated {
        path,
        content: format!("{schema:#}\n"),
    }
}

/// The generated files that are not as they should be.
fn find_stale(root: &Path) -> Result<Vec<&'static str>> {
    Ok(generated(root)?
        .into_iter()
        .filter(|file| {
            fs::read_to_string(root.join(file.path)).ok().as_ref() != Some(&file.content)
        })
        .map(|file| file.path)
        .collect())
}

#[cfg(test)]
mod tests;
