//! `thrash schedule`.

use std::fmt::Write;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::runs::{cut, open};
use crate::config::{Config, PlannedJob};
use crate::dispatch::Queue;
use crate::service::schedule::{
    ScheduleView, broken, check, enable, mark_broken, planned_job, run_now, views,
};
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleCommand {
    /// List the schedules, when each ran last and when it starts next
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the next starts, by the schedule's clock
    Next {
        /// The schedule (else all that are on)
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// So many of each
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a run of the schedule's job into the queue now; the service runs it
    Run {
        /// The schedule
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Switch a schedule on, whatever the configuration says
    Enable {
        /// The schedule
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Switch a schedule off, whatever the configuration says
    Disable {
        /// The schedule
        #[arg(value_name = "NAME")]
        name: String,
    },
}

pub(super) async fn schedule(
    config: Config,
    command: ScheduleCommand,
    output: Output,
) -> Result<Exit, Failure> {
    match command {
        ScheduleCommand::List { json } => {
            let store = open(&config, output).await?;
            let mut views = views(&config, store.as_ref(), Utc::now()).await?;
            store.close().await;
            mark_broken(&mut views, &broken(&config));
            if json {
                output.data(&format!("{:#}\n", json!(views)))?;
            } else {
                tell_if_off(&config, output);
                output.show(&list(&views, Utc::now(), output.width()))?;
                if views.iter().any(|view| !view.enabled) {
                    output.note("`thrash schedule enable NAME` switches one on, for `thrash serve`");
                }
            }
            // One that is off does no harm until it is switched on, which is refused.
            let broken = views.iter().filter(|view| view.enabled && view.broken.is_some());
            let names: Vec<&str> = broken.map(|view| view.name.as_str()).collect();
            if !names.is_empty() {
                output.note(format!("on, and cannot be run: {}", names.join(", ")));
                return Ok(Exit::Usage);
            }
        }
        ScheduleCommand::Next { name, count, json } => {
            next(&config, name.as_deref(), count, json, output).await?;
        }
        ScheduleCommand::Run { name } => {
            let job = find(&config, &name)?;
            check(&config, &job)?;
            let store: Arc<dyn Store> = Arc::from(open(&config, output).await?);
            let queue = Queue::new(Arc::new(config), Arc::clone(&store), "cli".to_owned(), Vec::new());
            let run = run_now(&queue, &job).await?;
            store.close().await;
            output.audit(format!("asked for run {} of the schedule `{name}`", run.id));
            output.show(&format!("{}\n", run.id))?;
            output.note("it waits in the queue; `thrash serve` on this database runs it");
        }
        ScheduleCommand::Enable { name } => switch(&config, &name, true, output).await?,
        ScheduleCommand::Disable { name } => switch(&config, &name, false, output).await?,
    }
    Ok(Exit::Passed)
}

fn find(config: &Config, name: &str) -> Result<PlannedJob, Failure> {
    planned_job(config, name).ok_or_else(|| {
        let names: Vec<String> = config.planned_jobs().into_iter().map(|job| job.plan.name).collect();
        Failure::usage(format!("there is no schedule `{name}`"), format!("one of {}", names.join(", ")))
    })
}

fn tell_if_off(config: &Config, output: Output) {
    if config.schedules_are_off() {
        output
            .note("`schedules.enabled` is false (CONTINUOUS_TESTING_ENABLED sets it): none begins by itself");
    }
}

async fn switch(config: &Config, name: &str, on: bool, output: Output) -> Result<(), Failure> {
    let job = find(config, name)?;
    if on {
        check(config, &job)?;
    }
    let store = open(config, output).await?;
    let view = enable(config, store.as_ref(), &job, on, Utc::now()).await?;
    store.close().await;
    output.audit(format!("switched the schedule `{name}` {}", if on { "on" } else { "off" }));
    tell_if_off(config, output);
    output.show(&list(&[view], Utc::now(), output.width()))?;
    Ok(())
}

async fn next(
    config: &Config,
    name: Option<&str>,
    count: u16,
    json: bool,
    output: Output,
) -> Result<(), Failure> {
    let one = name.map(|name| find(config, name)).transpose()?;
    let now = Utc::now();
    let store = open(config, output).await?;
    let mut views = views(config, store.as_ref(), now).await?;
    store.close().await;
    match &one {
        Some(job) => views.retain(|view| view.name == job.plan.name),
        None => views.retain(|view| view.enabled),
    }
    let jobs = config.planned_jobs();
    let mut starts = Vec::new();
    for view in &views {
        let Some(job) = jobs.iter().find(|job| job.plan.name == view.name) else { continue };
        let meant = std::iter::successors(job.plan.next(now), |meant| job.plan.next(*meant));
        starts.extend(meant.take(usize::from(count)).map(|meant| (job.plan.start(meant), meant, job)));
    }
    starts.sort_by_key(|(start, ..)| *start);
    if json {
        let entries = starts.iter().map(|(start, meant, job)| {
            json!({"name": job.plan.name, "meant": meant, "start": start, "zone": job.plan.zone.to_string()})
        });
        output.data(&format!("{:#}\n", entries.collect::<serde_json::Value>()))?;
        return Ok(());
    }
    tell_if_off(config, output);
    if let Some(view) = views.iter().find(|view| !view.enabled) {
        output.note(format!("`{}` is off: it would start at these times", view.name));
    } else if views.is_empty() {
        output.note("no schedule is on; `thrash schedule enable NAME` switches one on");
    }
    let mut text = String::new();
    for (start, _, job) in &starts {
        let local = job.plan.zone.local(*start).format("%a %Y-%m-%d %H:%M:%S");
        let line = format!("{local} {}  {}", job.plan.zone, job.plan.name);
        let _ = writeln!(text, "{}", cut(&line, output.width()));
    }
    output.show(&text)?;
    Ok(())
}

fn list(views: &[ScheduleView], now: DateTime<Utc>, width: usize) -> String {
    let mut text = String::new();
    for view in views {
        let state = match (view.enabled, view.switched) {
            (true, false) => "on",
            (true, true) => "on, by hand",
            (false, false) => "off",
            (false, true) => "off, by hand",
        };
        let _ = writeln!(text, "{}", cut(&format!("{}  {state}", view.name), width));
        let what = match (&view.suite, &view.scenario) {
            (Some(suite), _) => format!("suite {suite}"),
            (None, Some(scenario)) => format!("scenario {scenario}"),
            (None, None) => String::new(),
        };
        let target = view.target.as_ref().map_or_else(String::new, |target| format!(" against {target}"));
        let when = format!("  `{}` {}: {what}{target}", view.cron, view.zone);
        let _ = writeln!(text, "{}", cut(&when, width));
        let time = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC").to_string();
        let next = view.next.map(|next| format!("next {} (in {})", time(next), about(next - now)));
        let outcome =
            view.last_outcome.map_or_else(String::new, |word| format!(": {}", word.replace('_', " ")));
        let last = view.last.map(|last| format!("last {}{outcome}", time(last)));
        let times: Vec<String> = next.into_iter().chain(last).collect();
        if !times.is_empty() {
            let _ = writeln!(text, "{}", cut(&format!("  {}", times.join(", ")), width));
        }
        if let Some(reason) = &view.broken {
            // Uncut: it says where.
            let _ = writeln!(text, "  cannot be run: {}", cut(reason, usize::MAX));
        }
    }
    text
}

/// A length of time in its largest unit.
fn about(time: TimeDelta) -> String {
    match (time.num_days(), time.num_hours(), time.num_minutes()) {
        (days @ 2.., ..) => format!("{days} days"),
        (_, hours @ 2.., _) => format!("{hours} h"),
        (.., minutes @ 2..) => format!("{minutes} min"),
        _ => format!("{} s", time.num_seconds().max(0)),
    }
}
