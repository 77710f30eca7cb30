//! The system on this machine: LiveKit, the service with the demo's records, and for visitors the
//! example agent and a site that embeds the widget. `dev` shows it to a person, the browser test to
//! Chromium, the test of the API to Schemathesis.

use std::path::Path;

use anyhow::Result;

use crate::{
    agent,
    demo::{self, Demo},
    livekit::{self, Access},
    ports,
    process::Supervisor,
    report::part,
    service::{self, Build},
    site,
};

/// Everything that runs; dropping it stops everything.
pub(crate) struct Stack {
    pub(crate) supervisor: Supervisor,
    /// The origin of the service.
    pub(crate) service: String,
    /// How to reach LiveKit.
    pub(crate) livekit: Access,
    pub(crate) demo: Demo,
    site_port: u16,
}

impl Stack {
    /// Builds what is missing and starts LiveKit, unless the environment's is given, and the
    /// service, with its records and logs in the folder, which must exist. The ports of the service
    /// and of the site are those named, or free ones when these are in use.
    pub(crate) fn start(
        folder: &Path,
        [service_port, site_port]: [u16; 2],
        build: Build,
        livekit: Option<Access>,
    ) -> Result<Self> {
        service::build(build)?;
        if livekit.is_none() {
            livekit::program()?;
        }
        // Only now: what is free before the builds may be in use after them.
        let (service_port, site_port) = (ports::tcp(service_port)?, ports::tcp(site_port)?);
        let service = format!("http://127.0.0.1:{service_port}");
        let mut supervisor = Supervisor::new(folder.join("logs"))?;
        let livekit = match livekit {
            Some(access) => access,
            None => part("Starting the LiveKit server", || {
                livekit::start(&service, &mut supervisor)
            })?,
        };
        part("Starting the service", || {
            service::start(service_port, folder, &livekit, &mut supervisor)
        })?;
        let demo = part("Preparing the demo's agent and widget", || {
            demo::prepare(&service, folder, &site::origin(site_port))
        })?;
        Ok(Self {
            supervisor,
            service,
            livekit,
            demo,
            site_port,
        })
    }

    /// Serves the site and starts the agent that answers its visitors.
    pub(crate) fn start_for_visitors(&mut self) -> Result<()> {
        site::serve(self.site_port, self)?;
        part("Starting the example agent", || agent::start(self))
    }

    /// The origin of the demo site.
    pub(crate) fn site(&self) -> String {
        site::origin(self.site_port)
    }
}
