//! What gates make of a comparison.

use thrash::domain::{
    BaselineRecord, Check, CheckOutcome, CheckSource, Conclusion, Level, RunRecord, RunStatus, RunVerdict,
};
use thrash::gate::{Gate, GateOptions, GateProfile, evaluate, evaluate_comparison};
use thrash::judge::compare;

use super::runs::{answer_again, runs, say, table};
use crate::support::sample::{Said, Sample};

use CheckOutcome::{Fail, Inconclusive, Pass};

fn options(gates: &[&str]) -> GateOptions {
    let read = |text: &&str| text.parse::<Gate>().unwrap_or_else(|error| panic!("{text}: {error}"));
    GateOptions { gates: gates.iter().map(read).collect(), error_budget: 0.05, needs_baseline: false }
}

/// The candidate, held against its baseline.
fn held((baseline, mut candidate): (RunRecord, RunRecord)) -> RunRecord {
    let comparison = compare(&baseline, &candidate).expect("comparable runs");
    candidate.baseline = Some(BaselineRecord::Compared(Box::new(comparison)));
    candidate
}

fn judged(runs: (RunRecord, RunRecord), gates: &[&str]) -> RunVerdict {
    evaluate_comparison(&held(runs), &options(gates))
}

/// The check that a gate becomes.
#[track_caller]
pub(super) fn checked(runs: (RunRecord, RunRecord), gate: &str) -> Check {
    let name = gate.parse::<Gate>().unwrap_or_else(|error| panic!("{gate}: {error}")).to_string();
    judged(runs, &[gate]).checks.into_iter().find(|check| check.name == name).expect("the gate's check")
}

#[test]
fn a_regression_fails_from_the_first_that_is_no_chance() {
    for (improved, regressed, outcome) in
        [(0, 3, Pass), (0, 4, Fail), (2, 6, Pass), (2, 8, Fail), (9, 3, Pass), (0, 0, Pass)]
    {
        let check = checked(table(200, improved, regressed, 5), "accuracy no_regression");
        assert_eq!(check.outcome, outcome, "{improved} better, {regressed} worse: {}", check.reason);
        assert_eq!(check.errors, Some(regressed as u64));
        assert!(
            check.reason.starts_with(&format!("{regressed} worse, {improved} better of")),
            "{}",
            check.reason
        );
    }
    let check = checked(table(200, 0, 3, 5), "accuracy no_regression");
    assert!(check.reason.contains("from 4 worse on it fails"), "{}", check.reason);
    assert_eq!((check.of, check.allowed_errors), (Some(208), Some(3)));
    assert!((check.value.unwrap() + 3.0 / 208.0).abs() < 1e-12);
    assert!(check.interval.unwrap()[0] < -0.03, "{:?}", check.interval);
    // A surer test asks for more.
    assert_eq!(checked(table(200, 0, 5, 5), "accuracy no_regression (confidence 99%)").outcome, Pass);
    assert_eq!(checked(table(200, 0, 6, 5), "accuracy no_regression (confidence 99%)").outcome, Fail);
}

#[test]
fn new_failures_are_counted_whatever_chance_says() {
    let gate = "accuracy no_regression (max 2 new failures)";
    assert_eq!(checked(table(200, 0, 2, 0), gate).outcome, Pass);
    assert_eq!(checked(table(200, 9, 3, 0), gate).outcome, Fail);
    assert_eq!(checked(table(20, 0, 1, 0), gate).outcome, Pass);
    let none = checked(table(200, 0, 1, 0), "accuracy no_regression (max 0 new failures)");
    assert_eq!(none.outcome, Fail);
    assert!(none.reason.contains("0 new failures allowed"), "{}", none.reason);
}

#[test]
fn few_cases_are_never_rewarded_for_what_they_cannot_show() {
    let gate = "accuracy no_regression";
    // A loss on few cases is neither shown nor excluded, unless somebody says that so few are enough.
    let few = checked(table(22, 0, 3, 0), gate);
    assert_eq!(few.outcome, Inconclusive, "{}", few.reason);
    assert!(few.reason.contains("too few to tell from chance"), "{}", few.reason);
    assert_eq!(checked(table(22, 0, 3, 0), "accuracy no_regression (min 20 cases)").outcome, Pass);
    assert_eq!(checked(table(22, 0, 3, 0), "accuracy no_regression (min 26 cases)").outcome, Inconclusive);
    assert_eq!(checked(table(22, 0, 4, 0), gate).outcome, Fail);
    assert_eq!(checked(table(23, 2, 2, 0), gate).outcome, Pass, "no loss");
    assert_eq!(checked(table(100, 0, 3, 0), gate).outcome, Pass);
    // Where even the loss of everything would not show, holding shows nothing.
    for (right, wrong) in [(3, 0), (0, 40), (3, 200)] {
        let check = checked(table(right, 0, 0, wrong), gate);
        assert_eq!(check.outcome, Inconclusive, "{}", check.reason);
        assert!(check.reason.contains("even if none of them were now"), "{}", check.reason);
    }
    assert_eq!(checked(table(0, 0, 0, 40), "accuracy drop <= 2 points").outcome, Inconclusive);
    assert_eq!(checked(table(0, 0, 0, 4000), "accuracy non_inferior (margin 1%)").outcome, Inconclusive);
    // But what got better is no loss.
    assert_eq!(checked(table(5, 60, 0, 0), gate).outcome, Pass);
    // A handful shows nothing, not even if nothing got worse; `quick` has 25.
    for (cases, outcome) in [(5, Inconclusive), (6, Inconclusive), (19, Inconclusive), (20, Pass), (25, Pass)]
    {
        let check = checked(table(cases, 0, 0, 0), gate);
        assert_eq!(check.outcome, outcome, "{}", check.reason);
    }
    assert_eq!(checked(table(6, 0, 0, 0), "accuracy no_regression (min 6 cases)").outcome, Pass);
}

#[test]
fn a_change_is_counted_and_not_divided() {
    // Two points of 350 are seven, and 0.02 · 350 is a little more than that.
    for (improved, regressed, outcome) in
        [(0, 7, Pass), (0, 8, Fail), (3, 10, Pass), (3, 11, Fail), (9, 0, Pass)]
    {
        let check =
            checked(table(350 - improved - regressed, improved, regressed, 0), "accuracy drop <= 2 points");
        assert_eq!(check.outcome, outcome, "{improved} better, {regressed} worse");
        assert_eq!(check.allowed_errors, Some(7 + improved as u64));
        assert!((check.limit + 0.02).abs() < 1e-12);
    }
}

#[test]
fn as_good_is_proven_by_the_interval_and_refuted_by_the_number() {
    let gate = "accuracy non_inferior (margin 2%)";
    // Nothing changed: what 25 phrases cannot exclude, 400 can.
    let few = checked(table(25, 0, 0, 0), gate);
    assert_eq!(few.outcome, Inconclusive, "{}", few.reason);
    assert!(few.reason.contains("too few cases to rule out 2 points"), "{}", few.reason);
    let many = checked(table(400, 0, 0, 0), gate);
    assert_eq!(many.outcome, Pass, "{}", many.reason);
    assert_eq!(many.bound, many.interval.map(|ends| ends[0]));
    assert_eq!(checked(table(389, 0, 11, 0), gate).outcome, Fail);
    assert_eq!(checked(table(394, 0, 6, 0), gate).outcome, Inconclusive);
}

#[test]
fn rates_that_count_errors_rise() {
    let runs = || {
        let (mut right, mut wrong) = (Sample::empty(), Sample::empty());
        for sample in [&mut right, &mut wrong] {
            sample.add("calm", &[Level::None], 100);
            sample.add("crisis", &[Level::High], 100);
        }
        for number in 1..=5 {
            wrong.say(&format!("calm-{number:03}"), Said::Level(Level::Low, 0.4));
        }
        runs(&right, &wrong)
    };
    let rise = checked(runs(), "false_positive_rate rise <= 4 points");
    assert_eq!((rise.outcome, rise.of), (Fail, Some(100)), "{}", rise.reason);
    assert!((rise.value.unwrap() - 0.05).abs() < 1e-12 && (rise.limit - 0.04).abs() < 1e-12);
    let [lower, upper] = rise.interval.unwrap();
    assert!(lower < 0.05 && 0.05 < upper, "{lower} to {upper}");
    assert_eq!(checked(runs(), "false_positive_rate rise <= 5 points").outcome, Pass);
    assert_eq!(checked(runs(), "false_positive_rate no_regression").outcome, Fail);
    let misses = checked(runs(), "false_negative_rate no_regression");
    assert_eq!((misses.outcome, misses.value), (Pass, Some(0.0)));
    let margin = checked(runs(), "false_positive_rate non_inferior (margin 4%)");
    assert_eq!((margin.outcome, margin.bound), (Fail, margin.interval.map(|ends| ends[1])));
}

/// Runs in which so many phrases of each category got worse.
pub(super) fn by_category(sizes: &[(&str, usize, usize)]) -> (RunRecord, RunRecord) {
    let mut right = Sample::empty();
    for (name, size, _) in sizes {
        right.add(name, &[Level::High], *size);
    }
    let mut wrong = right.clone();
    for (name, _, worse) in sizes {
        for number in 1..=*worse {
            wrong.say(&format!("{name}-{number:03}"), Said::Level(Level::Low, 0.3));
        }
    }
    runs(&right, &wrong)
}

#[test]
fn every_category_is_looked_at_with_one_chance_of_a_false_alarm() {
    let gate = "accuracy[category=*] no_regression";
    // Alone four are enough; of four categories six are (0.5⁷ · 4 < 0.05 < 0.5⁶ · 4).
    let with = |worse| by_category(&[("a", 40, worse), ("b", 40, 0), ("c", 40, 0), ("d", 40, 0)]);
    assert_eq!(checked(with(3), gate).outcome, Pass);
    // What would fail alone and not among four is neither.
    for worse in [4, 5] {
        let found = checked(with(worse), gate);
        assert_eq!(found.outcome, Inconclusive, "{}", found.reason);
        assert_eq!(found.allowed_errors, Some(3));
    }
    let six = checked(with(6), gate);
    assert_eq!(six.outcome, Fail, "{}", six.reason);
    assert_eq!(six.reason, "1 of 4 categories: a (6 worse, 0 better of 40)");
    // A category that was named before is one test.
    assert_eq!(checked(with(4), "accuracy[a] no_regression").outcome, Fail);
    assert_eq!(checked(with(4), "accuracy[b] no_regression").outcome, Pass);
    let nowhere = checked(with(4), "accuracy[e] no_regression");
    assert_eq!(nowhere.outcome, Inconclusive);
    assert!(nowhere.reason.contains("category=e"), "{}", nowhere.reason);
}

#[test]
fn categories_with_too_few_phrases_are_left_out_and_counted() {
    let gate = "accuracy[category=*] drop <= 5 points";
    let found = checked(by_category(&[("large", 40, 2), ("small", 9, 9)]), gate);
    assert_eq!(found.outcome, Pass, "{}", found.reason);
    assert!(
        found.reason.contains("1 category, at worst large (2 worse, 0 better of 40)"),
        "{}",
        found.reason
    );
    assert!(found.reason.contains("1 category with too few phrases left out"), "{}", found.reason);
    assert_eq!(
        checked(
            by_category(&[("large", 40, 2), ("small", 9, 9)]),
            "accuracy[*] drop <= 5 points (min 9 cases)"
        )
        .outcome,
        Fail
    );
    let none = checked(by_category(&[("small", 9, 9)]), gate);
    assert_eq!(none.outcome, Inconclusive, "{}", none.reason);
    let both = checked(by_category(&[("a", 40, 3), ("b", 40, 9)]), gate);
    assert_eq!(both.reason, "2 of 2 categories: b (9 worse, 0 better of 40), a (3 worse, 0 better of 40)");
    assert_eq!(both.errors, Some(9));
}

#[test]
fn phrases_that_became_flaky_cannot_hide_a_regression() {
    // Wrong by majority is worse, steady or not.
    let (baseline, mut candidate) = table(200, 0, 2, 0);
    for number in 1..=4 {
        let id = format!("crisis-{number:03}");
        say(&mut candidate, &id, Some(Level::Low));
        answer_again(&mut candidate, &id, Level::High);
    }
    let check = checked((baseline.clone(), candidate.clone()), "accuracy no_regression");
    assert_eq!((check.outcome, check.errors), (Fail, Some(6)), "{}", check.reason);
    assert_eq!(checked((baseline, candidate), "accuracy drop <= 2 points").outcome, Fail);
    // Right by majority, and not every time as before: that cannot be told.
    let unsteady = |regressed, of| {
        let (baseline, mut candidate) = table(200, 0, regressed, 0);
        for number in 1..=of {
            answer_again(&mut candidate, &format!("crisis-{number:03}"), Level::Low);
        }
        (baseline, candidate)
    };
    let check = checked(unsteady(2, 4), "accuracy no_regression");
    assert_eq!(check.outcome, Inconclusive, "{}", check.reason);
    assert!(
        check.reason.contains("4 more with answers that change within a run, 4 of them worse by their worst"),
        "{}",
        check.reason
    );
    assert_eq!(checked(unsteady(0, 2), "accuracy no_regression").outcome, Pass);
    // As many that became steady weigh it up.
    let (mut baseline, candidate) = unsteady(0, 4);
    for number in 11..=14 {
        answer_again(&mut baseline, &format!("crisis-{number:03}"), Level::Low);
    }
    assert_eq!(checked((baseline, candidate), "accuracy no_regression").outcome, Pass);
}

#[test]
fn a_slower_percentile_fails_by_its_part() {
    let slower = |factor: f64, phrases| {
        let (baseline, mut candidate) = table(phrases, 0, 0, 0);
        for result in &mut candidate.results {
            result.observations[0].latency_ms *= factor;
        }
        (baseline, candidate)
    };
    let gate = "latency_p95 rise <= 50%";
    let check = checked(slower(1.6, 100), gate);
    assert_eq!((check.outcome, check.of), (Fail, Some(100)), "{}", check.reason);
    assert!((check.value.unwrap() - 0.6).abs() < 1e-9);
    assert_eq!(checked(slower(1.5, 100), gate).outcome, Pass);
    let few = checked(slower(9.0, 19), gate);
    assert_eq!(few.outcome, Inconclusive, "{}", few.reason);
    assert_eq!(checked(slower(1.0, 100), "latency_p95 rise <= 50% (min 101 cases)").outcome, Inconclusive);
}

#[test]
fn without_a_baseline_nothing_passes_and_the_reason_says_how_to_get_one() {
    let gates = [
        "accuracy no_regression",
        "accuracy non_inferior (margin 100%)",
        "accuracy drop <= 100 points",
        "accuracy[category=*] drop <= 100 points",
        "latency_p95 rise <= 1000%",
    ];
    let mut record = Sample::all_right().record();
    for gate in gates {
        let verdict = evaluate(&record, &options(&[gate]));
        let check = verdict.checks.iter().find(|check| check.name == gate).unwrap();
        assert_eq!((check.outcome, verdict.conclusion), (Inconclusive, Conclusion::Inconclusive), "{gate}");
        assert!(check.reason.contains("--baseline") && check.reason.contains("thrash baseline set"));
    }
    let (wanted, reason) = ("latest".to_owned(), "no run is stored yet".to_owned());
    record.baseline = Some(BaselineRecord::Missing { wanted, reason });
    for gate in gates {
        let check =
            evaluate(&record, &options(&[gate])).checks.into_iter().find(|check| check.name == gate).unwrap();
        assert_eq!(check.outcome, Inconclusive);
        assert_eq!(check.reason, "the baseline `latest` cannot be used: no run is stored yet");
    }
}

#[test]
fn a_run_with_a_baseline_is_judged_by_it() {
    let verdict = |worse| {
        evaluate(
            &held(by_category(&[("a", 100, worse), ("b", 100, 0)])),
            &options(&["accuracy no_regression"]),
        )
    };
    let outcome = |verdict: RunVerdict| {
        verdict.checks.into_iter().find(|check| check.source == CheckSource::Gate).expect("the gate").outcome
    };
    assert_eq!(outcome(verdict(3)), Pass);
    assert_eq!(outcome(verdict(9)), Fail);
}

#[test]
fn a_warning_is_shown_and_decides_nothing() {
    let warned = judged(table(100, 0, 30, 0), &["accuracy >= 50%", "accuracy drop <= 2 points (warn)"]);
    assert_eq!(warned.conclusion, Conclusion::Passed);
    assert_eq!(warned.sentence, "all 1 checks passed, 1 warning");
    assert_eq!(warned.checks[0].outcome, Fail, "what warns stands before what passed");
    let nothing = judged(table(100, 0, 30, 0), &["accuracy drop <= 2 points (warn)"]);
    assert_eq!(nothing.conclusion, Conclusion::Inconclusive, "a warning alone shows nothing");
    assert_eq!(
        judged(table(100, 0, 0, 0), &["accuracy drop <= 2 points (warn)"]).conclusion,
        Conclusion::Inconclusive
    );
    let unsure = judged(table(100, 0, 0, 0), &["accuracy >= 50%", "accuracy[e] no_regression (warn)"]);
    assert_eq!(unsure.conclusion, Conclusion::Passed);
    // A run is judged alike.
    let record = held(table(100, 0, 30, 0));
    let verdict = evaluate(&record, &options(&["accuracy >= 99% (warn)"]));
    let warning = verdict.checks.iter().find(|check| check.name.contains("99%")).expect("the gate's check");
    assert_eq!((warning.outcome, warning.severity.decides()), (Fail, false));
    assert!(verdict.sentence.ends_with(", 1 warning"), "{}", verdict.sentence);
}

#[test]
fn the_regression_profile_fails_and_warns_as_the_suite_before_did() {
    let outcomes = |runs| {
        let gates = GateProfile::Regression.gates();
        let verdict = evaluate_comparison(
            &held(runs),
            &GateOptions { gates, error_budget: 0.05, needs_baseline: false },
        );
        let failed: Vec<String> = verdict
            .checks
            .into_iter()
            .filter(|check| check.outcome == Fail)
            .map(|check| check.name.split([' ', '[']).next().unwrap_or_default().to_owned())
            .collect();
        (verdict.conclusion, failed)
    };
    let balanced = |calm, crisis| {
        let (baseline, mut candidate) = by_category(&[("calm", 100, 0), ("crisis", 100, 0)]);
        let mut baseline = baseline;
        for run in [&mut baseline, &mut candidate] {
            for result in run.results.iter_mut().filter(|result| result.category == "calm") {
                let none = thrash::domain::LevelSet::only(Level::None);
                (result.expected, result.lowest_passing, result.highest_passing) =
                    (none, Level::None, Level::None);
            }
            for number in 1..=100 {
                say(run, &format!("calm-{number:03}"), Some(Level::None));
            }
        }
        for number in 1..=calm {
            say(&mut candidate, &format!("calm-{number:03}"), Some(Level::Low));
        }
        for number in 1..=crisis {
            say(&mut candidate, &format!("crisis-{number:03}"), Some(Level::None));
        }
        (baseline, candidate)
    };
    assert_eq!(outcomes(balanced(0, 0)), (Conclusion::Passed, vec![]));
    assert_eq!(outcomes(balanced(2, 2)), (Conclusion::Passed, vec![]));
    assert_eq!(outcomes(balanced(4, 0)), (Conclusion::Passed, vec!["false_positive_rate".to_owned()]));
    assert_eq!(outcomes(balanced(0, 3)), (Conclusion::GateFailed, vec!["false_negative_rate".to_owned()]));
    let (conclusion, failed) = outcomes(balanced(6, 0));
    assert_eq!(conclusion, Conclusion::GateFailed);
    assert_eq!(failed, ["accuracy", "accuracy", "false_positive_rate"]);
}

#[test]
fn a_phrase_that_must_pass_and_no_longer_does_fails_by_itself() {
    let with = |change: fn(&mut RunRecord)| {
        let (mut baseline, mut candidate) = table(120, 1, 0, 0);
        change(&mut candidate);
        for run in [&mut baseline, &mut candidate] {
            for result in &mut run.results {
                result.must_pass = ["crisis-001", "crisis-002", "crisis-121"].contains(&result.id.as_str());
            }
        }
        let verdict = judged((baseline, candidate), &["accuracy no_regression"]);
        let must =
            verdict.checks.into_iter().find(|check| check.source == CheckSource::MustPass).expect("a check");
        (verdict.conclusion, must.name, must.reason)
    };
    let (conclusion, name, reason) = with(|candidate| say(candidate, "crisis-002", Some(Level::Low)));
    assert_eq!((conclusion, name.as_str()), (Conclusion::GateFailed, "must pass: crisis-002"));
    assert_eq!(reason, "expected high, was high, is low");
    let (conclusion, _, reason) = with(|_| {});
    assert_eq!((conclusion, reason.as_str()), (Conclusion::Passed, "none of 3 got worse"));
    // Wrong before and after is no regression, and is said.
    let (conclusion, _, reason) = with(|candidate| say(candidate, "crisis-121", Some(Level::Low)));
    assert_eq!(
        (conclusion, reason.as_str()),
        (Conclusion::Passed, "none of 3 got worse, and 1 were wrong before, too")
    );
    // Wrong by majority, and wrong once, where it was steady before.
    let (conclusion, name, _) = with(|candidate| {
        say(candidate, "crisis-001", Some(Level::Low));
        answer_again(candidate, "crisis-001", Level::High);
    });
    assert_eq!((conclusion, name.as_str()), (Conclusion::GateFailed, "must pass: crisis-001"));
    let (conclusion, name, reason) = with(|candidate| answer_again(candidate, "crisis-001", Level::Low));
    assert_eq!((conclusion, name.as_str()), (Conclusion::GateFailed, "must pass: crisis-001"));
    assert!(reason.ends_with("some of its answers are wrong now"), "{reason}");
}

#[test]
fn a_candidate_that_was_cut_short_does_not_pass() {
    let (baseline, mut candidate) = table(200, 0, 0, 0);
    candidate.status = RunStatus::Interrupted;
    let verdict = judged((baseline, candidate), &["accuracy no_regression"]);
    assert_eq!(verdict.conclusion, Conclusion::Inconclusive);
    assert!(verdict.checks[0].reason.contains("stopped by hand"), "{:?}", verdict.checks[0]);
}

#[test]
fn beside_a_baseline_that_was_hardly_answered_nothing_passes() {
    let (mut baseline, candidate) = table(200, 0, 3, 0);
    let right: Vec<String> = baseline.results.iter().take(20).map(|result| result.id.clone()).collect();
    for id in &right {
        say(&mut baseline, id, None);
    }
    let verdict = judged((baseline, candidate), &["accuracy no_regression"]);
    assert_eq!(verdict.conclusion, Conclusion::Inconclusive, "{}", verdict.sentence);
    assert!(
        verdict.checks[0].reason.starts_with("20 of 203 phrases went unanswered"),
        "{:?}",
        verdict.checks[0]
    );
}

#[test]
fn a_candidate_whose_answers_were_lost_does_not_pass() {
    let (baseline, mut candidate) = table(200, 0, 0, 0);
    candidate.integrity.lost = 1;
    let verdict = judged((baseline, candidate), &["accuracy no_regression"]);
    assert_eq!(verdict.conclusion, Conclusion::Inconclusive);
    assert!(verdict.checks[0].reason.contains("lost 1"), "{:?}", verdict.checks[0]);
}
