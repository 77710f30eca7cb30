//! `widget-http migrate`: for those who want to migrate before the service starts.

use std::process::ExitCode;

use clap::Args;
use widget_core::origin::SuffixList;

use super::{database::DatabaseArguments, output::print_line};

#[derive(Debug, Args)]
pub(super) struct MigrateArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// Only list what is missing: one migration a line, exit status 1 when there is any.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(arguments: MigrateArguments) -> anyhow::Result<ExitCode> {
    let storage = arguments
        .database
        .open(SuffixList::builtin().clone())
        .await?;
    let code = if arguments.check {
        let pending = storage.pending_migrations().await?;
        for migration in &pending {
            print_line(migration)?;
        }
        tracing::info!(
            migrations = pending.len(),
            "looked for migrations that are missing"
        );
        if pending.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        }
    } else {
        let applied = storage.migrate().await?;
        tracing::info!(migrations = applied, "migrated the database");
        ExitCode::SUCCESS
    };
    storage.close().await;
    Ok(code)
}
