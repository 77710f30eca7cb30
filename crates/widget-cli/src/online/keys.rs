//! Where keys are kept: the system's keyring, or a file that only its owner can read. Nothing here
//! prints a key.

use std::{fs, path::PathBuf, thread};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::profile::{Profile, folder, remove_file, write_private};
use crate::failure::Failure;

/// The name under which the keyring lists the keys of this program.
const KEYRING_SERVICE: &str = "widget";

/// Where the key of a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyPlace {
    /// The keyring of the system.
    Keyring,
    /// A file beside the profiles.
    File,
}

impl KeyPlace {
    /// The place, for people.
    pub(crate) fn describe(self, profile: &str) -> String {
        match self {
            Self::Keyring => "the system's keyring".to_owned(),
            Self::File => match file(profile) {
                Ok(path) => format!("`{}`, which only you can read", path.display()),
                Err(_) => "a file".to_owned(),
            },
        }
    }
}

fn file(profile: &str) -> Result<PathBuf, Failure> {
    Ok(folder()?.join("keys").join(profile))
}

/// Keeps the key of a profile: in the keyring if there is one, else in a file.
pub(crate) fn keep(profile: &str, key: &SecretString) -> Result<KeyPlace, Failure> {
    let secret = key.clone();
    let kept = with_keyring(profile, move |entry| {
        entry.set_password(secret.expose_secret())?;
        // Some keyrings accept everything and keep nothing.
        entry
            .get_password()
            .map(|found| found == secret.expose_secret())
    });
    let path = file(profile)?;
    if kept.is_ok_and(|kept| kept) {
        remove_file(&path)?;
        return Ok(KeyPlace::Keyring);
    }
    write_private(&path, key.expose_secret().as_bytes())?;
    Ok(KeyPlace::File)
}

/// Reads the key of a profile.
pub(crate) fn find(name: &str, profile: &Profile) -> Result<SecretString, Failure> {
    let login = "`widget login` asks for the key again";
    match profile.key {
        KeyPlace::Keyring => with_keyring(name, keyring::Entry::get_password)
            .map(SecretString::from)
            .map_err(|error| {
                Failure::unexpected(format_args!(
                    "the system's keyring does not give the key of the profile `{name}`: {error}"
                ))
                .hint(login)
            }),
        KeyPlace::File => {
            let path = file(name)?;
            fs::read_to_string(&path)
                .map(|key| SecretString::from(key.trim()))
                .map_err(|error| {
                    Failure::unexpected(format_args!("cannot read `{}`: {error}", path.display()))
                        .hint(login)
                })
        }
    }
}

/// Reads the key of a profile where no system asks for a password first: those of Linux and macOS
/// do when the keyring is locked.
pub(crate) fn find_without_asking(name: &str, profile: &Profile) -> Result<SecretString, Failure> {
    if profile.key == KeyPlace::Keyring && !cfg!(windows) {
        return Err(Failure::unexpected("the key is in the system's keyring"));
    }
    find(name, profile)
}

/// Forgets the key of a profile.
pub(crate) fn forget(name: &str, profile: &Profile) -> Result<(), Failure> {
    match profile.key {
        KeyPlace::Keyring => match with_keyring(name, keyring::Entry::delete_credential) {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(Failure::unexpected(format_args!(
                "the system's keyring does not forget the key of the profile `{name}`: {error}"
            ))),
        },
        KeyPlace::File => remove_file(&file(name)?),
    }
}

/// Uses the keyring on a thread of its own: it must not wait inside a runtime.
fn with_keyring<T: Send + 'static>(
    profile: &str,
    action: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
) -> keyring::Result<T> {
    let profile = profile.to_owned();
    let thread = thread::spawn(move || {
        let entry = keyring::Entry::new(KEYRING_SERVICE, &profile)?;
        action(&entry)
    });
    thread.join().unwrap_or(Err(keyring::Error::NoDefaultStore))
}
