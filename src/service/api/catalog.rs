//! What can be asked for: suites, targets, scenarios.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::config::{Config, ListedSuite};
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
    /// Why it cannot be run, if it cannot: what is wrong with its files, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

/// A target.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::service) struct TargetView {
    /// What `target` calls it.
    name: String,
    /// One line about it.
    title: String,
    /// Where it is, without user, password and query; none for the embedded demo detector, and where nobody can tell.
    url: Option<String>,
    /// Whether it is the one that is meant when none is named.
    default: bool,
    /// Whether it is the embedded demo detector.
    demo: bool,
    /// Whether somebody said that it may be loaded.
    allow_load: bool,
    /// Why no run can be against it, if none can: what is wrong with its contract, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
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
            .gives::<Vec<SuiteView>>(200, "All of them, broken ones too"),
        Endpoint::get("/api/test/targets", targets).says("The targets that runs can be against").gives::<Vec<
            TargetView,
        >>(
            200,
            "All of them, broken ones too",
        ),
        Endpoint::get("/api/test/scenarios", scenarios)
            .says("The load scenarios that can be run")
            .gives::<Vec<ScenarioView>>(200, "All of them"),
    ]
}

fn broken(what: &str, reason: &str) -> Problem {
    tracing::error!(reason, "{what} cannot be read");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("{what} cannot be read: {reason}"))
}

async fn suites(State(service): State<Arc<Service>>) -> Result<Json<Vec<SuiteView>>, Problem> {
    let suites = service.suites().await?;
    let suites = suites.as_ref().as_ref().map_err(|reason| broken("the suites", reason))?;
    let view = |suite: &ListedSuite| SuiteView {
        broken: suite.broken(),
        name: suite.name.clone(),
        title: suite.title.clone(),
    };
    Ok(Json(suites.iter().map(view).collect()))
}

async fn targets(State(service): State<Arc<Service>>) -> Json<Vec<TargetView>> {
    Json(service.targets.clone())
}

/// The targets as they are shown. Nothing changes them while the service stands.
pub(in crate::service) fn target_views(config: &Config) -> Vec<TargetView> {
    let view = |name: String| {
        let default = name == config.target_name();
        let demo = default && config.wants_demo();
        let found = config.contract_here(&name);
        let contract = found.as_ref().ok();
        TargetView {
            title: contract.map_or_else(String::new, |contract| contract.title.clone()),
            url: contract.and_then(|contract| (!demo).then(|| contract.shown_url())),
            allow_load: demo || contract.is_some_and(|contract| contract.allow_load),
            broken: found.as_ref().err().map(|error| error.problems.in_a_line()),
            name,
            default,
            demo,
        }
    };
    config.served_targets().into_iter().map(view).collect()
}

async fn scenarios() -> Result<Json<Vec<ScenarioView>>, Problem> {
    let view = |name: &str| {
        let scenario = shipped_scenario(name).map_err(|error| broken("a scenario", &error.in_a_line()))?;
        Ok(ScenarioView {
            seconds: scenario.length().as_secs(),
            model: scenario.model,
            title: scenario.title,
            name: scenario.name,
        })
    };
    scenario_names().into_iter().map(view).collect::<Result<_, _>>().map(Json)
}
