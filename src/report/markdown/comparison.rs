//! Two runs held against each other, as Markdown.

use super::super::{figures, loads};
use super::changes::{chance, difference, flips, summary};
use super::escape::{code, prose};
use super::gates;
use super::headline::verdict;
use super::page::{Page, table};
use crate::domain::{
    LatencyComparison, MetricComparison, RunBrief, RunComparison, RunVerdict, SliceComparison,
};

/// So many rows of a table are shown.
const MOST: usize = 40;

/// The comparison as Markdown of fewer than 65,536 characters: the verdict, the phrases that flipped, the numbers.
pub fn render_comparison_markdown(comparison: &RunComparison, outcome: &RunVerdict) -> String {
    let mut page = Page::default();
    let RunComparison { baseline, candidate, .. } = comparison;
    page.block(format!(
        "## {}: {} against {}, two runs",
        verdict(outcome.conclusion),
        code(&candidate.suite),
        code(&candidate.target)
    ));
    page.block(format!("**Verdict**: {}", prose(&outcome.sentence)));
    gates::show(&mut page, &outcome.checks);
    if let Some(both) = &comparison.load {
        page.block("### Load");
        page.block(table(&loads::HEAD, loads::rows(both), MOST, |row| row.to_vec()));
    }
    page.block("### Phrases");
    summary(&mut page, comparison);
    flips(&mut page, comparison);
    metrics(&mut page, &comparison.metrics);
    slices(&mut page, &comparison.slices);
    latency(&mut page, &comparison.latency);
    page.details(
        "Provenance",
        &format!("- baseline: {}\n- candidate: {}\n", brief(baseline), brief(candidate)),
    );
    page.finish()
}

fn metrics(page: &mut Page, metrics: &[MetricComparison]) {
    let row = |metric: &MetricComparison| {
        vec![
            code(&metric.metric),
            figures::rate(&metric.baseline),
            figures::rate(&metric.candidate),
            difference(&metric.test),
            chance(&metric.test),
        ]
    };
    let table = table(&["metric", "baseline", "candidate", "difference", "p (worse)"], metrics, MOST, row);
    if !table.is_empty() {
        page.block("### Metrics");
        page.block(table);
    }
}

/// The slices in which a phrase flipped.
fn slices(page: &mut Page, slices: &[SliceComparison]) {
    let mut flipped: Vec<&SliceComparison> =
        slices.iter().filter(|slice| slice.test.regressed + slice.test.improved > 0).collect();
    flipped.sort_by_key(|slice| std::cmp::Reverse(slice.test.regressed));
    let row = |slice: &SliceComparison| {
        let mark = if slice.critical { " **critical**" } else { "" };
        vec![
            format!("{} {}{mark}", slice.kind.as_str(), code(&slice.name)),
            slice.test.regressed.to_string(),
            slice.test.improved.to_string(),
            difference(&slice.test),
            chance(&slice.test),
        ]
    };
    let table = table(&["slice", "regressed", "fixed", "accuracy", "p (worse)"], flipped, MOST, row);
    if !table.is_empty() {
        page.block("### Slices with flips");
        page.block(table);
    }
}

fn latency(page: &mut Page, latency: &[LatencyComparison]) {
    let row = |percentile: &LatencyComparison| {
        let [baseline, candidate] = [percentile.baseline, percentile.candidate]
            .map(|estimate| figures::duration(Some(estimate.value)));
        let name = format!("p{:.0}", percentile.quantile * 100.0);
        vec![name, baseline, candidate, figures::estimate(Some(&percentile.ratio))]
    };
    let table = table(&["latency", "baseline", "candidate", "ratio"], latency, MOST, row);
    if !table.is_empty() {
        page.block("### Latency");
        page.block(table);
    }
}

fn brief(run: &RunBrief) -> String {
    let version = run.target_version.as_ref().map(|version| format!(" version {}", code(version)));
    format!(
        "run {} of {}, {} phrases of {}, selection {}, target {}{}, contract {}",
        code(run.id.as_str()),
        run.started_at.format("%Y-%m-%d %H:%M UTC"),
        run.phrases,
        code(&run.suite),
        code(&run.selection_hash),
        code(&run.target),
        version.unwrap_or_default(),
        code(&run.contract_hash)
    )
}
