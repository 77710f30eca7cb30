//! The service as it is run while developing: built in the dev profile, with a database file of its
//! own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
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

/// A service on this machine.
pub(crate) struct Service {
    address: String,
    database: String,
}

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
    report::part(
        "Building the service (minutes the first time, seconds later)",
        || process::run(&mut cargo),
    )
}

/// The program that [`build`] makes.
pub(crate) fn program() -> PathBuf {
    workspace::target().join("debug/widget-http")
}

impl Service {
    /// A service that will listen on the port and keep its records in the folder.
    pub(crate) fn new(port: u16, folder: &Path) -> Self {
        Self {
            address: format!("127.0.0.1:{port}"),
            database: format!("sqlite:{}", folder.join("widgets.db").display()),
        }
    }

    /// Its own origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&self, livekit: &Access, supervisor: &mut Supervisor) -> Result<()> {
        let mut command = process::attached(program());
        command
            .args(["serve", "--listen", &self.address])
            .env("DATABASE_URL", &self.database)
            // All visitors here have the same address.
            .env("WIDGET_LIMIT_TICKETS", "600")
            .env("WIDGET_LIMIT_CONVERSATIONS", "600")
            .env_remove("WIDGET_LISTEN")
            .env_remove("WIDGET_PUBLIC_URL");
        livekit.export(&mut command);
        let probe = format!("{}/readyz", self.origin());
        supervisor.start(NAME, command, Duration::from_secs(30), |_| {
            http::is_up(&probe)
        })
    }

    /// Creates a key of the organization; the service may be running.
    pub(crate) fn create_key(
        &self,
        organization: &str,
        name: &str,
        scopes: &[&str],
    ) -> Result<String> {
        let mut command = Command::new(program());
        command
            .args(["key", "create", "--organization", organization])
            .args(["--name", name])
            .args(scopes.iter().flat_map(|scope| ["--scope", scope]));
        let key = process::output(command.env("DATABASE_URL", &self.database))?;
        Ok(key.trim().to_owned())
    }
}
