//! `widget-http migrate`: for those who want to migrate before the service starts.

use std::process::ExitCode;

use clap::Args;

use super::{
    database::{DatabaseArguments, WaitArguments, migrate},
    output::print_line,
};

#[derive(Debug, Args)]
pub(super) struct MigrateArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    wait: WaitArguments,
    /// Only list what is missing, and write nothing: one migration a line, exit status 1 when there
    /// is any.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(arguments: MigrateArguments) -> anyhow::Result<ExitCode> {
    if arguments.check {
        let pending = arguments.database.pending_migrations().await?;
        for migration in &pending {
            print_line(migration)?;
        }
        tracing::info!(
            migrations = pending.len(),
            "looked for migrations that are missing"
        );
        return Ok(match pending.as_slice() {
            [] => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        });
    }
    let wait = arguments.wait;
    let storage = arguments.database.await_for_migrations(wait).await?;
    let applied = migrate(storage.as_ref()).await?;
    tracing::info!(migrations = applied, "migrated the database");
    storage.close().await;
    Ok(ExitCode::SUCCESS)
}
