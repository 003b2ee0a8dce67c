//! The resources, one file each; what they share is in `endpoint` and `extract`.

mod baselines;
mod catalog;
pub(super) mod cursor;
mod document;
mod endpoint;
mod events;
mod extract;
mod health;
mod latest;
mod reports;
mod results;
mod runs;
mod schedules;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

pub(super) use catalog::{TargetView, target_views};
pub(super) use extract::{Id, Query};
pub use reports::trend;
pub(super) use results::ResultCache;

use super::Service;
use endpoint::Endpoint;

/// Every endpoint there is.
fn endpoints() -> Vec<Endpoint> {
    [
        health::endpoints(),
        runs::endpoints(),
        events::endpoints(),
        latest::endpoints(),
        results::endpoints(),
        reports::endpoints(),
        catalog::endpoints(),
        baselines::endpoints(),
        schedules::endpoints(),
        document::own_endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The router of all of them.
pub(super) fn router(service: &Arc<Service>) -> Router {
    let limit = service.config.settings.service.body_limit;
    endpoints()
        .into_iter()
        .fold(Router::new(), |router, endpoint| endpoint.mount(router, service))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(Arc::clone(service))
}
