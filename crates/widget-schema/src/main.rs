//! Writes the JSON Schemas of what this project stores and takes, and the TypeScript types of the
//! embed, from the definitions in `widget-core`; or checks that the committed files are those.
//!
//! The schemas come from the same definitions that check a config, so a limit is written once.

mod record;
mod typescript;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use serde_json::Value;
use widget_core::config;

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
            for file in generated() {
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
            let stale = stale(&root);
            for path in &stale {
                writeln!(io::stderr(), "{path} is not what its definition says")?;
            }
            if stale.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            writeln!(
                io::stderr(),
                "\nhint: run `cargo run -p widget-schema -- write`"
            )?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The root of the workspace that this tool is part of.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every generated file as it should be.
fn generated() -> Vec<Generated> {
    let config = config::json_schema();
    vec![
        Generated {
            path: "embed/src/generated/config.ts",
            content: typescript::config_types(&config),
        },
        schema("schema/widget.schema.json", &record::widget()),
        schema("schema/new-widget.schema.json", &record::new_widget()),
        schema("schema/widget-patch.schema.json", &record::widget_patch()),
        schema("schema/config.schema.json", &config),
    ]
}

fn schema(path: &'static str, schema: &Value) -> Generated {
    Generated {
        path,
        content: format!("{schema:#}\n"),
    }
}

/// The generated files that are not as they should be.
fn stale(root: &Path) -> Vec<&'static str> {
    generated()
        .into_iter()
        .filter(|file| {
            fs::read_to_string(root.join(file.path)).ok().as_ref() != Some(&file.content)
        })
        .map(|file| file.path)
        .collect()
}

#[cfg(test)]
mod tests;
