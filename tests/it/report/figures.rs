//! Numbers as people read them.

use thrash::domain::Rate;
use thrash::report::figures::{duration, names, number, of_metric, percent, points, rate, share};

#[test]
fn a_share_is_a_percentage_with_one_decimal_and_its_interval() {
    assert_eq!(share(Some(0.92), Some([0.8912, 0.943])), "92.0 % [89.1, 94.3]");
}

#[test]
fn a_share_of_nothing_is_a_dash() {
    assert_eq!(rate(&Rate::default()), "–");
    assert_eq!(percent(Some(f64::NAN)), "–");
    assert_eq!(number(Some(f64::INFINITY)), "–");
}

#[test]
fn what_is_not_quite_all_never_reads_as_all_nor_a_little_as_nothing() {
    assert_eq!(percent(Some(0.9999)), ">99.9 %");
    assert_eq!(percent(Some(0.0001)), "<0.1 %");
    assert_eq!(percent(Some(1.0)), "100.0 %");
    assert_eq!(percent(Some(0.0)), "0.0 %");
}

#[test]
fn a_duration_has_about_three_digits_and_a_fitting_unit() {
    let shown = [0.0, -0.0, 0.42, 12.34, 131.4, 999.6, 4210.0, 59_960.0, 192_000.0, 7_380_000.0];
    let shown: Vec<String> = shown.iter().map(|ms| duration(Some(*ms))).collect();
    assert_eq!(
        shown,
        [
            "0 ms",
            "0 ms",
            "0.42 ms",
            "12.3 ms",
            "131 ms",
            "1.00 s",
            "4.21 s",
            "1 min 0 s",
            "3 min 12 s",
            "2 h 3 min"
        ]
    );
}

#[test]
fn a_metric_is_shown_in_the_unit_that_its_name_tells() {
    assert_eq!(of_metric("latency_p95", Some(131.4), None), "131 ms");
    assert_eq!(of_metric("unanswered_rate", Some(0.04), Some([0.01, 0.2])), "4.0 % [1.0, 20.0]");
    assert_eq!(of_metric("accuracy_answered", Some(0.5), None), "50.0 %");
    assert_eq!(of_metric("lift", Some(-0.128), None), "-0.13");
    assert_eq!(of_metric("invariant_violations", Some(3.0), None), "3");
    assert_eq!(of_metric("kappa", Some(0.812), Some([0.65, 0.93])), "0.81 [0.65, 0.93]");
    assert_eq!(of_metric("accuracy", None, None), "–");
}

#[test]
fn many_names_are_counted_after_the_first_few() {
    assert_eq!(names(["a", "b", "c", "d"], 2), "a, b +2 more");
    assert_eq!(names(["a", "b"], 2), "a, b");
    assert_eq!(names([], 2), "");
}

#[test]
fn a_difference_of_shares_is_in_points_and_says_its_sign() {
    assert_eq!(points(Some(0.4)), "+40.0 points");
    assert_eq!(points(None), "–");
}
