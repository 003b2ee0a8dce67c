//! The runs of a suite against a target.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::visit::Visit;
use crate::dispatch::{HistoryQuery, history};
use crate::report::html::history_page;
use crate::service::api::Query;
use crate::service::problem::Problem;

/// So many runs at most.
const MOST: usize = 200;

/// Whose history; nothing means the newest run's.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Of {
    suite: Option<String>,
    target: Option<String>,
}

pub(super) async fn show(visit: Visit, Query(Of { suite, target }): Query<Of>) -> Result<Response, Problem> {
    let store = std::sync::Arc::clone(&visit.service.store);
    // What looks for a shift resamples, which takes a while; others are answered meanwhile.
    let runtime = tokio::runtime::Handle::current();
    let found = tokio::task::spawn_blocking(move || {
        let query = HistoryQuery { suite, target, limit: Some(MOST), since: None };
        let found = runtime.block_on(history(store.as_ref(), query))?;
        Ok::<_, Problem>(found.map(|history| history_page(&history)))
    });
    let found = found.await.map_err(|panic| {
        tracing::error!(%panic, "a history cannot be shown");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the history cannot be shown; the log says why")
    })??;
    let page = found.ok_or_else(|| Problem::not_found("there is no such run yet"))?;
    Ok(visit.show(page, None))
}
