//! Two runs beside each other.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::visit::Visit;
use crate::config::Config;
use crate::domain::{BaselineRecord, RunRecord};
use crate::gate::evaluate_comparison;
use crate::judge::compare;
use crate::report::html::comparison_page;
use crate::report::html::page::Page;
use crate::service::api::Query;
use crate::service::problem::Problem;

/// The two runs: by name, by the beginning of one, or `latest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Two {
    /// The older or trusted one.
    a: String,
    /// The one that is asked about.
    b: String,
}

pub(super) async fn show(visit: Visit, Query(Two { a, b }): Query<Two>) -> Result<Response, Problem> {
    let unclear = |detail: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    if a.is_empty() || b.is_empty() {
        return Err(unclear("a comparison needs two runs").with_hint("choose them in the list of runs"));
    }
    let store = visit.service.store.as_ref();
    let (a, b) = tokio::try_join!(store.resolve(&a), store.resolve(&b))?;
    if a == b {
        return Err(unclear("both are the same run: held against itself it shows nothing"));
    }
    let turn = visit.service.rendering.turn().await?;
    let (baseline, candidate) = tokio::try_join!(store.load(&a), store.load(&b))?;
    let config = visit.service.config.clone();
    let page = turn.make("the comparison", move || page(&config, &baseline, candidate)).await??;
    let beside = html! {
        a href=(visit.run(a.as_str())) { "The run before" } " "
        a href=(visit.run(b.as_str())) { "The run after" }
    };
    Ok(visit.show(page, Some(beside)))
}

fn page(config: &Config, baseline: &RunRecord, mut candidate: RunRecord) -> Result<Page, Problem> {
    let comparison = compare(baseline, &candidate)
        .map_err(|incomparable| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, incomparable.to_string()))?;
    candidate.baseline = Some(BaselineRecord::Compared(Box::new(comparison.clone())));
    let verdict = evaluate_comparison(&candidate, &config.gates_of_a_comparison(Vec::new(), candidate.kind));
    Ok(comparison_page(&comparison, &verdict))
}
