//! Which database a command works on, and how its URL is given: by flag, variable or file.

use std::{borrow::Cow, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use clap::Args;
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;
use widget_core::origin::SuffixList;
use widget_http::storage::{self, Storage};

use super::{environment, secret::read_secret};

/// What is used when nothing else is given: a file in the working directory.
const DEFAULT_DATABASE: &str = "sqlite:widgets.db";

/// The database that a command works on.
#[derive(Debug, Args)]
pub(super) struct DatabaseArguments {
    /// `sqlite:PATH`, a file that `serve` and `migrate` create when it is missing, or
    /// `postgres://USER@HOST/DATABASE`.
    ///
    /// The default is `sqlite:widgets.db`. A URL with a password belongs in the variable or in a
    /// file: other users of the machine can read flags.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// File that holds the URL of the database, instead of the variable `DATABASE_URL`.
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "PATH")]
    database_url_file: Option<PathBuf>,
}

impl DatabaseArguments {
    /// The database as it is.
    pub(super) async fn open(&self, suffixes: SuffixList) -> anyhow::Result<Arc<dyn Storage>> {
        // The URL may hold a password, so the error names the variable and not the URL.
        storage::open(&self.url()?, suffixes)
            .await
            .context("the database cannot be opened; check DATABASE_URL")
    }

    /// The database with every migration applied, which a service or `migrate` has made before: a
    /// wrong URL must not leave an empty database, with a key that no service knows.
    pub(super) async fn open_existing(
        &self,
        suffixes: SuffixList,
    ) -> anyhow::Result<Arc<dyn Storage>> {
        if let Some(path) = sqlite_file(&self.url()?) {
            let size = std::fs::metadata(&path).map_or(0, |file| file.len());
            if size == 0 {
                bail!(
                    "there is no database at `{}`; set DATABASE_URL to the one that the service \
                     uses, or create it with `widget-http migrate`",
                    path.display()
                );
            }
        }
        self.open_migrated(suffixes).await
    }

    /// The database with every migration applied; a missing SQLite file is created.
    pub(super) async fn open_migrated(
        &self,
        suffixes: SuffixList,
    ) -> anyhow::Result<Arc<dyn Storage>> {
        let storage = self.open(suffixes).await?;
        let applied = storage
            .migrate()
            .await
            .context("the database cannot be migrated")?;
        if applied > 0 {
            tracing::info!(migrations = applied, "migrated the database");
        }
        Ok(storage)
    }

    fn url(&self) -> anyhow::Result<Cow<'_, str>> {
        match (&self.database_url, &self.database_url_file) {
            (Some(_), Some(_)) => {
                bail!("both DATABASE_URL and DATABASE_URL_FILE are set; set one of them")
            }
            (None, Some(path)) => read_secret(path, "the database's URL").map(Cow::Owned),
            (Some(url), None) => {
                if has_password(url) && environment::variable("DATABASE_URL").as_ref() != Some(url)
                {
                    tracing::warn!(
                        "`--database-url` holds a password, which other users of this machine can \
                         read; use DATABASE_URL or DATABASE_URL_FILE instead"
                    );
                }
                Ok(Cow::Borrowed(url))
            }
            (None, None) => Ok(Cow::Borrowed(DEFAULT_DATABASE)),
        }
    }
}

/// The file behind a URL of SQLite.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let options = url
        .starts_with("sqlite:")
        .then(|| url.parse::<SqliteConnectOptions>().ok())??;
    Some(options.get_filename().to_owned())
}

fn has_password(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_in_both_places() {
        for (url, expected) in [
            ("postgres://user:secret@db.example/widgets", true),
            ("postgres://db.example/widgets?password=secret", true),
            ("postgres://user@db.example/widgets?sslmode=require", false),
            ("sqlite:widgets.db", false),
            ("widgets.db", false),
        ] {
            assert_eq!(has_password(url), expected, "{url}");
        }
    }
}
