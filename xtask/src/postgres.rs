//! Finding the server programs of PostgreSQL, or installing them where that needs nobody's
//! password. The tests of the storage start a server of their own with them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{process, tools};

/// Names the folder with the programs: to this command, which may find it elsewhere, and to the
/// tests.
pub(crate) const PROGRAMS: &str = "POSTGRES_BIN";
/// Names a server that is there already, which the tests then use instead of one of their own.
const SERVER: &str = "TEST_DATABASE_URL";

/// What the tests run.
const NEEDED: [&str; 2] = ["initdb", "postgres"];

/// Where the versions of PostgreSQL have a folder each, and what its name begins with, the version
/// following: Debian's packages, PostgreSQL's own for Red Hat, Homebrew on both kinds of
/// processors, and Postgres.app.
const PLACES: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// Keeps Debian's package from making and starting a server of the system while it is installed;
/// the tests need only its programs.
const INSTALL: &str = "apt-get install -y --no-install-recommends postgresql-common; \
    settings=/etc/postgresql-common/createcluster.conf; \
    cp -p $settings $settings.before; trap 'mv $settings.before $settings' EXIT; \
    pg_conftool $settings set create_main_cluster off; \
    apt-get install -y --no-install-recommends postgresql";

/// The folder with the programs: `POSTGRES_BIN`, then what is on the PATH, what `pg_config` names
/// and what is usual, newest first, then what is installed now. Nothing when the tests are to use a
/// server that is there already.
///
/// # Errors
/// When there is none and it cannot be installed here.
pub(crate) fn programs() -> Result<Option<PathBuf>> {
    if is_set(SERVER) {
        return Ok(None);
    }
    if let Some(folder) = env::var_os(PROGRAMS).filter(|folder| !folder.is_empty()) {
        return Ok(Some(folder.into()));
    }
    if let Some(folder) = find() {
        return Ok(Some(folder));
    }
    tools::install("PostgreSQL", INSTALL)?;
    find().map(Some).with_context(|| {
        let advice = tools::advice(
            "`initdb` is missing",
            "the storage is also tested on a PostgreSQL server of the tests' own",
            "sudo apt-get install -y postgresql",
            "brew install postgresql@17",
        );
        format!(
            "{advice}\n  or set {SERVER} to the postgres: URL of a server whose user may make databases"
        )
    })
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let told = tools::find("pg_config")
        .and_then(|program| process::output(Command::new(program).arg("--bindir")).ok())
        .map(|folder| PathBuf::from(folder.trim()));
    env::split_paths(&path)
        .chain(told)
        .chain(usual())
        .find(|folder| NEEDED.iter().all(|name| folder.join(name).is_file()))
}

/// The folders in which it usually is, newest version first.
fn usual() -> Vec<PathBuf> {
    let mut found: Vec<_> = PLACES
        .iter()
        .flat_map(|(place, prefix)| versions(Path::new(place), prefix))
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found
        .into_iter()
        .map(|(_, folder)| folder.join("bin"))
        .collect()
}

fn versions(place: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    fs::read_dir(place)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((version(path.file_name()?.to_str()?, prefix)?, path))
        })
        .collect()
}

/// The major version in the name of a folder.
fn version(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_names_of_folders() {
        for (name, prefix, expected) in [
            ("15", "", Some(15)),
            ("9.6", "", Some(9)),
            ("pgsql-17", "pgsql-", Some(17)),
            ("postgresql@16", "postgresql@", Some(16)),
            ("local", "pgsql-", None),
            ("latest", "", None),
        ] {
            assert_eq!(version(name, prefix), expected, "{name}");
        }
    }
}
