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
use super::schedule::lags;
use crate::dispatch::{deliver_spool, spool};
use crate::domain::{JobState, RunId, RunRecord};
use crate::store::{JobFilter, RunFilter, RunSummary, StoreError, StoreErrorKind};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(5);
/// Runs that are looked through for new ones, and once at the start for the newest of each series.
const NEWEST: usize = 1000;
/// `OpenMetrics` 1.0, as Prometheus asks for it.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Runs that were counted, whoever started them.
#[derive(Debug, Default)]
struct Seen(BTreeSet<RunId>);

/// Keeps the metrics true until the service stops.
pub(super) async fn watch(service: Arc<Service>) {
    let mut seen: Option<Seen> = None;
    loop {
        let runs = match &mut seen {
            Some(seen) => seen.count_new(&service).await,
            none => match Seen::remember(&service).await {
                Ok(first) => {
                    *none = Some(first);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = &runs {
            tracing::warn!(error = %crate::dispatch::chain(error), "the runs cannot be looked through");
        }
        let state = state(&service).await;
        if state.store_up == Some(true) && state.spooled.is_some_and(|waiting| waiting > 0) {
            deliver(&service).await;
        }
        service.metrics.set_service(state);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = service.stopping.drain.cancelled() => return,
        }
    }
}

impl Seen {
    /// Shows the newest run of each outcome of each series, and counts none of them.
    async fn remember(service: &Service) -> Result<Self, StoreError> {
        let runs = newest(service).await?;
        let mut shown = BTreeSet::new();
        for run in &runs {
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
        Ok(Self(runs.into_iter().map(|run| run.id).collect()))
    }

    async fn count_new(&mut self, service: &Service) -> Result<(), StoreError> {
        let runs = newest(service).await?;
        for run in &runs {
            if !self.0.contains(&run.id) {
                if let Some(record) = record(service, &run.id).await? {
                    service.metrics.count(&record);
                }
                self.0.insert(run.id.clone());
            }
        }
        // Those that are no longer looked through are forgotten.
        let listed: BTreeSet<&RunId> = runs.iter().map(|run| &run.id).collect();
        self.0.retain(|id| listed.contains(id));
        Ok(())
    }
}

/// The record of a run, unless it is of a part of its suite, which says nothing of the whole, or cannot be read.
async fn record(service: &Service, id: &RunId) -> Result<Option<RunRecord>, StoreError> {
    match service.store.load(id).await {
        Ok(record) => Ok(Some(record).filter(|record| !service.config.is_partial(record))),
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

/// What can be told of the service now.
async fn state(service: &Service) -> ServiceState {
    let looks = service.look().await;
    let well = |look: &readiness::Look| look.state == readiness::State::Ok;
    let filter = JobFilter { states: vec![JobState::Queued, JobState::Running], ..JobFilter::default() };
    let jobs = service.store.jobs(&filter).await.map_or_else(
        |_| BTreeMap::new(),
        |jobs| {
            let count = |state: JobState| jobs.iter().filter(|job| job.state == state).count() as u64;
            [JobState::Queued, JobState::Running]
                .map(|state| (state.as_str().to_owned(), count(state)))
                .into()
        },
    );
    let outbox = service.store.outbox_counts().await.ok();
    ServiceState {
        store_up: Some(well(&looks.database)),
        spooled: spool(&service.config).pending().ok().map(|waiting| waiting.len() as u64),
        jobs,
        schedule_lag: lags(&service.config, service.store.as_ref(), Utc::now()).await.unwrap_or_default(),
        notifications: outbox.as_ref().map(|counts| counts.waiting),
        notifications_given_up: outbox.map(|counts| counts.given_up),
        targets_up: [(service.config.target_name().to_owned(), well(&looks.target))].into(),
    }
}

/// Brings what waits to a database that is back.
async fn deliver(service: &Service) {
    if let Some(report) = deliver_spool(&spool(&service.config), service.store.as_ref()).await {
        tracing::info!(?report, "records that waited were brought to the database");
    }
}

/// What the metrics' own listener answers.
pub(super) fn router(service: &Arc<Service>) -> Router {
    Router::new().route("/metrics", get(page)).with_state(Arc::clone(service))
}

async fn page(State(service): State<Arc<Service>>) -> Response {
    match service.metrics.text() {
        Ok(page) => ([(header::CONTENT_TYPE, FORMAT)], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
