//! The sample-size and power tables that the project publishes, digit by digit.

use thrash::stats::{BoundRule, Confidence, IntervalMethod, acceptance, regression_power};

use super::{EXACT, P95, WILSON, accuracy_rule, close_to, fpr_rule, proportion};

/// Half of the last digit printed, and a hair more, because some were rounded twice.
const TWO_DIGITS: f64 = 0.0055;
const THREE_DIGITS: f64 = 0.00055;

#[test]
fn the_fewest_negatives_for_each_number_of_false_positives_are_as_published() {
    let exact = [74, 117, 156, 192, 227, 261, 294, 326, 358, 390, 421];
    let wilson = [65, 110, 149, 185, 220, 254, 287, 319, 351, 383, 414];
    for (errors, (exact, wilson)) in (0..).zip(exact.into_iter().zip(wilson)) {
        assert_eq!(fpr_rule(EXACT).min_trials(errors), Some(exact));
        assert_eq!(fpr_rule(WILSON).min_trials(errors), Some(wilson));
    }
}

#[test]
fn the_operating_characteristic_of_the_false_positive_gate_is_as_published() {
    let true_rates = [0.005, 0.01, 0.015, 0.02, 0.03, 0.04];
    let table = [
        (100, 0, [0.606, 0.366, 0.221, 0.133, 0.048, 0.017], 4, 0.277, 0.182),
        (150, 1, [0.827, 0.557, 0.340, 0.196, 0.058, 0.016], 6, 0.198, 0.166),
        (200, 3, [0.981, 0.858, 0.647, 0.431, 0.147, 0.040], 8, 0.147, 0.150),
        (304, 6, [0.999, 0.965, 0.825, 0.593, 0.192, 0.039], 12, 0.077, 0.130),
        (400, 9, [1.0, 0.992, 0.918, 0.718, 0.238, 0.040], 16, 0.051, 0.098),
    ];
    for (negatives, allowed, powers, point, lucky, unlucky) in table {
        assert_eq!(fpr_rule(EXACT).max_errors(negatives), Some(allowed));
        for (rate, power) in true_rates.into_iter().zip(powers) {
            close_to(fpr_rule(EXACT).pass_probability(negatives, rate).unwrap(), power, THREE_DIGITS);
        }
        assert_eq!(acceptance::point_max_errors(0.04, negatives), Some(point));
        close_to(acceptance::pass_probability(point, negatives, 0.06).unwrap(), lucky, THREE_DIGITS);
        close_to(1.0 - acceptance::pass_probability(point, negatives, 0.03).unwrap(), unlucky, THREE_DIGITS);
    }
}

#[test]
fn the_accuracy_gate_allows_and_passes_as_published() {
    let table = [
        (200, 9, [0.23, 0.45, 0.72, 0.92], 16),
        (350, 19, [0.38, 0.70, 0.93, 0.995], 28),
        (400, 22, [0.39, 0.72, 0.95, 0.997], 32),
        (500, 29, [0.47, 0.82, 0.98, 1.0], 40),
        (638, 39, [0.59, 0.91, 0.996, 1.0], 51),
        (1000, 65, [0.77, 0.985, 1.0, 1.0], 80),
        (3728, 270, [0.999, 1.0, 1.0, 1.0], 298),
    ];
    for (cases, allowed, powers, point) in table {
        assert_eq!(accuracy_rule(EXACT).max_errors(cases), Some(allowed));
        assert_eq!(acceptance::point_max_errors(1.0 - 0.92, cases), Some(point));
        for (accuracy, power) in [0.94, 0.95, 0.96, 0.97].into_iter().zip(powers) {
            let found = accuracy_rule(EXACT).pass_probability(cases, 1.0 - accuracy).unwrap();
            close_to(found, power, TWO_DIGITS);
        }
    }
    for (cases, lucky, unlucky) in [
        (200, 0.208, 0.238),
        (350, 0.121, 0.198),
        (400, 0.103, 0.187),
        (500, 0.075, 0.167),
        (1000, 0.018, 0.098),
        (3728, 0.00001, 0.009),
    ] {
        let point = acceptance::point_max_errors(0.08, cases).unwrap();
        close_to(acceptance::pass_probability(point, cases, 0.10).unwrap(), lucky, THREE_DIGITS);
        close_to(1.0 - acceptance::pass_probability(point, cases, 0.07).unwrap(), unlucky, THREE_DIGITS);
    }
}

#[test]
fn upper_bounds_of_the_miss_rate_are_as_published() {
    let table: [(u64, &[f64], f64); 5] = [
        (59, &[0.0495, 0.078, 0.103, 0.126], TWO_DIGITS / 10.0),
        (150, &[0.0198, 0.031, 0.041, 0.051], TWO_DIGITS / 10.0),
        (176, &[0.0169, 0.027, 0.035, 0.044], TWO_DIGITS / 10.0),
        (294, &[0.0101, 0.016, 0.021, 0.026], TWO_DIGITS / 10.0),
        (299, &[0.0100], TWO_DIGITS / 100.0),
    ];
    for (cases, bounds, tolerance) in table {
        for (misses, bound) in (0..).zip(bounds) {
            close_to(proportion(misses, cases).upper_bound(EXACT, P95).unwrap(), *bound, tolerance);
        }
    }
}

#[test]
fn a_capability_without_failures_proves_as_little_as_published() {
    for (cases, bound) in [(8, 0.31), (12, 0.22), (14, 0.19), (20, 0.14), (24, 0.12), (36, 0.08), (59, 0.05)]
    {
        close_to(proportion(0, cases).upper_bound(EXACT, P95).unwrap(), bound, TWO_DIGITS);
    }
}

#[test]
fn the_paired_regression_test_has_the_published_power() {
    for (cases, strong, weak) in [(350, 0.71, 0.32), (400, 0.77, 0.37), (638, 0.93, 0.56), (1000, 0.99, 0.74)]
    {
        close_to(regression_power(cases, 0.005, 0.025, P95).unwrap(), strong, TWO_DIGITS);
        close_to(regression_power(cases, 0.005, 0.015, P95).unwrap(), weak, TWO_DIGITS);
    }
}

#[test]
fn a_gate_that_even_zero_errors_could_not_pass_says_so() {
    for method in [EXACT, WILSON] {
        assert_eq!(fpr_rule(method).max_errors(0), None);
        assert_eq!(fpr_rule(method).max_errors(64), None);
        assert_eq!(fpr_rule(method).pass_probability(64, 0.0), Some(0.0));
        assert_eq!(fpr_rule(method).pass_probability(0, 0.01), None);
        assert_eq!(fpr_rule(method).passes(proportion(0, 0)), None);
        assert_eq!(fpr_rule(method).passes(proportion(0, 64)), Some(false));
        assert_eq!(fpr_rule(method).passes(proportion(0, 74)), Some(true));
    }
}

#[test]
fn a_rate_that_is_not_a_rate_proves_nothing() {
    for max_rate in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
        for method in [IntervalMethod::Wilson, IntervalMethod::ClopperPearson] {
            let rule = BoundRule { max_rate, confidence: Confidence::PERCENT_95, method };
            assert_eq!(rule.max_errors(1000), None);
            assert_eq!(rule.min_trials(0), None);
        }
    }
}

#[test]
fn a_point_gate_allows_what_the_written_percentage_allows() {
    assert_eq!(acceptance::point_max_errors(1.0 - 0.92, 350), Some(28));
    assert_eq!(acceptance::point_max_errors(0.0, 350), Some(0));
    assert_eq!(acceptance::point_max_errors(1.0, 350), Some(350));
    assert_eq!(acceptance::point_max_errors(0.08, 0), None);
}
