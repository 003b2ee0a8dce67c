//! The stats layer against golden values from scipy, statsmodels and scikit-learn, against the literature, and
//! against laws that hold for all inputs.
#![allow(
    clippy::cast_precision_loss,
    clippy::unreadable_literal,
    reason = "small counts; numbers as published"
)]

mod change_of_shares;
mod change_point;
mod edges;
mod families;
mod laws;
mod literature;
mod tables;

use serde_json::Value;
use thrash::stats::{
    BinaryCounts, BootstrapKind, BootstrapOptions, BoundRule, Confidence, Confusion, CostMatrix, Interval,
    IntervalMethod, KappaWeights, PairedTable, Proportion, Unanswered, acceptance, bootstrap, early_stop,
    flakiness, krippendorff_alpha, multiplicity, percentile,
};

const P95: Confidence = Confidence::PERCENT_95;
const WILSON: IntervalMethod = IntervalMethod::Wilson;
const EXACT: IntervalMethod = IntervalMethod::ClopperPearson;

fn golden(block: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/statistics.json")).unwrap();
    all.get(block).unwrap_or_else(|| panic!("no golden block `{block}`")).clone()
}

fn rows(block: &str) -> Vec<Value> {
    golden(block).as_array().unwrap().clone()
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(float).collect()
}

#[track_caller]
fn close_to(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not within {tolerance} of {expected}");
}

/// Golden values carry 12 significant digits.
#[track_caller]
fn same(actual: impl Into<Option<f64>>, expected: &Value) {
    close_to(actual.into().expect("a value"), float(expected), 1e-9);
}

#[track_caller]
fn same_interval(actual: Option<Interval>, expected: &Value) {
    let actual = actual.expect("an interval");
    same(actual.lower, &expected[0]);
    same(actual.upper, &expected[1]);
}

fn proportion(successes: u64, trials: u64) -> Proportion {
    Proportion::new(successes, trials).unwrap()
}

fn paired(both_right: u64, improved: u64, regressed: u64, both_wrong: u64) -> PairedTable {
    PairedTable { both_right, improved, regressed, both_wrong }
}

/// The golden confusion matrix; every case was answered.
fn golden_confusion() -> Confusion {
    let rows = golden("multiclass")["confusion_rows_true"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(count).chain([0]).collect())
        .collect();
    Confusion::from_rows(rows).unwrap()
}

fn fpr_rule(method: IntervalMethod) -> BoundRule {
    BoundRule { max_rate: 0.04, confidence: P95, method }
}

fn accuracy_rule(method: IntervalMethod) -> BoundRule {
    BoundRule { max_rate: 1.0 - 0.92, confidence: P95, method }
}

#[test]
fn intervals_of_a_proportion_match_statsmodels() {
    for row in rows("intervals") {
        let observed = proportion(count(&row["k"]), count(&row["n"]));
        close_to(float(&row["alpha"]), P95.alpha(), 1e-12);
        same_interval(observed.interval(WILSON, P95), &row["wilson"]);
        same_interval(observed.interval(EXACT, P95), &row["clopper_pearson"]);
        for (method, key) in [(WILSON, "wilson_one_sided95"), (EXACT, "cp_one_sided95")] {
            same(observed.lower_bound(method, P95), &row[key][0]);
            same(observed.upper_bound(method, P95), &row[key][1]);
        }
    }
}

#[test]
fn mcnemar_matches_statsmodels() {
    for row in rows("mcnemar") {
        let table = paired(300, count(&row["b"]), count(&row["c"]), 30);
        same(table.mcnemar_exact(), &row["exact"]);
        same(table.mcnemar_mid_p(), &row["midp"]);
        if table.changed() > 0 {
            same(table.regression_exact(), &row["one_sided_exact_c_gt_b"]);
            same(table.regression_mid_p(), &row["one_sided_midp_c_gt_b"]);
        }
    }
}

#[test]
fn the_paired_difference_matches_newcombe() {
    for row in rows("paired_diff") {
        let cells: Vec<u64> = row["table[a,b,c,d]"].as_array().unwrap().iter().map(count).collect();
        let table = paired(cells[0], cells[1], cells[2], cells[3]);
        same(table.difference(), &row["delta"]);
        same_interval(table.difference_interval(P95), &row["newcombe10"]);
    }
}

#[test]
fn agreement_over_classes_matches_scikit_learn() {
    let expected = golden("multiclass");
    let confusion = golden_confusion();
    assert_eq!(confusion.total(), count(&expected["n"]));
    for unanswered in [Unanswered::Wrong, Unanswered::Excluded] {
        same(confusion.accuracy(unanswered).rate(), &expected["accuracy"]);
        same(confusion.macro_f1(unanswered), &expected["macro_f1"]);
        same(confusion.weighted_f1(unanswered), &expected["weighted_f1"]);
        same(confusion.matthews(unanswered), &expected["mcc"]);
        for class in 0..confusion.classes() {
            let scores = confusion.class_scores(class, unanswered).unwrap();
            same(scores.precision.rate(), &expected["precision"][class]);
            same(scores.recall.rate(), &expected["recall"][class]);
            same(scores.f1, &expected["f1"][class]);
        }
    }
    same(confusion.mean_distance(), &expected["mae_levels"]);
    same(confusion.within(1).rate(), &expected["within_one"]);
}

#[test]
fn kappa_and_its_standard_error_match_statsmodels() {
    let expected = golden("multiclass");
    let confusion = golden_confusion();
    let plain = confusion.kappa(KappaWeights::Unweighted).unwrap();
    same(plain.value, &expected["kappa"]);
    same(plain.standard_error, &expected["kappa_se_unweighted"]);
    same_interval(plain.interval(P95), &expected["kappa_ci95"]);
    same(confusion.kappa(KappaWeights::Linear).unwrap().value, &expected["kappa_linear"]);
    let quadratic = confusion.kappa(KappaWeights::Quadratic).unwrap();
    same(quadratic.value, &expected["kappa_quadratic"]);
    same(quadratic.standard_error, &expected["kappa_quadratic_se(statsmodels fc)"]);
    same_interval(quadratic.interval(P95), &expected["kappa_quadratic_ci95"]);
}

#[test]
fn the_binary_view_at_a_cut_matches_scikit_learn() {
    let expected = golden("binary_cut_medium");
    let counts = golden_confusion().at_cut(2);
    let counted = BinaryCounts {
        true_positives: count(&expected["tp"]),
        false_positives: count(&expected["fp"]),
        true_negatives: count(&expected["tn"]),
        false_negatives: count(&expected["fn"]),
    };
    assert_eq!(counts, counted);
    same(counts.false_positive_rate().rate(), &expected["fpr"]);
    same(counts.false_negative_rate().rate(), &expected["fnr"]);
    same_interval(counts.false_positive_rate().interval(WILSON, P95), &expected["fpr_wilson95"]);
    same_interval(counts.false_negative_rate().interval(WILSON, P95), &expected["fnr_wilson95"]);
    same(counts.precision().rate(), &expected["precision"]);
    same(counts.recall().rate(), &expected["recall"]);
    same(counts.f1(), &expected["f1"]);
    same(counts.f2(), &expected["f2"]);
    same(counts.matthews(), &expected["mcc"]);
    same(counts.balanced_accuracy(), &expected["balanced_accuracy"]);
    same(counts.youden(), &expected["youden_j"]);
}

#[test]
fn the_cost_of_the_mistakes_matches() {
    let expected = golden("cost");
    let rows = expected["matrix_rows_true"].as_array().unwrap().iter().map(floats).collect();
    let cost = CostMatrix::new(rows).unwrap().assess(&golden_confusion()).unwrap().unwrap();
    same(cost.total, &expected["total_cost"]);
    same(cost.mean, &expected["mean_cost"]);
    same(cost.worst, &expected["worst"]);
    same(cost.score, &expected["normalised_1_minus_cost_over_worst"]);
}

#[test]
fn acceptance_numbers_match_for_both_methods() {
    for (block, key, method) in [
        ("acceptance_fpr4_conf95", "min_negatives_exact", EXACT),
        ("acceptance_fpr4_wilson", "min_negatives_wilson", WILSON),
    ] {
        for row in rows(block) {
            let (errors, trials) = (count(&row["max_fp"]), count(&row[key]));
            assert_eq!(fpr_rule(method).min_trials(errors), Some(trials));
            assert_eq!(fpr_rule(method).max_errors(trials), Some(errors));
            if let Some(rate) = row["observed_rate"].as_f64() {
                close_to(errors as f64 / trials as f64, rate, 5e-6);
            }
        }
    }
}

#[test]
fn the_power_of_a_false_positive_gate_matches() {
    for row in rows("power_fpr_gate") {
        let trials = count(&row["n_neg"]);
        assert_eq!(fpr_rule(EXACT).max_errors(trials), row["max_fp"].as_u64());
        for (key, expected) in row.as_object().unwrap() {
            if let Some(rate) = key.strip_prefix("P(pass|fpr=").and_then(|rest| rest.strip_suffix(')')) {
                let power = fpr_rule(EXACT).pass_probability(trials, rate.parse().unwrap()).unwrap();
                close_to(power, float(expected), 5.1e-5);
            }
        }
    }
}

#[test]
fn the_power_of_an_accuracy_gate_matches() {
    for row in rows("acc92") {
        let trials = count(&row["n"]);
        let max_errors = accuracy_rule(EXACT).max_errors(trials).unwrap();
        let point = acceptance::point_max_errors(1.0 - 0.92, trials).unwrap();
        assert_eq!(max_errors, count(&row["max_errors_exact"]));
        assert_eq!(accuracy_rule(WILSON).max_errors(trials).unwrap(), count(&row["max_errors_wilson"]));
        assert_eq!(point, count(&row["point_gate_max_errors"]));
        close_to(1.0 - max_errors as f64 / trials as f64, float(&row["min_observed_accuracy_exact"]), 5.1e-6);
        for (key, expected) in row.as_object().unwrap() {
            if let Some(accuracy) = key.strip_prefix("P(pass|acc=").and_then(|rest| rest.strip_suffix(')')) {
                let true_rate = 1.0 - accuracy.parse::<f64>().unwrap();
                let power = accuracy_rule(EXACT).pass_probability(trials, true_rate).unwrap();
                close_to(power, float(expected), 5.1e-5);
            }
        }
        let lucky = acceptance::pass_probability(point, trials, 0.10).unwrap();
        close_to(lucky, float(&row["P(point gate passes|acc=.90)"]), 5.1e-5);
        let unlucky = 1.0 - acceptance::pass_probability(point, trials, 0.07).unwrap();
        close_to(unlucky, float(&row["P(point gate fails|acc=.93)"]), 5.1e-5);
    }
}

#[test]
fn ranks_that_enclose_a_percentile_match() {
    for row in rows("percentile_ci") {
        let ranks = percentile::rank_interval(count(&row["n"]), float(&row["q"]), P95).unwrap();
        assert_eq!(ranks.lower, row["lower_rank"].as_u64());
        assert_eq!(ranks.upper, row["upper_rank"].as_u64());
        close_to(ranks.coverage, float(&row["coverage"]), 5.1e-9);
    }
}

#[test]
fn the_fewest_values_for_a_percentile_interval_match() {
    for (q, expected) in golden("min_n_for_two_sided_ci").as_object().unwrap() {
        let (q, fewest) = (q.parse().unwrap(), count(expected));
        assert_eq!(percentile::min_count_two_sided(q, P95), Some(fewest));
        assert!(percentile::rank_interval(fewest, q, P95).unwrap().upper.is_some());
        assert!(percentile::rank_interval(fewest - 1, q, P95).unwrap().upper.is_none());
    }
    for (q, expected) in golden("min_n_upper_bound_95").as_object().unwrap() {
        let (q, fewest) = (q.parse().unwrap(), count(expected));
        assert_eq!(percentile::min_count_upper(q, P95), Some(fewest));
        assert_eq!(percentile::upper_bound_rank(fewest, q, P95), Some(fewest));
        assert_eq!(percentile::upper_bound_rank(fewest - 1, q, P95), None);
    }
}

#[test]
fn early_stopping_of_latency_runs_matches_mlperf() {
    for (name, expected) in golden("mlperf_early_stopping_c99").as_object().unwrap() {
        let percentile = name.strip_prefix('p').unwrap().parse::<f64>().unwrap() / 100.0;
        for (too_slow, queries) in expected.as_object().unwrap() {
            let found =
                early_stop::min_queries(percentile, 0.0, Confidence::PERCENT_99, too_slow.parse().unwrap());
            assert_eq!(found, Some(count(queries)), "{name} with {too_slow} too slow");
        }
    }
}

#[test]
fn adjusted_p_values_match_statsmodels() {
    let expected = golden("multiplicity");
    let raw = floats(&expected["p"]);
    for (name, adjusted) in [
        ("holm", multiplicity::holm(&raw)),
        ("bh", multiplicity::benjamini_hochberg(&raw)),
        ("bonferroni", multiplicity::bonferroni(&raw)),
    ] {
        for (index, adjusted) in adjusted.unwrap().into_iter().enumerate() {
            same(adjusted, &expected[name][index]);
            if let Some(rejected) = expected[format!("{name}_reject")][index].as_bool() {
                assert_eq!(adjusted <= 0.05, rejected);
            }
        }
    }
}

#[test]
fn bootstrap_intervals_of_f1_match_scipy() {
    let expected = golden("bootstrap_f1_binary_cut(tolerance 0.003)");
    let counts = golden_confusion().at_cut(2);
    let cases: Vec<(bool, bool)> = [
        ((true, true), counts.true_positives),
        ((true, false), counts.false_negatives),
        ((false, true), counts.false_positives),
        ((false, false), counts.true_negatives),
    ]
    .into_iter()
    .flat_map(|(case, times)| (0..times).map(move |_| case))
    .collect();
    let strata = vec![0; cases.len()];
    let f1 = |indices: &[usize]| {
        let mut counts = BinaryCounts::default();
        for &index in indices {
            match cases[index] {
                (true, true) => counts.true_positives += 1,
                (true, false) => counts.false_negatives += 1,
                (false, true) => counts.false_positives += 1,
                (false, false) => counts.true_negatives += 1,
            }
        }
        counts.f1()
    };
    for (kind, key) in [(BootstrapKind::Percentile, "percentile"), (BootstrapKind::Bca, "BCa")] {
        let options = BootstrapOptions { seed: 20_261_120, kind, ..BootstrapOptions::default() };
        let found = bootstrap::interval(&strata, options, f1).unwrap();
        same(found.estimate, &expected["f1"]);
        close_to(found.interval.lower, float(&expected[key][0]), 0.003);
        close_to(found.interval.upper, float(&expected[key][1]), 0.003);
    }
}

#[test]
fn the_chance_to_see_flakiness_matches() {
    for (name, expected) in golden("flaky_detect").as_object().unwrap() {
        let flip_rate = name.strip_prefix("eps=").unwrap().parse().unwrap();
        for (repeats, probability) in expected.as_object().unwrap() {
            let found = flakiness::detection_probability(flip_rate, repeats.parse().unwrap()).unwrap();
            close_to(found, float(probability), 5.1e-7);
        }
    }
}

#[test]
fn the_agreement_of_people_is_that_of_the_krippendorff_package() {
    let expected = golden("krippendorff");
    let cases: Vec<Vec<usize>> = serde_json::from_value(expected["cases"].clone()).unwrap();
    same(krippendorff_alpha(&cases, 5), &expected["alpha"]);
    // Nobody to agree with, nothing to disagree on, and classes that there are not.
    assert_eq!(krippendorff_alpha(&[vec![1], vec![4]], 5), None);
    assert_eq!(krippendorff_alpha(&[vec![1, 1], vec![1, 1]], 5), None);
    assert_eq!(krippendorff_alpha(&[vec![5, 0]], 5), None);
    close_to(krippendorff_alpha(&[vec![0, 0], vec![4, 4]], 5).unwrap(), 1.0, 0.0);
}
