//! What runs found: every stored run, whoever started it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cursor;
use super::endpoint::Endpoint;
use super::extract::{Id, Query, page_limit, page_size};
use crate::domain::{Check, Conclusion, Job, JobState, RunId, RunKind, RunRecord, RunStatus};
use crate::service::Service;
use crate::service::problem::Problem;
use crate::store::{RunFilter, RunSummary, StoreError, StoreErrorKind};

/// Results that are kept ready; of a stored run nothing changes but that its answers may go.
const KEPT: usize = 64;

/// What came out, in one word. Only `passed` is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Every check passed.
    Passed,
    /// A check failed.
    GateFailed,
    /// The target failed, or was not there.
    TargetFailed,
    /// No check failed, and one could not tell.
    Inconclusive,
    /// Somebody stopped the run.
    Interrupted,
    /// It did not come to a run, or the run was lost: nothing is known.
    NotRun,
}

impl From<Conclusion> for Outcome {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Passed => Self::Passed,
            Conclusion::GateFailed => Self::GateFailed,
            Conclusion::TargetFailed => Self::TargetFailed,
            Conclusion::Inconclusive => Self::Inconclusive,
            Conclusion::Interrupted => Self::Interrupted,
        }
    }
}

/// What a run found, without its phrases; the whole record is among its reports.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::service) struct ResultView {
    /// The run's name.
    pub(super) id: RunId,
    /// Whether it was a suite or a scenario.
    pub(super) kind: RunKind,
    /// The suite or the scenario.
    pub(super) test_type: String,
    /// The target.
    pub(super) target: String,
    /// Whether the target was the embedded demo detector.
    pub(super) demo: Option<bool>,
    /// What came out.
    pub(super) outcome: Outcome,
    /// Whether less of the suite was sent than is configured: it says nothing of the rest.
    pub(super) partial: bool,
    /// Whether it asked another place than the one that is configured for its target: it says nothing of that.
    pub(super) elsewhere: bool,
    /// Whether every check passed, and nothing less.
    pub(super) passed: bool,
    /// What came out, in a sentence.
    pub(super) sentence: String,
    /// How far it came.
    pub(super) status: Option<RunStatus>,
    /// When it began.
    pub(super) started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub(super) finished_at: Option<DateTime<Utc>>,
    /// When the answers of its phrases were removed for their age; the figures are as they were.
    pub(super) answers_removed_at: Option<DateTime<Utc>>,
    /// Phrases judged.
    pub(super) phrases: Option<u64>,
    /// Right answers of all phrases, 0 to 1.
    pub(super) accuracy: Option<f64>,
    /// False alarms of the negatives answered, 0 to 1.
    pub(super) false_positive_rate: Option<f64>,
    /// Misses of the positives, 0 to 1.
    pub(super) false_negative_rate: Option<f64>,
    /// High and critical phrases answered lower or not at all, 0 to 1.
    pub(super) severe_miss_rate: Option<f64>,
    /// Unanswered of all phrases, 0 to 1.
    pub(super) unanswered_rate: Option<f64>,
    /// Median of the latency in milliseconds.
    pub(super) p50_ms: Option<f64>,
    /// 95th percentile of the latency in milliseconds.
    pub(super) p95_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds.
    pub(super) p99_ms: Option<f64>,
    /// Every check, failed ones first.
    pub(in crate::service) checks: Vec<Check>,
}

/// Results that were asked for not long ago.
#[derive(Debug, Default)]
pub(in crate::service) struct ResultCache(Mutex<VecDeque<Arc<ResultView>>>);

/// Which stored runs are listed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResultsQuery {
    /// Only runs of this suite; of a load scenario it is `load NAME`.
    test_type: Option<String>,
    /// Only runs against this target.
    target: Option<String>,
    /// Only runs of suites, or only those of scenarios.
    kind: Option<RunKind>,
    /// Only runs that came out so.
    outcome: Option<Conclusion>,
    /// The page after the one that gave this as `next`.
    #[schemars(extend("pattern" = cursor::OF_RUN))]
    cursor: Option<String>,
    /// Runs on a page.
    #[serde(default, deserialize_with = "page_limit")]
    #[schemars(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// A page of stored runs, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct ResultPage {
    results: Vec<Listed>,
    /// The `cursor` of the next page, if there is one.
    next: Option<String>,
}

/// A stored run in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    #[serde(flatten)]
    run: RunSummary,
    /// Whether less of the suite was sent than is configured: it says nothing of the rest.
    partial: bool,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/test/results", list)
            .says("The stored runs, whoever started them, the newest first")
            .query::<ResultsQuery>()
            .gives::<ResultPage>(200, "A page of them")
            .leads("/api/test/results/{id}", "$response.body#/results/0/id")
            .fails(&[400]),
        Endpoint::get("/api/test/results/{id}", show)
            .says("What a run found; `id` is that of the run, or of what was asked for")
            .gives::<ResultView>(200, "What it found")
            .fails(&[404, 409]),
    ]
}

async fn list(
    State(service): State<Arc<Service>>,
    Query(query): Query<ResultsQuery>,
) -> Result<Json<ResultPage>, Problem> {
    let limit = page_size(query.limit)?;
    let filter = RunFilter {
        suite: query.test_type,
        target: query.target,
        kind: query.kind,
        conclusion: query.outcome,
        after: cursor::asked(query.cursor.as_deref(), cursor::of_run)?,
        limit: Some(limit + 1),
        ..RunFilter::default()
    };
    let mut results = service.store.list(&filter).await?;
    let more = results.len() > limit;
    results.truncate(limit);
    let next = results.last().filter(|_| more).map(|last| cursor::write(last.started_at, last.number));
    let listed = |run: RunSummary| Listed { partial: service.config.is_part(&run.suite, run.part), run };
    Ok(Json(ResultPage { results: results.into_iter().map(listed).collect(), next }))
}

async fn show(State(service): State<Arc<Service>>, Id(id): Id) -> Result<Json<Arc<ResultView>>, Problem> {
    match service.job_of(&id).await? {
        Some(job) => service.result_of_job(&job).await.map(Json),
        None => Ok(Json(service.result(&id).await?)),
    }
}

impl Service {
    /// The job that an id is of, if it is not that of a stored run. A job has its first attempt's id, and that attempt may
    /// be stored beside the one that counts.
    pub(in crate::service) async fn job_of(&self, id: &RunId) -> Result<Option<Job>, StoreError> {
        let job = match self.store.job(id).await {
            Ok(job) => job,
            Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_another = job.run.as_ref().is_some_and(|run| run != id);
        let is_stored = is_another && self.store.summary(id).await.is_ok();
        Ok((!is_stored).then_some(job))
    }

    /// What a stored run found.
    pub(super) async fn result(&self, id: &RunId) -> Result<Arc<ResultView>, StoreError> {
        // Asked each time: a deleted run is gone from here too.
        let run = self.store.summary(id).await?;
        self.listed_result(&run).await
    }

    /// What a run found that was listed just now.
    pub(in crate::service) async fn listed_result(
        &self,
        run: &RunSummary,
    ) -> Result<Arc<ResultView>, StoreError> {
        let (id, answers_removed_at) = (&run.id, run.answers_removed_at);
        let known = || self.results.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |view: &&Arc<ResultView>| &view.id == id && view.answers_removed_at == answers_removed_at;
        let view = known().iter().find(is_it).cloned();
        if let Some(view) = view {
            return Ok(view);
        }
        let record = self.store.load(id).await?;
        let (partial, elsewhere) = (self.config.is_partial(&record), self.config.is_elsewhere(&record));
        let view = Arc::new(ResultView { elsewhere, answers_removed_at, ..ResultView::of(&record, partial) });
        let mut kept = known();
        kept.push_front(Arc::clone(&view));
        kept.truncate(KEPT);
        Ok(view)
    }

    /// What came of a job.
    async fn result_of_job(&self, job: &Job) -> Result<Arc<ResultView>, Problem> {
        if !job.state.is_over() {
            let detail = format!("run `{}` is not over: it is {}", job.id, job.state.as_str());
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        let found = match &job.run {
            Some(run) => self.result(run).await,
            None => Err(StoreError::NotFound { query: job.id.to_string() }),
        };
        match found {
            Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(Arc::new(ResultView::of_job(job))),
            found => found.map_err(Problem::from),
        }
    }
}

impl ResultView {
    fn of(record: &RunRecord, partial: bool) -> Self {
        let metrics = &record.metrics;
        let conclusion = record.verdict.conclusion;
        Self {
            id: record.id.clone(),
            kind: record.kind,
            test_type: record.suite.name.clone(),
            target: record.target.name.clone(),
            demo: Some(record.target.demo),
            outcome: conclusion.into(),
            partial,
            elsewhere: false,
            passed: conclusion == Conclusion::Passed,
            sentence: record.verdict.sentence.clone(),
            status: Some(record.status),
            started_at: Some(record.started_at),
            finished_at: Some(record.finished_at),
            answers_removed_at: record.answers_removed_at,
            phrases: Some(metrics.phrases),
            accuracy: metrics.accuracy.value,
            false_positive_rate: metrics.false_positive_rate.value,
            false_negative_rate: metrics.false_negative_rate.value,
            severe_miss_rate: metrics.severe_miss_rate.value,
            unanswered_rate: metrics.unanswered_rate.value,
            p50_ms: record.latency.p50_ms,
            p95_ms: record.latency.p95_ms,
            p99_ms: record.latency.p99_ms,
            checks: record.verdict.checks.clone(),
        }
    }

    /// What is known of a job of which there is no record here: nothing that could be good.
    pub(super) fn of_job(job: &Job) -> Self {
        let outcome = match job.conclusion {
            // Whatever it was, the record that would show it is not there.
            Some(Conclusion::Passed) | None => Outcome::NotRun,
            Some(conclusion) => conclusion.into(),
        };
        let reason = job.message.clone().unwrap_or_else(|| "there is no record of it".to_owned());
        Self {
            id: job.id.clone(),
            kind: job.kind,
            test_type: job.suite_name(),
            target: job.target.clone(),
            demo: None,
            outcome,
            partial: false,
            elsewhere: false,
            passed: false,
            sentence: match job.state {
                JobState::Cancelled if job.started_at.is_none() => {
                    "the run was cancelled before it began".to_owned()
                }
                state => format!("the run {}: {reason}", state.as_str()),
            },
            status: None,
            started_at: job.started_at,
            finished_at: job.ended_at,
            answers_removed_at: None,
            phrases: None,
            accuracy: None,
            false_positive_rate: None,
            false_negative_rate: None,
            severe_miss_rate: None,
            unanswered_rate: None,
            p50_ms: None,
            p95_ms: None,
            p99_ms: None,
            checks: Vec::new(),
        }
    }
}
