//! `thrash baseline`: the run that later ones of its suite and target are held against.

use std::fmt::Write;

use chrono::{TimeDelta, Utc};
use clap::Subcommand;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::runs::{cut, open};
use crate::config::Config;
use crate::dispatch::set_baseline;
use crate::domain::{Baseline, Conclusion};
use crate::report::figures;
use crate::report::headline::in_words;
use crate::store::{RunSummary, Store};

/// What is done with baselines.
#[derive(Debug, Subcommand)]
pub(super) enum BaselineCommand {
    /// Make a stored run the baseline of its suite and target
    Set {
        /// The run: an id, the beginning of one, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
        /// Why this one
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Show every baseline
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a suite and target have no baseline any more; the run stays
    #[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
    Clear {
        /// The run that is the baseline
        #[arg(value_name = "RUN", group = "which", conflicts_with_all = ["suite", "target"])]
        run: Option<String>,
        /// The suite whose baseline it is
        #[arg(long, value_name = "NAME", group = "which", requires = "target")]
        suite: Option<String>,
        /// The target whose baseline it is
        #[arg(long, value_name = "NAME", group = "which", requires = "suite")]
        target: Option<String>,
    },
}

pub(super) async fn baseline(
    config: &Config,
    command: BaselineCommand,
    output: Output,
) -> Result<Exit, Failure> {
    let store = open(config, output).await?;
    let text = match command {
        BaselineCommand::Set { run, note } => set(store.as_ref(), &run, note.as_deref(), output).await?,
        BaselineCommand::Show { json } => {
            let baselines = with_runs(store.as_ref()).await?;
            if json {
                store.close().await;
                output.data(&as_json(&baselines))?;
                return Ok(Exit::Passed);
            }
            as_text(&baselines, output)
        }
        BaselineCommand::Clear { run, suite, target } => {
            let baseline = match (run, suite, target) {
                (Some(run), ..) => of_run(store.as_ref(), &run).await?,
                (None, suite, target) => of_names(store.as_ref(), suite, target).await?,
            };
            store.clear_baseline(&baseline.run).await?;
            output.audit(format!("took back that run {} is a baseline", baseline.run));
            format!("{}\n  no baseline any more; it was {}\n", baseline.series, baseline.run)
        }
    };
    store.close().await;
    output.show(&text)?;
    Ok(Exit::Passed)
}

async fn set(store: &dyn Store, run: &str, note: Option<&str>, output: Output) -> Result<String, Failure> {
    let id = store.resolve(run).await?;
    let summary = store.summary(&id).await?;
    let before = match summary.series() {
        Some(series) => store.baseline(&series).await?,
        None => None,
    };
    let baseline = set_baseline(store, &id, note, Utc::now()).await?;
    output.audit(format!("made run {id} the baseline of {}", baseline.series));
    if let Some(conclusion) = summary.conclusion.filter(|conclusion| *conclusion != Conclusion::Passed) {
        output.note(format!(
            "warning: the run itself did not pass ({}): what it got wrong, no later run can break",
            in_words(conclusion)
        ));
    }
    let accuracy = figures::percent(summary.accuracy);
    let instead = before
        .filter(|before| before.run != id)
        .map_or_else(String::new, |before| format!("  in place of {}\n", before.run));
    Ok(format!("{}\n  {id} is the baseline now, accuracy {accuracy}\n{instead}", baseline.series))
}

async fn of_run(store: &dyn Store, run: &str) -> Result<Baseline, Failure> {
    let id = store.resolve(run).await?;
    let baselines = store.baselines().await?;
    baselines.into_iter().find(|baseline| baseline.run == id).ok_or_else(|| {
        Failure::usage(format!("run `{id}` is no baseline"), "`thrash baseline show` lists them")
    })
}

async fn of_names(
    store: &dyn Store,
    suite: Option<String>,
    target: Option<String>,
) -> Result<Baseline, Failure> {
    let (suite, target) = (suite.unwrap_or_default(), target.unwrap_or_default());
    let mut baselines = store.baselines().await?;
    baselines.retain(|baseline| baseline.series.suite == suite && baseline.series.target == target);
    match baselines.len() {
        0 => Err(Failure::usage(
            format!("`{suite}` against `{target}` has no baseline"),
            "`thrash baseline show` lists them",
        )),
        1 => Ok(baselines.remove(0)),
        _ => Err(Failure::usage(
            format!("there are two targets `{target}`, the built-in demo and another one"),
            "name the run: `thrash baseline clear RUN`",
        )),
    }
}

/// Every baseline with its run.
async fn with_runs(store: &dyn Store) -> Result<Vec<(Baseline, RunSummary)>, Failure> {
    let mut all = Vec::new();
    for baseline in store.baselines().await? {
        let run = store.summary(&baseline.run).await?;
        all.push((baseline, run));
    }
    Ok(all)
}

fn as_json(baselines: &[(Baseline, RunSummary)]) -> String {
    let entry = |(baseline, run): &(Baseline, RunSummary)| {
        let mut entry = serde_json::to_value(baseline).unwrap_or_default();
        entry["summary"] = serde_json::to_value(run).unwrap_or_default();
        entry
    };
    format!("{:#}\n", baselines.iter().map(entry).collect::<serde_json::Value>())
}

fn as_text(baselines: &[(Baseline, RunSummary)], output: Output) -> String {
    if baselines.is_empty() {
        output.note("no baseline is set; `thrash baseline set RUN` makes a run one");
        return String::new();
    }
    let now = Utc::now();
    let mut text = String::new();
    for (baseline, run) in baselines {
        let verdict = run.conclusion.map_or(figures::NOTHING, in_words);
        let accuracy = figures::percent(run.accuracy);
        let (age, set) = (age(now - run.started_at), age(now - baseline.set_at));
        let _ = writeln!(text, "{}", baseline.series);
        let _ = writeln!(text, "  {}  {verdict}, accuracy {accuracy}, {age} old", baseline.run);
        let note = baseline.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        let _ =
            writeln!(text, "  {}", cut(&format!("set {set} ago{note}"), output.width().saturating_sub(2)));
    }
    text
}

/// A length of time in its largest unit.
fn age(age: TimeDelta) -> String {
    let (days, hours, minutes) = (age.num_days(), age.num_hours(), age.num_minutes());
    let (count, one, many) = match (days, hours, minutes) {
        (1.., ..) => (days, "day", "days"),
        (_, 1.., _) => (hours, "hour", "hours"),
        (.., 1..) => (minutes, "minute", "minutes"),
        _ => return "less than a minute".to_owned(),
    };
    figures::count(u64::try_from(count).unwrap_or_default(), one, many)
}
