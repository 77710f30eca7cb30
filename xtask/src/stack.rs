//! The whole system on this machine: LiveKit, the service, the demo's records, the agent worker and
//! a site that embeds the widget. `dev` shows it to a person, the browser test to Chromium.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{
    agent,
    demo::{self, Demo},
    livekit::{self, Access},
    process::Supervisor,
    report,
    service::{self, Build, Service},
    site::Site,
};

/// Everything, running; dropping it stops everything.
pub(crate) struct Stack {
    pub(crate) supervisor: Supervisor,
    pub(crate) service: Service,
    /// The origin of the demo site.
    pub(crate) site: String,
    pub(crate) demo: Demo,
    /// The LiveKit server, unless the environment names one.
    livekit: Option<livekit::Server>,
    access: Access,
    python: PathBuf,
}

impl Stack {
    /// Installs and builds what is missing, then picks the ports and starts everything, with its
    /// records and logs in the folder, which must exist.
    pub(crate) fn start(
        folder: &Path,
        ports: impl FnOnce() -> Result<[u16; 2]>,
        build: Build,
        access: Option<Access>,
    ) -> Result<Self> {
        service::build(build)?;
        let python = agent::install()?;
        if access.is_none() {
            livekit::program()?;
        }
        // Only now: what is free before the builds may be in use after them.
        let [service_port, site_port] = ports()?;
        let mut supervisor = Supervisor::new(folder.join("logs"))?;
        let service = Service::new(service_port, folder);
        let (livekit, access) = if let Some(access) = access {
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
        let site = Site::listen(site_port)?;
        let origin = site.origin();
        let demo = report::part("Preparing the demo's agent and widget", || {
            demo::prepare(&service, folder, &origin)
        })?;
        site.serve(&demo.snippet, &service.origin());
        let mut stack = Self {
            supervisor,
            service,
            site: origin,
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
    pub(crate) fn start_part(&mut self, name: &str) -> Result<()> {
        let (access, supervisor) = (&self.access, &mut self.supervisor);
        match (name, &self.livekit) {
            (livekit::NAME, Some(server)) => server.start(supervisor),
            (service::NAME, _) => self.service.start(access, supervisor),
            (agent::NAME, _) => {
                let (service, key) = (self.service.origin(), &self.demo.worker_key);
                agent::start(&self.python, &service, key, access, supervisor)
            }
            _ => bail!("there is no part `{name}` to start"),
        }
    }
}
