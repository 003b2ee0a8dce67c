//! Contrast pairs: both right, or the words alone were read.

use thrash::domain::{CheckOutcome, Level, Phrase, PhraseResult};
use thrash::gate::{GateOptions, evaluate};
use thrash::judge::pair_accuracy;
use thrash::report::{TerminalOptions, render_terminal};

use crate::judge::{phrase, result};
use crate::support::judged::record;

/// A phrase that is answered rightly or not.
fn one(id: &str, pair: Option<&str>, capability: &str, right: bool) -> PhraseResult {
    let phrase = Phrase {
        pair: pair.map(str::to_owned),
        capability: Some(capability.to_owned()),
        ..phrase(id, &[Level::High], 0, 0)
    };
    result(&phrase, &[right.then_some(Level::High)])
}

fn pairs() -> Vec<PhraseResult> {
    vec![
        one("a-1", Some("a-2"), "plain", true),
        one("a-2", Some("a-1"), "negated", true),
        one("b-1", Some("b-2"), "plain", true),
        one("b-2", Some("b-1"), "negated", false),
        // Named from one side only, and still a pair.
        one("c-1", Some("c-2"), "past", false),
        one("c-2", None, "past", false),
        // Its partner is not in the run.
        one("d-1", Some("d-2"), "past", false),
        one("e-1", None, "plain", true),
    ]
}

#[test]
fn a_pair_is_right_if_both_of_it_are() {
    let rate = pair_accuracy(&pairs()).unwrap();
    assert_eq!((rate.count, rate.of, rate.effective), (1, 3, None));
    assert_eq!(pair_accuracy(&pairs()[6..]), None, "no whole pair, no share");
}

#[test]
fn pairs_made_from_pairs_are_one_family() {
    let mut results = pairs();
    // Both phrases of b were made from those of a.
    results[2].seed_of = Some("a-1".to_owned());
    results[3].seed_of = Some("a-2".to_owned());
    // Σm²/Σm = 5/3, so the effect is 4/3.
    let worth = pair_accuracy(&results).unwrap().effective.unwrap();
    assert!((worth - 2.25).abs() < 1e-9, "{worth}");
}

#[test]
fn a_gate_over_pairs_needs_pairs() {
    let outcome = |results, gate: &str| {
        let gates = vec![gate.parse().unwrap()];
        let verdict =
            evaluate(&record(results), &GateOptions { gates, error_budget: 1.0, needs_baseline: false });
        let check = verdict.checks.into_iter().find(|check| check.metric == "pair_accuracy").unwrap();
        (check.outcome, check.reason)
    };
    assert_eq!(outcome(pairs(), "pair_accuracy >= 30%").0, CheckOutcome::Pass);
    let (failed, reason) = outcome(pairs(), "pair_accuracy >= 50%");
    assert_eq!((failed, reason.as_str()), (CheckOutcome::Fail, "2 of 3 wrong, 1 allowed"));
    assert_eq!(outcome(pairs(), "pair_accuracy >= 30% (bound 95%)").0, CheckOutcome::Inconclusive);
    let (none, reason) = outcome(pairs().split_off(6), "pair_accuracy >= 0%");
    assert_eq!((none, reason.as_str()), (CheckOutcome::Inconclusive, "there is no case to measure it on"));
}

#[test]
fn the_page_names_what_half_right_pairs_test() {
    let page = render_terminal(&record(pairs()), &TerminalOptions::default());
    let section = page.split("\n\n").find(|section| section.starts_with("Pairs")).expect("the section");
    assert_eq!(
        section.replace('\u{a0}', " "),
        "Pairs  both right in 1/3, 33.3 % [6.1, 79.2]\n    both right, by capability: past 0/1, negated 1/2, plain 1/2"
    );
    let without = render_terminal(&record(pairs().split_off(6)), &TerminalOptions::default());
    assert!(!without.contains("Pairs"), "{without}");
}
