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
    run: Option<(DateTime<Utc>, RunId)>,
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
            at.run = Some((run.started_at, run.id.clone()));
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
        after: at.run.clone(),
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
        after: at.job.clone(),
        limit: Some(PAGE + 1),
    };
    Ok(store.jobs(&filter).await?)
}

impl Cursor {
    fn write(&self) -> String {
        let part = |place: &Option<(DateTime<Utc>, RunId)>| {
            place.as_ref().map(|(at, id)| cursor::write(*at, id)).unwrap_or_default()
        };
        format!("{}~{}", part(&self.run), part(&self.job))
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let part = |text: &str| if text.is_empty() { Some(None) } else { cursor::read(text).map(Some) };
        text.split_once('~')
            .and_then(|(run, job)| Some(Self { run: part(run)?, job: part(job)? }))
            .ok_or_else(|| Problem::bad_request("`after` is not a place that a page gave"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_as_it_was_written() {
        let place = |nanos, id: &str| Some((DateTime::from_timestamp_nanos(nanos), RunId::from_stored(id)));
        for (run, job) in [
            (None, None),
            (place(1, "legacy-7"), None),
            (place(1_700_000_000_123_456_789, "a.b"), place(2, "x")),
        ] {
            let cursor = Cursor { run, job };
            assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        }
        for nonsense in ["", "7", "x.y~", "~1", "99999999999999999999.a~"] {
            assert!(Cursor::read(nonsense).is_err(), "{nonsense}");
        }
    }
}
