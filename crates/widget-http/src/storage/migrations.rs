//! Migrations: embedded, one folder for each database, never edited after a release.

use std::collections::HashSet;

use sqlx::{
    SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

use super::error::StoreError;

/// A migration as it is embedded.
struct Embedded {
    version: i64,
    description: &'static str,
    sql: &'static str,
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
    /// The database could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Migrations {
    /// Whether every one of them is among these versions.
    pub(super) fn are_all_in(self, applied: &[i64]) -> bool {
        let versions = self.0.iter().map(|migration| &migration.version);
        versions
            .into_iter()
            .all(|version| applied.contains(version))
    }

    fn migrator(self) -> Migrator {
        let migrations = self.0.iter().map(|migration| {
            Migration::new(
                migration.version,
                migration.description.into(),
                MigrationType::Simple,
                migration.sql.into_sql_str(),
                false,
            )
        });
        let mut migrator = Migrator::with_migrations(migrations.collect());
        // A newer service may have migrated already: it only adds, so this one continues to work.
        migrator.set_ignore_missing(true);
        migrator
    }
}

/// Applies the missing migrations and returns their number.
///
/// Two services may start at once: where the driver has no lock of its own, the connection must be
/// in a transaction.
pub(super) async fn apply<C: Migrate>(
    migrations: Migrations,
    connection: &mut C,
) -> Result<usize, MigrationError> {
    let migrator = migrations.migrator();
    let before = pending(migrations, connection).await?.len();
    migrator.run_direct(None, connection, false).await?;
    Ok(before)
}

/// Names of the migrations that are missing.
pub(super) async fn pending<C: Migrate>(
    migrations: Migrations,
    connection: &mut C,
) -> Result<Vec<String>, MigrationError> {
    let migrator = migrations.migrator();
    connection
        .ensure_migrations_table(&migrator.table_name)
        .await?;
    let applied = connection
        .list_applied_migrations(&migrator.table_name)
        .await?;
    let applied: HashSet<i64> = applied
        .into_iter()
        .map(|migration| migration.version)
        .collect();
    Ok(migrations
        .0
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .map(|migration| format!("{}_{}", migration.version, migration.description))
        .collect())
}
