//! `thrash runs queue` and `thrash runs cancel`: what waits and runs now, whoever asked for it.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use super::runs::{cut, open};
use crate::config::Config;
use crate::dispatch::typist;
use crate::domain::{Job, JobState, RunId};
use crate::store::{JobFilter, Reap, Store, StoreError, StoreErrorKind};

/// So many are looked through.
const MOST: usize = 10_000;
/// Fewer characters of an id may be meant for anything.
const SHORTEST: usize = 8;
/// How long the end of a run that was told to stop is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Lists the queue: what runs first, then what waits, in the order of their turns.
pub(super) async fn list(config: &Config, json: bool, output: Output) -> Result<Exit, Failure> {
    let store = open(config, output).await?;
    // What was typed and died is seen by nobody else where there is no service; where this may not write, it is shown as
    // it stands.
    let _ = store.reap_jobs(Reap::Typed).await;
    let mut jobs = under_way(store.as_ref()).await?;
    store.close().await;
    jobs.sort_by_key(|job| {
        (job.state != JobState::Running, !job.typed, std::cmp::Reverse(job.priority), job.submitted_at)
    });
    if json {
        output.data(&format!("{:#}\n", serde_json::to_value(&jobs).unwrap_or_default()))?;
    } else if jobs.is_empty() {
        output.note("nothing runs, and nothing waits");
    } else {
        output.show(&shown(&jobs, output.width()))?;
    }
    Ok(Exit::Passed)
}

async fn under_way(store: &dyn Store) -> Result<Vec<Job>, StoreError> {
    let states = vec![JobState::Queued, JobState::Running];
    store.jobs(&JobFilter { states, limit: Some(MOST), ..JobFilter::default() }).await
}

fn shown(jobs: &[Job], width: usize) -> String {
    let mut text = String::new();
    for job in jobs {
        let state = match (job.state, &job.cancelled_by) {
            (JobState::Running, Some(_)) => "is told to stop",
            (JobState::Running, None) => "runs",
            _ => "waits",
        };
        let what = format!("{}  {state}: {} against {}", job.id, job.suite_name(), job.target);
        let _ = writeln!(text, "{}", cut(&what, width));
        let time = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let _ = writeln!(text, "  asked for by {}, {}", cut(&job.requester, 80), time(job.submitted_at));
        if let Some(instance) = &job.instance {
            let since = job.started_at.map_or_else(String::new, |at| format!(" since {}", time(at)));
            let _ = writeln!(text, "  on {}{since}", cut(instance, 80));
        }
    }
    text
}

/// Stops a run, and waits a little to say what became of it.
pub(super) async fn cancel(config: &Config, run: &str, output: Output) -> Result<Exit, Failure> {
    let store = open(config, output).await?;
    let id = find(store.as_ref(), run).await?;
    let before = store.job(&id).await?;
    if before.state.is_over() {
        store.close().await;
        return over_already(&before, output);
    }
    let mut job = store.cancel_job(&id, &typist(config)).await?;
    if !job.state.is_over() || job.state == JobState::Cancelled {
        output.audit(format!("stopped run {id}"));
    }
    let begun = Instant::now();
    while !job.state.is_over() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK_EVERY).await;
        let _ = store.reap_jobs(Reap::Typed).await;
        job = store.job(&id).await?;
    }
    // To be unable to ask is not to be told that there is none.
    let kept = match &job.run {
        Some(run) => match store.summary(run).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        },
        None => Ok(false),
    };
    store.close().await;
    let run = job.run.as_ref().unwrap_or(&id);
    output.note(match (job.state, kept) {
        (state, Err(error)) => {
            format!(
                "{id} is {}; whether a record of it is kept is not known: {}",
                state.as_str(),
                chain(&error)
            )
        }
        (JobState::Queued | JobState::Running, _) => {
            format!("{id} is told to stop, and has not ended yet: `thrash runs queue` shows whether it has")
        }
        (JobState::Cancelled, Ok(true)) => {
            format!("{id} is cancelled; what it found until then is kept: `thrash report {run}`")
        }
        (JobState::Cancelled, Ok(false)) => format!("{id} is cancelled; there is no record of it"),
        (state, Ok(true)) => format!("{id} had come to its end ({}): `thrash report {run}`", state.as_str()),
        (state, Ok(false)) => format!("{id} is {}{}", state.as_str(), why(&job)),
    });
    Ok(Exit::Passed)
}

/// The run that is meant: one that waits or runs, by the beginning of its id, or any other by its whole id.
async fn find(store: &dyn Store, run: &str) -> Result<RunId, Failure> {
    let wanted = run.trim().to_lowercase();
    if wanted.chars().count() < SHORTEST {
        return Err(Failure::usage(
            format!("`{run}` is too little of an id to stop a run by"),
            format!("write {SHORTEST} characters of it, at least: `thrash runs queue` lists the ids"),
        ));
    }
    let jobs = under_way(store).await?;
    // A run that is begun again has another name than its job.
    let names =
        |job: &Job| [Some(&job.id), job.run.as_ref()].map(|id| id.map(|id| id.as_str().to_lowercase()));
    if let Some(whole) = jobs.iter().find(|job| names(job).into_iter().flatten().any(|name| name == wanted)) {
        return Ok(whole.id.clone());
    }
    let begins = |job: &&Job| names(job).into_iter().flatten().any(|name| name.starts_with(&wanted));
    let mut meant: Vec<RunId> = jobs.iter().filter(begins).map(|job| job.id.clone()).collect();
    match (meant.pop(), meant.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(one), false) => {
            meant.push(one);
            Err(StoreError::Ambiguous { query: run.to_owned(), candidates: meant, more: false }.into())
        }
        (None, _) => match store.job(&RunId::from_stored(wanted)).await {
            Ok(job) => Ok(job.id),
            Err(error) if error.kind() == StoreErrorKind::NotFound => Err(Failure::usage(
                format!("no run that waits or runs here is called `{run}`"),
                "`thrash runs queue` lists them",
            )),
            Err(error) => Err(error.into()),
        },
    }
}

/// To stop what was stopped is no mistake; to stop what has ended is.
fn over_already(job: &Job, output: Output) -> Result<Exit, Failure> {
    let id = &job.id;
    if job.state == JobState::Cancelled {
        output.note(format!("{id} was cancelled before{}", why(job)));
        return Ok(Exit::Passed);
    }
    Err(Failure::usage(
        format!("run `{id}` is over: it is {}{}", job.state.as_str(), why(job)),
        "nothing was changed; `thrash runs queue` lists what still waits or runs",
    ))
}

fn why(job: &Job) -> String {
    job.message.as_deref().map_or_else(String::new, |why| format!(": {why}"))
}
