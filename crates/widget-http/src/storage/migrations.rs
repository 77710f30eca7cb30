//! Migrations: embedded, one folder per database, never edited after a release.

use std::collections::HashSet;

use sqlx::{
    SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

use super::StoreError;

/// A migration as it is embedded.
struct Embedded {
    version: i64,
    description: &'static str,
    sql: &'static str,
}

/// The migrations of one database.
#[derive(Clone, Copy)]
pub(super) struct Migrations(&'static [Embedded]);

pub(super) const SQLITE: Migrations = Migrations(&[
    Embedded {
        version: 20_261_124_000_000,
        description: "initial",
        sql: include_str!("../../migrations/sqlite/20261124000000_initial.sql"),
    },
    Embedded {
        version: 20_261_124_010_000,
        description: "widget_revisions",
        sql: include_str!("../../migrations/sqlite/20261124010000_widget_revisions.sql"),
    },
    Embedded {
        version: 20_261_124_020_000,
        description: "open_conversations_of_widget",
        sql: include_str!(
            "../../migrations/sqlite/20261124020000_open_conversations_of_widget.sql"
        ),
    },
]);

pub(super) const POSTGRES: Migrations = Migrations(&[
    Embedded {
        version: 20_261_124_000_000,
        description: "initial",
        sql: include_str!("../../migrations/postgres/20261124000000_initial.sql"),
    },
    Embedded {
        version: 20_261_124_010_000,
        description: "widget_revisions",
        sql: include_str!("../../migrations/postgres/20261124010000_widget_revisions.sql"),
    },
    Embedded {
        version: 20_261_124_020_000,
        description: "open_conversations_of_widget",
        sql: include_str!(
            "../../migrations/postgres/20261124020000_open_conversations_of_widget.sql"
        ),
    },
]);

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
        // A newer service may have migrated already; it keeps what this one needs until this one is
        // gone.
        migrator.set_ignore_missing(true);
        migrator
    }
}

/// Applies what is missing over `connection`; returns how many migrations there were.
///
/// Two services may start at once: where the driver has no lock of its own the caller brings a
/// transaction.
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
