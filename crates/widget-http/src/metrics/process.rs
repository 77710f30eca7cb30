//! What the system reports about the process.

use super::{catalog::Metric, snapshot::Snapshot};

/// Adds what is known; a system without `/proc` reports nothing.
#[cfg(target_os = "linux")]
pub(super) fn write(snapshot: &mut Snapshot) {
    use procfs::{CurrentSI, KernelStats, WithCurrentSystemInfo, process::Process};

    let Ok(process) = Process::myself() else {
        return;
    };
    if let Ok(stat) = process.stat() {
        snapshot.count(Metric::ProcessMemory, [], stat.rss_bytes().get());
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds are far below what a double represents"
        )]
        let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
        snapshot.real(Metric::ProcessCpu, [], seconds(stat.utime + stat.stime));
        if let Ok(system) = KernelStats::current() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds are far below what a double represents"
            )]
            let boot = system.btime as f64;
            snapshot.real(Metric::ProcessStart, [], boot + seconds(stat.starttime));
        }
    }
    if let Ok(files) = process.fd_count() {
        snapshot.count(Metric::ProcessFiles, [], files.try_into().unwrap_or(0));
    }
    if let Ok(limits) = process.limits()
        && let procfs::process::LimitValue::Value(files) = limits.max_open_files.soft_limit
    {
        snapshot.count(Metric::ProcessFilesMax, [], files);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn write(_: &mut Snapshot) {}
