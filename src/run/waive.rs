//! What waivers do to a run: the numbers without the failures that somebody answers for.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use crate::domain::{
    Level, Metrics, Observation, PhraseResult, RunRecord, Slice, Verdict, WaiverRecord, WaiverReport,
    WaiverState,
};
use crate::judge::{judge, measure, slices};
use crate::suite::{Waiver, Waivers};

/// However many may be used: one phrase in so many, at most.
const MOST_OF: u64 = 20;

/// Applies waivers to a record, as of the day on which the run began; `extra` is what was seen of each phrase beyond
/// the passes, `targets` what the suite asks of its categories.
pub(super) fn waive(
    waivers: &Waivers,
    record: &RunRecord,
    extra: &[Vec<Observation>],
    targets: &BTreeMap<String, (Option<f64>, bool)>,
) -> WaiverReport {
    let day = record.started_at.date_naive();
    let seen: HashMap<&str, (&PhraseResult, &[Observation])> = record
        .results
        .iter()
        .zip(extra)
        .map(|(result, extra)| (result.id.as_str(), (result, extra.as_slice())))
        .collect();
    let states: Vec<WaiverState> = waivers
        .waivers
        .iter()
        .map(|waiver| state(waiver, seen.get(waiver.phrase.as_str()).copied(), day))
        .collect();
    let used: HashSet<&str> = waivers
        .waivers
        .iter()
        .zip(&states)
        .filter(|(_, state)| **state == WaiverState::Used)
        .map(|(waiver, _)| waiver.phrase.as_str())
        .collect();
    let (metrics, slices) = without(&used, record, targets);
    let record_of = |(waiver, state): (&Waiver, WaiverState)| WaiverRecord {
        phrase: waiver.phrase.clone(),
        owner: waiver.owner.clone(),
        reason: waiver.reason.clone(),
        expires: waiver.expires,
        state,
    };
    WaiverReport {
        waivers: waivers.waivers.iter().zip(states).map(record_of).collect(),
        most: waivers.most.min(record.metrics.phrases / MOST_OF),
        metrics,
        slices,
    }
}

/// A waiver covers a wrong answer. That no answer came is another matter, and nobody's to waive.
fn state(waiver: &Waiver, seen: Option<(&PhraseResult, &[Observation])>, day: NaiveDate) -> WaiverState {
    if !waiver.applies {
        return WaiverState::NotRun;
    }
    if waiver.expires < day {
        return WaiverState::Expired;
    }
    let Some((result, extra)) = seen else { return WaiverState::NotRun };
    let right = |seen: &Observation| {
        judge(result.expected, result.lowest_passing, result.highest_passing, seen.answer.level()).passes()
    };
    match result.verdict {
        Verdict::Unanswered => WaiverState::NotRun,
        Verdict::Under | Verdict::Over => WaiverState::Used,
        // One that fails now and then is no reason to drop the waiver, and none to use it.
        Verdict::Exact | Verdict::Tolerated if !result.observations.iter().chain(extra).all(right) => {
            WaiverState::NotRun
        }
        Verdict::Exact | Verdict::Tolerated => WaiverState::Unneeded,
    }
}

/// The numbers without these phrases; but whether the target answers is measured on all of them.
fn without(
    used: &HashSet<&str>,
    record: &RunRecord,
    targets: &BTreeMap<String, (Option<f64>, bool)>,
) -> (Metrics, Vec<Slice>) {
    if used.is_empty() {
        return (record.metrics.clone(), record.slices.clone());
    }
    let alert_level: Level = record.target.alert_level;
    let rest: Vec<PhraseResult> =
        record.results.iter().filter(|result| !used.contains(result.id.as_str())).cloned().collect();
    let mut metrics = measure(&rest, alert_level);
    metrics.unanswered_rate = record.metrics.unanswered_rate;
    let mut slices = slices(&rest, alert_level, targets);
    for slice in &mut slices {
        if let Some(whole) = record.slice(slice.kind, &slice.name) {
            slice.metrics.unanswered_rate = whole.metrics.unanswered_rate;
        }
    }
    (metrics, slices)
}
