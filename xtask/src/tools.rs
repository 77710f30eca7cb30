//! Finding the programs that this project does not bring along, and saying how to install those
//! that are missing.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{process, report};

/// A program that must be there, and what somebody who lacks it needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    /// The lowest version that works, as major and minor.
    minimum: (u32, u32),
    /// What prints the version, or fails when the installation lacks something.
    probe: &'static [&'static str],
    why: &'static str,
    on_linux: &'static str,
    on_macos: &'static str,
}

/// Node.js, which builds and tests the embed.
pub(crate) const NODE: Tool = Tool {
    name: "node",
    minimum: (20, 19),
    probe: &["--version"],
    why: "it builds the script and the window that visitors load",
    on_linux: "curl -fsSL https://deb.nodesource.com/setup_22.x | sudo bash - && \
        sudo apt-get install -y nodejs",
    on_macos: "brew install node",
};

/// npm, which installs the embed's packages.
pub(crate) const NPM: Tool = Tool {
    name: "npm",
    minimum: (9, 0),
    probe: &["--version"],
    why: "it installs the packages of the embed",
    on_linux: "sudo apt-get install -y npm",
    on_macos: "brew install node",
};

/// Python, which runs the example agent.
pub(crate) const PYTHON: Tool = Tool {
    name: "python3",
    minimum: (3, 11),
    probe: &[
        "-c",
        "import ensurepip, platform, venv; print(platform.python_version())",
    ],
    why: "with its module `venv` it runs the example agent that answers visitors",
    on_linux: "sudo apt-get install -y python3 python3-venv",
    on_macos: "brew install python@3.12",
};

/// Go, which builds the LiveKit server when there is none.
pub(crate) const GO: Tool = Tool {
    name: "go",
    minimum: (1, 26),
    probe: &["version"],
    why: "it builds the LiveKit server once, since no `livekit-server` is on the PATH",
    on_linux: "curl -fsSL https://go.dev/dl/go1.26.8.linux-$(dpkg --print-architecture).tar.gz | \
        sudo tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH",
    on_macos: "brew install livekit",
};

impl Tool {
    /// What is wrong with the installation, if anything.
    fn fault(&self) -> Option<String> {
        let (name, (major, minor)) = (self.name, self.minimum);
        let Some(path) = find(name) else {
            return Some(format!("`{name}` is missing"));
        };
        let printed = process::output(Command::new(path).args(self.probe)).unwrap_or_default();
        match version(&printed) {
            Some(found) if found >= self.minimum => None,
            Some((found, part)) => Some(format!(
                "`{name}` is {found}.{part}, at least {major}.{minor} is needed"
            )),
            None => Some(format!("`{name}` is incomplete")),
        }
    }
}

/// Checks all of the tools and reports every missing or old one, with what it is for and the
/// command that installs it.
pub(crate) fn require(tools: &[Tool]) -> Result<()> {
    together(tools.iter().map(|tool| match tool.fault() {
        None => Ok(()),
        Some(fault) => bail!(advice(&fault, tool.why, tool.on_linux, tool.on_macos)),
    }))
}

/// Joins the errors of several checks, so that everything missing is reported at once.
pub(crate) fn together(checks: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let errors = checks.into_iter().filter_map(Result::err);
    let errors: Vec<_> = errors.map(|error| format!("{error:#}")).collect();
    process::check_stop()?;
    if errors.is_empty() {
        return Ok(());
    }
    bail!("{}", errors.join("\n\n"))
}

/// What somebody who lacks something needs to know.
pub(crate) fn advice(fault: &str, why: &str, on_linux: &str, on_macos: &str) -> String {
    let command = if cfg!(target_os = "macos") {
        on_macos
    } else {
        on_linux
    };
    format!("{fault}: {why}.\n  install it with: {command}")
}

/// Installs a program with `apt-get`, where that is there and needs no password; elsewhere it
/// does nothing. A shell runs the script, after the lists of packages have been updated.
pub(crate) fn install(name: &str, script: &str) -> Result<()> {
    if !nix::unistd::geteuid().is_root() || find("apt-get").is_none() {
        return Ok(());
    }
    let mut shell = process::attached("sh");
    shell
        // A list that cannot be fetched may be one that is not needed.
        .args(["-ec", &format!("apt-get update || true; {script}")])
        .env("DEBIAN_FRONTEND", "noninteractive");
    report::part(&format!("Installing {name}"), || {
        process::run_logged(&mut shell, &format!("{}-install", name.to_lowercase()))
            .with_context(|| format!("{name} is missing and cannot be installed"))
    })
}

/// Where a program is, looking through the PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The first thing in a text that looks like a version, as major and minor.
pub(crate) fn version(text: &str) -> Option<(u32, u32)> {
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
            ..NODE
        };
        let error = require(&[tool, tool]).expect_err("there is none");
        let one = advice(
            "`no-such-program` is missing",
            NODE.why,
            NODE.on_linux,
            NODE.on_macos,
        );
        assert_eq!(error.to_string(), format!("{one}\n\n{one}"));
    }
}
