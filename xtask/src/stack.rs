//! The whole system on this machine: LiveKit, the service, the demo's records, the agent worker and
//! a site that embeds the widget. `dev` shows it to a person, the browser test to Chromium.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    agent,
    demo::{self, Demo},
    livekit::{self, Access},
    ports::Ports,
    report,
    service::{self, Build, Service},
    site::Site,
    supervise::Supervisor,
};

/// Everything, running; dropping it stops everything.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) supervisor: Supervisor,
    pub(crate) service: Service,
    pub(crate) site: Site,
    pub(crate) demo: Demo,
    /// LiveKit's server, when it is one of our own.
    livekit: Option<livekit::Server>,
    access: Access,
    python: PathBuf,
}

impl Stack {
    /// Installs and builds what is missing, then picks the ports and starts everything, with its
    /// records and logs in the folder.
    ///
    /// # Errors
    /// When a tool is missing, something cannot be built, or a part does not start.
    pub(crate) fn start(
        folder: &Path,
        ports: impl FnOnce() -> Result<Ports>,
        build: Build,
        given: Option<Access>,
    ) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        service::build(build)?;
        let python = agent::install()?;
        if given.is_none() {
            livekit::program()?;
        }
        // Only now: what is free before the builds may be taken after them.
        let ports = ports()?;
        let mut supervisor = Supervisor::new(folder.join("logs"))?;
        let service = Service::new(ports.service, folder);
        let (livekit, access) = if let Some(access) = given {
            (None, access)
        } else {
            let server = livekit::Server::configure(folder, &service.origin())?;
            report::part("Starting the LiveKit server", || {
                server.start(&mut supervisor)
            })?;
            let access = server.access.clone();
            (Some(server), access)
        };
        report::part("Starting the service", || {
            service.start(&access, &mut supervisor)
        })?;
        let site = Site::serve(ports.site, &service.origin())?;
        let demo = report::part("Preparing the demo's agent and widget", || {
            demo::prepare(&service, folder, &site.origin())
        })?;
        site.embed(&demo.snippet);
        let mut stack = Self {
            supervisor,
            service,
            site,
            demo,
            livekit,
            access,
            python,
        };
        report::part("Starting the example agent", || {
            stack.start_part(agent::NAME)
        })?;
        Ok(stack)
    }

    /// Starts a part again that was stopped.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start_part(&mut self, name: &str) -> Result<()> {
        match (name, &self.livekit) {
            (livekit::NAME, Some(server)) => server.start(&mut self.supervisor),
            (service::NAME, _) => self.service.start(&self.access, &mut self.supervisor),
            (agent::NAME, _) => agent::start(
                &self.python,
                &self.service.origin(),
                &self.demo.worker_key,
                &self.access,
                &mut self.supervisor,
            ),
            _ => anyhow::bail!("there is no part `{name}` to start"),
        }
    }
}
