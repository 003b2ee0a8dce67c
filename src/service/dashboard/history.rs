//! The runs of a suite against a target.

use axum::response::Response;
use serde::Deserialize;

use super::visit::Visit;
use crate::dispatch::{FoundHistory, HistoryQuery, history};
use crate::report::figures;
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
    let (store, places) = (std::sync::Arc::clone(&visit.service.store), visit.service.places.clone());
    let turn = visit.service.rendering.turn().await?;
    let runtime = tokio::runtime::Handle::current();
    let found = turn.make("the history", move || {
        let query = HistoryQuery { suite, target, limit: Some(MOST), since: None, places };
        // What looks for a shift resamples, right after it has read the runs.
        match runtime.block_on(history(store.as_ref(), query))? {
            FoundHistory::Runs(history) => Ok(history_page(&history)),
            FoundHistory::Elsewhere(elsewhere) => {
                let left_out = figures::elsewhere(elsewhere)
                    .map_or_else(String::new, |left_out| format!("; {left_out}"));
                Err(Problem::not_found(format!("there is no such run yet{left_out}")))
            }
        }
    });
    let page = found.await??;
    Ok(visit.show(page, None))
}
