//! The service as it is run while developing: built in the dev profile, with a database file of its
//! own.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    embed, http, livekit::Access, process, release::cargo, report, supervise::Supervisor, workspace,
};

/// The name under which it is supervised.
pub(crate) const NAME: &str = "widget-http";

/// A service on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) port: u16,
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
///
/// # Errors
/// When a build fails.
pub(crate) fn build(what: Build) -> Result<()> {
    embed::build()?;
    let which = match what {
        Build::Alone => &["--package", "widget-http"][..],
        // With the tests, since it is their set of features that has been compiled.
        Build::Workspace => &["--workspace", "--exclude", "xtask", "--bins", "--tests"],
    };
    report::part(
        "Building the service (minutes the first time, seconds later)",
        || process::run(cargo().args(["build", "--locked"]).args(which)),
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
            port,
            database: format!("sqlite:{}", folder.join("widgets.db").display()),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its own origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(&self, livekit: &Access, supervisor: &mut Supervisor) -> Result<()> {
        let mut command = process::attached(program());
        command
            .args(["serve", "--listen", &self.address().to_string()])
            .env("DATABASE_URL", &self.database)
            // Everybody here comes from one address.
            .env("WIDGET_LIMIT_TICKETS", "600")
            .env("WIDGET_LIMIT_CONVERSATIONS", "600")
            .env_remove("WIDGET_LISTEN")
            .env_remove("WIDGET_PUBLIC_URL");
        livekit.tell(&mut command);
        supervisor.start(NAME, command)?;
        let address = self.address();
        supervisor.wait(NAME, Duration::from_secs(30), |_| {
            http::is_up(address, "/readyz")
        })
    }

    /// Makes a key of the organization; the service may run meanwhile.
    ///
    /// # Errors
    /// When the service's command fails.
    pub(crate) fn new_key(
        &self,
        organization: &str,
        name: &str,
        scopes: &[&str],
    ) -> Result<String> {
        let mut command = Command::new(program());
        command.args([
            "key",
            "create",
            "--organization",
            organization,
            "--name",
            name,
        ]);
        for scope in scopes {
            command.args(["--scope", scope]);
        }
        let key = process::output(command.env("DATABASE_URL", &self.database))?
            .trim()
            .to_owned();
        if key.is_empty() {
            bail!("`widget-http key create` printed no key");
        }
        Ok(key)
    }
}
