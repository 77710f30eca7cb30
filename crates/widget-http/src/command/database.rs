//! Which database a command works on, how its URL is given (by flag, variable or file), and how
//! long a command waits for it.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, value_parser};
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::{Instant, interval, sleep, sleep_until};
use url::Url;
use widget_core::origin::SuffixList;
use widget_http::causes::with_causes;
use widget_http::storage::{self, Location, MigrationError, Storage, StoreError};

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
    /// The PostgreSQL server itself, where the URL of the database leads to a pooler such as
    /// PgBouncer: migrations need it.
    #[arg(
        long,
        env = "WIDGET_MIGRATION_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    migration_database_url: Option<String>,
    /// File that holds that URL, instead of the variable `WIDGET_MIGRATION_DATABASE_URL`.
    #[arg(long, env = "WIDGET_MIGRATION_DATABASE_URL_FILE", value_name = "PATH")]
    migration_database_url_file: Option<PathBuf>,
}

/// How long a command waits for its database.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct WaitArguments {
    /// Seconds to wait at start for a PostgreSQL server that does not answer.
    #[arg(
        id = "database_wait",
        long = "database-wait",
        env = "WIDGET_DATABASE_WAIT",
        default_value_t = 60,
        value_name = "SECONDS",
        value_parser = value_parser!(u16).range(..=3_600)
    )]
    seconds: u16,
}

impl WaitArguments {
    fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }
}

/// The pause between two attempts to reach the database.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// How often the log says that the database is waited for.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

impl DatabaseArguments {
    /// The database as it is, which a service or `migrate` has made before: a wrong URL must not
    /// leave an empty database, with a key that no service knows. It is not migrated, because older
    /// services may be running on it.
    pub(super) async fn open_existing(&self) -> anyhow::Result<Arc<dyn Storage>> {
        let urls = self.urls()?;
        if let Some(path) = sqlite_file(&urls.database) {
            let size = std::fs::metadata(&path).map_or(0, |file| file.len());
            if size == 0 {
                bail!(
                    "there is no database at `{}`; set DATABASE_URL to the one that the service \
                     uses, or create it with `widget-http migrate`",
                    path.display()
                );
            }
        }
        let suffixes = SuffixList::builtin().clone();
        let storage = open(urls.location(), suffixes, Duration::ZERO).await?;
        let missing = storage.pending_migrations().await?.len();
        if missing > 0 {
            if let Err(error @ StoreError::Query(_)) = storage.ping().await {
                return Err(anyhow::Error::from(error).context(
                    "the database has no tables of this service; set DATABASE_URL to the one that \
                     the service uses, or create them with `widget-http migrate`",
                ));
            }
            tracing::warn!(
                migrations = missing,
                "the database lacks migrations, which a start of this release or `widget-http \
                 migrate` applies; until then this command does without what they add"
            );
        }
        Ok(storage)
    }

    /// The database with every migration applied, at the start of the service, which waits for a
    /// server; a missing SQLite file is created.
    pub(super) async fn await_migrated(
        &self,
        suffixes: SuffixList,
        wait: WaitArguments,
    ) -> anyhow::Result<Arc<dyn Storage>> {
        let urls = self.urls()?;
        migrated(open(urls.location(), suffixes, wait.duration()).await?).await
    }

    /// The database to migrate, as it is.
    pub(super) async fn await_for_migrations(
        &self,
        wait: WaitArguments,
    ) -> anyhow::Result<Arc<dyn Storage>> {
        let suffixes = SuffixList::builtin().clone();
        open(self.urls()?.direct(), suffixes, wait.duration()).await
    }

    /// Names of the migrations that the database lacks.
    pub(super) async fn pending_migrations(&self) -> anyhow::Result<Vec<String>> {
        let urls = self.urls()?;
        storage::pending_migrations(urls.direct())
            .await
            .context("the database cannot be read; check DATABASE_URL")
    }

    fn urls(&self) -> anyhow::Result<Urls<'_>> {
        let (flag, variable) = ("--database-url", "DATABASE_URL");
        let database = url(
            self.database_url.as_deref(),
            self.database_url_file.as_deref(),
            flag,
            variable,
        )?;
        let (flag, variable) = ("--migration-database-url", "WIDGET_MIGRATION_DATABASE_URL");
        let migration = url(
            self.migration_database_url.as_deref(),
            self.migration_database_url_file.as_deref(),
            flag,
            variable,
        )?;
        let urls = Urls {
            database: database.unwrap_or(Cow::Borrowed(DEFAULT_DATABASE)),
            migration,
        };
        if urls.migration.is_some() && !urls.location().is_server() {
            bail!("{variable} is for PostgreSQL; DATABASE_URL does not start with `postgres:`");
        }
        Ok(urls)
    }
}

/// Where the database is, and where its migrations are applied if that is elsewhere.
struct Urls<'a> {
    database: Cow<'a, str>,
    migration: Option<Cow<'a, str>>,
}

impl Urls<'_> {
    fn location(&self) -> Location<'_> {
        Location {
            url: &self.database,
            migration_url: self.migration.as_deref(),
        }
    }

    /// What migrations work on.
    fn direct(&self) -> Location<'_> {
        self.migration.as_deref().unwrap_or(&self.database).into()
    }
}

/// A URL as it was given by a flag, by a variable or in a file.
fn url<'a>(
    given: Option<&'a str>,
    file: Option<&Path>,
    flag: &str,
    variable: &str,
) -> anyhow::Result<Option<Cow<'a, str>>> {
    match (given, file) {
        (Some(_), Some(_)) => {
            bail!("both {variable} and {variable}_FILE are set; set one of them")
        }
        (None, Some(path)) => {
            let url = read_secret(path, "the database's URL")?;
            Ok(Some(Cow::Owned(url)))
        }
        (Some(url), None) => {
            if has_password(url) && environment::variable(variable).as_deref() != Some(url) {
                tracing::warn!(
                    "`{flag}` holds a password, which other users of this machine can read; use \
                     {variable} or {variable}_FILE instead"
                );
            }
            Ok(Some(Cow::Borrowed(url)))
        }
        (None, None) => Ok(None),
    }
}

async fn open(
    location: Location<'_>,
    suffixes: SuffixList,
    wait: Duration,
) -> anyhow::Result<Arc<dyn Storage>> {
    let attempt = || storage::open(location, suffixes.clone());
    let opened = if location.is_server() {
        wait_for(wait, attempt).await
    } else {
        attempt().await
    };
    opened.map_err(explain)
}

/// Why the database cannot be opened, and what to do about it.
fn explain(error: StoreError) -> anyhow::Error {
    let context = match &error {
        // They say all there is to do.
        StoreError::Incompatible { .. } | StoreError::Damaged(_) => return error.into(),
        StoreError::Full(_) => "the database cannot be opened; make room on its disk",
        StoreError::ReadOnly(_) | StoreError::Busy(_) => "the database cannot be opened",
        // The URL may hold a password, so the error names the variable and not the URL.
        StoreError::Unavailable(_)
        | StoreError::Query(_)
        | StoreError::Conflict { .. }
        | StoreError::Erased(_)
        | StoreError::Corrupt { .. } => "the database cannot be opened; check DATABASE_URL",
    };
    anyhow::Error::from(error).context(context)
}

/// Applies what is missing and returns the number of migrations.
pub(super) async fn migrate(storage: &dyn Storage) -> anyhow::Result<usize> {
    storage.migrate().await.map_err(explain_migration)
}

fn explain_migration(error: MigrationError) -> anyhow::Error {
    let context = if error.is_full() {
        "the database cannot be migrated; make room on its disk"
    } else {
        "the database cannot be migrated"
    };
    anyhow::Error::from(error).context(context)
}

async fn migrated(storage: Arc<dyn Storage>) -> anyhow::Result<Arc<dyn Storage>> {
    let applied = migrate(storage.as_ref()).await?;
    if applied > 0 {
        tracing::info!(migrations = applied, "migrated the database");
    }
    Ok(storage)
}

/// Tries once, and as long as the database is not available again until the time is over; says so
/// meanwhile.
async fn wait_for<T>(
    wait: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let begun = Instant::now();
    let mut reports = interval(REPORT_INTERVAL);
    let mut failed = match attempt().await {
        Err(error @ StoreError::Unavailable(_)) => error,
        outcome => return outcome,
    };
    loop {
        let mut again = pin!(async {
            sleep(RETRY_PAUSE).await;
            attempt().await
        });
        failed = loop {
            tokio::select! {
                biased;
                () = sleep_until(begun + wait) => return Err(failed),
                _ = reports.tick() => tracing::warn!(
                    error = with_causes(&failed),
                    waited.seconds = begun.elapsed().as_secs(),
                    "waiting for the database"
                ),
                outcome = &mut again => match outcome {
                    Err(error @ StoreError::Unavailable(_)) => break error,
                    outcome => return outcome,
                },
            }
        };
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

    #[test]
    fn a_full_disk_at_start_has_its_remedy() {
        let full = explain(StoreError::Full("no space left".into()));
        let expected = "the database cannot be opened; make room on its disk";
        assert_eq!(full.to_string(), expected);
        let full = explain_migration(StoreError::Full("no space left".into()).into());
        let expected = "the database cannot be migrated; make room on its disk";
        assert_eq!(full.to_string(), expected);
        let busy = explain(StoreError::Busy("locked".into()));
        assert_eq!(busy.to_string(), "the database cannot be opened");
    }

    /// How often the database was asked, what came of it, and what the log says.
    async fn waited(seconds: u64, succeeds_after: Duration) -> (bool, Duration, usize) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let begun = Instant::now();
        let outcome = wait_for(Duration::from_secs(seconds), async || {
            if begun.elapsed() < succeeds_after {
                // As long as a server takes that does not answer.
                sleep(Duration::from_millis(1_500)).await;
                Err(StoreError::Unavailable("connection refused".into()))
            } else {
                Ok(())
            }
        })
        .await;
        let lines = log.0.lock().expect("no test panics while holding it");
        let lines = String::from_utf8_lossy(&lines);
        let lines = lines.matches("waiting for the database").count();
        (outcome.is_ok(), begun.elapsed(), lines)
    }

    #[derive(Clone, Default)]
    struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut text = self.0.lock().expect("no test panics while holding it");
            text.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_waited_for_and_the_log_says_so_every_five_seconds() {
        let seconds = Duration::from_secs;
        assert_eq!(waited(60, Duration::ZERO).await, (true, seconds(0), 0));
        // After the first failure, and then after 5 s, 10 s and so on.
        assert_eq!(waited(60, seconds(3600)).await, (false, seconds(60), 12));
        // Asked every two seconds: at 16 s in vain, at 18 s not.
        let (is_open, took, lines) = waited(60, seconds(17)).await;
        assert_eq!((is_open, took.as_secs(), lines), (true, 18, 4));
        let once = Duration::from_millis(1_500);
        assert_eq!(waited(0, seconds(3600)).await, (false, once, 0));
    }

    #[tokio::test]
    async fn what_no_time_mends_is_not_waited_for() {
        let mut attempts = 0;
        let outcome = wait_for(Duration::MAX, async || {
            attempts += 1;
            Err::<(), _>(StoreError::Query("wrong password".into()))
        });
        assert!(matches!(outcome.await, Err(StoreError::Query(_))));
        assert_eq!(attempts, 1);
    }
}
