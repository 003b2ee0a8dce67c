//! What follows from checks, whatever they are about.

use crate::domain::{Check, CheckOutcome, Conclusion};

/// Failed checks first; those that decide nothing after those that do.
pub(super) fn rank(check: &Check) -> u8 {
    match (check.outcome, check.severity.decides()) {
        (CheckOutcome::Fail, true) => 0,
        (CheckOutcome::Inconclusive, true) => 1,
        (CheckOutcome::Fail, false) => 2,
        (CheckOutcome::Inconclusive, false) => 3,
        (CheckOutcome::Pass, _) => 4,
    }
}

/// What the checks alone say. Warnings are none of them: with nothing but warnings nothing was shown.
pub(super) fn conclude_from(checks: &[Check]) -> Conclusion {
    let mut deciding = checks.iter().filter(|check| check.severity.decides()).peekable();
    if deciding.peek().is_none() {
        return Conclusion::Inconclusive;
    }
    deciding.map(|check| check.outcome).fold(Conclusion::Passed, |worst, outcome| match (worst, outcome) {
        (Conclusion::GateFailed, _) | (_, CheckOutcome::Fail) => Conclusion::GateFailed,
        (_, CheckOutcome::Inconclusive) => Conclusion::Inconclusive,
        (worst, CheckOutcome::Pass) => worst,
    })
}

/// The sentence for a verdict that follows from the checks alone.
pub(super) fn sentence_from(conclusion: Conclusion, checks: &[Check]) -> String {
    let (deciding, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.severity.decides());
    let count = |outcome| deciding.iter().filter(|check| check.outcome == outcome).count();
    let all = deciding.len();
    let sentence = match conclusion {
        _ if all == 0 => "there is no gate, so nothing was shown".to_owned(),
        Conclusion::Passed => format!("all {all} checks passed"),
        Conclusion::Inconclusive => {
            format!("{} of {all} checks could not tell", count(CheckOutcome::Inconclusive))
        }
        Conclusion::GateFailed | Conclusion::TargetFailed | Conclusion::Interrupted => {
            format!("{} of {all} checks failed", count(CheckOutcome::Fail))
        }
    };
    match others.iter().filter(|check| check.outcome != CheckOutcome::Pass).count() {
        0 => sentence,
        1 => format!("{sentence}, 1 warning"),
        warnings => format!("{sentence}, {warnings} warnings"),
    }
}
