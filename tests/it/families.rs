//! Phrases that were made from one another count for less: in intervals, in gates, in plans.

use serde_json::Value;
use thrash::domain::{Check, CheckOutcome, Level, Phrase, PhraseResult, Rate};
use thrash::gate::{GateOptions, evaluate};
use thrash::judge::measure;

use crate::judge::{phrase, result};
use crate::support::command::Place;
use crate::support::judged::record;

const BOUND: &str = "false_positive_rate <= 4% (bound 95%)";

/// Negatives, every `size` of them variants of one seed; the first `wrong` ones raise an alarm.
fn negatives(count: usize, size: usize, wrong: usize) -> Vec<PhraseResult> {
    (0..count)
        .map(|i| {
            let seed_of = (size > 1).then(|| format!("seed-{}", i / size));
            let phrase = Phrase { seed_of, ..phrase(&format!("calm-{i}"), &[Level::None], 0, 0) };
            result(&phrase, &[Some(if i < wrong { Level::High } else { Level::None })])
        })
        .collect()
}

fn false_positives(results: &[PhraseResult]) -> Rate {
    measure(results, Level::Low).false_positive_rate
}

fn checked(results: Vec<PhraseResult>, gate: &str) -> Check {
    let gate: thrash::gate::Gate = gate.parse().unwrap();
    let name = gate.to_string();
    let verdict = evaluate(
        &record(results),
        &GateOptions { gates: vec![gate], error_budget: 0.05, needs_baseline: false },
    );
    verdict.checks.into_iter().find(|check| check.name == name).expect("the check")
}

#[test]
fn siblings_of_a_seed_that_is_not_in_the_run_are_a_family() {
    // 36 / (1 + 5 · 0.5)
    let rate = false_positives(&negatives(36, 6, 0));
    assert!((rate.effective.unwrap() - 36.0 / 3.5).abs() < 1e-9, "{rate:?}");
    // 1 − 0.025^(3.5/36)
    assert!((rate.exact.unwrap()[1] - 0.301_375).abs() < 1e-6, "{rate:?}");
}

#[test]
fn a_seed_and_its_variants_are_a_family_through_any_number_of_steps() {
    let linked = |id: &str, seed_of: Option<&str>| {
        let phrase = Phrase { seed_of: seed_of.map(str::to_owned), ..phrase(id, &[Level::None], 0, 0) };
        result(&phrase, &[Some(Level::None)])
    };
    let worth = |links: &[(&str, Option<&str>)]| {
        let results: Vec<PhraseResult> = links.iter().map(|(id, seed)| linked(id, *seed)).collect();
        false_positives(&results).effective
    };
    assert_eq!(worth(&[("a", None), ("b", None), ("c", None)]), None);
    // Three of four are one family: effect 1 + (10/4 − 1) · 0.5 = 1.75.
    assert_eq!(worth(&[("a", None), ("b", Some("a")), ("c", Some("b")), ("d", None)]), Some(4.0 / 1.75));
    // A seed elsewhere and one variant of it: nobody is related to anybody.
    assert_eq!(worth(&[("a", Some("elsewhere")), ("b", None)]), None);
    // A line that bites its tail.
    assert_eq!(worth(&[("a", Some("b")), ("b", Some("a")), ("c", None), ("d", None)]), Some(4.0 / 1.25));
}

#[test]
fn without_families_nothing_changes() {
    let rate = false_positives(&negatives(200, 1, 3));
    assert_eq!(rate.effective, None);
    let written = serde_json::to_value(rate).unwrap();
    assert!(written.get("effective").is_none(), "{written}");
    let check = checked(negatives(200, 1, 3), BOUND);
    assert_eq!(
        (check.outcome, check.reason.as_str()),
        (CheckOutcome::Pass, "3 of 200 wrong, 3 would prove it")
    );
}

#[test]
fn a_bound_gate_counts_what_the_cases_are_worth() {
    // 200 in families of two are worth 200 / 1.5 = 133: 2 of 200 are 1.33 of those, and 117 would do for one.
    let outcome = |wrong| checked(negatives(200, 2, wrong), BOUND);
    let clean = outcome(0);
    assert_eq!((clean.outcome, clean.allowed_errors), (CheckOutcome::Pass, Some(2)));
    assert_eq!(clean.reason, "0 of 200 wrong, 2 would prove it; 200 cases worth 133 (families)");
    assert_eq!(outcome(1).outcome, CheckOutcome::Pass);
    // Two siblings that fail together are one failure seen twice.
    let both = outcome(2);
    assert_eq!(both.outcome, CheckOutcome::Inconclusive);
    assert!(both.reason.contains("200 cases worth 99"), "{}", both.reason);
    // 90 in families of three would be enough if they were independent; they are worth 45.
    let few = checked(negatives(90, 3, 0), BOUND);
    assert_eq!((few.outcome, few.allowed_errors), (CheckOutcome::Inconclusive, None));
    assert!(few.reason.ends_with("90 cases worth 45 (families)"), "{}", few.reason);
    // What fails outright fails with or without families.
    assert_eq!(outcome(20).outcome, CheckOutcome::Fail);
}

#[test]
fn a_bound_on_accuracy_turns_the_right_way() {
    let check = checked(negatives(200, 2, 1), "accuracy >= 92% (bound 95%)");
    let bound = check.bound.expect("a bound");
    assert!(check.outcome == CheckOutcome::Pass && bound > 0.92 && bound < 0.995, "{check:?}");
    let plain = checked(negatives(200, 1, 1), "accuracy >= 92% (bound 95%)");
    assert!(plain.bound.unwrap() > bound, "fewer independent cases prove less");
}

#[test]
fn a_point_gate_says_that_there_are_families() {
    let check = checked(negatives(200, 2, 2), "false_positive_rate <= 4%");
    assert_eq!((check.outcome, check.allowed_errors), (CheckOutcome::Pass, Some(8)));
    assert!(check.reason.starts_with("2 of 200 wrong, 8 allowed; 200 cases worth "), "{}", check.reason);
    assert!(check.reason.ends_with(" (families)"), "{}", check.reason);
}

#[test]
fn repeats_of_a_phrase_are_no_family() {
    let repeated = |seed_of: Option<&str>| {
        let phrase = Phrase { seed_of: seed_of.map(str::to_owned), ..phrase("calm-1", &[Level::None], 0, 0) };
        let other = crate::judge::phrase("calm-2", &[Level::None], 0, 0);
        let answers = [Some(Level::None), None, Some(Level::None)];
        let steady = [Some(Level::None); 3];
        measure(&[result(&phrase, &answers), result(&other, &steady)], Level::Low).unanswered_rate
    };
    assert_eq!((repeated(None).of, repeated(None).effective), (6, None));
    // In each of three passes two relatives: 6 / 1.5.
    assert_eq!(repeated(Some("calm-2")).effective, Some(4.0));
}

/// A suite of negatives in families of two, as a file.
fn suite(place: &Place) -> String {
    let phrases: Vec<String> = (0..200)
        .map(|i| {
            format!(
                "  - {{id: n-{i}, text: \"number {i}\", seed_of: n-{}}}\n",
                if i % 2 == 0 { i + 1 } else { i - 1 }
            )
        })
        .collect();
    let text = format!("category: calm\nexpected: [none]\nphrases:\n{}", phrases.concat());
    place.file("calm.yaml", text).display().to_string()
}

#[test]
fn a_plan_takes_a_correlation_for_granted_and_says_so() {
    let place = Place::new();
    let suite = suite(&place);
    let shown = place.thrash(["phrases", "plan", &suite, "--gate", BOUND]).exits(0).stdout;
    assert!(shown.contains("200 (133)") && shown.contains("of 0.5 within a family"), "{shown}");
    let plan: Value = serde_json::from_str(
        &place.thrash(["phrases", "plan", &suite, "--gate", BOUND, "--json"]).exits(0).stdout,
    )
    .unwrap();
    let gate = plan["gates"].as_array().unwrap().iter().find(|gate| gate["gate"] == BOUND).expect("the gate");
    assert_eq!((&gate["cases"], &gate["allowed_errors"]), (&Value::from(200), &Value::from(2)));
    // 74 independent ones are 111 in families of two.
    assert_eq!(gate["min_cases"], 111);
    assert_eq!(plan["family_correlation"], 0.5);
    let stats = place.thrash(["phrases", "stats", &suite]).exits(0).stdout;
    assert!(stats.contains("200 variants of a seed in 100 families"), "{stats}");
}
