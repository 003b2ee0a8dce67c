//! The verdict on two runs.

use super::evaluate::{GateOptions, check, source};
use super::verdict::{conclude_from, rank, sentence_from};
use crate::domain::{
    AnswerBrief, Change, Check, CheckMode, CheckOutcome, CheckSeverity, CheckSource, Comparison, PairedRate,
    PhraseChange, RunComparison, RunRecord, RunStatus, RunVerdict,
};

/// Makes the verdict on a run that is held against its baseline: the gates, and the phrases that must pass and got
/// worse. What is wrong with the run by itself is told by its own verdict.
pub fn evaluate_comparison(candidate: &RunRecord, options: &GateOptions) -> RunVerdict {
    let mut checks: Vec<Check> =
        options.gates.iter().map(|gate| check(candidate, gate, source(gate.metric))).collect();
    if let Some(comparison) = candidate.baseline.as_ref().and_then(|baseline| baseline.comparison()) {
        checks.extend(must_pass(candidate, comparison));
        checks.extend(silent_baseline(comparison, options.error_budget));
    }
    checks.extend(partial(candidate));
    checks.sort_by_key(rank);
    let conclusion = conclude_from(&checks);
    RunVerdict { sentence: sentence_from(conclusion, &checks), conclusion, checks }
}

/// A failed check for each phrase that must pass and no longer does, one that cannot tell for each whose answers change;
/// else a passed one for all of them.
fn must_pass(candidate: &RunRecord, comparison: &RunComparison) -> Vec<Check> {
    let of = |change| comparison.changed(change).filter(|phrase| phrase.must_pass);
    let new = of(Change::New).count();
    let must = candidate.results.iter().filter(|result| result.must_pass).count().saturating_sub(new);
    if must == 0 {
        return Vec::new();
    }
    let failed = of(Change::Regressed).map(|phrase| (phrase, CheckOutcome::Fail, ""));
    let unsure =
        of(Change::Flaky).filter(|phrase| phrase.candidate.is_none_or(|found| !found.verdict.passes()));
    let unsure =
        unsure.map(|phrase| (phrase, CheckOutcome::Inconclusive, ", and its answers change within a run"));
    let checks: Vec<Check> = failed
        .chain(unsure)
        .map(|(phrase, outcome, more)| {
            let reason = format!("{}{more}", was_and_is(phrase));
            blank(&format!("must pass: {}", phrase.id), CheckSource::MustPass, "must_pass", outcome, reason)
        })
        .collect();
    if !checks.is_empty() {
        return checks;
    }
    let reason = match of(Change::StillWrong).count() {
        0 => format!("none of {must} got worse"),
        wrong => format!("none of {must} got worse, and {wrong} were wrong before, too"),
    };
    let mut check =
        blank("phrases that must pass", CheckSource::MustPass, "must_pass", CheckOutcome::Pass, reason);
    check.of = Some(must as u64);
    vec![check]
}

fn was_and_is(phrase: &PhraseChange) -> String {
    let level = |found: Option<AnswerBrief>| {
        let level = found.and_then(|found| found.level);
        level.map_or_else(|| "no answer".to_owned(), |level| level.to_string())
    };
    format!("expected {}, was {}, is {}", phrase.expected, level(phrase.baseline), level(phrase.candidate))
}

/// Beside a baseline that was hardly answered every run looks better: what was mended would outweigh what got worse.
fn silent_baseline(comparison: &RunComparison, error_budget: f64) -> Option<Check> {
    let unanswered = PairedRate::UnansweredRate.as_str();
    let found = comparison.metrics.iter().find(|metric| metric.metric == unanswered)?.baseline;
    found.value.filter(|share| *share > error_budget)?;
    let reason = format!("{} of {} phrases went unanswered in it, and count as wrong", found.count, found.of);
    let name = "the baseline was answered";
    Some(blank(name, CheckSource::Integrity, unanswered, CheckOutcome::Inconclusive, reason))
}

/// A run that was cut short may have lost just the phrases that got worse.
fn partial(candidate: &RunRecord) -> Option<Check> {
    let lost = candidate.integrity.lost;
    let why = match candidate.status {
        RunStatus::Completed if lost == 0 => return None,
        RunStatus::Completed => format!("a bug in thrash lost {lost} of the answers"),
        RunStatus::Interrupted => "it was stopped by hand".to_owned(),
        RunStatus::Aborted => "its target stopped answering".to_owned(),
    };
    let (judged, selected) = (candidate.results.len(), candidate.suite.selected);
    let reason = format!("{why}: {judged} of {selected} phrases were judged");
    let name = "the candidate is a whole run";
    Some(blank(name, CheckSource::Integrity, "whole_run", CheckOutcome::Inconclusive, reason))
}

fn blank(name: &str, source: CheckSource, metric: &str, outcome: CheckOutcome, reason: String) -> Check {
    Check {
        name: name.to_owned(),
        source,
        severity: CheckSeverity::Fail,
        metric: metric.to_owned(),
        slice: None,
        mode: CheckMode::Point,
        comparison: Comparison::AtMost,
        limit: 0.0,
        confidence: None,
        value: None,
        bound: None,
        interval: None,
        of: None,
        errors: None,
        allowed_errors: None,
        outcome,
        reason,
    }
}
