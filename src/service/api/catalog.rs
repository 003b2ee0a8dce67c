//! What can be asked for: suites, targets, scenarios.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::dispatch::chain;
use crate::domain::LoadModel;
use crate::load::{scenario_names, shipped_scenario};
use crate::service::Service;
use crate::service::problem::Problem;

/// A suite.
#[derive(Debug, Serialize, JsonSchema)]
struct SuiteView {
    /// What `test_type` calls it.
    name: String,
    /// One line about it.
    title: String,
}

/// A target.
#[derive(Debug, Serialize, JsonSchema)]
struct TargetView {
    /// What `target` calls it.
    name: String,
    /// One line about it.
    title: String,
    /// Where it is, without user, password and query; none for the embedded demo detector.
    url: Option<String>,
    /// Whether it is the one that is meant when none is named.
    default: bool,
    /// Whether it is the embedded demo detector.
    demo: bool,
    /// Whether somebody said that it may be loaded.
    allow_load: bool,
}

/// A load scenario.
#[derive(Debug, Serialize, JsonSchema)]
struct ScenarioView {
    /// What `scenario` calls it.
    name: String,
    /// One line about it.
    title: String,
    /// Who decides when a request starts.
    model: LoadModel,
    /// How long it goes on, if nothing ends it, in seconds.
    seconds: u64,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/test/suites", suites)
            .says("The suites that can be run")
            .gives::<Vec<SuiteView>>(200, "All of them"),
        Endpoint::get("/api/test/targets", targets).says("The targets that runs can be against").gives::<Vec<
            TargetView,
        >>(
            200,
            "All of them",
        ),
        Endpoint::get("/api/test/scenarios", scenarios)
            .says("The load scenarios that can be run")
            .gives::<Vec<ScenarioView>>(200, "All of them"),
    ]
}

fn broken(what: &str, error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(error = chain(error), "{what} cannot be read");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what} cannot be read; the log says why"))
}

async fn suites(State(service): State<Arc<Service>>) -> Result<Json<Vec<SuiteView>>, Problem> {
    let names = service.config.catalog().names().map_err(|error| broken("the suites", &error))?;
    Ok(Json(names.into_iter().map(|(name, title)| SuiteView { name, title }).collect()))
}

async fn targets(State(service): State<Arc<Service>>) -> Result<Json<Vec<TargetView>>, Problem> {
    let config = &service.config;
    let view = |name: String| {
        let default = name == config.target_name();
        let demo = default && config.wants_demo();
        let contract = config.contract(&name).map_err(|error| broken("a target", &error))?;
        let contract = match &config.settings.url {
            Some(url) if default => contract.with_base_url(url).map_err(|_| {
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the target's URL cannot be used")
            })?,
            _ => contract,
        };
        Ok(TargetView {
            title: contract.title.clone(),
            url: (!demo).then(|| contract.shown_url()),
            allow_load: demo || contract.allow_load,
            name,
            default,
            demo,
        })
    };
    config.served_targets().into_iter().map(view).collect::<Result<_, _>>().map(Json)
}

async fn scenarios() -> Result<Json<Vec<ScenarioView>>, Problem> {
    let view = |name: &str| {
        let scenario = shipped_scenario(name).map_err(|error| broken("a scenario", &error))?;
        Ok(ScenarioView {
            seconds: scenario.length().as_secs(),
            model: scenario.model,
            title: scenario.title,
            name: scenario.name,
        })
    };
    scenario_names().into_iter().map(view).collect::<Result<_, _>>().map(Json)
}
