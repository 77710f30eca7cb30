//! Ports on loopback: free ones, and those that were used before, so that addresses stay the same
//! from start to start.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    path::Path,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The two ports that a browser gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) service: u16,
    pub(crate) site: u16,
}

/// What is tried first at the very first start.
const PREFERRED: Ports = Ports {
    service: 8080,
    site: 8090,
};

impl Ports {
    /// The ports remembered in the folder, each replaced by a free one when it is taken; remembered
    /// again.
    ///
    /// # Errors
    /// When there is no free port or the folder cannot be written.
    pub(crate) fn remembered(folder: &Path) -> Result<Self> {
        let file = folder.join("ports.json");
        let before = fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let port = |name: &str, preferred: u16| {
            let port = before
                .as_ref()
                .and_then(|before| before[name].as_u64()?.try_into().ok())
                .unwrap_or(preferred);
            if is_free(port) { Ok(port) } else { free_tcp() }
        };
        let ports = Self {
            service: port("service", PREFERRED.service)?,
            site: port("site", PREFERRED.site)?,
        };
        fs::write(
            &file,
            json!({ "service": ports.service, "site": ports.site }).to_string(),
        )
        .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(ports)
    }

    /// Free ports.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn free() -> Result<Self> {
        Ok(Self {
            service: free_tcp()?,
            site: free_tcp()?,
        })
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A TCP port that nobody listens on at this moment.
///
/// # Errors
/// When there is none.
pub(crate) fn free_tcp() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("no free port")?
        .local_addr()?
        .port())
}

/// The same for UDP.
///
/// # Errors
/// When there is none.
pub(crate) fn free_udp() -> Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .context("no free port")?
        .local_addr()?
        .port())
}
