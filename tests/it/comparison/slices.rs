//! Gates over every slice: none of them vanishes, and only those that are judged share the chance of a false alarm.

use thrash::domain::{Check, CheckOutcome, Level, RunRecord};

use super::gates::{by_category, checked};
use super::runs::{answer_again, say, table};

use CheckOutcome::{Fail, Inconclusive, Pass};

const EVERY: &str = "accuracy[category=*] no_regression";

/// Two categories of 60 and one of 12, and what is done to the small one.
fn small(change: impl Fn(&mut RunRecord, &mut RunRecord)) -> Check {
    let (mut baseline, mut candidate) = by_category(&[("a", 60, 0), ("b", 60, 0), ("small", 12, 0)]);
    change(&mut baseline, &mut candidate);
    checked((baseline, candidate), EVERY)
}

#[test]
fn a_category_that_is_gone_or_all_flaky_cannot_be_told() {
    assert_eq!(small(|_, _| {}).outcome, Pass);
    let gone = |least: usize| {
        small(move |_, candidate| {
            let mut seen = 0;
            candidate.results.retain(|result| {
                seen += usize::from(result.category == "small");
                result.category != "small" || seen > least
            });
        })
    };
    assert_eq!(gone(2).outcome, Pass, "ten are left");
    for least in [3, 12] {
        let found = gone(least);
        assert_eq!(found.outcome, Inconclusive, "{}", found.reason);
        assert!(found.reason.contains("1 category had enough phrases in the baseline"), "{}", found.reason);
        assert!(found.reason.contains(": small; "), "{}", found.reason);
    }
    let flaky = small(|baseline, _| {
        for number in 1..=12 {
            answer_again(baseline, &format!("small-{number:03}"), Level::Low);
        }
    });
    assert_eq!(flaky.outcome, Inconclusive, "{}", flaky.reason);
    // What failed elsewhere has failed.
    let failed = small(|_, candidate| {
        candidate.results.retain(|result| result.category != "small");
        for number in 1..=9 {
            say(candidate, &format!("a-{number:03}"), Some(Level::Low));
        }
    });
    assert_eq!(failed.outcome, Fail, "{}", failed.reason);
}

#[test]
fn categories_that_no_gate_judges_do_not_share_the_chance_of_a_false_alarm() {
    // Of two judged categories five worse fail (0.5⁶ · 2 < 0.05); of six they would not.
    let mut sizes = vec![("a", 40, 5), ("b", 40, 0)];
    sizes.extend(["c", "d", "e", "f"].map(|name| (name, 9, 0)));
    let found = checked(by_category(&sizes), EVERY);
    assert_eq!(found.outcome, Fail, "{}", found.reason);
    for size in &mut sizes {
        size.1 = 40;
    }
    let found = checked(by_category(&sizes), EVERY);
    assert_eq!(found.outcome, Inconclusive, "{}", found.reason);
}

#[test]
fn seven_of_twenty_six_that_got_worse_never_pass_among_many() {
    let names: Vec<String> = (0..13).map(|number| format!("c{number}")).collect();
    let sizes: Vec<(&str, usize, usize)> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), 26, if at == 0 { 7 } else { 0 })).collect();
    let found = checked(by_category(&sizes), EVERY);
    assert_eq!(found.outcome, Inconclusive, "{}", found.reason);
    assert!(found.reason.contains("c0 (7 worse, 0 better of 26)"), "{}", found.reason);
}

#[test]
fn variants_of_one_phrase_prove_less_than_as_many_phrases() {
    let gate = "accuracy non_inferior (margin 2%)";
    let families = |size: usize| {
        let (mut baseline, mut candidate) = table(400, 0, 0, 0);
        for run in [&mut baseline, &mut candidate] {
            for (at, result) in run.results.iter_mut().enumerate() {
                result.seed_of = (size > 1).then(|| format!("seed-{}", at / size));
            }
        }
        checked((baseline, candidate), gate)
    };
    let alone = families(1);
    assert_eq!(alone.outcome, Pass, "{}", alone.reason);
    // Ten of a family are worth a tenth and a half of that: 400 / (1 + 9 · 0.5).
    let kin = families(10);
    assert_eq!(kin.outcome, Inconclusive, "{}", kin.reason);
    assert!(kin.reason.contains("400 cases worth 73"), "{}", kin.reason);
    assert!(kin.bound.unwrap() < alone.bound.unwrap());
}
