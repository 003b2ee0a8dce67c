//! Runs that begin by themselves: looking, switching, beginning one now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use super::extract::Id;
use super::runs::RunView;
use crate::config::Scope;
use crate::service::problem::Problem;
use crate::service::schedule::ScheduleView;
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
            .gives::<ScheduleList>(200, "All of them")
            .leads("/api/schedules/", "$response.body#/schedules/0/name"),
        Endpoint::post("/api/schedules/{id}/enable", enable)
            .needs(Scope::Admin)
            .says("Switch a schedule on, whatever the configuration says")
            .gives::<ScheduleView>(200, "As it stands")
            .fails(&[404, 409, 422]),
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
            .fails(&[404, 409, 422]),
    ]
}

async fn list(State(service): State<Arc<Service>>) -> Result<Json<ScheduleList>, Problem> {
    Ok(Json(ScheduleList { schedules: service.schedules().await? }))
}

async fn enable(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(name): Id,
) -> Result<Json<ScheduleView>, Problem> {
    service.switch_schedule(&caller, &name, true).await.map(Json)
}

async fn disable(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(name): Id,
) -> Result<Json<ScheduleView>, Problem> {
    service.switch_schedule(&caller, &name, false).await.map(Json)
}

async fn run(State(service): State<Arc<Service>>, caller: Caller, Id(name): Id) -> Result<Response, Problem> {
    let job = service.run_schedule(&caller, &name).await?;
    let location = service.path(&format!("/api/test/runs/{}", job.id));
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(service.run_view(job))).into_response())
}
