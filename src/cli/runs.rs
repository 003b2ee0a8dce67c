//! `thrash runs` and `thrash report`.

use std::fmt::Write;

use clap::Subcommand;

use super::args::ReportArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::queue;
use super::report::Reports;
use super::run::{Notes, tell_delivered};
use crate::config::Config;
use crate::dispatch::{Keeper, deliver_spool, earlier, open_store, spool};
use crate::domain::one_line;
use crate::report::figures;
use crate::report::headline::in_words;
use crate::store::{RunFilter, RunSummary, Store, StoreError, StoreLocation};

/// Longest reason to hold a run, in characters.
const LONGEST_REASON: usize = 500;

#[derive(Debug, Subcommand)]
pub(super) enum RunsCommand {
    /// List stored runs, newest first
    List {
        /// Only runs of this suite
        #[arg(long, value_name = "NAME")]
        suite: Option<String>,
        /// Only runs against this target
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List what waits and what runs now, whoever asked for it
    Queue {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop a run that waits or runs; what it found until then is kept
    Cancel {
        /// The run: an id, or the beginning of one
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Show a stored run
    Show {
        /// The run: an id, the beginning of one, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
        #[command(flatten)]
        reports: ReportArgs,
    },
    /// Hold a stored run: nothing deletes it or its answers until it is released
    Hold {
        /// The run: an id, the beginning of one, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
        /// Why, for whoever wants to delete it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Release a run that was held
    Release {
        /// The run: an id, the beginning of one, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Delete stored runs
    Delete {
        /// The runs: ids or the beginnings of some, and not `latest`
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<String>,
        /// Also a run that is a baseline, which then is none any more
        #[arg(long)]
        force: bool,
    },
}

/// Where the store is; a command about stored runs needs one.
pub(super) fn location(config: &Config) -> Result<StoreLocation, Failure> {
    Keeper::location(config)?.ok_or_else(|| {
        Failure::usage("there is no store: the database is `none`", "name a database, or leave it out")
    })
}

/// Opens the store and brings what waits in the spool to it.
pub(super) async fn open(config: &Config, output: Output) -> Result<Box<dyn Store>, Failure> {
    let location = location(config)?;
    let store = open_store(config, &location, true).await?;
    let delivered = deliver_spool(&spool(config), store.as_ref()).await;
    let mut notes = Notes::default();
    tell_delivered(delivered.as_ref(), &mut notes);
    notes.said(false).iter().for_each(|note| output.note(note));
    Ok(store)
}

pub(super) async fn runs(config: &Config, command: RunsCommand, output: Output) -> Result<Exit, Failure> {
    match command {
        RunsCommand::List { suite, target, limit, json } => {
            let store = open(config, output).await?;
            let filter = RunFilter { suite, target, limit: Some(limit), ..RunFilter::default() };
            let runs = store.list(&filter).await?;
            store.close().await;
            if json { output.data(&json_list(&runs))? } else { output.show(&list(&runs, output))? }
        }
        RunsCommand::Queue { json } => return queue::list(config, json, output).await,
        RunsCommand::Cancel { run } => return queue::cancel(config, &run, output).await,
        RunsCommand::Show { run, reports } => return show(config, &run, &reports, output).await,
        RunsCommand::Hold { run, reason } => {
            let reason = one_line(&reason, LONGEST_REASON).map_err(|wrong| {
                Failure::usage(
                    format!("`--reason` cannot be kept: {wrong}"),
                    "say in a line why the run is held, such as `--reason 'case 12'`",
                )
            })?;
            let store = open(config, output).await?;
            let id = store.resolve(&run).await?;
            store.hold(&id, Some(reason)).await?;
            store.close().await;
            output.audit(format!("held run {id}"));
            output.note(format!("{id} is held: nothing deletes it until `thrash runs release {id}`"));
        }
        RunsCommand::Release { run } => {
            let store = open(config, output).await?;
            let id = store.resolve(&run).await?;
            let held = store.summary(&id).await?.hold;
            store.hold(&id, None).await?;
            store.close().await;
            if held.is_some() {
                output.audit(format!("released run {id}"));
            }
            output.note(match held {
                Some(reason) => format!("{id} is released; it was held: {reason}"),
                None => format!("{id} was not held"),
            });
        }
        RunsCommand::Delete { runs, force } => {
            if runs.iter().any(|run| run.trim().eq_ignore_ascii_case("latest")) {
                let message = "`latest` names no run to delete: by now another one may be the latest";
                return Err(Failure::usage(message, "name its id: `thrash runs list --limit 1`"));
            }
            let store = open(config, output).await?;
            let mut ids = Vec::new();
            // All are looked up before the first is deleted: a typing error deletes nothing.
            for run in &runs {
                let id = store.resolve(run).await?;
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            for id in &ids {
                let run = store.summary(id).await?;
                if run.hold.is_some() {
                    return Err(StoreError::OnHold { id: id.clone(), reason: run.hold }.into());
                }
                if let (true, false, Some(series)) = (run.baseline, force, run.series()) {
                    return Err(StoreError::IsBaseline { id: id.clone(), series }.into());
                }
            }
            for id in &ids {
                if force && store.clear_baseline(id).await? {
                    output.note(format!("{id} was a baseline: its suite and target have none now"));
                    output.audit(format!("took back that run {id} is a baseline"));
                }
                store.delete(id).await?;
                output.note(format!("deleted {id}"));
                output.audit(format!("deleted run {id}"));
            }
            store.close().await;
        }
    }
    Ok(Exit::Passed)
}

/// Shows a stored run; the exit code tells only whether it could be shown.
pub(super) async fn show(
    config: &Config,
    run: &str,
    args: &ReportArgs,
    output: Output,
) -> Result<Exit, Failure> {
    let reports = Reports::check(args, config)?;
    let store = open(config, output).await?;
    let id = store.resolve(run).await?;
    let record = store.load(&id).await?;
    reports.can_show(&record)?;
    let earlier = earlier(store.as_ref(), &record).await;
    store.close().await;
    Ok(reports.after(&earlier).write(&record, None, Vec::new(), Vec::new(), output))
}

fn json_list(runs: &[RunSummary]) -> String {
    format!("{:#}\n", serde_json::to_value(runs).unwrap_or_default())
}

/// Columns from which there is room for latencies.
const WIDE: usize = 100;

fn list(runs: &[RunSummary], output: Output) -> String {
    if runs.is_empty() {
        output.note("no run is stored yet; `thrash quick` makes one");
        return String::new();
    }
    let width = output.width();
    let mut table = tabled::builder::Builder::new();
    let mut heads = vec!["run", "verdict", "accuracy", "false pos.", "suite", "target"];
    if width >= WIDE {
        heads.insert(4, "p95");
    }
    table.push_record(heads);
    for run in runs {
        // With these widths a line of the narrow table has at most 80 columns.
        let mut row = vec![
            format!("{}{}", run.id, if run.keep { "*" } else { "" }),
            run.conclusion.map_or(figures::NOTHING, in_words).to_owned(),
            figures::percent(run.accuracy),
            figures::percent(run.false_positive_rate),
            cut(&run.suite, width.saturating_sub(67).clamp(13, 40)),
            cut(run.target.as_deref().unwrap_or(figures::NOTHING), width.saturating_sub(71).clamp(9, 30)),
        ];
        if width >= WIDE {
            row.insert(4, figures::duration(run.p95_ms));
        }
        table.push_record(row);
    }
    if runs.iter().any(|run| run.keep) {
        output.note("* is a baseline or held: `retention` does not remove it");
    }
    let mut table = table.build();
    table.with(tabled::settings::Style::empty()).with(tabled::settings::Padding::new(0, 1, 0, 0));
    let mut text = String::new();
    for line in table.to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The text in at most so many columns, on one line.
pub(super) fn cut(text: &str, width: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    console::truncate_str(&line, width, "…").into_owned()
}
