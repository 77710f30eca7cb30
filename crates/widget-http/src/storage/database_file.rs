//! The file of a database: whether it is still the one that was opened, and whether it may be used
//! at all.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A database that was opened: its file, and those that SQLite keeps beside it while somebody has
/// it open.
///
/// Whoever has a removed file open can write to it, and everything is lost with the process; so it
/// is looked for before every use.
#[derive(Debug, Clone)]
pub(super) struct DatabaseFile {
    /// With the identity of each.
    files: Arc<[(PathBuf, Identity)]>,
    is_lost: Arc<AtomicBool>,
}

/// Device and number of a file.
type Identity = (u64, u64);

/// The log, in which the newest writes are, and its index.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

impl DatabaseFile {
    /// The file at the path, with those that are beside it now and have to stay; `None` when the
    /// database is not in a file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut files = vec![(path.to_owned(), identity(path)?)];
        // SQLite follows a link and puts them beside the file itself.
        let file = path.canonicalize().ok()?;
        for ending in BESIDE {
            let mut beside = file.clone().into_os_string();
            beside.push(ending);
            let beside = PathBuf::from(beside);
            if let Some(identity) = identity(&beside) {
                files.push((beside, identity));
            }
        }
        Some(Self {
            files: files.into(),
            is_lost: Arc::default(),
        })
    }

    /// Fails while another file, or none, is at a path; logs when that begins and ends.
    pub(super) fn check(&self) -> Result<(), sqlx::Error> {
        let mut files = self.files.iter();
        let lost = files.find(|(path, known)| identity(path) != Some(*known));
        let was_lost = self.is_lost.swap(lost.is_some(), Ordering::Relaxed);
        let Some((path, _)) = lost else {
            if was_lost && let Some((path, _)) = self.files.first() {
                tracing::info!(file = %path.display(), "the file of the database is back");
            }
            return Ok(());
        };
        let file = path.display();
        if !was_lost {
            tracing::error!(
                %file,
                "the file of the database was removed or replaced, so nothing is read or written; \
                 put it back, or restart the service to use what is there"
            );
        }
        let message = format!("the file `{file}` was removed or replaced");
        Err(sqlx::Error::Io(io::Error::other(message)))
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Refuses a path on a network file system: the log of SQLite needs memory that all processes
/// share, and locks that hold.
pub(super) fn refuse_network(path: &Path) -> Result<(), sqlx::Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match network_name(folder) {
        None => {
            if let Some(number) = file_system(folder) {
                warn_of_unknown(path, number);
            }
            Ok(())
        }
        Some(name) => Err(sqlx::Error::Io(io::Error::other(format!(
            "`{}` is on a network file system ({name}), where SQLite loses data; use a local disk \
             or PostgreSQL",
            path.display()
        )))),
    }
}

/// Warns where nobody knows what is behind the file system: a local disk, or a machine elsewhere.
fn warn_of_unknown(path: &Path, number: u32) {
    if let Some(name) = name_of_unknown(number) {
        tracing::warn!(
            file = %path.display(),
            file_system = name,
            "SQLite loses data where locks or shared memory do not work, which nobody can know of \
             this file system; use a local disk or PostgreSQL, unless it is known to be local and \
             used by one machine alone"
        );
    }
}

#[cfg(target_os = "linux")]
fn network_name(folder: &Path) -> Option<&'static str> {
    file_system(folder).and_then(name_of_network)
}

#[cfg(target_os = "linux")]
fn file_system(folder: &Path) -> Option<u32> {
    let found = rustix::fs::statfs(folder).ok()?;
    // Some platforms have a signed number here.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the numbers have 32 bits"
    )]
    Some(found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn network_name(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<u32> {
    None
}

/// File systems that a program or another machine provides.
fn name_of_unknown(number: u32) -> Option<&'static str> {
    Some(match number {
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9p",
        0x786F_4256 => "vboxsf",
        0xBACB_ACBC => "vmhgfs",
        _ => return None,
    })
}

/// The network file systems among those of `linux/magic.h`.
#[cfg(target_os = "linux")]
fn name_of_network(number: u32) -> Option<&'static str> {
    Some(match number {
        0x6969 => "NFS",
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
        0x00C3_6400 => "Ceph",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7461_636F => "OCFS2",
        0x0116_1970 => "GFS2",
        0x0BD0_0BD0 => "Lustre",
        _ => return None,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut text = self.0.lock().expect("no test panics while holding it");
            text.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_file_system_of_a_program_or_another_machine_is_warned_of() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        // With only one subscriber in the process, a line that another thread is the first to
        // reach would be off for all.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        for number in [0x6573_5546, 0x0102_1997, 0xEF53, 0x6969] {
            warn_of_unknown(Path::new("/srv/widgets.db"), number);
        }
        let text = log.0.lock().expect("no test panics while holding it");
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        for (line, name) in lines.into_iter().zip(["FUSE", "9p"]) {
            assert!(line.contains("WARN"), "{line}");
            assert!(line.contains("file=/srv/widgets.db"), "{line}");
            assert!(line.contains(&format!("file_system=\"{name}\"")), "{line}");
        }
    }

    #[test]
    fn network_file_systems_are_named_and_local_ones_are_not() {
        for (number, expected) in [
            (0x6969, Some("NFS")),
            (0xFE53_4D42, Some("SMB")),
            // ext4, tmpfs, overlayfs, XFS and Btrfs.
            (0xEF53, None),
            (0x0102_1994, None),
            (0x794C_7630, None),
            (0x5846_5342, None),
            (0x9123_683E, None),
        ] {
            assert_eq!(name_of_network(number), expected, "{number:x}");
            assert_eq!(name_of_unknown(number), None, "{number:x}");
        }
        assert_eq!(name_of_unknown(0x6573_5546), Some("FUSE"));
        assert_eq!(name_of_unknown(0x0102_1997), Some("9p"));
        assert_eq!(name_of_network(0x6573_5546), None);
        assert!(refuse_network(&std::env::temp_dir().join("widgets.db")).is_ok());
        assert!(refuse_network(Path::new("widgets.db")).is_ok());
    }
}
