//! The verdict on two runs.

use super::evaluate::{GateOptions, check, source};
use super::sound::comparison_is_sound;
use super::verdict::{conclude_from, rank, sentence_from};
use crate::domain::{
    AnswerBrief, Change, Check, CheckOutcome, CheckSource, PhraseChange, RunComparison, RunRecord, RunVerdict,
};

/// Makes the verdict on a run that is held against its baseline: the gates, and the phrases that must pass and got
/// worse. What is wrong with the run by itself is told by its own verdict.
pub fn evaluate_comparison(candidate: &RunRecord, options: &GateOptions) -> RunVerdict {
    let mut checks: Vec<Check> =
        options.gates.iter().map(|gate| check(candidate, gate, source(gate.metric))).collect();
    if let Some(comparison) = candidate.baseline.as_ref().and_then(|baseline| baseline.comparison()) {
        checks.extend(must_pass(candidate, comparison));
    }
    checks.extend(comparison_is_sound(candidate, options.error_budget));
    checks.sort_by_key(rank);
    let conclusion = conclude_from(&checks);
    RunVerdict { sentence: sentence_from(conclusion, &checks), conclusion, checks }
}

/// A failed check for each phrase that must pass and does not always any more, one that cannot tell for each that did
/// not always before and does not now; else a passed one for all of them.
fn must_pass(candidate: &RunRecord, comparison: &RunComparison) -> Vec<Check> {
    let of = |change| comparison.changed(change).filter(|phrase| phrase.must_pass);
    let new = of(Change::New).count();
    let must = candidate.results.iter().filter(|result| result.must_pass).count().saturating_sub(new);
    if must == 0 {
        return Vec::new();
    }
    let failed = of(Change::Regressed).map(|phrase| (phrase, CheckOutcome::Fail, ""));
    let always = |found: &AnswerBrief| found.verdict.passes() && !found.unsteady;
    let changing = of(Change::Flaky).filter(|phrase| !phrase.candidate.as_ref().is_some_and(always));
    let unsure = changing.map(|phrase| {
        let was_steady = phrase.baseline.as_ref().is_some_and(always);
        // Records of earlier versions do not say which of the runs was unsteady.
        if was_steady && phrase.candidate.is_some_and(|found| found.unsteady) {
            (phrase, CheckOutcome::Fail, " by majority, and some of its answers are wrong now")
        } else {
            (phrase, CheckOutcome::Inconclusive, ", and its answers change within a run")
        }
    });
    let checks: Vec<Check> = failed
        .chain(unsure)
        .map(|(phrase, outcome, more)| {
            let reason = format!("{}{more}", was_and_is(phrase));
            Check::new(
                &format!("must pass: {}", phrase.id),
                CheckSource::MustPass,
                "must_pass",
                outcome,
                reason,
            )
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
        Check::new("phrases that must pass", CheckSource::MustPass, "must_pass", CheckOutcome::Pass, reason);
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
