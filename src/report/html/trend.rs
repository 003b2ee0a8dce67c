//! The run among the runs before it.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::super::figures;
use super::super::headline::word;
use super::section::{Section, Table, Tone, cell, folded};
use super::series::{Chart, Point};
use super::{clean, verdict};
use crate::domain::{Check, CheckMode, Conclusion, RunId, RunRecord};

/// So many runs are drawn, the newest ones.
const MOST: usize = 20;

/// An earlier run of the same suite against the same target.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendPoint {
    /// Its name.
    pub id: RunId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Its verdict; none where none is known.
    pub conclusion: Option<Conclusion>,
    /// Right answers of all phrases, 0 to 1.
    pub accuracy: Option<f64>,
    /// False alarms of the negatives answered, 0 to 1.
    pub false_positive_rate: Option<f64>,
    /// 95th percentile of the latency in milliseconds.
    pub p95_ms: Option<f64>,
    /// Phrases judged.
    pub phrases: u64,
}

impl From<&RunRecord> for TrendPoint {
    fn from(record: &RunRecord) -> Self {
        Self {
            id: record.id.clone(),
            started_at: record.started_at,
            conclusion: Some(record.verdict.conclusion),
            accuracy: record.metrics.accuracy.value,
            false_positive_rate: record.metrics.false_positive_rate.value,
            p95_ms: record.latency.p95_ms,
            phrases: record.metrics.phrases,
        }
    }
}

/// A number over the runs.
struct Series {
    name: &'static str,
    metric: &'static str,
    value: fn(&TrendPoint) -> Option<f64>,
    show: fn(Option<f64>) -> String,
}

const SERIES: [Series; 3] = [
    Series { name: "Accuracy", metric: "accuracy", value: |run| run.accuracy, show: figures::percent },
    Series {
        name: "False positives",
        metric: "false_positive_rate",
        value: |run| run.false_positive_rate,
        show: figures::percent,
    },
    Series { name: "Latency p95", metric: "latency_p95", value: |run| run.p95_ms, show: figures::duration },
];

/// The trend; none where there is no earlier run.
pub(super) fn section(record: &RunRecord, earlier: &[TrendPoint]) -> Option<Section> {
    let mut runs: Vec<TrendPoint> = earlier
        .iter()
        .filter(|run| run.id != record.id && run.started_at <= record.started_at)
        .cloned()
        .collect();
    if runs.is_empty() {
        return None;
    }
    runs.push(TrendPoint::from(record));
    runs.sort_by_key(|run| run.started_at);
    runs.drain(..runs.len().saturating_sub(MOST));
    let sizes = runs.iter().any(|run| run.phrases != record.metrics.phrases);
    let body = html! {
        (charts("trend", &record.verdict.checks, &runs))
        @if sizes { p.note { "Not all of these runs judged as many phrases: see the numbers." } }
        (folded("The numbers", &table(&runs)))
    };
    let summary = format!(
        "the last {} of this suite against this target",
        figures::count(runs.len() as u64, "run", "runs")
    );
    Some(Section { id: "trend", title: "Trend", summary, body })
}

/// The numbers over these runs, the oldest first, with the limits that the newest one's gates set. `id` is unique on the page.
pub(crate) fn charts(id: &str, checks: &[Check], runs: &[TrendPoint]) -> Markup {
    html! { div.multiples { @for series in &SERIES { (chart(&format!("{id}-{}", series.metric), series, checks, runs)) } } }
}

/// The limit that a gate sets for the number over the whole run.
fn limit(checks: &[Check], metric: &str) -> Option<f64> {
    let gate = checks.iter().find(|check| {
        check.metric == metric
            && check.slice.is_none()
            && matches!(check.mode, CheckMode::Point | CheckMode::Bound)
    });
    gate.map(|check| check.limit).filter(|limit| limit.is_finite())
}

fn chart(id: &str, series: &Series, checks: &[Check], runs: &[TrendPoint]) -> Markup {
    let points = runs.iter().map(|run| Point {
        at: run.started_at,
        value: (series.value)(run),
        tone: run.conclusion.map_or(Tone::Plain, verdict::tone),
    });
    let limit = limit(checks, series.metric);
    let note = match limit {
        Some(limit) => format!("gate {}", (series.show)(Some(limit))),
        None => "no gate".to_owned(),
    };
    Chart { id, name: series.name, show: series.show, points: points.collect(), limit, shift: None, note }
        .render()
}

fn table(runs: &[TrendPoint]) -> Markup {
    let rows = runs.iter().rev().map(|run| {
        vec![
            cell(clean::name(run.id.as_str())),
            cell(run.started_at.format("%Y-%m-%d %H:%M").to_string()),
            cell(run.conclusion.map_or(figures::NOTHING, word)),
            cell(figures::percent(run.accuracy)),
            cell(figures::percent(run.false_positive_rate)),
            cell(figures::duration(run.p95_ms)),
            cell(run.phrases.to_string()),
        ]
    });
    Table {
        caption: "The runs, newest first",
        head: vec!["Run", "Began (UTC)", "Verdict", "#Accuracy", "#False positives", "#p95", "#Phrases"],
        rows: rows.collect(),
    }
    .render()
}
