//! The numbers over the newest runs of each suite and target, with what its gates ask.

use futures_util::future::try_join_all;
use maud::{Markup, html};

use super::visit::Visit;
use crate::domain::RunStatus;
use crate::report::html::clean;
use crate::report::html::section::Section;
use crate::report::html::trend::charts;
use crate::service::trend;
use crate::store::{RunFilter, RunSummary, StoreError};

/// So many series are drawn, those that ran last.
const SERIES: usize = 6;
/// So many runs of each.
const RUNS: usize = 30;

/// The trends of the series whose newest runs these are; none where nothing ran twice.
pub(super) async fn section(visit: &Visit, newest: &[RunSummary]) -> Result<Option<Section>, StoreError> {
    // Twice as many are looked at: of some there is one run alone, which makes no trend.
    let each = newest.iter().take(2 * SERIES).enumerate();
    let drawn = try_join_all(each.map(|(at, run)| of(visit, at, run))).await?;
    let drawn: Vec<Markup> = drawn.into_iter().flatten().take(SERIES).collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    let summary =
        format!("the last {RUNS} runs of each suite and target at most; dashed: what the gates ask");
    let body = html! { @for series in drawn { (series) } };
    Ok(Some(Section { id: "trends", title: "Trends", summary, body }))
}

async fn of(visit: &Visit, at: usize, newest: &RunSummary) -> Result<Option<Markup>, StoreError> {
    let Some(series) = newest.series() else { return Ok(None) };
    let service = &visit.service;
    let RunFilter { recorded, whole, places, .. } = service.telling_runs();
    let filter = RunFilter { recorded, whole, places, limit: Some(RUNS), ..RunFilter::of_series(&series) };
    let mut runs = service.store.list(&filter).await?;
    // One that was cut short says nothing of what it did not send.
    runs.retain(|run| run.status == Some(RunStatus::Completed));
    if runs.len() < 2 {
        return Ok(None);
    }
    runs.reverse();
    let result = service.listed_result(newest).await?;
    let (suite, target) = (clean::encode(&series.suite), clean::encode(&series.target));
    let history = visit.path(&format!("/history?suite={suite}&target={target}"));
    Ok(Some(html! {
        h3.series {
            (clean::name(&series.suite)) " against " (clean::name(&series.target))
            @if series.demo { small { "demo" } }
            " " a href=(history) { "History" span.unseen { " of " (clean::name(&series.suite)) " against " (clean::name(&series.target)) } }
        }
        (charts(&format!("trend-{at}"), &result.checks, &trend(&runs)))
    }))
}
