//! Finding the programs that this project does not bring along, and saying how to install those
//! that are missing.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{process, report, workspace};

/// A program that must be there, and what to tell somebody who lacks it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    /// The lowest version that works, as major and minor.
    minimum: (u32, u32),
    version_argument: &'static str,
    why: &'static str,
    install_linux: &'static str,
    install_macos: &'static str,
}

/// Node.js, which builds and tests the embed.
pub(crate) const NODE: Tool = Tool {
    name: "node",
    minimum: (20, 19),
    version_argument: "--version",
    why: "it builds the script and the window that visitors load",
    install_linux: "curl -fsSL https://deb.nodesource.com/setup_22.x | sudo bash - && sudo apt-get install -y nodejs",
    install_macos: "brew install node",
};

/// npm, which installs the embed's packages.
pub(crate) const NPM: Tool = Tool {
    name: "npm",
    minimum: (9, 0),
    version_argument: "--version",
    why: "it installs the packages of the embed",
    install_linux: "sudo apt-get install -y npm",
    install_macos: "brew install node",
};

/// Python, which runs the example agent.
pub(crate) const PYTHON: Tool = Tool {
    name: "python3",
    minimum: (3, 11),
    version_argument: "--version",
    why: "it runs the example agent that answers visitors",
    install_linux: "sudo apt-get install -y python3 python3-venv",
    install_macos: "brew install python@3.12",
};

/// Go, which builds the LiveKit server when there is none.
pub(crate) const GO: Tool = Tool {
    name: "go",
    minimum: (1, 26),
    version_argument: "version",
    why: "it builds the LiveKit server once, since no `livekit-server` is on the PATH",
    install_linux: "curl -fsSL https://go.dev/dl/go1.26.8.linux-$(dpkg --print-architecture).tar.gz | sudo tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH",
    install_macos: "brew install livekit",
};

/// Checks all of the tools and reports every missing one together.
///
/// # Errors
/// When one is missing or too old, with what it is for and the command that installs it.
pub(crate) fn require(tools: &[Tool]) -> Result<()> {
    let missing: Vec<_> = tools.iter().filter_map(Tool::complaint).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("{}", missing.join("\n\n"))
}

/// Puts the complaints of several checks together, so that everything missing is told at once.
///
/// # Errors
/// When one of the checks failed.
pub(crate) fn together(checks: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let complaints: Vec<_> = checks
        .into_iter()
        .filter_map(Result::err)
        .map(|complaint| format!("{complaint:#}"))
        .collect();
    process::go_on()?;
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{}", complaints.join("\n\n"))
}

/// What to tell somebody who lacks something.
pub(crate) fn advice(found: &str, why: &str, linux: &str, macos: &str) -> String {
    let install = if cfg!(target_os = "macos") {
        macos
    } else {
        linux
    };
    format!("{found}: {why}.\n  install it with: {install}")
}

/// Installs a program with `apt-get`, where that is there and needs nobody's password; elsewhere it
/// does nothing. The script is run by a shell, after the lists of packages have been brought up to
/// date.
///
/// # Errors
/// When the installation fails.
pub(crate) fn install(name: &str, script: &str) -> Result<()> {
    if !nix::unistd::geteuid().is_root() || find("apt-get").is_none() {
        return Ok(());
    }
    report::part(&format!("Installing {name}"), || {
        let log = workspace::target().join(format!("xtask/{}-install.log", name.to_lowercase()));
        let mut shell = process::attached("sh");
        shell
            // A list that cannot be fetched may be one that is not needed.
            .args(["-ec", &format!("apt-get update || true; {script}")])
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::run_logged(&mut shell, &log)
            .with_context(|| format!("{name} is missing and cannot be installed"))
    })
}

impl Tool {
    fn complaint(&self) -> Option<String> {
        let found = match find(self.name) {
            None => format!("`{}` is missing", self.name),
            Some(path) => {
                let printed = process::output(Command::new(&path).arg(self.version_argument))
                    .unwrap_or_default();
                match Version::find_in(&printed) {
                    Some(version) if (version.0, version.1) >= self.minimum => {
                        return self
                            .name
                            .eq("python3")
                            .then(|| Self::venv_complaint(&path))
                            .flatten();
                    }
                    Some(version) => format!(
                        "`{}` is {version}, at least {}.{} is needed",
                        self.name, self.minimum.0, self.minimum.1
                    ),
                    None => format!("`{}` tells no version", path.display()),
                }
            }
        };
        Some(self.advice(&found))
    }

    fn venv_complaint(python: &Path) -> Option<String> {
        process::output(Command::new(python).args(["-c", "import venv, ensurepip"]))
            .is_err()
            .then(|| PYTHON.advice("Python's module `venv` is missing"))
    }

    fn advice(&self, found: &str) -> String {
        advice(found, self.why, self.install_linux, self.install_macos)
    }
}

/// A version as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version(u32, u32);

impl Version {
    /// The first thing in a text that looks like a version.
    fn find_in(text: &str) -> Option<Self> {
        text.split(|character: char| !(character.is_ascii_digit() || character == '.'))
            .find_map(|word| {
                let mut numbers = word.split('.');
                Some(Self(
                    numbers.next()?.parse().ok()?,
                    numbers.next()?.parse().ok()?,
                ))
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

/// Where a program is, looking through the PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (printed, expected) in [
            ("v20.19.1\n", Version(20, 19)),
            ("Python 3.11.7", Version(3, 11)),
            ("go version go1.26.8 linux/amd64", Version(1, 26)),
            ("11.2.0", Version(11, 2)),
        ] {
            assert_eq!(Version::find_in(printed), Some(expected), "{printed}");
        }
        assert_eq!(Version::find_in("no version. Sorry."), None);
    }

    #[test]
    fn a_missing_tool_is_named_with_its_reason_and_its_installation() {
        let tool = Tool {
            name: "no-such-program",
            ..NODE
        };
        let error = require(&[tool, tool])
            .expect_err("there is none")
            .to_string();
        assert_eq!(
            error
                .matches("`no-such-program` is missing: it builds")
                .count(),
            2,
            "{error}"
        );
        assert!(error.contains("install it with: "), "{error}");
    }

    #[test]
    fn complaints_are_told_together() {
        let error = together([Err(anyhow!("one")), Ok(()), Err(anyhow!("two"))])
            .expect_err("there are two")
            .to_string();
        assert_eq!(error, "one\n\ntwo");
        assert!(together([Ok(())]).is_ok());
    }
}
