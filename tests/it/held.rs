//! The part of a suite that nobody tunes on: gated by itself, and held against the other.

use thrash::domain::{Check, CheckOutcome, Level, Phrase, PhraseResult, RunRecord, Split};
use thrash::gate::{GateOptions, evaluate};
use thrash::report::{Splits, TerminalOptions, render_terminal};

use crate::judge::{phrase, result};
use crate::support::command::Place;
use crate::support::judged::record;

/// So many phrases of a part, the first `wrong` of them wrong; every second one is negative.
fn part(split: Option<Split>, count: usize, wrong: usize) -> Vec<PhraseResult> {
    let name = split.map_or("none", Split::as_str);
    (0..count)
        .map(|i| {
            let right = if i % 2 == 0 { Level::None } else { Level::High };
            let phrase = Phrase { split, ..phrase(&format!("{name}-{i}"), &[right], 0, 0) };
            result(&phrase, &[Some(if i < wrong { Level::Medium } else { right })])
        })
        .collect()
}

fn run(dev: (usize, usize), held: (usize, usize)) -> RunRecord {
    let mut results = part(Some(Split::Dev), dev.0, dev.1);
    results.extend(part(Some(Split::Held), held.0, held.1));
    record(results)
}

fn checks(record: &RunRecord, gates: &[&str]) -> Vec<Check> {
    let gates = gates.iter().map(|gate| gate.parse().unwrap()).collect();
    evaluate(record, &GateOptions { gates, error_budget: 0.05, needs_baseline: false }).checks
}

fn named(record: &RunRecord, gates: &[&str]) -> Vec<(String, CheckOutcome)> {
    let held = checks(record, gates).into_iter().filter(|check| check.slice.as_deref() == Some("split=held"));
    held.map(|check| (check.name, check.outcome)).collect()
}

const DEFAULTS: [&str; 3] = ["accuracy >= 92%", "false_positive_rate <= 4%", "unanswered_rate <= 1%"];

#[test]
fn the_held_part_has_to_hold_the_gates_by_itself() {
    // 6 of 200 wrong in all, and all of them held.
    let found = named(&run((160, 0), (40, 6)), &DEFAULTS);
    assert_eq!(
        found,
        [
            ("accuracy[split=held] >= 92%".to_owned(), CheckOutcome::Fail),
            ("false_positive_rate[split=held] <= 4%".to_owned(), CheckOutcome::Fail),
        ]
    );
    let all = checks(&run((160, 0), (40, 6)), &DEFAULTS);
    let whole = all.iter().find(|check| check.name == "accuracy >= 92%").unwrap();
    assert_eq!(whole.outcome, CheckOutcome::Pass, "the whole hides it");
}

#[test]
fn too_small_a_held_part_is_not_gated_by_itself() {
    assert_eq!(named(&run((50, 0), (9, 0)), &DEFAULTS), []);
    // Ten phrases, five of them negative: enough for the accuracy, too few for false positives.
    let found = named(&run((50, 0), (10, 0)), &DEFAULTS);
    assert_eq!(found, [("accuracy[split=held] >= 92%".to_owned(), CheckOutcome::Pass)]);
}

#[test]
fn a_run_of_held_phrases_alone_or_of_none_needs_no_second_check() {
    assert_eq!(named(&run((0, 0), (40, 0)), &DEFAULTS), []);
    assert_eq!(named(&record(part(None, 40, 0)), &DEFAULTS), []);
}

#[test]
fn bounds_slices_and_other_numbers_are_not_asked_of_the_held_part() {
    let others = ["accuracy >= 92% (bound 95%)", "accuracy[dev] >= 92%", "kappa >= 0.1", "latency_p95 <= 1s"];
    assert_eq!(named(&run((160, 0), (40, 0)), &others), []);
}

fn section(record: &RunRecord) -> Option<String> {
    let page = render_terminal(record, &TerminalOptions::default());
    page.split("\n\n").find(|section| section.starts_with("Split")).map(str::to_owned)
}

#[test]
fn both_parts_stand_side_by_side() {
    let shown = section(&run((160, 8), (40, 2))).expect("the section");
    assert_eq!(
        shown,
        "Split       right  accuracy\n    dev   152/160  95.0 % [90.4, 97.4]\n    held    38/40  95.0 % [83.5, 98.6]"
    );
    assert_eq!(section(&run((0, 0), (40, 0))), None);
    assert_eq!(section(&record(part(None, 40, 0))), None);
}

#[test]
fn a_service_that_is_better_on_dev_by_more_than_chance_is_warned_of() {
    let tuned = run((160, 2), (40, 6));
    // Fisher's exact test, one-sided: scipy.stats.fisher_exact([[34, 6], [158, 2]], alternative="less").
    let splits = Splits::of(&tuned).unwrap();
    assert!((splits.p_held_lower - 0.000_941_651_781).abs() < 1e-12, "{}", splits.p_held_lower);
    let shown = section(&tuned).unwrap();
    assert!(shown.contains("! dev is better by 13.8 points, more than chance (p = 0.001)"), "{shown}");
    // As far apart on fewer phrases, and better on held: nothing to say.
    for quiet in [run((16, 0), (8, 1)), run((160, 20), (40, 0))] {
        assert!(!Splits::of(&quiet).unwrap().dev_is_better());
        assert!(!section(&quiet).unwrap().contains('!'));
    }
}

#[test]
fn families_make_a_difference_less_sure() {
    let mut results = part(Some(Split::Dev), 160, 4);
    results.extend(part(Some(Split::Held), 40, 5));
    let alone = Splits::of(&record(results.clone())).unwrap();
    for (i, result) in results.iter_mut().enumerate().skip(160) {
        result.seed_of = Some(format!("seed-{}", i / 8));
    }
    let related = Splits::of(&record(results)).unwrap();
    assert!(alone.dev_is_better() && !related.dev_is_better());
    assert!(related.held.effective.unwrap() < 10.0, "{:?}", related.held);
}

#[test]
fn the_plan_names_the_gates_of_the_held_part() {
    let plan = Place::new().thrash(["phrases", "plan", "--json"]).exits(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let gate = |name: &str| {
        plan["gates"]
            .as_array()
            .unwrap()
            .iter()
            .find(|gate| gate["gate"] == name)
            .map(|gate| gate["cases"].clone())
    };
    assert_eq!(gate("accuracy[split=held] >= 92%"), Some(251.into()));
    assert!(gate("false_positive_rate[split=held] <= 4%").is_some());
}
