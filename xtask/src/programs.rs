//! Chromium and the server programs of PostgreSQL: finding them, or installing them where that
//! needs no password.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{process, tools, workspace::env_path};

/// Names the folder with PostgreSQL's programs, to this command and to the tests.
pub(crate) const POSTGRES_FOLDER: &str = "POSTGRES_BIN";
/// Names a PostgreSQL server that runs already; the tests then use it instead of one of their own.
const POSTGRES_SERVER: &str = "TEST_DATABASE_URL";

/// Where the packages of Debian, of PostgreSQL for Red Hat, and of Homebrew on both kinds of
/// processors put the programs of each version, and where Postgres.app has them.
const POSTGRES_PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Keeps Debian's package from creating and starting a server of the system during the
/// installation; the tests need only its programs.
const INSTALL_POSTGRES: &str = "apt-get install -y --no-install-recommends postgresql-common; \
    settings=/etc/postgresql-common/createcluster.conf; \
    cp -p $settings $settings.before; trap 'mv $settings.before $settings' EXIT; \
    pg_conftool $settings set create_main_cluster off; \
    apt-get install -y --no-install-recommends postgresql";

/// The folder with PostgreSQL's programs: `POSTGRES_BIN`, then what is on the PATH, what
/// `pg_config` names and what is usual, then what is installed now. Nothing when the tests are to
/// use a server that runs already.
pub(crate) fn postgres() -> Result<Option<PathBuf>> {
    if env_path(POSTGRES_SERVER).is_some() {
        return Ok(None);
    }
    if let Some(folder) = env_path(POSTGRES_FOLDER).or_else(find_postgres) {
        return Ok(Some(folder));
    }
    tools::install("PostgreSQL", INSTALL_POSTGRES)?;
    find_postgres().map(Some).with_context(|| {
        let advice = tools::advice(
            "`initdb` is missing",
            "the service is also tested on a PostgreSQL server of the tests' own",
            "sudo apt-get install -y postgresql",
            "brew install postgresql@17",
        );
        format!(
            "{advice}\n  or set {POSTGRES_SERVER} to the postgres: URL of a server whose user may create \
             roles and schemas"
        )
    })
}

fn find_postgres() -> Option<PathBuf> {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let configured = tools::find("pg_config")
        .and_then(|program| process::output(Command::new(program).arg("--bindir")).ok())
        .map(|folder| PathBuf::from(folder.trim()));
    let usual = POSTGRES_PLACES
        .iter()
        .filter_map(|pattern| glob::glob(pattern).ok())
        .flat_map(Iterator::flatten);
    env::split_paths(&on_path)
        .chain(configured)
        .chain(usual)
        .find(|folder| {
            ["initdb", "postgres"]
                .iter()
                .all(|name| folder.join(name).is_file())
        })
}

/// Chromium: `CHROMIUM`, then what is usual on the PATH, then what is installed now.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = env_path("CHROMIUM").or_else(find_chromium) {
        return Ok(path);
    }
    tools::install(
        "Chromium",
        "apt-get install -y --no-install-recommends chromium",
    )?;
    find_chromium().with_context(|| {
        tools::advice(
            "`chromium` is missing",
            "the browser test runs in it",
            "sudo apt-get install -y chromium",
            "brew install --cask chromium",
        )
    })
}

fn find_chromium() -> Option<PathBuf> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ];
    let installed = Path::new("/Applications/Chromium.app/Contents/MacOS/Chromium");
    names
        .into_iter()
        .find_map(tools::find)
        .or_else(|| installed.is_file().then(|| installed.to_owned()))
}
