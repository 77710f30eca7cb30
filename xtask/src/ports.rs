//! Ports on loopback: free ones, and those of the last start, so that addresses stay the same.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    path::Path,
};

use anyhow::{Context as _, Result};

/// What the service and the site try first at the very first start.
const PREFERRED: [u16; 2] = [8080, 8090];

/// The ports of the service and the site as remembered in the folder, each replaced by a free one
/// when something listens there; remembered again.
pub(crate) fn remembered(folder: &Path) -> Result<[u16; 2]> {
    let file = folder.join("ports.json");
    let mut ports = fs::read(&file)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or(PREFERRED);
    for port in &mut ports {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err() {
            *port = free_tcp()?;
        }
    }
    fs::write(&file, serde_json::to_string(&ports)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(ports)
}

/// A TCP port that nobody listens on at this moment.
pub(crate) fn free_tcp() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// A UDP port that nobody listens on at this moment.
pub(crate) fn free_udp() -> Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(socket.local_addr()?.port())
}
