//! Programs that this project does not bring along: finding them, installing those that need no
//! password, and saying how to install the others.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{process, report, workspace::env_path};

/// A program that must be there, and what somebody who lacks it needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    why: &'static str,
    /// Names on the PATH and patterns of paths, the preferred one first.
    places: &'static [&'static str],
    /// Environment variables that name the program, or what is used instead.
    variables: &'static [&'static str],
    /// The arguments that print the version, and the lowest one that works, as major and minor.
    version: Option<(&'static [&'static str], (u32, u32))>,
    /// What a shell runs on Debian as root to install it.
    install: Option<&'static str>,
    on_linux: &'static str,
    on_macos: &'static str,
}

pub(crate) const NODE: Tool = Tool {
    name: "node",
    why: "it builds the script and the window that visitors load",
    places: &["node"],
    variables: &[],
    version: Some((&["--version"], (20, 19))),
    install: None,
    on_linux: "curl -fsSL https://deb.nodesource.com/setup_22.x | sudo bash - && \
        sudo apt-get install -y nodejs",
    on_macos: "brew install node",
};

pub(crate) const NPM: Tool = Tool {
    name: "npm",
    why: "it installs the packages of the embed",
    places: &["npm"],
    version: Some((&["--version"], (9, 0))),
    on_linux: "sudo apt-get install -y npm",
    ..NODE
};

pub(crate) const PYTHON: Tool = Tool {
    name: "python3",
    why: "with its module `venv` it runs the example agent that answers visitors",
    places: &["python3"],
    version: Some((&["-c", PYTHON_VERSION], (3, 11))),
    on_linux: "sudo apt-get install -y python3 python3-venv",
    on_macos: "brew install python@3.12",
    ..NODE
};

/// Fails where the installation lacks a module.
const PYTHON_VERSION: &str = "import ensurepip, platform, venv; print(platform.python_version())";

/// Needed only where there is no LiveKit server.
pub(crate) const GO: Tool = Tool {
    name: "go",
    why: "it builds the LiveKit server once, since no `livekit-server` is on the PATH",
    places: &["go"],
    version: Some((&["version"], (1, 26))),
    on_linux: "curl -fsSL https://go.dev/dl/go1.26.8.linux-$(dpkg --print-architecture).tar.gz | \
        sudo tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH",
    on_macos: "brew install livekit",
    ..NODE
};

pub(crate) const CHROMIUM: Tool = Tool {
    name: "chromium",
    why: "the browser test runs in it",
    places: &[
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
    variables: &["CHROMIUM"],
    version: None,
    install: Some("apt-get install -y --no-install-recommends chromium"),
    on_linux: "sudo apt-get install -y chromium",
    on_macos: "brew install --cask chromium",
};

/// The other browser engine that Debian has with all that a conversation needs.
pub(crate) const FIREFOX: Tool = Tool {
    name: "firefox",
    why: "text, voice and looks are tested in it too",
    places: &[
        "firefox-esr",
        "firefox",
        "/Applications/Firefox.app/Contents/MacOS/firefox",
    ],
    variables: &["FIREFOX"],
    install: Some("apt-get install -y --no-install-recommends firefox-esr"),
    on_linux: "sudo apt-get install -y firefox-esr",
    on_macos: "brew install --cask firefox",
    ..CHROMIUM
};

/// The server programs, found by one of them: the tests start a server of their own.
pub(crate) const POSTGRESQL: Tool = Tool {
    name: "postgresql",
    why: "the service is tested on it too, unless TEST_DATABASE_URL names a server whose user may \
        create roles and schemas",
    // The packages of Debian, of PostgreSQL for Red Hat, of Homebrew on both kinds of processors,
    // and Postgres.app.
    places: &[
        "initdb",
        "/usr/lib/postgresql/*/bin/initdb",
        "/usr/pgsql-*/bin/initdb",
        "/opt/homebrew/opt/postgresql@*/bin/initdb",
        "/usr/local/opt/postgresql@*/bin/initdb",
        "/Applications/Postgres.app/Contents/Versions/*/bin/initdb",
    ],
    variables: &["POSTGRES_BIN", "TEST_DATABASE_URL"],
    version: None,
    // Keeps Debian's package from creating and starting a server of the system.
    install: Some(
        "apt-get install -y --no-install-recommends postgresql-common; \
        settings=/etc/postgresql-common/createcluster.conf; \
        cp -p $settings $settings.before; trap 'mv $settings.before $settings' EXIT; \
        pg_conftool $settings set create_main_cluster off; \
        apt-get install -y --no-install-recommends postgresql",
    ),
    on_linux: "sudo apt-get install -y postgresql",
    on_macos: "brew install postgresql@17",
};

/// A pooler in front of PostgreSQL.
pub(crate) const PGBOUNCER: Tool = Tool {
    name: "pgbouncer",
    why: "the service is tested behind it",
    places: &[
        "pgbouncer",
        "/usr/sbin/pgbouncer",
        "/opt/homebrew/bin/pgbouncer",
        "/usr/local/bin/pgbouncer",
    ],
    variables: &["PGBOUNCER"],
    version: None,
    // Debian's package starts a pooler of the system.
    install: Some(
        "apt-get install -y --no-install-recommends pgbouncer; \
        systemctl disable --now pgbouncer || true",
    ),
    on_linux: "sudo apt-get install -y pgbouncer",
    on_macos: "brew install pgbouncer",
};

/// A proxy in front of two services.
pub(crate) const NGINX: Tool = Tool {
    name: "nginx",
    why: "the service is tested behind it, with the configurations of deploy/nginx and docs/scale.md",
    places: &[
        "nginx",
        "/usr/sbin/nginx",
        "/opt/homebrew/bin/nginx",
        "/usr/local/bin/nginx",
    ],
    variables: &["NGINX"],
    version: None,
    // Debian's package starts a server of the system.
    install: Some(
        "apt-get install -y --no-install-recommends nginx-light; \
        systemctl disable --now nginx || true",
    ),
    on_linux: "sudo apt-get install -y nginx-light",
    on_macos: "brew install nginx",
};

/// The shell of SQLite.
pub(crate) const SQLITE: Tool = Tool {
    name: "sqlite3",
    why: "the scripts of deploy/backup use it",
    places: &["sqlite3"],
    variables: &[],
    version: None,
    install: Some("apt-get install -y --no-install-recommends sqlite3"),
    on_linux: "sudo apt-get install -y sqlite3",
    on_macos: "brew install sqlite",
};

/// Needed only on Linux.
pub(crate) const SYSTEMD: Tool = Tool {
    name: "systemd-analyze",
    why: "it checks the units of deploy/systemd",
    places: &["systemd-analyze"],
    variables: &[],
    version: None,
    install: Some("apt-get install -y --no-install-recommends systemd"),
    on_linux: "sudo apt-get install -y systemd",
    on_macos: "",
};

/// Its checker of rules.
pub(crate) const PROMETHEUS: Tool = Tool {
    name: "promtool",
    why: "it checks the rules of deploy/prometheus",
    places: &["promtool"],
    variables: &[],
    version: None,
    // Debian's package starts a server of the system.
    install: Some(
        "apt-get install -y --no-install-recommends prometheus; \
        systemctl disable --now prometheus || true",
    ),
    on_linux: "sudo apt-get install -y prometheus",
    on_macos: "brew install prometheus",
};

/// By which several LiveKit servers know of each other.
pub(crate) const REDIS: Tool = Tool {
    name: "redis-server",
    why: "the service is tested with several LiveKit servers, which know of each other by it",
    places: &[
        "redis-server",
        "/opt/homebrew/bin/redis-server",
        "/usr/local/bin/redis-server",
    ],
    variables: &["REDIS_SERVER"],
    version: None,
    // Debian's package starts a server of the system.
    install: Some(
        "apt-get install -y --no-install-recommends redis-server; \
        systemctl disable --now redis-server || true",
    ),
    on_linux: "sudo apt-get install -y redis-server",
    on_macos: "brew install redis",
};

impl Tool {
    /// Where the program is, or what a variable names; installed where that needs no password.
    pub(crate) fn require(&self) -> Result<PathBuf> {
        if let Some(named) = self.variables.iter().find_map(|name| env_path(name)) {
            return Ok(named);
        }
        let mut found = self.find();
        if let (None, Some(script)) = (&found, self.install) {
            apt_get(self.name, script)?;
            found = self.find();
        }
        let fault = match found {
            None => format!("`{}` is missing", self.name),
            Some(path) => match self.fault(&path) {
                None => return Ok(path),
                Some(fault) => fault,
            },
        };
        bail!(
            "{fault}: {}.\n  install it with: {}",
            self.why,
            self.advice()
        )
    }

    /// Where the program is installed.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        self.places.iter().find_map(|place| {
            if place.starts_with('/') {
                glob::glob(place).ok()?.flatten().next()
            } else {
                find(place)
            }
        })
    }

    /// What is wrong with the installed program, if anything.
    fn fault(&self, path: &Path) -> Option<String> {
        let (name, (arguments, minimum)) = (self.name, self.version?);
        let printed = process::output(Command::new(path).args(arguments)).unwrap_or_default();
        match version(&printed) {
            None => Some(format!("`{name}` is incomplete")),
            Some(found) if found >= minimum => None,
            Some((major, minor)) => Some(format!(
                "`{name}` is {major}.{minor}, at least {}.{} is needed",
                minimum.0, minimum.1
            )),
        }
    }

    fn advice(&self) -> &'static str {
        if cfg!(target_os = "macos") {
            self.on_macos
        } else {
            self.on_linux
        }
    }
}

/// Requires all of the tools, and reports everything that is missing at once.
pub(crate) fn require(tools: &[Tool]) -> Result<()> {
    let errors = tools.iter().filter_map(|tool| tool.require().err());
    let errors: Vec<_> = errors.map(|error| format!("{error:#}")).collect();
    process::check_stop()?;
    if errors.is_empty() {
        return Ok(());
    }
    bail!("{}", errors.join("\n\n"))
}

/// Runs the script where there is `apt-get` and no password is needed; elsewhere it does nothing.
fn apt_get(name: &str, script: &str) -> Result<()> {
    if !nix::unistd::geteuid().is_root() || find("apt-get").is_none() {
        return Ok(());
    }
    let mut shell = process::attached("sh", "-ec");
    shell.env("DEBIAN_FRONTEND", "noninteractive");
    // A list of packages that cannot be fetched may be one that is not needed.
    shell.arg(format!("apt-get update || true; {script}"));
    report::part(&format!("Installing {name}"), || {
        process::run_logged(&mut shell, &format!("{name}-install"))
            .with_context(|| format!("`{name}` is missing and cannot be installed"))
    })
}

/// Where a program is, looking through the PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The first thing in a text that looks like a version, as major and minor.
fn version(text: &str) -> Option<(u32, u32)> {
    text.split(|character: char| !(character.is_ascii_digit() || character == '.'))
        .find_map(|word| {
            let mut numbers = word.split('.').map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (printed, expected) in [
            ("v20.19.1\n", Some((20, 19))),
            ("go version go1.26.8 linux/amd64", Some((1, 26))),
            ("11.2.0", Some((11, 2))),
            ("no version. Sorry.", None),
        ] {
            assert_eq!(version(printed), expected, "{printed}");
        }
    }

    #[test]
    fn every_missing_tool_is_named_with_its_reason_and_its_installation() {
        let tool = Tool {
            name: "no-such-program",
            places: &["no-such-program"],
            ..NODE
        };
        let error = require(&[tool, tool]).expect_err("there is none");
        let (why, advice) = (tool.why, tool.advice());
        let one = format!("`no-such-program` is missing: {why}.\n  install it with: {advice}");
        assert_eq!(error.to_string(), format!("{one}\n\n{one}"));
    }
}
