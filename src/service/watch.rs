//! Looks at the store and the target from time to time, for whoever asks for metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::Utc;

use super::Service;
use super::metrics::ServiceState;
use super::readiness;
use super::schedule;
use crate::dispatch::spool;
use crate::domain::{Job, JobState, RunId, RunRecord};
use crate::store::{JobFilter, RunFilter, RunSummary, StoreError, StoreErrorKind};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(5);
/// How long the store may take for an answer that is shown. What it has not told by then is not known.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long who asks for metrics waits for the store: less than the least that Prometheus waits for them.
const SCRAPE: Duration = Duration::from_millis(1500);
/// Runs that are looked through once at the start, for the newest of each series.
const NEWEST: usize = 1000;
/// Runs that were stored last, which are looked through for new ones. Between two looks fewer come.
const STORED_LAST: usize = 500;
/// Jobs without a run that are looked through.
const NEWEST_JOBS: usize = 200;
/// `OpenMetrics` 1.0, as Prometheus asks for it.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Runs that were counted, whoever started them, and jobs that came to none.
#[derive(Debug, Default)]
struct Seen {
    runs: BTreeSet<RunId>,
    /// Runs up to this number are no news: where newer ones are deleted, older ones come to be among the last.
    old: i64,
    jobs: BTreeSet<RunId>,
}

/// Keeps the metrics true until the service stops.
pub(super) async fn watch(service: Arc<Service>) {
    let mut seen: Option<Seen> = None;
    // A database that does not answer must not hold up the end.
    let drain = service.stopping.drain.clone();
    let watching = async {
        loop {
            look(&service, &mut seen).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = drain.cancelled() => {}
    }
}

/// Looks once.
async fn look(service: &Service, seen: &mut Option<Seen>) {
    let runs = async {
        match seen {
            Some(seen) => seen.count_new(service).await,
            none => Seen::remember(service).await.map(|first| *none = Some(first)),
        }
    };
    // Beside one another: a store that hangs must not make the rest look as it was.
    let (runs, ()) = tokio::join!(runs, async { service.metrics.set_service(state(service).await) });
    if let Err(error) = &runs {
        tracing::warn!(error = %crate::dispatch::chain(error), "the runs cannot be looked through");
    }
}

impl Seen {
    /// Shows the newest run of each outcome of each series, and counts none of them.
    async fn remember(service: &Service) -> Result<Self, StoreError> {
        // First what is no news: a run that is stored meanwhile is.
        let seen = service.store.stored_last(STORED_LAST).await?;
        let (runs, jobs) = (newest(service).await?, without_run(service).await?);
        for job in &jobs {
            service.metrics.remember_job(job, is_demo(service, &job.target));
        }
        let states = service.store.schedule_states().await?;
        for job in schedule::enabled(&service.config, &states) {
            let (kind, suite, target) = schedule::series(&service.config, &job);
            service.metrics.expect(kind, suite, &target, is_demo(service, &target));
        }
        let mut shown = BTreeSet::new();
        let served = service.config.served_targets();
        for run in runs.iter().filter(|run| run.target.as_ref().is_none_or(|target| served.contains(target)))
        {
            let outcome = run.conclusion.map(|conclusion| conclusion as u8);
            let kind = run.kind.map(|kind| kind as u8);
            let series = (kind, run.suite.clone(), run.target.clone(), run.demo, outcome);
            if shown.contains(&series) {
                continue;
            }
            if let Some(record) = record(service, &run.id).await? {
                service.metrics.remember(&record);
                shown.insert(series);
            }
        }
        let jobs = jobs.into_iter().map(|job| job.id).collect();
        // Where there are no more than were looked at, none is older than those.
        let old = seen.last().filter(|_| seen.len() == STORED_LAST).map_or(0, |(number, _)| *number);
        Ok(Self { runs: seen.into_iter().map(|(_, id)| id).collect(), old, jobs })
    }

    async fn count_new(&mut self, service: &Service) -> Result<(), StoreError> {
        let runs = service.store.stored_last(STORED_LAST).await?;
        for (number, id) in &runs {
            if *number > self.old && !self.runs.contains(id) {
                if let Some(record) = record(service, id).await? {
                    service.metrics.count(&record);
                }
                self.runs.insert(id.clone());
            }
        }
        let jobs = without_run(service).await?;
        for job in jobs.iter().filter(|job| !self.jobs.contains(&job.id)) {
            service.metrics.count_job(job, is_demo(service, &job.target));
        }
        // Those that are no longer looked through are forgotten.
        self.runs = runs.into_iter().map(|(_, id)| id).collect();
        self.jobs = jobs.into_iter().map(|job| job.id).collect();
        Ok(())
    }
}

/// The record of a run, unless it says nothing of a whole suite against what is configured, or cannot be read.
async fn record(service: &Service, id: &RunId) -> Result<Option<RunRecord>, StoreError> {
    match service.store.load(id).await {
        Ok(record) => {
            let config = &service.config;
            // A target that is not served here is nobody's to be woken for.
            let is_served = |record: &RunRecord| config.served_targets().contains(&record.target.name);
            let tells = |record: &RunRecord| {
                is_served(record) && !config.is_partial(record) && !config.is_elsewhere(record)
            };
            Ok(Some(record).filter(tells))
        }
        Err(error) => match error.kind() {
            StoreErrorKind::Corrupt | StoreErrorKind::NewerSchema | StoreErrorKind::NotFound => {
                tracing::warn!(run = %id, error = crate::dispatch::chain(&error), "a run is in no metric");
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

async fn newest(service: &Service) -> Result<Vec<RunSummary>, StoreError> {
    let filter = RunFilter { recorded: true, limit: Some(NEWEST), ..RunFilter::default() };
    service.store.list(&filter).await
}

/// The jobs that were asked for last of those that came to no run that is kept. What was typed is counted by its record
/// alone.
async fn without_run(service: &Service) -> Result<Vec<Job>, StoreError> {
    let states = vec![JobState::Failed, JobState::Lost];
    let filter = JobFilter { states, typed: Some(false), limit: Some(NEWEST_JOBS), ..JobFilter::default() };
    let mut jobs = service.store.jobs(&filter).await?;
    let served = service.config.served_targets();
    jobs.retain(|job| served.contains(&job.target));
    Ok(jobs)
}

fn is_demo(service: &Service, target: &str) -> bool {
    service.config.for_target(target).wants_demo()
}

/// For how long each schedule that is on owes a run, and the targets of all of them. Where the store cannot tell, the
/// configuration says which are on: a target that is looked at no longer must not look well.
async fn schedules(service: &Service) -> (BTreeMap<String, f64>, BTreeSet<String>) {
    let (config, store) = (&service.config, service.store.as_ref());
    let states = told(store.schedule_states()).await;
    let on = schedule::enabled(config, states.as_deref().unwrap_or_default());
    let lags = match &states {
        Some(states) => told(schedule::lags(config, store, states, Utc::now())).await.unwrap_or_default(),
        None => BTreeMap::new(),
    };
    (lags, on.iter().map(|job| schedule::series(config, job).2).collect())
}

/// What the store says, unless it fails or takes too long.
async fn told<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()
}

/// What can be told of the service now.
async fn state(service: &Service) -> ServiceState {
    let looks = service.look().await;
    let well = |look: &readiness::Look| look.state == readiness::State::Ok;
    let (jobs, outbox, (schedule_lag, scheduled)) = tokio::join!(
        told(service.store.count_jobs()),
        told(service.store.outbox_counts()),
        schedules(service)
    );
    let jobs = jobs.map_or_else(BTreeMap::new, |jobs| {
        [(JobState::Queued, jobs.queued), (JobState::Running, jobs.running)]
            .map(|(state, count)| (state.as_str().to_owned(), count))
            .into()
    });
    ServiceState {
        store_up: Some(well(&looks.database)),
        spooled: spooled(service),
        in_memory: Some(service.queue.in_memory() as u64),
        jobs,
        schedule_lag,
        notifications: outbox.as_ref().map(|counts| counts.waiting),
        notifications_given_up: outbox.map(|counts| counts.given_up),
        targets_up: service.targets_up(&scheduled).await,
    }
}

/// Records that wait for the database in the spool.
fn spooled(service: &Service) -> Option<u64> {
    spool(&service.config).pending().ok().map(|waiting| waiting.len() as u64)
}

/// What the metrics' own listener answers.
pub(super) fn router(service: &Arc<Service>) -> Router {
    Router::new().route("/metrics", get(page)).with_state(Arc::clone(service))
}

async fn page(State(service): State<Arc<Service>>) -> Response {
    let up = service.store_is_up(SCRAPE).await;
    service.metrics.set_store(up, spooled(&service), service.queue.in_memory() as u64);
    match service.metrics.text() {
        Ok(page) => ([(header::CONTENT_TYPE, FORMAT)], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
