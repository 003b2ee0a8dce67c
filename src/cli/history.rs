//! `thrash history`: how the runs of a suite against a target went over time.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::Args;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::runs::open;
use crate::config::Config;
use crate::dispatch::{self, FoundHistory, HistoryQuery};
use crate::domain::Wait;
use crate::report::figures;
use crate::report::{
    Format, Sink, TerminalOptions, check_together, render_history, render_history_html, render_history_json,
};

/// Whose history, and how much of it.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Runs of this suite (else of the newest run's)
    #[arg(long, value_name = "NAME")]
    pub(super) suite: Option<String>,
    /// Runs against this target (else against the newest run's)
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<String>,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = at_least_one)]
    pub(super) limit: usize,
    /// Only runs since then: `2026-11-01`, or so long ago (`30days`)
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    pub(super) since: Option<DateTime<Utc>>,
    /// Write the history as JSON; `-` is stdout
    #[arg(long, value_name = "FILE|-")]
    pub(super) json: Option<PathBuf>,
    /// Write a page to be read in a browser; `-` is stdout
    #[arg(long, value_name = "FILE|-")]
    pub(super) html: Option<PathBuf>,
}

pub(super) async fn history(config: &Config, args: HistoryArgs, output: Output) -> Result<Exit, Failure> {
    let sinks = [(&args.json, Format::Json), (&args.html, Format::Html)];
    let sinks = sinks.into_iter().filter_map(|(path, format)| Some(Sink::check(path.as_ref()?, format)));
    let sinks = sinks.collect::<Result<Vec<Sink>, _>>()?;
    check_together(&sinks)?;
    let wanted = match (&args.suite, &args.target) {
        (Some(suite), Some(target)) => format!("run of `{suite}` against `{target}`"),
        (Some(suite), None) => format!("run of `{suite}`"),
        (None, Some(target)) => format!("run against `{target}`"),
        (None, None) => "run".to_owned(),
    };
    let since =
        args.since.map_or_else(String::new, |since| format!(" since {}", since.format("%Y-%m-%d %H:%M UTC")));
    let chosen = args.suite.is_some() && args.target.is_some();
    let query = HistoryQuery {
        suite: args.suite,
        target: args.target,
        limit: Some(args.limit),
        since: args.since,
        places: config.target_places(),
    };
    let store = open(config, output).await?;
    let found = dispatch::history(store.as_ref(), query).await?;
    store.close().await;
    let history = match found {
        FoundHistory::Runs(history) => history,
        FoundHistory::Elsewhere(elsewhere) => {
            let left_out = figures::elsewhere(elsewhere);
            let hint = if wanted == "run" && since.is_empty() && left_out.is_none() {
                "`thrash quick` makes one"
            } else {
                "`thrash runs list` shows the stored runs"
            };
            let left_out = left_out.map_or_else(String::new, |left_out| format!("; {left_out}"));
            return Err(Failure::usage(format!("no {wanted} is stored{since}{left_out}"), hint));
        }
    };
    let mut files = Vec::new();
    for sink in &sinks {
        let bytes = match sink.format() {
            Format::Html => render_history_html(&history),
            _ => render_history_json(&history)?,
        };
        sink.write(&bytes)?;
        files.extend(sink.path().map(|path| (sink.format().to_string(), path.to_owned())));
    }
    let aside = sinks.iter().any(Sink::is_stdout);
    let mut notes = Vec::new();
    if !chosen {
        notes.push("the newest run's suite and target; --suite and --target choose others".to_owned());
    }
    let options = TerminalOptions {
        width: output.width(),
        color: output.color() && !aside,
        files,
        notes,
        ..TerminalOptions::default()
    };
    let page = render_history(&history, &options);
    if aside {
        output.note(page.trim_end_matches('\n'));
    } else {
        output.print(&page)?;
    }
    Ok(Exit::Passed)
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a whole number from 1 on".to_owned())
}

/// A point in time: `2026-11-01`, `2026-11-01T06:00:00Z`, or so long ago (`30days`).
fn point_in_time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    text.parse::<Wait>()
        .ok()
        .and_then(|ago| Utc::now().checked_sub_signed(TimeDelta::from_std(ago.0).ok()?))
        .ok_or_else(|| "write `2026-11-01`, `2026-11-01T06:00:00Z`, or so long ago: `30days`".to_owned())
}
