//! The newest result: what dashboards and scripts ask for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::Utc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;
use super::extract::Query;
use super::results::ResultView;
use crate::dispatch::{AskError, Work, look_up};
use crate::domain::{Job, JobState, RunKind};
use crate::service::Service;
use crate::service::problem::Problem;
use crate::store::{DELETED, JobFilter, RunFilter, StoreError, StoreErrorKind};

/// So many of the newest jobs are looked at.
const LOOKED_AT: usize = 200;

/// Which newest result.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LatestQuery {
    /// Of this suite; of a load scenario it is `load NAME`.
    test_type: Option<String>,
    /// Against this target; nothing means the configured one.
    target: Option<String>,
}

/// The newest result. One that could not be had is a result too: an old pass must not stand for a run that failed since.
#[derive(Debug, Serialize, JsonSchema)]
struct Latest {
    #[serde(flatten)]
    result: Arc<ResultView>,
    /// How long ago it ended, in seconds.
    age_seconds: Option<i64>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/test/results/latest", latest)
            .says("The newest result, also of a run that could not begin or was lost")
            .query::<LatestQuery>()
            .gives::<Latest>(200, "What it found; `passed` says whether that is good")
            .leads("/api/test/results/", "$response.body#/id")
            .fails(&[400, 404]),
    ]
}

async fn latest(
    State(service): State<Arc<Service>>,
    Query(query): Query<LatestQuery>,
) -> Result<Json<Latest>, Problem> {
    let LatestQuery { test_type, target } = query;
    let (kind, name) = test_type.as_deref().map(RunKind::of_suite_name).unzip();
    let is_default = target.as_deref().is_none_or(|target| target == service.config.target_name());
    let target = target.unwrap_or_else(|| service.config.target_name().to_owned());
    let filter = RunFilter {
        suite: test_type.clone(),
        target: Some(target.clone()),
        // Another target of that name is another thing.
        demo: Some(is_default && service.config.wants_demo()),
        limit: Some(1),
        ..service.telling_runs()
    };
    let without_record = JobFilter {
        states: vec![JobState::Failed, JobState::Lost, JobState::Finished],
        kind,
        name: name.map(str::to_owned),
        target: Some(target.clone()),
        // Nobody knows whether one that was typed was of the whole suite, and against the configured address.
        typed: Some(false),
        limit: Some(LOOKED_AT),
        ..JobFilter::default()
    };
    let (mut stored, jobs) =
        tokio::try_join!(service.store.list(&filter), service.store.jobs(&without_record))?;
    let newest = match stored.pop() {
        Some(run) => Some((run.started_at, service.listed_result(&run).await?)),
        None => None,
    };
    let later = jobs.into_iter().filter(|job| match (&newest, job.started_at) {
        (Some((began, _)), Some(at)) => at > *began,
        _ => true,
    });
    let mut unknown: Option<Job> = None;
    for job in later {
        if is_kept(&service, &job).await? {
            continue;
        }
        if unknown.as_ref().is_none_or(|unknown| unknown.started_at < job.started_at) {
            unknown = Some(job);
        }
    }
    let result = match (newest, unknown) {
        (_, Some(job)) => Arc::new(ResultView::of_job(&job)),
        (Some((_, result)), None) => result,
        (None, None) => {
            let work = kind.zip(name).map(|(kind, name)| match kind {
                RunKind::Accuracy => Work::Suite(name.to_owned()),
                RunKind::Load => Work::Scenario(name.to_owned()),
            });
            let of = test_type.map_or_else(String::new, |name| format!(" of `{name}`"));
            return Err(why_none(&service, work, target, &of).await);
        }
    };
    let age_seconds = result.finished_at.map(|end| (Utc::now() - end).num_seconds().max(0));
    Ok(Json(Latest { result, age_seconds }))
}

/// Why there is no result: nothing of that name is here, or none has ended.
async fn why_none(service: &Arc<Service>, work: Option<Work>, target: String, of: &str) -> Problem {
    let (config, asked) = (Arc::clone(&service.config), target.clone());
    // Files are read for it.
    let found = tokio::task::spawn_blocking(move || look_up(&config, work.as_ref(), &asked)).await;
    if let Ok(Err(unknown @ AskError::Unknown { .. })) = found {
        let (message, hint) = (unknown.to_string(), unknown.hint().unwrap_or_default());
        return Problem::not_found(message).with_hint(hint);
    }
    Problem::not_found(format!("no run{of} against `{target}` has ended yet"))
        .with_hint("`POST /api/test/run` asks for one")
}

/// Whether the run of a job that finished is stored, or was until somebody deleted it; one whose record waits in a spool
/// is not.
async fn is_kept(service: &Service, job: &Job) -> Result<bool, StoreError> {
    if job.message.as_deref() == Some(DELETED) {
        return Ok(true);
    }
    let Some(run) = job.run.as_ref().filter(|_| job.state == JobState::Finished) else { return Ok(false) };
    match service.store.summary(run).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
