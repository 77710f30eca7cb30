//! The scripts of `deploy/backup` for SQLite's file, on one that a service writes to meanwhile.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use crate::{
    database::Database,
    sqlite::{
        backup::{assert_restored, deployed, printed, refused, write_during},
        process::{Server, command, key},
    },
};

#[test]
fn a_backup_under_writes_is_restored() {
    let database = Database::create();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let mut server = Server::start_as(command(&database).args(serve));
    let key = key(&database, &["agents:manage"]);
    let folder = tempfile::tempdir().expect("a folder");
    // A name that has to be quoted.
    let folder = folder.path().join("it's here");
    fs::create_dir(&folder).expect("it can be made");
    let file = database.directory().join("widgets.db");
    let mut path = String::new();
    let (before, all) = write_during(&server, &key, || {
        path = printed(
            Command::new(deployed("backup/sqlite-backup.sh"))
                .arg(&file)
                .arg(&folder),
        );
    });
    let restore = || {
        let mut restore = Command::new(deployed("backup/sqlite-restore.sh"));
        restore.arg(path.trim()).arg(&file);
        restore
    };
    let complaint = refused(&mut restore());
    assert!(complaint.contains("stop the service"), "{complaint}");
    server.signal("-TERM");
    server.wait();
    for suffix in ["", "-wal", "-shm"] {
        let file = database.directory().join(format!("widgets.db{suffix}"));
        if file.exists() {
            fs::rename(&file, file.with_extension("before")).expect("it can be moved");
        }
    }
    let counts = printed(&mut restore());
    assert!(counts.lines().any(|line| line == "api_keys|1"), "{counts}");
    let server = Server::start_as(command(&database).args(serve));
    assert_restored(&server, &key, &before, &all);
}

/// The folder of a unit with a user of its own is a link.
#[test]
fn old_backups_are_removed_from_the_folder_alone() {
    let database = Database::create();
    let file = database.directory().join("widgets.db");
    printed(command(&database).arg("migrate"));
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, link) = (folder.path().join("backups"), folder.path().join("link"));
    fs::create_dir_all(kept.join("below")).expect("it can be made");
    std::os::unix::fs::symlink(&kept, &link).expect("it can be made");
    let long_ago = SystemTime::now() - Duration::from_hours(30 * 24);
    let old = ["widgets-1.db", "other-1.db", "below/widgets-1.db"].map(|name| kept.join(name));
    for path in &old {
        let file = fs::File::create(path).expect("it can be made");
        file.set_modified(long_ago).expect("it can be set");
    }
    let backup = printed(
        Command::new(deployed("backup/sqlite-backup.sh"))
            .arg(&file)
            .arg(&link),
    );
    assert!(Path::new(backup.trim()).exists());
    assert_eq!(old.map(|path| path.exists()), [false, true, true]);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let database = Database::create();
    let backup = database.directory().join("backup.db");
    fs::write(&backup, [1; 8192]).expect("it can be written");
    let file = database.directory().join("widgets.db");
    let mut restore = Command::new(deployed("backup/sqlite-restore.sh"));
    let complaint = refused(restore.arg(&backup).arg(&file));
    assert!(complaint.contains("is damaged"), "{complaint}");
    assert!(!file.exists());
}
