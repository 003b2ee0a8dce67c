//! Runs that were asked for here: asking, looking, stopping.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::cursor;
use super::endpoint::Endpoint;
use super::extract::{Body, Id, Query, header, page_limit, page_size};
use crate::config::Scope;
use crate::dispatch::Work;
use crate::domain::{Job, JobState, RunKind};
use crate::service::ask::Wish;
use crate::service::problem::Problem;
use crate::service::{Caller, Service};
use crate::store::JobFilter;

/// What is asked for: a suite or a scenario, never an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["test_type"], "properties": {"test_type": {"type": "string"}}},
    {"required": ["scenario"], "properties": {"scenario": {"type": "string"}}}
]))]
struct RunAsk {
    /// The suite: `quick`, `comprehensive`, or another one that `/api/test/suites` lists.
    test_type: Option<String>,
    /// Instead of a suite, the load scenario: one that `/api/test/scenarios` lists.
    scenario: Option<String>,
    /// The target, one that `/api/test/targets` lists; nothing means the configured one.
    target: Option<String>,
    /// Of two runs that wait, the one of higher priority goes first.
    #[serde(default, deserialize_with = "whole")]
    #[schemars(range(min = -100, max = 100))]
    priority: i32,
}

/// A whole number, also one that is written `1.0`: JSON makes no difference.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.fract() != 0.0 || number.abs() > f64::from(i32::MAX) {
        return Err(D::Error::custom(format!("{number} is no whole number")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was looked at")]
    Ok(number as i32)
}

/// A run that was asked for, and where to find more of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RunView {
    #[serde(flatten)]
    job: Job,
    /// Whether nothing more will happen to it.
    over: bool,
    /// How far it is, if it runs in the instance that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressView>,
    links: Links,
}

/// How far a run is.
#[derive(Debug, Serialize, JsonSchema)]
struct ProgressView {
    /// How many phrases will be sent.
    planned: usize,
    /// How many have their answer, or will never have one.
    done: usize,
    /// How many of those passed.
    passed: usize,
    /// How many of those got no answer.
    unanswered: usize,
}

/// Where to find more.
#[derive(Debug, Serialize, JsonSchema)]
struct Links {
    /// The run.
    #[serde(rename = "self")]
    own: String,
    /// What it found, once it is over.
    result: String,
    /// What it tells while it runs.
    events: String,
}

/// Which runs are listed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    /// Only runs in this state.
    state: Option<JobState>,
    /// Only runs of suites, or only those of scenarios.
    kind: Option<RunKind>,
    /// Only runs of this suite or scenario.
    name: Option<String>,
    /// Only runs against this target.
    target: Option<String>,
    /// Only runs that this one asked for, such as `api:ci`.
    requester: Option<String>,
    /// The page after the one that gave this as `next`.
    #[schemars(extend("pattern" = cursor::OF_JOB))]
    cursor: Option<String>,
    /// Runs on a page.
    #[serde(default, deserialize_with = "page_limit")]
    #[schemars(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// A page of runs, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct RunPage {
    runs: Vec<RunView>,
    /// The `cursor` of the next page, if there is one.
    next: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::post("/api/test/run", start)
            .needs(Scope::Run)
            .says("Ask for a run")
            .header(
                "idempotency-key",
                "^[!-~]([ -~]{0,198}[!-~])?$",
                "A word of your own: asking again with the same one makes no second run",
            )
            .body::<RunAsk>()
            .gives::<RunView>(202, "It is in the queue, or was already")
            .located()
            .fails(&[400, 409, 413, 415, 422]),
        Endpoint::get("/api/test/runs", list)
            .says("The runs that were asked for here, the newest first")
            .query::<RunsQuery>()
            .gives::<RunPage>(200, "A page of them")
            .leads("/api/test/runs/", "$response.body#/runs/0/id")
            .fails(&[400]),
        Endpoint::get("/api/test/runs/{id}", show)
            .says("A run that was asked for")
            .gives::<RunView>(200, "As it stands")
            .fails(&[404]),
        Endpoint::post("/api/test/runs/{id}/cancel", cancel)
            .needs(Scope::Run)
            .says("Stop a run; what it found until then is kept")
            .gives::<RunView>(202, "It is stopped, or is told to")
            .fails(&[404, 409]),
    ]
}

async fn start(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    Body(ask): Body<RunAsk>,
) -> Result<Response, Problem> {
    let unclear = |detail: &str| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    let work = match (ask.test_type, ask.scenario) {
        (Some(suite), None) => Work::Suite(suite),
        (None, Some(scenario)) => Work::Scenario(scenario),
        (None, None) => {
            return unclear("say what is to be run: `test_type` names a suite, `scenario` a load");
        }
        (Some(_), Some(_)) => return unclear("a run is of a suite or of a scenario: name one of them"),
    };
    if !(-100..=100).contains(&ask.priority) {
        return unclear("`priority` must be from -100 to 100");
    }
    let wish = Wish {
        work,
        target: ask.target,
        priority: ask.priority,
        idempotency_key: header(&headers, "idempotency-key")?,
    };
    let view = service.run_view(service.submit(&caller, wish).await?);
    let location = view.links.own.clone();
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(view)).into_response())
}

async fn list(
    State(service): State<Arc<Service>>,
    Query(query): Query<RunsQuery>,
) -> Result<Json<RunPage>, Problem> {
    let limit = page_size(query.limit)?;
    let filter = JobFilter {
        states: query.state.into_iter().collect(),
        kind: query.kind,
        name: query.name,
        target: query.target,
        requester: query.requester,
        typed: None,
        without_run: false,
        after: cursor::asked(query.cursor.as_deref(), cursor::of_job)?,
        // One more, to know whether there is a next page.
        limit: Some(limit + 1),
    };
    let mut jobs = service.store.jobs(&filter).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| more).map(|last| cursor::write(last.submitted_at, &last.id));
    Ok(Json(RunPage { runs: jobs.into_iter().map(|job| service.run_view(job)).collect(), next }))
}

async fn show(State(service): State<Arc<Service>>, Id(id): Id) -> Result<Json<RunView>, Problem> {
    Ok(Json(service.run_view(service.store.job(&id).await?)))
}

async fn cancel(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Problem> {
    let job = service.stop(&caller, &id).await?;
    if job.state.is_over() && job.state != JobState::Cancelled {
        let detail = format!("run `{id}` is over: it is {}", job.state.as_str());
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    Ok((StatusCode::ACCEPTED, Json(service.run_view(job))).into_response())
}

impl Service {
    pub(super) fn run_view(&self, job: Job) -> RunView {
        let path = |rest: &str| self.path(&format!("/api/test/{rest}"));
        let progress = self.queue.feed(&job.id).and_then(|feed| feed.progress_of(&job));
        let progress = progress.map(|progress| ProgressView {
            planned: progress.planned,
            done: progress.done,
            passed: progress.passed,
            unanswered: progress.unanswered,
        });
        let links = Links {
            own: path(&format!("runs/{}", job.id)),
            result: path(&format!("results/{}", job.id)),
            events: path(&format!("runs/{}/events", job.id)),
        };
        RunView { over: job.state.is_over(), job, progress, links }
    }
}
