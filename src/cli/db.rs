//! `thrash db`.

use std::fmt::Write;

use chrono::Utc;
use clap::Subcommand;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::runs::{location, open};
use crate::config::Config;
use crate::dispatch::{RetentionPolicy, open_store, retain, spool};
use crate::domain::Wait;
use crate::store::{PrunePolicy, Prunes};

#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Create the tables or bring them up to date
    Migrate {
        /// Only say what would be done
        #[arg(long)]
        check: bool,
    },
    /// Remove what is older than the configuration (`retention`) or a limit says; held runs and baselines stay
    Prune {
        /// Runs older than this (`90days`, `1year`)
        #[arg(long, value_name = "TIME")]
        older_than: Option<Wait>,
        /// All but the newest so many of each suite and target
        #[arg(long, value_name = "N")]
        keep_last: Option<usize>,
        /// Also runs that an earlier program stored
        #[arg(long)]
        legacy: bool,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn db(config: &Config, command: DbCommand, output: Output) -> Result<Exit, Failure> {
    match command {
        DbCommand::Migrate { check: true } => check(config, output).await,
        DbCommand::Migrate { check: false } => {
            let store = open(config, output).await?;
            let status = store.migrations().await?;
            store.close().await;
            output.audit(format!("the tables are at version {}", status.schema_version()));
            output.show(&format!("the tables are at version {}\n", status.schema_version()))?;
            Ok(Exit::Passed)
        }
        DbCommand::Prune { older_than, keep_last, legacy, dry_run } => {
            if older_than.is_none() && keep_last.is_none() {
                if legacy {
                    let hint =
                        "--older-than 90days, --keep-last 100, or both: then a run goes only if both let it";
                    return Err(Failure::usage("runs of an earlier program go by a limit alone", hint));
                }
                return retention(config, dry_run, output).await;
            }
            let policy = PrunePolicy {
                what: Prunes::Run,
                older_than: older_than.map(|wait| wait.0),
                keep_last,
                legacy,
                dry_run,
                ..PrunePolicy::default()
            };
            let store = open(config, output).await?;
            let report = store.prune(&policy, Utc::now()).await?;
            store.close().await;
            let verb = if report.dry_run { "would delete" } else { "deleted" };
            let mut text = format!("{verb} {} runs, {} remain", report.pruned.len(), report.remaining);
            if report.kept > 0 {
                let _ = write!(text, ", {} of them only because they are kept", report.kept);
            }
            if !report.dry_run {
                output.audit(&text);
            }
            output.show(&format!("{text}\n"))?;
            Ok(Exit::Passed)
        }
    }
}

/// Removes what the configuration no longer wants.
async fn retention(config: &Config, dry_run: bool, output: Output) -> Result<Exit, Failure> {
    let store = open(config, output).await?;
    let policy = RetentionPolicy::from(&config.settings.retention);
    let removed = retain(store.as_ref(), &spool(config), &policy, Utc::now(), dry_run).await?;
    store.close().await;
    if !dry_run {
        output.audit(&removed);
    }
    let mut text = format!("{removed}\n");
    for path in &removed.damaged {
        let _ = writeln!(text, "  {}", path.display());
    }
    output.show(&text)?;
    Ok(Exit::Passed)
}

/// Says which migrations are still to come, and changes nothing.
async fn check(config: &Config, output: Output) -> Result<Exit, Failure> {
    let store = open_store(config, &location(config)?, false).await?;
    let status = store.migrations().await?;
    store.close().await;
    let text = format!("applied {}, pending {}\n", status.applied.len(), status.pending.len());
    let exit = if status.pending.is_empty() { Exit::Passed } else { Exit::GateFailed };
    Ok(exit.after(output.show(&text), output))
}
