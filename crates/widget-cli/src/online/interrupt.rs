//! What ends a command early: Ctrl-C, and the signals that a terminal that closes, a job that is
//! canceled or a system that stops send. All of them leave nothing half done.

use std::io;

/// Who wants the command to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// Ctrl-C; another program at the terminal gets it, too.
    Key,
    /// Somebody who ends this process.
    End,
}

/// Listens for what ends the command.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Interrupts {
    key: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Nothing when the command was started with `nohup`.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Interrupts {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            key: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if is_hang_up_ignored() {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    pub(super) async fn next(&mut self) -> Interrupt {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.key.recv() => Interrupt::Key,
            _ = self.terminate.recv() => Interrupt::End,
            _ = hang_up => Interrupt::End,
        }
    }
}

/// Whether `nohup` or the like started the command. Only Linux says it.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The signal with the number 1 is the first bit.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

/// Listens for what ends the command.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Interrupts;

#[cfg(not(unix))]
impl Interrupts {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Interrupt {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Interrupt::Key,
            Err(_) => std::future::pending().await,
        }
    }
}
