//! What waivers do to checks, and what is wrong with the waivers themselves.

use super::evaluate::GATED_FROM;
use super::threshold::Gate;
use crate::domain::{
    Check, CheckMode, CheckOutcome, CheckSource, Metrics, RunRecord, Slice, WaiverRecord, WaiverState,
};

/// The waivers that cover a failure.
pub(super) fn used(record: &RunRecord) -> impl Iterator<Item = &WaiverRecord> {
    let waivers = record.waivers.iter().flat_map(|report| &report.waivers);
    waivers.filter(|waiver| waiver.state == WaiverState::Used)
}

/// The numbers that a gate reads; none where no phrase is in its slice.
pub(super) fn numbers<'a>(gate: &Gate, whole: &'a Metrics, slices: &'a [Slice]) -> Option<&'a Metrics> {
    let Some((kind, name)) = &gate.slice else { return Some(whole) };
    let slice = slices.iter().find(|slice| slice.kind == *kind && slice.name == *name);
    slice.map(|slice| &slice.metrics)
}

/// The check as waivers leave it. Only a number that failed is looked at again, without the waived failures: what could
/// not be told stays so, a bound that is found after failures were taken out would prove nothing, and so would a slice
/// of which little is left.
pub(super) fn look_again(
    found: Check,
    record: &RunRecord,
    gate: &Gate,
    check: impl FnOnce(Option<&Metrics>) -> Check,
) -> Check {
    let Some(report) = &record.waivers else { return found };
    if found.outcome != CheckOutcome::Fail || gate.mode != CheckMode::Point {
        return found;
    }
    let left = numbers(gate, &report.metrics, &report.slices);
    let mut without = check(left);
    if without.value == found.value {
        return found;
    }
    let phrases = |metrics: Option<&Metrics>| metrics.map_or(0, |metrics| metrics.phrases);
    let (waived, counted) = match (found.errors, without.errors, found.of) {
        (Some(errors), Some(rest), Some(of)) => (errors.saturating_sub(rest), format!("{errors} of {of}")),
        _ => (phrases(numbers(gate, &record.metrics, &record.slices)) - phrases(left), found.reason),
    };
    if without.value.is_none() {
        "nothing is left to measure it on".clone_into(&mut without.reason);
    } else if let (Some(_), Some(left @ ..GATED_FROM), 2..) = (&gate.slice, without.of, waived) {
        without.outcome = CheckOutcome::Inconclusive;
        without.reason = format!("{left} phrases are left, and from {GATED_FROM} on it can tell");
    }
    without.reason = format!("{}; with {waived} waived: {counted}", without.reason);
    without
}

/// A failed check for each waiver that is over or not needed, and one on how many are used.
pub(super) fn checks(record: &RunRecord) -> Vec<Check> {
    let Some(report) = record.waivers.as_ref().filter(|report| !report.waivers.is_empty()) else {
        return Vec::new();
    };
    let mut checks: Vec<Check> = report.waivers.iter().filter_map(check).collect();
    let used = used(record).count();
    let (most, phrases) = (report.most, record.metrics.phrases);
    #[expect(clippy::cast_precision_loss, reason = "waivers are few")]
    checks.push(Check {
        value: Some(used as f64),
        limit: most as f64,
        of: Some(phrases),
        ..Check::new(
            &format!("waived_phrases <= {most}"),
            CheckSource::Waiver,
            "waived_phrases",
            if used as u64 > most { CheckOutcome::Fail } else { CheckOutcome::Pass },
            format!("{used} failures are waived, and of {phrases} phrases at most {most} may be"),
        )
    });
    checks
}

fn check(waiver: &WaiverRecord) -> Option<Check> {
    let WaiverRecord { phrase, owner, expires, .. } = waiver;
    let reason = match waiver.state {
        WaiverState::Used | WaiverState::NotRun => return None,
        WaiverState::Expired => format!("it held until {expires}: {owner} mends the failure or renews it"),
        WaiverState::Unneeded => format!("the phrase passes: {owner} can remove it"),
    };
    let name = format!("waiver of {phrase}");
    Some(Check::new(&name, CheckSource::Waiver, "waiver", CheckOutcome::Fail, reason))
}
