//! Whether the process lives, and whether it can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::config::Scope;
use crate::service::readiness::Looks;
use crate::service::{Caller, Service};

/// That the process lives.
#[derive(Debug, Serialize, JsonSchema)]
struct Health {
    /// Always `ok`: a process that is not answers nothing.
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

/// Whether it can do its work.
#[expect(clippy::struct_field_names, reason = "what callers read")]
#[derive(Debug, Serialize, JsonSchema)]
struct Ready {
    /// Whether a run that is asked for now would come to its end, as far as one can tell.
    ready: bool,
    /// Whether the service is about to stop.
    stopping: bool,
    #[serde(flatten)]
    looks: Looks,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/health", health)
            .open()
            .says("Whether the process lives")
            .gives::<Health>(200, "It does"),
        Endpoint::get("/ready", ready)
            .open()
            .says("Whether database, target and model are there; what was seen of the target counts for ten seconds")
            .gives::<Ready>(200, "They are")
            .gives::<Ready>(503, "One of them is not, or nobody could tell, or the service stops"),
    ]
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

async fn ready(State(service): State<Arc<Service>>, caller: Caller) -> Response {
    let looks = Box::pin(service.look()).await;
    let stopping = service.stopping.drain.is_cancelled();
    let ready = looks.are_well() && !stopping;
    let looks = if caller.may(Scope::Read) { looks } else { looks.without_details() };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, stopping, looks })).into_response()
}
