//! Cases that come in families: what they are worth, and what that does to bounds.

use proptest::prelude::*;
use thrash::stats::{BoundRule, acceptance, cluster};

use super::{EXACT, P95, WILSON, close_to, proportion};

const FOUR_PERCENT: BoundRule = BoundRule { max_rate: 0.04, confidence: P95, method: EXACT };

/// Cluster numbers and outcomes.
fn families() -> impl Strategy<Value = Vec<(usize, f64)>> {
    let case = (0_usize..40, prop::bool::weighted(0.1));
    prop::collection::vec(case.prop_map(|(family, wrong)| (family, f64::from(u8::from(wrong)))), 2..120)
}

#[test]
fn by_plan_36_phrases_of_six_templates_are_worth_ten() {
    // 1 + 5 · 0.5 = 3.5
    close_to(cluster::planned_effect([6; 6]).unwrap(), 3.5, 1e-12);
    let all_right: Vec<(usize, f64)> = (0..36).map(|case| (case / 6, 1.0)).collect();
    close_to(cluster::worth(&all_right).unwrap(), 36.0 / 3.5, 1e-12);
    // Of several sizes the mean over cases: (9 + 1 + 1) / 5 = 2.2.
    close_to(cluster::planned_effect([3, 1, 1]).unwrap(), 1.6, 1e-12);
    assert_eq!(cluster::planned_effect([]), None);
    assert_eq!(cluster::worth(&[]), None);
}

#[test]
fn families_that_fail_together_are_worth_one_case_each() {
    let together: Vec<(usize, f64)> =
        (0..40).map(|case| (case / 4, f64::from(u8::from(case < 28)))).collect();
    // Miller's design effect, 4.33, is above the planned one, 2.5.
    close_to(cluster::worth(&together).unwrap(), 9.0 / 39.0 * 40.0, 1e-9);
    // One family alone shows no difference between families.
    assert_eq!(cluster::worth(&[(3, 1.0), (3, 0.0), (3, 1.0)]), Some(1.0));
}

#[test]
fn at_whole_numbers_a_bound_over_families_is_the_plain_one() {
    for (errors, cases) in [(0, 74), (1, 117), (3, 200), (9, 400)] {
        let plain = proportion(errors, cases);
        let rate = plain.rate().unwrap();
        for method in [EXACT, WILSON] {
            let bound = cluster::upper_bound(rate, cases as f64, method, P95).unwrap();
            close_to(bound, plain.upper_bound(method, P95).unwrap(), 1e-9);
        }
        assert_eq!(cluster::max_errors(FOUR_PERCENT, cases, cases as f64), FOUR_PERCENT.max_errors(cases));
        for true_rate in [0.005, 0.02, 0.04] {
            close_to(
                cluster::pass_probability(errors, cases, cases as f64, true_rate).unwrap(),
                acceptance::pass_probability(errors, cases, true_rate).unwrap(),
                1e-12,
            );
        }
    }
    assert_eq!(cluster::max_errors(FOUR_PERCENT, 74, 73.0), None);
    assert_eq!(cluster::pass_probability(1, 0, 1.0, 0.1), None);
    assert_eq!(cluster::upper_bound(1.5, 10.0, EXACT, P95), None);
    assert_eq!(cluster::upper_bound(0.5, f64::NAN, EXACT, P95), None);
}

proptest! {
    /// With one error an estimate of the correlation is near 0, whatever it is: no gate may be passed by failing more.
    #[test]
    fn no_error_more_ever_proves_more(values in families()) {
        let clean: Vec<(usize, f64)> = values.iter().map(|(family, _)| (*family, 0.0)).collect();
        let bound = |values: &[(usize, f64)]| {
            let rate = values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64;
            cluster::upper_bound(rate, cluster::worth(values).unwrap(), EXACT, P95).unwrap()
        };
        prop_assert!(bound(&values) >= bound(&clean) - 1e-12);
    }

    #[test]
    fn families_are_worth_no_more_than_their_cases_and_no_less_than_one(values in families()) {
        let worth = cluster::worth(&values).unwrap();
        prop_assert!(worth <= values.len() as f64 + 1e-9, "{} of {}", worth, values.len());
        prop_assert!(worth >= 1.0 - 1e-9, "{}", worth);
    }

    #[test]
    fn more_errors_are_allowed_where_cases_are_worth_more(cases in 1_u64..600, shares in (0.1..1.0, 0.1..1.0)) {
        let (less, more) = (f64::min(shares.0, shares.1), f64::max(shares.0, shares.1));
        let allowed = |share: f64| cluster::max_errors(FOUR_PERCENT, cases, share * cases as f64);
        prop_assert!(allowed(less) <= allowed(more));
    }
}
