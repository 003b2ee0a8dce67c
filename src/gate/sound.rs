//! Whether two runs held against each other say anything.

use crate::domain::{
    Change, Check, CheckOutcome, CheckSource, LEAST_COMPARED, PairedRate, RunComparison, RunRecord, RunStatus,
};

/// One check that could not tell for everything that keeps a comparison from showing what it seems to; none if it is
/// sound, or if there is no comparison: that is told by whoever needs one.
pub(super) fn comparison_is_sound(candidate: &RunRecord, error_budget: f64) -> Vec<Check> {
    let comparison = candidate.baseline.as_ref().and_then(|baseline| baseline.comparison());
    let of_both = comparison.into_iter().flat_map(|comparison| {
        [whole_baseline(comparison), enough(comparison), nothing_lost(comparison)]
            .into_iter()
            .flatten()
            .chain(silent(comparison, error_budget))
    });
    of_both.chain(whole_candidate(candidate)).collect()
}

fn unsound(name: &str, metric: &str, reason: String) -> Check {
    Check::new(name, CheckSource::Integrity, metric, CheckOutcome::Inconclusive, reason)
}

fn cut_short(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Completed => None,
        RunStatus::Interrupted => Some("it was stopped by hand"),
        RunStatus::Aborted => Some("it ended before its time"),
    }
}

/// What a baseline never sent cannot have got worse.
fn whole_baseline(comparison: &RunComparison) -> Option<Check> {
    // Records of earlier versions do not say.
    let why = cut_short(comparison.baseline.status?)?;
    let reason = format!("{why}: {} phrases were judged", comparison.baseline.phrases);
    Some(unsound("the baseline is a whole run", "whole_run", reason))
}

/// A run that was cut short may have lost just the phrases that got worse.
fn whole_candidate(candidate: &RunRecord) -> Option<Check> {
    let lost = candidate.integrity.lost;
    let why = match cut_short(candidate.status) {
        Some(why) => why.to_owned(),
        None if lost > 0 => format!("a bug in thrash lost {lost} of the answers"),
        None => return None,
    };
    let (judged, selected) = (candidate.results.len(), candidate.suite.selected);
    let reason = format!("{why}: {judged} of {selected} phrases were judged");
    Some(unsound("the candidate is a whole run", "whole_run", reason))
}

fn enough(comparison: &RunComparison) -> Option<Check> {
    if comparison.compares_enough() {
        return None;
    }
    let count = |change| comparison.changed(change).count() as u64;
    let [flaky, new, gone] = [Change::Flaky, Change::New, Change::Gone].map(count);
    let (compared, larger) = (comparison.compared, comparison.of_larger());
    let reason = format!(
        "{compared} of {larger} phrases ({new} only in the candidate, {gone} only in the baseline, {flaky} with answers \
         that change within a run); {LEAST_COMPARED} % are needed"
    );
    Some(unsound("enough phrases are compared", "compared", reason))
}

/// What had to pass and is asked no more cannot fail, however few they are.
fn nothing_lost(comparison: &RunComparison) -> Option<Check> {
    let lost: Vec<&str> = comparison.lost_must_pass().map(|phrase| phrase.id.as_str()).collect();
    let (first, more) = (lost.first()?, lost.len() - 1);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let reason = format!("`{first}`{more} had to pass in the baseline, and this run does not ask it of them");
    Some(unsound("what had to pass still has to", "must_pass", reason))
}

/// Beside a baseline that was hardly answered every run looks better: what was mended would outweigh what got worse.
/// And what a candidate did not answer shows how its target fared, not what it says.
fn silent(comparison: &RunComparison, error_budget: f64) -> Vec<Check> {
    let unanswered = PairedRate::UnansweredRate.as_str();
    let Some(found) = comparison.metrics.iter().find(|metric| metric.metric == unanswered) else {
        return Vec::new();
    };
    [("baseline", found.baseline), ("candidate", found.candidate)]
        .into_iter()
        .filter(|(_, rate)| rate.value.is_some_and(|share| share > error_budget))
        .map(|(run, rate)| {
            let what =
                if found.test.answers.is_some() { "answers never came" } else { "phrases went unanswered" };
            let reason = format!("{} of {} {what} in it, and count as wrong", rate.count, rate.of);
            unsound(&format!("the {run} was answered"), unanswered, reason)
        })
        .collect()
}
