//! The runs that later ones are held against.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Utc;
use schemars::JsonSchema;
use serde::Deserialize;

use super::endpoint::Endpoint;
use super::extract::{Body, Id};
use crate::config::Scope;
use crate::dispatch::{BaselineError, set_baseline};
use crate::domain::Baseline;
use crate::service::problem::Problem;
use crate::service::{Caller, Service};

/// Longest note, in characters.
const LONGEST_NOTE: usize = 1000;

/// What is said about a baseline.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BaselineAsk {
    /// Why this one.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    note: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/test/baselines", list)
            .says("The runs that later ones are held against, by suite and target")
            .gives::<Vec<Baseline>>(200, "All of them")
            .leads("/api/test/baselines/", "$response.body#/0/run"),
        Endpoint::put("/api/test/baselines/{id}", set)
            .needs(Scope::Admin)
            .says("Make a stored run the baseline of its suite and target, in place of any other")
            .body::<BaselineAsk>()
            .gives::<Baseline>(200, "It is one now")
            .fails(&[400, 404, 409, 413, 415, 422]),
        Endpoint::delete("/api/test/baselines/{id}", clear)
            .needs(Scope::Admin)
            .says("Take back that a run is a baseline; the run stays")
            .gives_media(204, "", "It is none any more")
            .fails(&[404]),
    ]
}

async fn list(State(service): State<Arc<Service>>) -> Result<Json<Vec<Baseline>>, Problem> {
    Ok(Json(service.store.baselines().await?))
}

async fn set(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(id): Id,
    Body(ask): Body<BaselineAsk>,
) -> Result<Json<Baseline>, Problem> {
    if ask.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        let detail = format!("`note` has more than {LONGEST_NOTE} characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let set = set_baseline(service.store.as_ref(), &id, ask.note.as_deref(), Utc::now()).await;
    let baseline = set.map_err(|error| match error {
        BaselineError::Store(error) => Problem::from(error),
        BaselineError::TooLittle { .. } => Problem::new(StatusCode::CONFLICT, error.to_string()),
    })?;
    caller.audit(&format!("made run {id} the baseline of {}", baseline.series));
    Ok(Json(baseline))
}

async fn clear(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if !service.store.clear_baseline(&id).await? {
        return Err(Problem::not_found(format!("run `{id}` is no baseline")));
    }
    caller.audit(&format!("took back that run {id} is a baseline"));
    Ok(StatusCode::NO_CONTENT)
}
