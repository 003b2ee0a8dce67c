//! Two runs over different phrases: shown as a whole, and never enough for a gate.

use thrash::domain::{BaselineRecord, CheckOutcome, Conclusion, RunComparison, RunRecord, UnpairedRate};
use thrash::gate::{GateOptions, evaluate_comparison};
use thrash::judge::compare;

use super::runs::{runs, table};
use crate::support::sample::{Said, Sample};
use thrash::domain::Level;

/// A run of so many desperate phrases whose ids begin with this, of which so many are right.
fn of(category: &str, right: usize, all: usize) -> Sample {
    let mut sample = Sample::empty();
    sample.add(category, &[Level::High], all);
    for phrase in &mut sample.phrases[right..] {
        phrase.said = Said::Level(Level::None, 0.1);
    }
    sample
}

fn compared(baseline: &Sample, candidate: &Sample) -> (RunComparison, RunRecord) {
    let (baseline, mut candidate) = runs(baseline, candidate);
    let comparison = compare(&baseline, &candidate).expect("comparable runs");
    candidate.baseline = Some(BaselineRecord::Compared(Box::new(comparison.clone())));
    (comparison, candidate)
}

fn rate<'a>(comparison: &'a RunComparison, metric: &str) -> Option<&'a UnpairedRate> {
    comparison.unpaired.iter().find(|found| found.metric == metric)
}

#[track_caller]
fn close(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9), "{found:?} is not {expected}");
}

#[test]
fn runs_that_share_no_phrase_are_compared_as_a_whole() {
    // Newcombe's (1998) first example, the other way round.
    let (found, _) = compared(&of("old", 56, 70), &of("new", 48, 80));
    assert_eq!((found.compared, found.changes.len()), (0, 150));
    let accuracy = rate(&found, "accuracy").expect("the accuracy");
    assert_eq!(
        [accuracy.baseline.count, accuracy.baseline.of, accuracy.candidate.count, accuracy.candidate.of],
        [56, 70, 48, 80]
    );
    close(Some(accuracy.difference.value), -0.2);
    close(accuracy.difference.lower, -0.333_872_654_036_906_14);
    close(accuracy.difference.upper, -0.052_431_472_402_364_98);
    assert!(accuracy.p_worse < accuracy.p_differ && accuracy.p_differ < 0.02, "{accuracy:?}");
    // A rate of errors rises as the cases get worse, and is as likely.
    let misses = rate(&found, "false_negative_rate").expect("the misses");
    close(Some(misses.difference.value), 0.2);
    close(misses.difference.upper, 0.333_872_654_036_906_14);
    close(Some(misses.p_worse), accuracy.p_worse);
    assert!(rate(&found, "false_positive_rate").is_none(), "there are no negatives");
    // scipy.stats.fisher_exact([[329, 21], [300, 50]])
    let (found, _) = compared(&of("old", 300, 350), &of("new", 329, 350));
    close(rate(&found, "accuracy").map(|found| found.p_differ), 0.000_392_090_599_160_782_8);
    close(rate(&found, "accuracy").map(|found| found.p_worse), 0.999_929_368_276_535_9);
}

#[test]
fn it_is_there_just_where_too_few_phrases_are_compared() {
    for (lost, is_there) in [(20, false), (21, true)] {
        let (baseline, mut candidate) = table(200, 0, 0, 0);
        candidate.results.truncate(200 - lost);
        let found = compare(&baseline, &candidate).unwrap();
        assert_eq!(!found.unpaired.is_empty(), is_there, "{lost} lost");
        assert_eq!(found.compares_enough(), !is_there);
    }
}

#[test]
fn no_gate_passes_by_it_however_much_better_the_candidate_is() {
    let (found, candidate) = compared(&of("old", 100, 400), &of("new", 400, 400));
    assert!(rate(&found, "accuracy").is_some_and(|found| found.p_differ < 1e-9));
    for gates in [
        vec!["accuracy no_regression"],
        vec!["accuracy no_regression (max 400 new failures)"],
        vec!["accuracy no_regression (min 1 cases)"],
        vec!["accuracy non_inferior (margin 50%)"],
        vec!["accuracy drop <= 100 points"],
        vec!["false_negative_rate rise <= 100 points"],
        vec!["accuracy[category=*] drop <= 100 points"],
        vec!["latency_p95 rise <= 5000%"],
    ] {
        let gates = gates.into_iter().map(|gate| gate.parse().unwrap()).collect::<Vec<_>>();
        let options = GateOptions { gates, error_budget: 0.05, needs_baseline: true };
        let verdict = evaluate_comparison(&candidate, &options);
        assert_eq!(verdict.conclusion, Conclusion::Inconclusive, "{:?}", verdict.checks);
        assert!(
            verdict.checks.iter().all(|check| check.outcome != CheckOutcome::Pass),
            "{:?}",
            verdict.checks
        );
    }
}
