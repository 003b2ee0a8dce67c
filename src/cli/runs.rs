//! `thrash runs` and `thrash report`.

use std::fmt::Write;

use super::args::{ReportArgs, RunsCommand};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::report::Reports;
use super::run::tell_delivered;
use crate::config::Config;
use crate::dispatch::{Keeper, deliver_spool, spool};
use crate::domain::Conclusion;
use crate::report::figures;
use crate::store::{self, RunFilter, RunSummary, Store, StoreOptions};

/// Opens the store and brings what waits in the spool to it.
pub(super) async fn open(config: &Config, output: &Output) -> Result<Box<dyn Store>, Failure> {
    let Some(location) = Keeper::location(config)? else {
        return Err(Failure::usage("there is no store: `--database-url none`", "name a database, or leave it out"));
    };
    let options = StoreOptions { connect_timeout: config.settings.store.connect_timeout.0, ..StoreOptions::default() };
    let store = store::open(&location, &options).await?;
    let delivered = deliver_spool(&spool(config), store.as_ref()).await;
    let mut notes = Vec::new();
    tell_delivered(delivered.as_ref(), &mut notes);
    notes.iter().for_each(|note| output.note(note));
    Ok(store)
}

pub(super) async fn runs(config: &Config, command: RunsCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        RunsCommand::List { suite, target, limit, json } => {
            let store = open(config, output).await?;
            let filter = RunFilter { suite, target, limit: Some(limit), before: None };
            let runs = store.list(&filter).await?;
            store.close().await;
            let text = if json { json_list(&runs) } else { list(&runs, output) };
            output.print(&text)?;
        }
        RunsCommand::Show { run, reports } => return show(config, &run, &reports, output).await,
        RunsCommand::Delete { runs } => {
            let store = open(config, output).await?;
            let mut ids = Vec::new();
            // All are looked up before the first is deleted: a typing error deletes nothing.
            for run in &runs {
                ids.push(store.resolve(run).await?);
            }
            ids.dedup();
            for id in &ids {
                store.delete(id).await?;
                output.note(format!("deleted {id}"));
            }
            store.close().await;
        }
    }
    Ok(Exit::Passed)
}

/// Shows a stored run; the exit code tells only whether it could be shown.
pub(super) async fn show(config: &Config, run: &str, args: &ReportArgs, output: &Output) -> Result<Exit, Failure> {
    let reports = Reports::check(args)?;
    let store = open(config, output).await?;
    let id = store.resolve(run).await?;
    let record = store.load(&id).await?;
    store.close().await;
    reports.write(&record, None, Vec::new(), Vec::new(), output)
}

fn json_list(runs: &[RunSummary]) -> String {
    format!("{:#}\n", serde_json::to_value(runs).unwrap_or_default())
}

fn list(runs: &[RunSummary], output: &Output) -> String {
    if runs.is_empty() {
        output.note("no run is stored yet; `thrash quick` makes one");
        return String::new();
    }
    let mut table = tabled::builder::Builder::new();
    table.push_record(["run", "suite", "target", "verdict", "accuracy", "false pos.", "p95"]);
    for run in runs {
        let verdict = match run.conclusion {
            Some(Conclusion::Passed) => "passed",
            Some(Conclusion::GateFailed) => "failed",
            Some(Conclusion::TargetFailed) => "target failed",
            Some(Conclusion::Inconclusive) => "could not tell",
            Some(Conclusion::Interrupted) => "interrupted",
            None => "–",
        };
        table.push_record([
            format!("{}{}", run.id, if run.keep { " *" } else { "" }),
            run.suite.clone(),
            run.target.clone().unwrap_or_else(|| "–".to_owned()),
            verdict.to_owned(),
            figures::percent(run.accuracy),
            figures::percent(run.false_positive_rate),
            figures::duration(run.p95_ms),
        ]);
    }
    let mut table = table.build();
    table.with(tabled::settings::Style::blank()).with(tabled::settings::Padding::new(0, 1, 0, 0));
    let mut text = String::new();
    for line in table.to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
