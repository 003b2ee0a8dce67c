//! What only a load run has: its steps, and what the load did to answers that are right without it.

use super::super::figures;
use super::escape::{code, prose};
use super::page::{Page, table};
use crate::domain::{LoadRecord, LoadStep, RunRecord};

/// So many steps are shown.
const MOST: usize = 40;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let Some(load) = record.load.as_deref() else { return };
    let mut head = vec!["load", "started", "p50", "p95", "p99", "no answer", "right"];
    if load.scenario.batch > 1 {
        head.push("phrases");
    }
    page.block("### Load");
    let overrides: Vec<String> =
        load.scenario.overrides.iter().map(|(key, value)| code(&format!("{key}: {value}"))).collect();
    if !overrides.is_empty() {
        page.block(format!("In place of what the scenario says: {}.", overrides.join(", ")));
    }
    if let Some(by) = load.ended_by {
        page.block(format!("It ended before its time: {}.", by.in_words()));
    }
    page.block(table(&head, &load.steps, MOST, |step| row(step, load)));
    if let Some(batches) = figures::batches(load) {
        page.block(format!("Requests held {batches}. What has no answer and what is right are phrases."));
    }
    let mut remarks = Vec::new();
    if let Some(idle) = load.idle.as_ref().filter(|idle| !idle.lost.is_empty()) {
        let names = figures::names(idle.lost.iter().map(String::as_str), 5);
        remarks.push(format!("right when idle, mostly wrong under load: {names}"));
    }
    remarks.extend(load.checks.iter().filter(|check| check.failures.count > 0).map(|check| {
        format!("check {}: {} of {} answers failed", check.name, check.failures.count, check.failures.of)
    }));
    remarks.extend(load.generator.limits.iter().cloned());
    let lines: Vec<String> = remarks.iter().map(|remark| format!("- {}", prose(remark))).collect();
    page.block(lines.join("\n"));
    if load.counts.abandoned > 0 {
        page.block(format!(
            "{} at the end.",
            figures::count(
                load.counts.abandoned,
                "request was still on its way",
                "requests were still on their way"
            )
        ));
    }
    if load.counts.waited + load.counts.dropped + load.counts.late > 0 {
        let counts = &load.counts;
        page.block(format!(
            "Of {} {} waited for a free connection, {} started over a second late, {} dropped.",
            figures::count(counts.intended, "start", "starts"),
            counts.waited,
            counts.late,
            figures::count(counts.dropped, "was", "were")
        ));
    }
}

fn row(step: &LoadStep, load: &LoadRecord) -> Vec<String> {
    let some = |count: u64| if count == 0 { figures::NOTHING.to_owned() } else { count.to_string() };
    let mut row = vec![
        code(&figures::load(step, load.scenario.model)),
        format!("{:.1}/s", step.rate),
        figures::duration(step.response.p50_ms),
        figures::duration(step.response.p95_ms),
        figures::duration(step.response.p99_ms),
        some(step.counts.unanswered_phrases()),
        figures::percent(step.accuracy.value),
    ];
    if load.scenario.batch > 1 {
        row.push(figures::phrase_rate(step, load.scenario.batch));
    }
    row
}
