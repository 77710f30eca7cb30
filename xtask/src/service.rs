//! The service as it is run while developing: built in the dev profile, with a database file of its
//! own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    embed, http,
    livekit::Access,
    process::{self, Supervisor},
    report, workspace,
};

/// The name under which it is supervised.
pub(crate) const NAME: &str = "widget-http";

/// What is compiled to get the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Build {
    /// Only what it needs, for somebody who wants to see it.
    Alone,
    /// The whole workspace, for the tests, which have compiled most of that already.
    Workspace,
}

/// Builds it, embed included.
pub(crate) fn build(what: Build) -> Result<()> {
    embed::build()?;
    let mut cargo = process::cargo(match what {
        Build::Alone => "build --locked --package widget-http",
        // With the tests, since it is their set of features that has been compiled.
        Build::Workspace => "build --locked --workspace --exclude xtask --bins --tests",
    });
    let title = "Building the service (minutes the first time, seconds later)";
    report::part(title, || process::run(&mut cargo))
}

/// The program that [`build`] makes.
pub(crate) fn program() -> PathBuf {
    workspace::target().join("debug/widget-http")
}

/// The file with the records in the folder.
pub(crate) fn database_file(folder: &Path) -> PathBuf {
    folder.join("widgets.db")
}

/// The URL of the database in the folder.
fn database(folder: &Path) -> String {
    format!("sqlite:{}", database_file(folder).display())
}

/// Starts it with its records in the folder and waits until it answers.
pub(crate) fn start(
    port: u16,
    folder: &Path,
    livekit: &Access,
    supervisor: &mut Supervisor,
) -> Result<()> {
    let address = format!("127.0.0.1:{port}");
    let mut command = process::attached(program(), "serve --listen");
    command
        .arg(&address)
        .env("DATABASE_URL", database(folder))
        // All visitors here have the same address.
        .env("WIDGET_LIMIT_TICKETS", "600")
        .env("WIDGET_LIMIT_CONVERSATIONS", "600")
        .env_remove("WIDGET_LISTEN")
        .env_remove("WIDGET_PUBLIC_URL")
        .env_remove("LIVEKIT_PUBLIC_URL")
        .envs(livekit.clone());
    let probe = format!("http://{address}/readyz");
    supervisor.start(NAME, command, move || http::is_up(&probe))
}

/// Creates an API key in the records of the folder; the service may be running.
pub(crate) fn create_key(folder: &Path, name: &str, scopes: &[&str]) -> Result<String> {
    let mut command = Command::new(program());
    command
        .args(["key", "create", "--organization", "demo", "--name", name])
        .args(scopes.iter().flat_map(|scope| ["--scope", scope]))
        .env("DATABASE_URL", database(folder));
    Ok(process::output(&mut command)?.trim().to_owned())
}
