//! Gates over flips.

use thrash::domain::{Check, CheckOutcome, Level, PerturbationKind as Kind, RunRecord, Variant};
use thrash::gate::{GateOptions, evaluate};
use thrash::judge::{VariantAnswer, judge_variants};

use super::judging::{answer, base, variant};
use crate::support::command::Place;
use crate::support::sample::Sample;

/// A run of phrases that were all answered high, each with variants of two kinds; the answers to those.
fn run(typos: &[Option<Level>], leets: &[Option<Level>]) -> RunRecord {
    let ids: Vec<String> = (0..typos.len().max(leets.len())).map(|i| format!("p-{i}")).collect();
    let bases: Vec<_> = ids.iter().map(|id| base(id, &[(Some(Level::High), None)])).collect();
    let said = |kind, levels: &[Option<Level>]| -> Vec<(Variant, Option<Level>)> {
        ids.iter().zip(levels).map(|(id, level)| (variant(id, kind, 0), *level)).collect()
    };
    let variants = [said(Kind::Typo, typos), said(Kind::ZeroWidth, leets)].concat();
    let answers: Vec<VariantAnswer<'_>> =
        variants.iter().map(|(variant, level)| VariantAnswer::new(variant, &answer(*level, None))).collect();
    let perturbations = Some(judge_variants(&bases, &answers, Level::Low));
    RunRecord { perturbations, ..Sample::all_right().record() }
}

fn checked(record: &RunRecord, gate: &str) -> Check {
    let options =
        GateOptions { gates: vec![gate.parse().unwrap()], error_budget: 0.05, needs_baseline: false };
    let checks = evaluate(record, &options).checks;
    checks.into_iter().find(|check| check.metric == "perturbation_flip_rate").expect("the check")
}

const SAME: Option<Level> = Some(Level::High);
const FLIP: Option<Level> = Some(Level::Low);

#[test]
fn a_gate_is_over_all_variants_a_group_or_a_kind() {
    let record = run(&[FLIP, SAME, SAME, SAME], &[SAME; 4]);
    let of = |gate: &str| {
        let check = checked(&record, gate);
        (check.errors.unwrap(), check.of.unwrap(), check.outcome, check.slice)
    };
    let some = |slice: &str| Some(slice.to_owned());
    assert_eq!(of("perturbation_flip_rate <= 10%"), (1, 8, CheckOutcome::Fail, None));
    assert_eq!(of("perturbation_flip_rate[typing] <= 25%"), (1, 4, CheckOutcome::Pass, some("group=typing")));
    assert_eq!(of("perturbation_flip_rate[kind=typo] <= 20%"), (1, 4, CheckOutcome::Fail, some("kind=typo")));
    assert_eq!(
        of("perturbation_flip_rate[zero_width] <= 0%"),
        (0, 4, CheckOutcome::Pass, some("kind=zero_width"))
    );
}

#[test]
fn variants_that_were_not_sent_show_nothing() {
    let record = run(&[SAME; 4], &[]);
    let check = checked(&record, "perturbation_flip_rate[wording] <= 100%");
    assert_eq!(check.outcome, CheckOutcome::Inconclusive);
    assert_eq!(check.reason, "no variants of group=wording were sent: `--perturb` says which are");
    let check = checked(&Sample::all_right().record(), "perturbation_flip_rate <= 100%");
    assert_eq!(check.reason, "no variants were sent: `--perturb` says which are");
    assert_eq!(check.outcome, CheckOutcome::Inconclusive);
}

#[test]
fn variants_without_an_answer_pass_nothing() {
    let gate = "perturbation_flip_rate <= 25%";
    assert_eq!(
        checked(&run(&[SAME, SAME, SAME, None], &[]), gate).outcome,
        CheckOutcome::Pass,
        "1 of 4 at worst"
    );
    let check = checked(&run(&[SAME, SAME, None, None], &[]), gate);
    assert_eq!(check.outcome, CheckOutcome::Inconclusive);
    assert_eq!(check.reason, "2 of 4 variants got no answer, and may have flipped");
    assert_eq!(checked(&run(&[FLIP, FLIP, SAME, None], &[]), gate).outcome, CheckOutcome::Fail);
}

#[test]
fn a_bound_counts_the_variants_of_a_phrase_together() {
    let bound = "perturbation_flip_rate <= 5% (bound 95%)";
    // 60 phrases with one variant each prove 5 % without a flip; 30 phrases with two each do not.
    assert_eq!(checked(&run(&[SAME; 60], &[]), bound).outcome, CheckOutcome::Pass);
    let check = checked(&run(&[SAME; 30], &[SAME; 30]), bound);
    assert_eq!((check.outcome, check.allowed_errors), (CheckOutcome::Inconclusive, None));
    assert!(check.reason.ends_with("60 cases worth 40 (families)"), "{}", check.reason);
}

#[test]
fn a_run_with_such_a_gate_is_gated_by_it() {
    let place = Place::new();
    let suite = place.easy_suite();
    let gate = "perturbation_flip_rate[typing] <= 100%";
    let shown = place.thrash(["run", suite, "--gate", gate]).exits(4).stdout;
    assert!(shown.contains("no variants of group=typing were"), "{shown}");
    place.thrash(["run", suite, "--gate", gate, "--perturb", "typing"]).exits(0);
}
