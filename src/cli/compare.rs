//! `thrash compare`: two runs over the same phrases, held against each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_yaml::Value;

use super::args::Flags;
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use super::report::brief_verdict;
use super::runs::open;
use crate::config::Config;
use crate::dispatch::read_record_file;
use crate::domain::{BaselineRecord, ComparisonRecord, Level, RunRecord, SCHEMA_VERSION, TextPolicy};
use crate::gate::{Gate, GateProfile, evaluate_comparison};
use crate::judge::{compare, compare_at};
use crate::report::{
    Format, ReportError, Sink, TerminalOptions, check_apart, check_together, render_comparison_html,
    render_comparison_json, render_comparison_markdown, render_comparison_terminal,
};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The older or trusted run: an id, the beginning of one, `latest`, or a record's JSON file
    #[arg(value_name = "BASELINE")]
    baseline: String,
    /// The run that is asked about, named in the same way
    #[arg(value_name = "CANDIDATE")]
    candidate: String,
    /// A gate such as `accuracy no_regression (max 3 new failures)` (repeatable; without any against the baseline:
    /// `accuracy no_regression`, of load runs `unanswered_rate no_regression`, too)
    #[arg(long, value_name = "EXPR", help_heading = "Gates")]
    gate: Vec<Gate>,
    /// A ready set of gates, such as `regression` (repeatable; instead of the configured ones)
    #[arg(long, value_name = "NAME", help_heading = "Gates")]
    gate_profile: Vec<GateProfile>,
    /// Count alerts from this level on in both runs, whatever their targets' own level is
    #[arg(long, value_name = "LEVEL", help_heading = "Gates")]
    alert_level: Option<Level>,
    /// Write the comparison and its verdict as JSON; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    json: Option<PathBuf>,
    /// Write a page to be read in a browser; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    html: Option<PathBuf>,
    /// Write it as Markdown; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    markdown: Option<PathBuf>,
    /// `full` shows the text of the phrases in the terminal, as far as the candidate holds it
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    text: Option<TextPolicy>,
    /// Say nothing unless something needs attention
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl CompareArgs {
    pub(super) fn flags(&self) -> Flags {
        profiles(&self.gate_profile).map(|profiles| ("gate_profiles", profiles)).into_iter().collect()
    }
}

/// The profiles as a setting, where some are named.
pub(super) fn profiles(named: &[GateProfile]) -> Option<Value> {
    let values = named.iter().map(|profile| Value::from(profile.to_string()));
    (!named.is_empty()).then(|| Value::Sequence(values.collect()))
}

pub(super) async fn run(config: &Config, args: CompareArgs, output: Output) -> Result<Exit, Failure> {
    let sinks = sinks(&args)?;
    let [baseline, mut candidate] = load(config, [&args.baseline, &args.candidate], output).await?;
    if baseline.id == candidate.id {
        let message = format!("both are the run `{}`: held against itself it shows nothing", candidate.id);
        return Err(Failure::usage(message, "`thrash runs list` tells which runs there are"));
    }
    let comparison = match args.alert_level {
        None => compare(&baseline, &candidate),
        Some(level) => compare_at(&baseline, &candidate, level),
    };
    let comparison = comparison.map_err(|incomparable| Failure::usage(&incomparable, incomparable.hint()))?;
    candidate.baseline = Some(BaselineRecord::Compared(Box::new(comparison.clone())));
    let verdict = evaluate_comparison(&candidate, &config.gates_of_a_comparison(args.gate, candidate.kind));
    let record = ComparisonRecord { schema_version: SCHEMA_VERSION, comparison, verdict };
    let text = args.text == Some(TextPolicy::Full);
    let written = show(&record, &candidate, &sinks, text, args.quiet, output)?;
    Ok(Exit::from(record.verdict.conclusion).or(written))
}

/// Makes a file's content.
type Render = fn(&ComparisonRecord) -> Result<Vec<u8>, ReportError>;

/// The files that are to be written, checked before anything is loaded.
fn sinks(args: &CompareArgs) -> Result<Vec<(Sink, Render)>, Failure> {
    let markdown: Render =
        |record| Ok(render_comparison_markdown(&record.comparison, &record.verdict).into_bytes());
    let html: Render = |record| Ok(render_comparison_html(&record.comparison, &record.verdict));
    let all: [(&Option<PathBuf>, Format, Render); 3] = [
        (&args.json, Format::Json, render_comparison_json),
        (&args.html, Format::Html, html),
        (&args.markdown, Format::Markdown, markdown),
    ];
    let (mut sinks, mut renders) = (Vec::new(), Vec::new());
    for (path, format, render) in all {
        if let Some(path) = path {
            sinks.push(Sink::check(path, format)?);
            renders.push(render);
        }
    }
    check_together(&sinks)?;
    let compared = [&args.baseline, &args.candidate].map(|run| (Path::new(run), "one of the two runs"));
    check_apart(&sinks, &compared)?;
    Ok(sinks.into_iter().zip(renders).collect())
}

/// Loads both runs; the store is opened only if one of them is there.
async fn load(config: &Config, runs: [&str; 2], output: Output) -> Result<[RunRecord; 2], Failure> {
    let mut store: Option<Box<dyn Store>> = None;
    let mut records = Vec::new();
    for run in runs {
        if is_file(run) {
            records.push(read(Path::new(run))?);
            continue;
        }
        if store.is_none() {
            store = Some(open(config, output).await?);
        }
        let Some(store) = &store else { continue };
        let id = store.resolve(run).await?;
        records.push(store.load(&id).await?);
    }
    if let Some(store) = store {
        store.close().await;
    }
    records.try_into().map_err(|_| Failure::bug(anyhow::anyhow!("two runs were named, and not two loaded")))
}

/// Whether a file is meant: ids have no dot and no slash.
fn is_file(run: &str) -> bool {
    run.contains(['/', '\\']) || Path::new(run).extension().is_some()
}

fn read(path: &Path) -> Result<RunRecord, Failure> {
    read_record_file(path).map_err(|reason| {
        let hint = "name a file that `--json FILE` wrote, or a stored run: `thrash runs list`";
        Failure::usage(format!("cannot use the record `{}`: {reason}", path.display()), hint)
    })
}

/// Writes the files that were asked for, then shows the comparison.
fn show(
    record: &ComparisonRecord,
    candidate: &RunRecord,
    sinks: &[(Sink, Render)],
    text: bool,
    quiet: bool,
    output: Output,
) -> Result<Exit, Failure> {
    let (mut exit, mut files, mut notes) = (Exit::Passed, Vec::new(), Vec::new());
    for (sink, render) in sinks {
        match sink.write(&render(record)?) {
            Err(error) => {
                exit = Exit::Storage;
                notes.push(chain(&error));
            }
            Ok(()) => files.extend(sink.path().map(|path| (sink.format().to_string(), path.to_owned()))),
        }
    }
    let aside = sinks.iter().any(|(sink, _)| sink.is_stdout());
    if quiet {
        if Exit::from(record.verdict.conclusion) != Exit::Passed {
            let (baseline, candidate) = (&record.comparison.baseline.id, &record.comparison.candidate.id);
            output.note(brief_verdict(&format!("{candidate} beside {baseline}"), &record.verdict));
        }
        for note in &notes {
            output.note(note);
        }
        return Ok(exit);
    }
    let text = text && output.is_terminal() && !aside;
    let texts: BTreeMap<String, String> = candidate
        .results
        .iter()
        .filter(|_| text)
        .filter_map(|result| Some((result.id.clone(), result.text.clone()?)))
        .collect();
    let color = output.color() && !aside;
    let options = TerminalOptions { width: output.width(), color, text, files, notes, kept: true };
    let page = render_comparison_terminal(record, &texts, &options);
    if aside {
        output.note(page.trim_end_matches('\n'));
    } else if let Err(error) = output.print(&page) {
        output.note(format!("cannot write to standard output: {}", chain(&error)));
        exit = exit.or(Exit::Storage);
    }
    Ok(exit)
}
