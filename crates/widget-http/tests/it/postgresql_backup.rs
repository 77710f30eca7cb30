//! `deploy/postgresql/database.sql` and the scripts of `deploy/backup`, on a server of the test's
//! own: two roles, and a backup under writes that is restored into another database.

use std::{env, fs, path::Path, process::Command};

use url::Url;

use crate::{
    database::{self, Database},
    postgresql::{
        backup::{assert_restored, deployed, printed, refused, write_during},
        process::{Server, command},
    },
};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// A command that finds the programs of PostgreSQL.
fn with_programs(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let psql = database::program("psql");
    let mut folders = vec![psql.parent().expect("it is in a folder").to_owned()];
    #[expect(
        clippy::disallowed_methods,
        reason = "tests find the programs of this machine by its variables"
    )]
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(program);
    command.env("PATH", env::join_paths(folders).expect("folders"));
    command
}

/// Runs `database.sql` as the superuser, with passwords where the roles do not exist yet.
fn make_database(server: &Url, name: &str, passwords: &[(&str, &str)]) {
    let mut psql = with_programs("psql");
    psql.args(["-X", "-q", "-f"])
        .arg(deployed("postgresql/database.sql"))
        .arg(server.as_str())
        .env("WIDGETS_DATABASE", name)
        .env_remove("WIDGETS_OWNER_PASSWORD")
        .env_remove("WIDGETS_SERVICE_PASSWORD")
        .envs(passwords.iter().copied());
    printed(&mut psql);
}

/// The URL of a database of the server for a role.
fn url(server: &Url, role: &str, password: &str, name: &str) -> String {
    let mut url = server.clone();
    url.set_username(role).expect("it names a server");
    url.set_password(Some(password)).expect("it names a server");
    url.set_path(name);
    url.into()
}

fn file_with(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("it can be written");
    path
}

#[test]
fn roles_are_separate_and_a_backup_under_writes_is_restored() {
    let server = database::Server::start();
    let server = server.url();
    // Only for its folder, and for commands that see nothing of the environment.
    let scratch = Database::create();
    let passwords = [
        ("WIDGETS_OWNER_PASSWORD", "owner's"),
        ("WIDGETS_SERVICE_PASSWORD", "service"),
    ];
    make_database(&server, "widgets", &passwords);
    let owner = |name: &str| url(&server, "widgets_owner", "secret", name);
    let service = |name: &str| url(&server, "widgets_service", "secret", name);
    let on = |url: &str, arguments: &[&str]| {
        let mut command = command(&scratch);
        command.env("DATABASE_URL", url).args(arguments);
        command
    };

    // The role of the service cannot migrate, and says what can.
    let complaint = refused(&mut on(&service("widgets"), &SERVE));
    assert!(
        complaint.contains("lacks migrations") && complaint.contains("`widget-http migrate`"),
        "{complaint}"
    );
    printed(&mut on(&owner("widgets"), &["migrate"]));
    let first = Server::start_as(&mut on(&service("widgets"), &SERVE));
    let mut create = with_programs("psql");
    create.args(["-X", "-c", "CREATE TABLE other (id INT)"]);
    let complaint = refused(create.arg(service("widgets")));
    assert!(complaint.contains("permission denied"), "{complaint}");

    let arguments = [
        "key",
        "create",
        "--organization",
        "acme",
        "--scope",
        "agents:manage",
    ];
    let key = printed(&mut on(&service("widgets"), &arguments));
    let key = key.trim();
    let folder = scratch.directory();
    let mut path = String::new();
    let from = file_with(folder, "from", &owner("widgets"));
    let (before, all) = write_during(&first, key, || {
        let mut backup = with_programs(deployed("backup/postgresql-backup.sh"));
        path = printed(backup.arg(&from).arg(folder));
    });

    let restore = |into: &str| {
        let into = file_with(folder, "into", &owner(into));
        let mut restore = with_programs(deployed("backup/postgresql-restore.sh"));
        restore.arg(into).arg(path.trim());
        restore
    };
    let complaint = refused(&mut restore("widgets"));
    assert!(complaint.contains("has tables"), "{complaint}");
    make_database(&server, "restored", &[]);
    let counts = printed(&mut restore("restored"));
    assert!(counts.lines().any(|line| line == "api_keys|1"), "{counts}");
    let second = Server::start_as(&mut on(&service("restored"), &SERVE));
    assert_restored(&second, key, &before, &all);
}

#[test]
fn a_password_that_cannot_be_passed_on_is_refused() {
    let scratch = Database::create();
    let folder = scratch.directory();
    let file = file_with(folder, "url", "postgres://owner:a%2Fb@127.0.0.1:1/widgets");
    let mut backup = with_programs(deployed("backup/postgresql-backup.sh"));
    let complaint = refused(backup.arg(&file).arg(folder));
    assert!(complaint.contains("letters and digits"), "{complaint}");
}
