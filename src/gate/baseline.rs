//! Gates against a baseline.
//!
//! The paired test looks at what changed from right to wrong and back. It rewards small runs: the fewer the cases, the
//! less it sees. So a run in which it could never have failed is inconclusive, and every reason tells what would have
//! been seen. Phrases whose answers change within a run are left out of it; where counting them would turn a pass into
//! a failure, nothing can be told either.

use std::collections::BTreeMap;

use super::evaluate::GATED_FROM;
use super::metric::Metric;
use super::paired_case::{Case, Finding, of_metric};
use super::quantile::Quantile;
use super::threshold::Gate;
use crate::domain::{
    AnswerShares, BaselineRecord, Change, Check, CheckMode, CheckOutcome, Comparison, PairedRate,
    PhraseChange, RunComparison, SliceKind,
};

/// Fewer latencies than this say nothing about a percentile's change.
const LEAST_LATENCIES: u64 = 20;

/// Fills in a check against the baseline that a run was held against.
pub(super) fn check(check: &mut Check, gate: &Gate, baseline: Option<&BaselineRecord>) {
    const SET: &str = "`--baseline RUN` names one, `thrash baseline set RUN` sets one for all later runs";
    check.limit = match (gate.comparison, gate.mode) {
        (Comparison::AtLeast, CheckMode::NonInferior | CheckMode::Change) => -gate.limit,
        _ => gate.limit,
    };
    check.confidence = (gate.mode != CheckMode::Change).then(|| gate.confidence.level());
    let comparison = match baseline {
        Some(BaselineRecord::Compared(comparison)) => comparison,
        Some(BaselineRecord::Missing { wanted, reason }) => {
            check.reason = format!("the baseline `{wanted}` cannot be used: {reason}");
            return;
        }
        None => {
            check.reason = format!("there is no baseline: {SET}");
            return;
        }
    };
    match (gate.metric, gate.metric.paired(), gate.every_slice()) {
        (Metric::Latency(quantile), ..) => latency(check, gate, quantile, comparison),
        (_, Some(rate), None) => one(check, gate, rate, comparison),
        (_, Some(_), Some(kind)) => every(check, gate, kind, comparison),
        // No such gate can be written.
        (_, None, _) => "it is not compared with a baseline".clone_into(&mut check.reason),
    }
}

/// The whole run, or one slice. A slice that a gate names was declared before: no other test corrects it.
fn one(check: &mut Check, gate: &Gate, rate: PairedRate, comparison: &RunComparison) {
    let case = match gate.named_slice() {
        Some((kind, name)) => Case::of_slices(comparison, kind).find(|case| case.name == name),
        None => Case::of_rate(comparison, rate),
    };
    let Some(case) = case.filter(|case| case.cases() > 0) else {
        let place = gate.slice_text().map(|slice| format!(" in {slice}")).unwrap_or_default();
        check.reason = format!("no phrase{place} that both runs answered steadily counts for it");
        return;
    };
    let finding = case.judge(gate);
    finding.write(check, gate);
    check.reason = finding.reason;
    if let Some(least) = gate.min_n.filter(|least| case.cases() < *least) {
        check.outcome = CheckOutcome::Inconclusive;
        check.reason = format!("{} cases, and the gate asks for at least {least}", case.cases());
    } else if case.never_fails(gate) {
        check.outcome = CheckOutcome::Inconclusive;
        check.reason = case.why_never();
    }
}

/// Every slice of a kind with enough phrases; the worst of them speaks for all.
fn every(check: &mut Check, gate: &Gate, kind: SliceKind, comparison: &RunComparison) {
    let least = gate.min_n.unwrap_or(GATED_FROM);
    let thinned = thinned(comparison, kind, least);
    let (enough, few): (Vec<Case<'_>>, Vec<Case<'_>>) =
        Case::of_slices(comparison, kind).partition(|case| case.cases() >= least);
    let (enough, blind): (Vec<Case<'_>>, Vec<Case<'_>>) =
        Case::together(enough).into_iter().partition(|case| !case.never_fails(gate));
    let few = few.len() + blind.len();
    let (slice, slices) = match kind {
        SliceKind::Category => ("category", "categories"),
        SliceKind::Capability => ("capability", "capabilities"),
        SliceKind::Language => ("language", "languages"),
        SliceKind::Tag | SliceKind::Split => ("slice", "slices"),
    };
    let counted = |count: usize| format!("{count} {}", if count == 1 { slice } else { slices });
    let mut found: Vec<(&str, Finding)> = enough.iter().map(|case| (case.name, case.judge(gate))).collect();
    let left_out = match few {
        0 => String::new(),
        count => format!("; {} with too few phrases left out", counted(count)),
    };
    // The worst first: what failed, then what could not tell, each by how much it changed.
    found.sort_by(|(_, one), (_, other)| one.rank().cmp(&other.rank()).then(one.gain.total_cmp(&other.gain)));
    let Some((name, worst)) = found.first() else {
        check.reason = format!("none of {} has enough phrases in both runs", counted(few));
        return;
    };
    worst.write(check, gate);
    let like: Vec<&(&str, Finding)> =
        found.iter().filter(|(_, finding)| finding.outcome == worst.outcome).collect();
    let names = |most: usize| {
        let shown = like.iter().take(most).map(|(name, finding)| format!("{name} ({})", finding.brief));
        let more = like.len().saturating_sub(most);
        let shown = shown.collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{shown} and {more} more") } else { shown }
    };
    let all = counted(found.len());
    check.reason = match worst.outcome {
        CheckOutcome::Fail => format!("{} of {all}: {}{left_out}", like.len(), names(3)),
        CheckOutcome::Inconclusive => {
            format!("{} of {all} cannot be told: {}{left_out}", like.len(), names(3))
        }
        CheckOutcome::Pass => format!("{all}, at worst {name} ({}){left_out}", worst.brief),
    };
    if worst.outcome != CheckOutcome::Fail && !thinned.is_empty() {
        check.outcome = CheckOutcome::Inconclusive;
        check.reason = format!(
            "{} had enough phrases in the baseline and {} too few steady ones in both runs: {}; {}",
            counted(thinned.len()),
            if thinned.len() == 1 { "has" } else { "have" },
            thinned.join(", "),
            check.reason
        );
    }
}

fn name(phrase: &PhraseChange, kind: SliceKind) -> Option<&str> {
    match kind {
        SliceKind::Category => Some(&phrase.category),
        SliceKind::Capability => phrase.capability.as_deref(),
        SliceKind::Language => phrase.language.as_deref(),
        SliceKind::Tag | SliceKind::Split => None,
    }
}

/// The slices that had enough phrases in the baseline and have too few to compare: their phrases are gone, or change
/// within a run.
fn thinned(comparison: &RunComparison, kind: SliceKind, least: u64) -> Vec<&str> {
    let mut slices: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for case in Case::of_slices(comparison, kind) {
        slices.insert(case.name, (case.cases(), case.cases()));
    }
    let out =
        comparison.changes.iter().filter(|phrase| matches!(phrase.change, Change::Flaky | Change::Gone));
    for name in out.filter_map(|phrase| name(phrase, kind)) {
        slices.entry(name).or_default().0 += 1;
    }
    let thinned = |(before, now): (u64, u64)| before >= least.max(GATED_FROM) && now < least;
    slices.into_iter().filter(|(_, counts)| thinned(*counts)).map(|(name, _)| name).collect()
}

/// Whether the runs are load runs.
fn answers_of_load(comparison: &RunComparison) -> bool {
    comparison.accuracy.answers.is_some()
}

fn latency(check: &mut Check, gate: &Gate, quantile: Quantile, comparison: &RunComparison) {
    let answered = of_metric(comparison, PairedRate::UnansweredRate).map_or(0, |test| match test.answers {
        Some(AnswerShares { baseline, candidate, .. }) => baseline.count.min(candidate.count),
        None => test.both_right,
    });
    let found = comparison.latency.iter().find(|latency| Some(latency.quantile) == quantile.fraction());
    let Some(found) = found.filter(|_| answered >= LEAST_LATENCIES.max(gate.min_n.unwrap_or(0))) else {
        let what = if answers_of_load(comparison) { "requests" } else { "phrases" };
        check.of = Some(answered);
        check.reason = format!("{answered} {what} that both runs answered are too few");
        return;
    };
    let rise = found.ratio.value - 1.0;
    check.of = Some(answered);
    check.value = Some(rise);
    check.interval =
        found.ratio.lower.zip(found.ratio.upper).map(|(lower, upper)| [lower - 1.0, upper - 1.0]);
    let holds = rise <= gate.limit + 1e-9;
    check.outcome = if holds { CheckOutcome::Pass } else { CheckOutcome::Fail };
    check.reason = format!("{:.1} ms, and {:.1} ms before", found.candidate.value, found.baseline.value);
}
