//! The runs that are kept and the jobs of which no run came, as one list: the newest first, page by page.

use chrono::{DateTime, Utc};

use super::row::Found;
use crate::domain::{Conclusion, RunId, RunKind};
use crate::service::api::cursor;
use crate::service::problem::Problem;
use crate::store::{JobFilter, RunFilter, Store};

/// Entries on a page.
const PAGE: usize = 50;

/// Which ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) suite: Option<String>,
    pub(super) target: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) kind: Option<RunKind>,
}

/// How they came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Is(Conclusion),
    /// No run came of it.
    NotRun,
}

/// A page of the list.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) found: Vec<Found>,
    /// What names the next page, if there is one.
    pub(super) next: Option<String>,
}

/// Where a page ended: the last run and the last job that were shown so far.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cursor {
    run: Option<(DateTime<Utc>, i64)>,
    job: Option<(DateTime<Utc>, RunId)>,
}

/// A page of them; `cursor` is what the page before it gave.
pub(super) async fn list(store: &dyn Store, wanted: Wanted, cursor: Option<&str>) -> Result<Listed, Problem> {
    let mut at = cursor.map(Cursor::read).transpose()?.unwrap_or_default();
    let (runs, jobs) = tokio::try_join!(runs(store, &wanted, &at), jobs(store, &wanted, &at))?;
    let (mut runs, mut jobs) = (runs.into_iter().peekable(), jobs.into_iter().peekable());
    let mut found = Vec::new();
    while found.len() < PAGE {
        let job_is_newer = match (runs.peek(), jobs.peek()) {
            (Some(run), Some(job)) => job.submitted_at > run.started_at,
            (None, job) => job.is_some(),
            (Some(_), None) => false,
        };
        if job_is_newer && let Some(job) = jobs.next() {
            at.job = Some((job.submitted_at, job.id.clone()));
            found.push(Found::NotRun(Box::new(job)));
        } else if let Some(run) = runs.next() {
            at.run = Some((run.started_at, run.number));
            found.push(Found::Run(Box::new(run)));
        } else {
            break;
        }
    }
    let more = runs.peek().is_some() || jobs.peek().is_some();
    Ok(Listed { found, next: more.then(|| at.write()) })
}

async fn runs(
    store: &dyn Store,
    wanted: &Wanted,
    at: &Cursor,
) -> Result<Vec<crate::store::RunSummary>, Problem> {
    let conclusion = match wanted.outcome {
        Some(Outcome::NotRun) => return Ok(Vec::new()),
        Some(Outcome::Is(conclusion)) => Some(conclusion),
        None => None,
    };
    let filter = RunFilter {
        suite: wanted.suite.clone(),
        target: wanted.target.clone(),
        kind: wanted.kind,
        conclusion,
        after: at.run,
        // One more, to know whether there is a next page.
        limit: Some(PAGE + 1),
        ..RunFilter::default()
    };
    Ok(store.list(&filter).await?)
}

async fn jobs(store: &dyn Store, wanted: &Wanted, at: &Cursor) -> Result<Vec<crate::domain::Job>, Problem> {
    if matches!(wanted.outcome, Some(Outcome::Is(_))) {
        return Ok(Vec::new());
    }
    // The queue names a scenario as it is called itself.
    let (of_suite, name) = wanted.suite.as_deref().map(RunKind::of_suite_name).unzip();
    let kind = of_suite.or(wanted.kind);
    if wanted.kind.is_some() && kind != wanted.kind {
        return Ok(Vec::new());
    }
    let filter = JobFilter {
        states: Vec::new(),
        without_run: true,
        kind,
        name: name.map(str::to_owned),
        target: wanted.target.clone(),
        requester: None,
        typed: None,
        after: at.job.clone(),
        limit: Some(PAGE + 1),
    };
    Ok(store.jobs(&filter).await?)
}

impl Cursor {
    fn write(&self) -> String {
        let run = self.run.map(|(at, number)| cursor::write(at, number));
        let job = self.job.as_ref().map(|(at, id)| cursor::write(*at, id));
        format!("{}~{}", run.unwrap_or_default(), job.unwrap_or_default())
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let (run, job) = text.split_once('~').ok_or_else(no_place)?;
        Ok(Self { run: part(run, cursor::of_run)?, job: part(job, cursor::of_job)? })
    }
}

/// One half of a place; an empty one is the beginning.
fn part<P>(text: &str, read: impl FnOnce(&str) -> Option<P>) -> Result<Option<P>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    read(text).map(Some).ok_or_else(no_place)
}

fn no_place() -> Problem {
    Problem::bad_request("`after` is not a place that a page gave")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_as_it_was_written() {
        let at = DateTime::from_timestamp_nanos;
        for (run, job) in [
            (None, None),
            (Some((at(1), 7)), None),
            (Some((at(1_700_000_000_123_456_789), 8)), Some((at(2), RunId::from_stored("a.b")))),
        ] {
            let cursor = Cursor { run, job };
            assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        }
        for nonsense in ["", "7", "x.y~", "~1", "1.legacy-7~", "99999999999999999999.1~"] {
            assert!(Cursor::read(nonsense).is_err(), "{nonsense}");
        }
    }
}
