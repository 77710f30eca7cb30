//! Profiles: the addresses of services and the names under which their keys are kept.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Deserialize, Serialize};
use widget_api::client::SecretString;
use widget_core::embed::PublicUrl;

use super::keys::{self, KeyPlace};
use crate::{failure::Failure, service};

/// The profile that is used when none is named.
pub(crate) const DEFAULT: &str = "default";

/// A service, and where its key is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) service: String,
    pub(crate) key: KeyPlace,
}

/// What a command needs in order to ask a service.
pub(crate) struct Access {
    pub(crate) service: PublicUrl,
    pub(crate) key: Option<SecretString>,
    /// `None` when the environment names the service.
    pub(crate) profile: Option<String>,
}

/// All profiles of this user.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Profiles(pub(crate) BTreeMap<String, Profile>);

/// The folder with this user's settings.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    let base = choose_base_strategy()
        .map_err(|error| Failure::unexpected(format_args!("no folder for settings: {error}")))?;
    Ok(base.config_dir().join("widget"))
}

fn file() -> Result<PathBuf, Failure> {
    Ok(folder()?.join("profiles.json"))
}

/// A variable of the environment; an empty one is not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether this user has ever logged in, also when what that left cannot be read.
pub(crate) fn has_any() -> bool {
    Profiles::read().map_or(true, |profiles| !profiles.0.is_empty())
}

impl Profiles {
    pub(crate) fn read() -> Result<Self, Failure> {
        let file = file()?;
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(Failure::unexpected(format_args!(
                    "cannot read `{}`: {error}",
                    file.display()
                )));
            }
        };
        serde_json::from_slice(&text).map_err(|error| {
            Failure::unexpected(format_args!(
                "`{}` is not a list of profiles: {error}",
                file.display()
            ))
            .hint("remove the file, and use `widget login` again")
        })
    }

    pub(crate) fn save(&self) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(self).map_err(Failure::unexpected)?;
        text.push('\n');
        write_private(&file()?, text.as_bytes())
    }
}

/// Replaces a file that only its owner can read.
pub(crate) fn write_private(file: &Path, content: &[u8]) -> Result<(), Failure> {
    replace(file, content, File::sync_all).map_err(|error| {
        Failure::unexpected(format_args!("cannot write `{}`: {error}", file.display()))
    })
}

/// As [`write_private`], without waiting for the disk: for what can be lost.
pub(crate) fn write_cache(file: &Path, content: &[u8]) -> io::Result<()> {
    replace(file, content, |_| Ok(()))
}

fn replace(
    file: &Path,
    content: &[u8],
    finish: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)?;
    // Temporary files have the mode 0600 from the start.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(content)?;
    finish(temporary.as_file())?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(file: &Path) -> Result<(), Failure> {
    let is_gone = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match fs::remove_file(file) {
        Err(error) if !is_gone(error.kind()) => Err(Failure::unexpected(format_args!(
            "cannot remove `{}`: {error}",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// Checks the name of a profile: it is also the name of a file.
pub(crate) fn require_name(name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) && !name.starts_with('.') {
        return Ok(());
    }
    Err(Failure::unexpected(format_args!(
        "`{name}` cannot be the name of a profile; use 1 to 64 of letters, digits, `.`, `_` and `-`"
    )))
}

/// Finds service and key: of the profile that a flag names, of the environment, of the profile that
/// the environment names, or of the default one.
pub(crate) fn find_access(named: Option<&str>) -> Result<Access, Failure> {
    find_access_with(named, keys::find)
}

/// Like [`find_access`], and never makes the system ask a person.
pub(crate) fn find_access_without_asking(named: Option<&str>) -> Result<Access, Failure> {
    find_access_with(named, keys::find_without_asking)
}

/// Finds the profile of which both service and key are used, and its service; `None` when the
/// environment names one of the two.
pub(crate) fn find_own(named: Option<&str>) -> Option<(String, PublicUrl)> {
    let (None, None) = read_environment(named) else {
        return None;
    };
    let name = named.unwrap_or(DEFAULT);
    let profiles = Profiles::read().ok()?;
    let service = &profiles.0.get(name)?.service;
    let service = service::parse_address("the profile's service", service).ok()?;
    Some((name.to_owned(), service))
}

/// Service and key of the environment, which a profile that is typed comes before.
fn read_environment(named: Option<&str>) -> (Option<String>, Option<SecretString>) {
    if named.is_some() && is_typed() {
        return (None, None);
    }
    let key = variable("WIDGET_API_KEY").map(SecretString::from);
    (variable("WIDGET_SERVICE"), key)
}

/// Whether the profile is named on the command line, and not by `WIDGET_PROFILE`.
fn is_typed() -> bool {
    let mut arguments = env::args_os().filter_map(|argument| argument.into_string().ok());
    arguments.any(|argument| argument == "--profile" || argument.starts_with("--profile="))
}

fn find_access_with(
    named: Option<&str>,
    find_key: impl FnOnce(&str, &Profile) -> Result<SecretString, Failure>,
) -> Result<Access, Failure> {
    let (service, key) = read_environment(named);
    if let (Some(address), Some(own)) = (&service, &key) {
        return Ok(Access {
            service: service::parse_address("WIDGET_SERVICE", address)?,
            key: Some(own.clone()),
            profile: None,
        });
    }
    let name = named.unwrap_or(DEFAULT);
    let profiles = Profiles::read()?;
    let Some(profile) = profiles.0.get(name) else {
        return Err(missing(name, named.is_some(), service.is_some(), &profiles));
    };
    let address = service::parse_address("the profile's service", &profile.service)?;
    if let Some(other) = service {
        let other = service::parse_address("WIDGET_SERVICE", &other)?;
        if other != address {
            return Err(Failure::unexpected(format_args!(
                "`WIDGET_SERVICE` is `{}`, and the key of the profile `{name}` is only for `{}`",
                other.origin(),
                address.origin()
            ))
            .hint("set `WIDGET_API_KEY` to a key of that service, or unset `WIDGET_SERVICE`"));
        }
    }
    let key = match key {
        Some(key) => key,
        None => find_key(name, profile)?,
    };
    Ok(Access {
        service: address,
        key: Some(key),
        profile: Some(name.to_owned()),
    })
}

fn missing(name: &str, is_named: bool, has_service: bool, profiles: &Profiles) -> Failure {
    if has_service {
        return Failure::unexpected("`WIDGET_SERVICE` is set, and there is no key for it")
            .hint("set `WIDGET_API_KEY`, too, or use `widget login`");
    }
    let names: Vec<&str> = profiles.0.keys().map(String::as_str).collect();
    if names.is_empty() {
        return Failure::unexpected("this command asks a service, and you are not logged in").hint(
            "`widget login` asks for the service and a key; in scripts, set `WIDGET_SERVICE` and \
             `WIDGET_API_KEY`",
        );
    }
    let known = names.join("`, `");
    if is_named {
        Failure::unexpected(format_args!("there is no profile `{name}`"))
            .hint(format_args!("there are `{known}`"))
    } else {
        Failure::unexpected("there is no profile `default`")
            .hint(format_args!("name one with `--profile`: `{known}`"))
    }
}
