//! Runs that begin by themselves: looking, switching, beginning one now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use super::extract::Id;
use super::runs::RunView;
use crate::config::{PlannedJob, Scope};
use crate::domain::RunId;
use crate::service::problem::Problem;
use crate::service::schedule::{self, ScheduleView};
use crate::service::{Caller, Service};

/// Every schedule, by name.
#[derive(Debug, Serialize, JsonSchema)]
struct ScheduleList {
    schedules: Vec<ScheduleView>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/schedules", list)
            .says("The schedules, when each ran last and when it starts next")
            .gives::<ScheduleList>(200, "All of them"),
        Endpoint::post("/api/schedules/{id}/enable", enable)
            .needs(Scope::Admin)
            .says("Switch a schedule on, whatever the configuration says")
            .gives::<ScheduleView>(200, "As it stands")
            .fails(&[404]),
        Endpoint::post("/api/schedules/{id}/disable", disable)
            .needs(Scope::Admin)
            .says("Switch a schedule off, whatever the configuration says")
            .gives::<ScheduleView>(200, "As it stands")
            .fails(&[404]),
        Endpoint::post("/api/schedules/{id}/run", run)
            .needs(Scope::Run)
            .says("Put a run of the schedule's job into the queue now")
            .gives::<RunView>(202, "It is in the queue")
            .located()
            .fails(&[404, 422]),
    ]
}

async fn list(State(service): State<Arc<Service>>) -> Result<Json<ScheduleList>, Problem> {
    let schedules = schedule::views(&service.config, service.store.as_ref(), Utc::now()).await?;
    Ok(Json(ScheduleList { schedules }))
}

async fn enable(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(name): Id,
) -> Result<Json<ScheduleView>, Problem> {
    switch(&service, &caller, &name, true).await
}

async fn disable(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(name): Id,
) -> Result<Json<ScheduleView>, Problem> {
    switch(&service, &caller, &name, false).await
}

async fn switch(
    service: &Service,
    caller: &Caller,
    name: &RunId,
    on: bool,
) -> Result<Json<ScheduleView>, Problem> {
    let job = find(service, name)?;
    let view = schedule::enable(&service.config, service.store.as_ref(), &job, on, Utc::now()).await?;
    caller.audit(&format!("switched the schedule `{name}` {}", if on { "on" } else { "off" }));
    Ok(Json(view))
}

async fn run(State(service): State<Arc<Service>>, caller: Caller, Id(name): Id) -> Result<Response, Problem> {
    let job = schedule::run_now(&service.queue, &find(&service, &name)?).await?;
    caller.audit(&format!("asked for run {} of the schedule `{name}`", job.id));
    let location = service.path(&format!("/api/test/runs/{}", job.id));
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(service.run_view(job))).into_response())
}

fn find(service: &Service, name: &RunId) -> Result<PlannedJob, Problem> {
    let job = schedule::planned_job(&service.config, name.as_str());
    job.ok_or_else(|| Problem::not_found("there is no such schedule"))
}
