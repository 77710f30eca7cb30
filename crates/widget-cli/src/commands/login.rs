//! `widget login`, `logout`, `profiles` and `whoami`: which service is asked, with which key.

use clap::Args;
use secrecy::SecretString;
use serde::Serialize;
use widget_api::api_keys::Whoami;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, keys,
        profile::{self, DEFAULT, Profile, Profiles},
        prompt, seen,
    },
    printer::{GREEN, Printer, YELLOW, printable},
    service,
    table::Column,
};

pub(crate) const LOGIN_HELP: &str = "\
Asks the service who the key belongs to, and keeps the key in the system's keyring, else in a file \
that only you can read. Keys are made with `widget-http key create`, or by another key.

Examples:
  widget login
  widget login --profile staging --service https://widgets.staging.example < key.txt

Programs use the environment instead: `WIDGET_SERVICE` and `WIDGET_API_KEY` come before profiles.";

pub(crate) const LOGOUT_HELP: &str = "\
Forgets the key here. It stays valid: `widget-http key revoke` ends it.

Examples:
  widget logout
  widget logout --profile staging";

pub(crate) const PROFILES_HELP: &str = "\
Examples:
  widget profiles
  widget list --profile staging";

pub(crate) const WHOAMI_HELP: &str = "\
Examples:
  widget whoami
  widget whoami --profile staging --output json";

/// Arguments of `login`.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The address of the service; asked for when it is left out
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<String>,
}

/// A profile as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ListedProfile"))]
pub(crate) struct ProfileJson<'p> {
    profile: &'p str,
    service: &'p str,
    key: keys::KeyPlace,
}

/// What is known of the caller, as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Caller"))]
pub(crate) struct WhoamiJson<'w> {
    #[serde(flatten)]
    whoami: &'w Whoami,
    service: String,
    profile: Option<&'w str>,
}

/// Asks for a service and a key, tries them, and keeps them.
pub(super) fn login(
    arguments: &Login,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let name = global.service.profile.as_deref().unwrap_or(DEFAULT);
    profile::require_name(name)?;
    let mut profiles = Profiles::read()?;
    let address = match arguments
        .service
        .clone()
        .or_else(|| profile::variable("WIDGET_SERVICE"))
    {
        Some(address) => address,
        None if prompt::has_person() => prompt::ask("Address of the service: ")?,
        None => {
            return Err(Failure::unexpected("`--service` is missing").hint(
                "`widget login --service https://widgets.example < FILE` reads the key from a file",
            ));
        }
    };
    let address = service::parse_address("--service", &address)?;
    if !address.origin().is_secure_context() {
        printer.note(format_args!(
            "{YELLOW}warning{YELLOW:#}: on `http` everybody on the way can read the key"
        ))?;
    }
    let key = prompt::ask_key("API key (not shown)")?;
    let options = &global.service;
    let session = Session::new(options, address.clone(), Some(key.clone()), None)?;
    online::run_with(&session, printer, async |session, printer| {
        let whoami = session.client.whoami().await?;
        let place = keep(name, &key, &address, &mut profiles)?;
        let profile = format!("the profile `{name}`");
        printer.note(format_args!(
            "{GREEN}✓{GREEN:#} logged in to {} as {}; the key is in {}",
            address.origin(),
            printable(&describe_key(&whoami)),
            place.describe(name),
        ))?;
        if name != DEFAULT {
            printer.note(format_args!("use {profile} with `--profile {name}`"))?;
        }
        if printer.is_data() {
            show_whoami(&whoami, session, Some(name), printer)?;
        }
        Ok(ExitCode::Yes)
    })
}

fn keep(
    name: &str,
    key: &SecretString,
    service: &widget_core::embed::PublicUrl,
    profiles: &mut Profiles,
) -> Result<keys::KeyPlace, Failure> {
    // It may be of another organization.
    seen::forget(name)?;
    let place = keys::keep(name, key)?;
    let profile = Profile {
        service: service.origin().to_string(),
        key: place,
    };
    profiles.0.insert(name.to_owned(), profile);
    profiles.save()?;
    Ok(place)
}

/// Forgets a profile and its key.
pub(super) fn logout(global: &Global, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let name = global.service.profile.as_deref().unwrap_or(DEFAULT);
    let mut profiles = Profiles::read()?;
    let Some(profile) = profiles.0.remove(name) else {
        return Err(
            Failure::unexpected(format_args!("there is no profile `{name}`"))
                .hint("`widget profiles` shows them"),
        );
    };
    keys::forget(name, &profile)?;
    profiles.save()?;
    seen::forget(name)?;
    printer.note(format_args!(
        "logged out of {}; the key stays valid until it is revoked",
        profile.service
    ))?;
    Ok(ExitCode::Yes)
}

/// Lists the profiles.
pub(super) fn profiles(printer: &mut Printer) -> Result<ExitCode, Failure> {
    let profiles = Profiles::read()?;
    if printer.is_data() {
        for (name, profile) in &profiles.0 {
            printer.data(&ProfileJson {
                profile: name,
                service: &profile.service,
                key: profile.key,
            })?;
        }
    } else if profiles.0.is_empty() {
        printer.note("there is no profile; `widget login` makes one")?;
    } else {
        let rows = profiles.0.iter().map(|(name, profile)| {
            let place = profile.key.describe(name);
            [name.clone(), profile.service.clone(), place]
        });
        let columns = [
            Column::whole("PROFILE"),
            Column::cut("SERVICE"),
            Column::cut("KEY"),
        ];
        printer.table(columns, rows)?;
    }
    Ok(ExitCode::Yes)
}

/// Says who the caller is.
pub(super) fn whoami(global: &Global, printer: &mut Printer) -> Result<ExitCode, Failure> {
    online::run(&global.service, printer, async |session, printer| {
        let whoami = session.client.whoami().await?;
        show_whoami(&whoami, session, session.profile.as_deref(), printer)?;
        Ok(ExitCode::Yes)
    })
}

fn show_whoami(
    whoami: &Whoami,
    session: &Session,
    profile: Option<&str>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let service = session.client.service().origin().to_string();
    if printer.is_data() {
        return printer.data(&WhoamiJson {
            whoami,
            service,
            profile,
        });
    }
    let expiry = match &whoami.expires_at {
        Some(time) => super::time(*time),
        None => "never".to_owned(),
    };
    let scopes: Vec<String> = whoami.scopes.iter().map(ToString::to_string).collect();
    let scopes = match &scopes[..] {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    printer.fields([
        ("organization", whoami.organization_id.to_string()),
        ("key", describe_name(whoami)),
        ("scopes", scopes),
        ("expires", expiry),
        ("service", format!("{service}, version {}", whoami.version)),
        (
            "profile",
            profile
                .unwrap_or("none: the environment names service and key")
                .to_owned(),
        ),
    ])
}

fn describe_key(whoami: &Whoami) -> String {
    format!(
        "{} with the key {}",
        whoami.organization_id,
        describe_name(whoami)
    )
}

fn describe_name(whoami: &Whoami) -> String {
    match whoami.api_key.name.as_deref() {
        Some(name) if !name.is_empty() => format!("{name} ({})", whoami.api_key.id),
        _ => whoami.api_key.id.clone(),
    }
}
