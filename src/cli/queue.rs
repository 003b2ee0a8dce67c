//! `thrash runs queue` and `thrash runs cancel`: what waits and runs now, whoever asked for it.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::runs::{cut, open};
use crate::config::Config;
use crate::dispatch::typist;
use crate::domain::{Job, JobState, RunId};
use crate::store::{JobFilter, Reap, Store, StoreError, StoreErrorKind};

/// So many are looked through.
const MOST: usize = 10_000;
/// How long the end of a run that was told to stop is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Lists the queue: what runs first, then what waits, in the order of their turns.
pub(super) async fn list(config: &Config, json: bool, output: Output) -> Result<Exit, Failure> {
    let store = open(config, output).await?;
    // What was typed and died is seen by nobody else where there is no service; where this may not write, it is shown as
    // it stands.
    let _ = store.reap_jobs(Reap::Unattended).await;
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
        let _ = store.reap_jobs(Reap::Unattended).await;
        job = store.job(&id).await?;
    }
    let is_kept = match &job.run {
        Some(run) => store.summary(run).await.is_ok(),
        None => false,
    };
    store.close().await;
    let run = job.run.as_ref().unwrap_or(&id);
    output.note(match (job.state, is_kept) {
        (JobState::Queued | JobState::Running, _) => {
            format!("{id} is told to stop, and has not ended yet: `thrash runs queue` shows whether it has")
        }
        (JobState::Cancelled, true) => {
            format!("{id} is cancelled; what it found until then is kept: `thrash report {run}`")
        }
        (JobState::Cancelled, false) => format!("{id} is cancelled; there is no record of it"),
        (state, true) => format!("{id} had come to its end ({}): `thrash report {run}`", state.as_str()),
        (state, false) => format!("{id} is {}{}", state.as_str(), why(&job)),
    });
    Ok(Exit::Passed)
}

/// The run that is meant: one that waits or runs, by the beginning of its id, or any other by its whole id.
async fn find(store: &dyn Store, run: &str) -> Result<RunId, Failure> {
    let wanted = run.trim().to_lowercase();
    let jobs = under_way(store).await?;
    let mut meant: Vec<RunId> = jobs
        .into_iter()
        .map(|job| job.id)
        .filter(|id| !wanted.is_empty() && id.as_str().to_lowercase().starts_with(&wanted))
        .collect();
    if let Some(whole) = meant.iter().position(|id| id.as_str().to_lowercase() == wanted) {
        return Ok(meant.swap_remove(whole));
    }
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
