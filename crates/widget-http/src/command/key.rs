//! `widget-http key`: API keys of organizations, and the keys that sign tickets.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::{Context, bail};
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use widget_api::{Scope, Scopes};
use widget_core::{agent, api_key::KeyStatus, id::OrganizationId, stored_time};
use widget_http::{
    storage::{ApiKey, ListedApiKey},
    system::{Clock, SystemClock, SystemRandom},
    visitors::signing,
    web::auth::ApiKeySecret,
};

use super::{database::DatabaseArguments, output::print_line};

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Create an API key and print it on standard output; it is not shown again.
    Create(CreateArguments),
    /// List API keys without their secrets.
    List(ListArguments),
    /// Revoke an API key at once, and the keys that it created.
    Revoke(RevokeArguments),
    /// Replace the key that signs tickets and conversation tokens; what the old one signed stays
    /// valid for a day.
    RotateSigning(DatabaseArguments),
}

#[derive(Debug, Args)]
pub(super) struct CreateArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The organization that the key belongs to.
    #[arg(long, env = "WIDGET_KEY_ORGANIZATION", value_name = "ORG")]
    organization: OrganizationId,
    /// What the key may do; repeat it for more. docs/operations.md describes each.
    #[arg(
        long = "scope",
        env = "WIDGET_KEY_SCOPES",
        value_delimiter = ',',
        required = true,
        value_name = "SCOPE",
        value_parser = scope_parser()
    )]
    scopes: Vec<Scope>,
    /// The key's name in `key list`, which says who made a change in the history of a widget.
    #[arg(
        long,
        env = "WIDGET_KEY_NAME",
        default_value = "",
        value_name = "NAME",
        value_parser = parse_name
    )]
    name: String,
    /// After which time the key expires, such as `90d`, `12h` or `30m`; never when left out.
    #[arg(long, env = "WIDGET_KEY_EXPIRES_IN", value_name = "TIME", value_parser = parse_duration)]
    expires_in: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// Only keys of this organization.
    #[arg(long, env = "WIDGET_KEY_ORGANIZATION", value_name = "ORG")]
    organization: Option<OrganizationId>,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The part of the key between `ak_` and the dot; it may begin with a hyphen.
    #[arg(allow_hyphen_values = true)]
    id: String,
}

pub(super) async fn run(command: KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Create(arguments) => create(arguments).await,
        KeyCommand::List(arguments) => list(arguments).await,
        KeyCommand::Revoke(arguments) => revoke(arguments).await,
        KeyCommand::RotateSigning(database) => rotate_signing(database).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn create(arguments: CreateArguments) -> anyhow::Result<()> {
    let storage = arguments.database.open_existing().await?;
    let now = SystemClock.now();
    let credential = ApiKeySecret::generate(&SystemRandom)?;
    let expires_at = match arguments.expires_in {
        None => None,
        Some(duration) => Some(
            now.checked_add(duration)
                .filter(|time| stored_time::can_be_stored(*time))
                .with_context(|| {
                    format!(
                        "the key would expire after the year {}; name a shorter `--expires-in`, \
                         or leave it out",
                        stored_time::LAST_YEAR
                    )
                })?,
        ),
    };
    let key = ApiKey {
        id: credential.id().to_owned(),
        organization_id: arguments.organization,
        name: arguments.name,
        scopes: Scopes::from(arguments.scopes),
        secret_hash: credential.secret_hash(),
        created_at: now,
        expires_at,
        revoked_at: None,
        created_by: None,
        last_used_on: None,
    };
    storage.insert_api_key(&key).await?;
    storage.close().await;
    print_line(&credential.reveal())?;
    Ok(())
}

async fn list(arguments: ListArguments) -> anyhow::Result<()> {
    let storage = arguments.database.open_existing().await?;
    let now = SystemClock.now();
    if std::io::stdout().is_terminal() {
        print_line("ID\tORGANIZATION\tNAME\tCREATED\tSTATE\tSCOPES\tLAST USE\tCREATED BY")?;
    }
    let organization = arguments.organization.as_ref();
    for ListedApiKey { key, creator_name } in storage.list_api_keys(organization).await? {
        let at = |time: Option<OffsetDateTime>| time.map(text).unwrap_or_default();
        let state = match (key.status(now), key.expires_at) {
            (KeyStatus::Revoked, _) => format!("revoked {}", at(key.revoked_at)),
            (KeyStatus::Expired, expiry) => format!("expired {}", at(expiry)),
            (KeyStatus::Valid, Some(expiry)) => format!("until {}", text(expiry)),
            (KeyStatus::Valid, None) => "valid".to_owned(),
        };
        let last_use = key.last_used_on.map(|day| day.to_string());
        let fields = [
            &key.id,
            key.organization_id.as_str(),
            &key.name,
            &text(key.created_at),
            &state,
            &key.scopes.join(","),
            last_use.as_deref().unwrap_or("never"),
            &match (key.created_by, creator_name) {
                (None, _) => "command line".to_owned(),
                (Some(id), None) => id,
                (Some(id), Some(name)) => format!("{id} ({name})"),
            },
        ]
        .join("\t");
        print_line(&fields)?;
    }
    storage.close().await;
    Ok(())
}

async fn revoke(arguments: RevokeArguments) -> anyhow::Result<()> {
    let storage = arguments.database.open_existing().await?;
    // Accepts a pasted whole key as well; the secret part is not looked at.
    let id = arguments.id.strip_prefix("ak_").unwrap_or(&arguments.id);
    let id = id.split_once('.').map_or(id, |(id, _)| id);
    let revoked = storage.revoke_api_key(id, SystemClock.now()).await?;
    storage.close().await;
    let Some(created) = revoked else {
        bail!("there is no key `{id}`; `widget-http key list` lists the keys that exist");
    };
    tracing::info!(
        key.id = id,
        created,
        "revoked an API key, and those that it created"
    );
    Ok(())
}

async fn rotate_signing(database: DatabaseArguments) -> anyhow::Result<()> {
    let storage = database.open_existing().await?;
    let now = SystemClock.now();
    let key = signing::new_key(&SystemRandom, now)?;
    storage
        .rotate_signing_key(&key, now - signing::RETIRED_KEY_LIFETIME)
        .await?;
    storage.close().await;
    tracing::info!(key.id = key.id, "created a new signing key");
    Ok(())
}

fn text(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

/// Reads a scope, and names all of them in the help.
fn scope_parser() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str()))
        .try_map(|text| text.parse::<Scope>())
}

/// A name as the API accepts it, or none.
fn parse_name(text: &str) -> Result<String, agent::NameError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    agent::parse_name(text)
}

/// A whole number with a unit: `w`, `d`, `h`, `m` or `s`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let refused = || {
        format!(
            "`{text}` is not a length of time; use a whole number with a unit, such as `90d` or `12h`"
        )
    };
    let unit = text.chars().next_back().ok_or_else(refused)?;
    let seconds: i64 = match unit {
        'w' => 7 * 24 * 60 * 60,
        'd' => 24 * 60 * 60,
        'h' => 60 * 60,
        'm' => 60,
        's' => 1,
        _ => return Err(refused()),
    };
    let count: i64 = text[..text.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| refused())?;
    match count.checked_mul(seconds) {
        Some(seconds) if count > 0 => Ok(Duration::seconds(seconds)),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Duration>) {
        assert_eq!(parse_duration(text).ok(), expected, "{text}");
    }

    #[test]
    fn lengths_of_time() {
        check("90d", Some(Duration::days(90)));
        check("2w", Some(Duration::days(14)));
        check("12h", Some(Duration::hours(12)));
        check("30m", Some(Duration::minutes(30)));
        check("5s", Some(Duration::seconds(5)));
        for refused in [
            "",
            "d",
            "90",
            "-1d",
            "0d",
            "1.5d",
            "1y",
            "9999999999999999d",
            "1é",
        ] {
            check(refused, None);
        }
    }
}
