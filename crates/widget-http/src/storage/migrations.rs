//! Migrations: embedded, one folder for each database, never edited after a release.

use std::time::Instant;

use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

use super::{driver::Failure, error::StoreError};

/// A migration as it is embedded.
struct Embedded {
    version: i64,
    description: &'static str,
    sql: &'static str,
    index: Option<ConcurrentIndex>,
}

/// The index that a migration builds, and does nothing else, so that its table can be written
/// meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConcurrentIndex {
    pub(super) name: &'static str,
    pub(super) table: &'static str,
}

/// How a migration is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All or nothing; what it changes is locked meanwhile.
    Transaction,
    /// An index, while its table is in use.
    Concurrently,
}

/// What a database does before each migration.
#[async_trait::async_trait]
pub(super) trait Migratable: Migrate + Send {
    /// Prepares for a migration, of a database that has something in it, and says how it is
    /// applied.
    async fn prepare(&mut self, _: Option<&ConcurrentIndex>) -> Result<Mode, MigrationError> {
        Ok(Mode::Transaction)
    }
}

impl Embedded {
    fn name(&self) -> String {
        format!("{}_{}", self.version, self.description)
    }

    fn migration(&self, mode: Mode) -> Migration {
        let sql = self.sql.into_sql_str();
        let (description, kind) = (self.description.into(), MigrationType::Simple);
        let mut migration = Migration::new(self.version, description, kind, sql, false);
        // The checksum stays that of the file.
        match (&self.index, mode) {
            (None, _) => {}
            (Some(_), Mode::Concurrently) => migration.no_tx = true,
            (Some(_), Mode::Transaction) => {
                let locking = self.sql.replace(" CONCURRENTLY", "");
                migration.sql = AssertSqlSafe(locking).into_sql_str();
            }
        }
        migration
    }
}

/// The migrations of one database.
#[derive(Clone, Copy)]
pub(super) struct Migrations(&'static [Embedded]);

// `SQLITE` and `POSTGRES`: every file of `migrations/`, listed by build.rs.
include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Why migrations were not applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A migration failed, or was applied in another form.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[from] MigrateError),
    /// Some are missing, and the way to the server leads through a pooler.
    #[error(
        "the database lacks migrations, which cannot be applied through a pooler such as \
         PgBouncer; set WIDGET_MIGRATION_DATABASE_URL to the address of the PostgreSQL server itself"
    )]
    Pooled,
    /// Some are missing, and the role may not change the schema.
    #[error(
        "the database lacks migrations, and the role of DATABASE_URL may not apply them; run \
         `widget-http migrate` with a role that may change the schema ({0})"
    )]
    Forbidden(String),
    /// The database could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Migrations {
    /// The names of those that are not among these versions.
    pub(super) fn missing_in(self, applied: &[i64]) -> Vec<String> {
        self.without(applied).map(Embedded::name).collect()
    }

    /// Those that are not among these versions, in their order.
    fn without(self, applied: &[i64]) -> impl Iterator<Item = &'static Embedded> {
        let missing = self.0.iter();
        missing.filter(|migration| !applied.contains(&migration.version))
    }

    /// Whether this program is as new as the one that brought a migration.
    pub(super) fn reach(self, version: i64) -> bool {
        let newest = self.0.iter().map(|migration| migration.version).max();
        newest >= Some(version)
    }

    fn migrator(self, mode: Mode) -> Migrator {
        let migrations = self.0.iter().map(|one| one.migration(mode));
        let mut migrator = Migrator::with_migrations(migrations.collect());
        // Whoever migrates has the lock; one more for each attempt that fails would stay.
        migrator.set_locking(false);
        // A newer service may have migrated already: it only adds, so this one continues to work.
        migrator.set_ignore_missing(true);
        migrator
    }
}

/// PostgreSQL's code for what a role may not do.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

impl MigrationError {
    /// Whether a migration waited too long for a table that others use.
    pub(super) fn is_locked(&self) -> bool {
        self.driver()
            .is_some_and(|error| Failure::of(error) == Failure::Locked)
    }

    /// Whether the disk of the database is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let of_driver = self.driver().map(Failure::of);
        of_driver == Some(Failure::Full) || matches!(self, Self::Store(StoreError::Full(_)))
    }

    /// Whether the role of the connection may not do what a migration does.
    pub(super) fn is_forbidden(&self) -> bool {
        self.driver()
            .and_then(sqlx::Error::as_database_error)
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| code == INSUFFICIENT_PRIVILEGE)
    }

    fn driver(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Migrate(
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _),
            ) => Some(error),
            _ => None,
        }
    }
}

/// Applies the missing migrations and returns their number; the log names each when it begins and
/// when it is done, since one may take long on a large database.
///
/// Two services may start at once: where the driver has no lock of its own, the connection must be
/// in a transaction.
pub(super) async fn apply<C: Migratable>(
    migrations: Migrations,
    connection: &mut C,
) -> Result<usize, MigrationError> {
    let validator = migrations.migrator(Mode::Transaction);
    let table = &validator.table_name;
    connection.ensure_migrations_table(table).await?;
    let applied = connection.list_applied_migrations(table).await?;
    let applied: Vec<i64> = applied.iter().map(|migration| migration.version).collect();
    let mut count = 0;
    for migration in migrations.without(&applied) {
        let begun = Instant::now();
        // An empty database has nothing that takes long.
        let mode = if applied.is_empty() {
            Mode::Transaction
        } else {
            let name = migration.name();
            tracing::info!(migration = name, "migrating the database");
            connection.prepare(migration.index.as_ref()).await?
        };
        let (migrator, target) = (migrations.migrator(mode), Some(migration.version));
        migrator.run_direct(target, connection, false).await?;
        if !applied.is_empty() {
            tracing::info!(
                migration = migration.name(),
                duration.milliseconds = begun.elapsed().as_millis(),
                "this migration is done"
            );
        }
        count += 1;
    }
    // Also those that were applied before must be the same as here.
    validator.run_direct(None, connection, false).await?;
    Ok(count)
}
