//! The numbers over the newest runs of each suite and target, with what its gates ask.

use std::sync::Arc;

use maud::{Markup, html};

use super::visit::Visit;
use crate::domain::Series;
use crate::report::html::clean;
use crate::report::html::section::Section;
use crate::report::html::trend::charts;
use crate::service::{Service, trend};
use crate::store::{RunFilter, RunSummary, StoreError};

/// So many series are drawn, those that ran last.
const SERIES: usize = 6;
/// So many runs of each.
const RUNS: usize = 30;

/// The trends of the series whose newest runs these are; none where nothing ran twice.
pub(super) async fn section(visit: &Visit, newest: &[RunSummary]) -> Result<Option<Section>, StoreError> {
    let mut drawn = Vec::new();
    for (at, run) in newest.iter().enumerate() {
        if drawn.len() == SERIES {
            break;
        }
        let Some(series) = run.series() else { continue };
        drawn.extend(of(visit, &visit.service, &format!("trend-{at}"), &series, run).await?);
    }
    if drawn.is_empty() {
        return Ok(None);
    }
    let summary =
        format!("the last {RUNS} runs of each suite and target at most; dashed: what the gates ask");
    let body = html! { @for series in drawn { (series) } };
    Ok(Some(Section { id: "trends", title: "Trends", summary, body }))
}

async fn of(
    visit: &Visit,
    service: &Arc<Service>,
    id: &str,
    series: &Series,
    newest: &RunSummary,
) -> Result<Option<Markup>, StoreError> {
    let filter = RunFilter { recorded: true, limit: Some(RUNS), ..RunFilter::of_series(series) };
    let mut runs = service.store.list(&filter).await?;
    if runs.len() < 2 {
        return Ok(None);
    }
    runs.reverse();
    let checks = service.checks(&newest.id).await?;
    let (suite, target) = (clean::encode(&series.suite), clean::encode(&series.target));
    let history = visit.path(&format!("/history?suite={suite}&target={target}"));
    Ok(Some(html! {
        h3.series {
            (clean::name(&series.suite)) " against " (clean::name(&series.target))
            @if series.demo { small { "demo" } }
            " " a href=(history) { "History" span.unseen { " of " (clean::name(&series.suite)) " against " (clean::name(&series.target)) } }
        }
        (charts(id, &checks, &trend(&runs)))
    }))
}
