//! Numbers from papers and from other programs (scipy, statsmodels).

use thrash::domain::{Estimate, SliceKind};
use thrash::judge::compare;

use super::runs::{runs, table};
use crate::support::sample::{Said, Sample};
use thrash::domain::Level;

#[track_caller]
fn close(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not {expected}");
}

fn ends(estimate: Option<Estimate>) -> [f64; 3] {
    let estimate = estimate.expect("a difference");
    [estimate.lower.expect("a lower end"), estimate.value, estimate.upper.expect("an upper end")]
}

#[test]
fn the_differences_and_their_intervals_are_those_of_the_literature() {
    for (cells, lower, value, upper, within) in [
        ((36, 12, 2, 0), 0.0569, 0.2, 0.3404, 5e-5),
        ((320, 9, 2, 19), -4.070_846_351_51e-5, 0.02, 0.042_528_730_283_6, 1e-9),
        ((325, 4, 0, 21), -0.002_956_644_403_39, 0.011_428_571_428_6, 0.028_097_055_315_8, 1e-9),
    ] {
        let (baseline, candidate) = table(cells.0, cells.1, cells.2, cells.3);
        let found = compare(&baseline, &candidate).unwrap();
        for (found, expected) in ends(found.accuracy.difference).into_iter().zip([lower, value, upper]) {
            close(found, expected, within);
        }
    }
}

#[test]
fn the_paired_tests_give_the_published_values() {
    for (improved, regressed, worse, changed) in [
        (2, 10, 0.011_230_468_75, 0.022_460_937_5),
        (0, 6, 0.007_812_5, 0.015_625),
        (12, 12, 0.5, 0.919_409_871_101),
        (0, 0, 1.0, 1.0),
        (1, 3, 0.1875, 0.375),
    ] {
        let (baseline, candidate) = table(30, improved, regressed, 4);
        let test = compare(&baseline, &candidate).unwrap().accuracy;
        assert_eq!(
            (test.both_right, test.improved, test.regressed, test.both_wrong),
            (30, improved as u64, regressed as u64, 4)
        );
        close(test.p_worse, worse, 1e-9);
        close(test.p_changed, changed, 1e-9);
    }
}

/// Holm (1979): three tests of 0.5⁵, 0.5³ and 0.5² become three, two and one times that, never falling.
#[test]
fn categories_are_corrected_among_themselves() {
    let mut right = Sample::empty();
    for name in ["a", "b", "c"] {
        right.add(name, &[Level::High], 10);
    }
    let mut worse = right.clone();
    for (name, count) in [("a", 4), ("b", 2), ("c", 1)] {
        for number in 1..=count {
            worse.say(&format!("{name}-{number:03}"), Said::Level(Level::None, 0.0));
        }
    }
    let (mut baseline, mut candidate) = runs(&right, &worse);
    for run in [&mut baseline, &mut candidate] {
        for result in &mut run.results {
            result.capability = Some(if result.category == "a" { "one" } else { "two" }.to_owned());
        }
    }
    let found = compare(&baseline, &candidate).unwrap();
    let corrected = |kind, name: &str| {
        let slice = found.slices.iter().find(|slice| slice.kind == kind && slice.name == name);
        slice.and_then(|slice| slice.test.p_worse_holm).expect("a corrected value")
    };
    close(corrected(SliceKind::Category, "a"), 3.0 * 0.5_f64.powi(5), 1e-12);
    close(corrected(SliceKind::Category, "b"), 2.0 * 0.5_f64.powi(3), 1e-12);
    close(corrected(SliceKind::Category, "c"), 0.25, 1e-12);
    // Two capabilities, and a family of two.
    close(corrected(SliceKind::Capability, "one"), 2.0 * 0.5_f64.powi(5), 1e-12);
    close(corrected(SliceKind::Capability, "two"), 0.5_f64.powi(4), 1e-12);
    assert!(found.accuracy.p_worse_holm.is_none(), "the whole is one test");
}

#[test]
fn latencies_have_the_ends_of_their_ranks_and_a_ratio_paired_by_phrase() {
    let (mut baseline, mut candidate) = table(400, 0, 0, 0);
    for (at, (before, after)) in baseline.results.iter_mut().zip(&mut candidate.results).enumerate() {
        // Each of 1 to 400 ms once, in a mixed order; the candidate takes a little less than twice as long.
        let ms = f64::from(u32::try_from(at * 137 % 400).unwrap() + 1);
        before.observations[0].latency_ms = ms;
        after.observations[0].latency_ms = 2.0 * ms - 0.5;
    }
    let latency = compare(&baseline, &candidate).unwrap().latency;
    let quantiles: Vec<f64> = latency.iter().map(|latency| latency.quantile).collect();
    assert_eq!(quantiles, [0.5, 0.9, 0.95, 0.99]);
    // Ranks by the binomial distribution: the values are their own ranks.
    let found: Vec<_> = latency
        .iter()
        .map(|latency| (latency.baseline.lower, latency.baseline.value, latency.baseline.upper))
        .collect();
    assert_eq!(
        found,
        [
            (Some(180.0), 200.0, Some(221.0)),
            (Some(348.0), 360.0, Some(372.0)),
            (Some(371.0), 380.0, Some(389.0)),
            (Some(392.0), 396.0, Some(400.0)),
        ]
    );
    for latency in &latency {
        let (before, after, ratio) = (latency.baseline.value, latency.candidate.value, latency.ratio);
        close(after, 2.0 * before - 0.5, 1e-9);
        close(ratio.value, after / before, 1e-12);
        // Phrase by phrase the ratio hardly varies: 2 − 0.5/ms.
        let (lower, upper) = (ratio.lower.expect("a lower end"), ratio.upper.expect("an upper end"));
        assert!(lower <= ratio.value && ratio.value <= upper, "{ratio:?}");
        assert!(upper - lower < 0.002, "{ratio:?}");
    }
    assert_eq!(compare(&baseline, &candidate).unwrap().latency, latency, "the seed is fixed");
}

#[test]
fn few_latencies_give_percentiles_without_what_they_cannot_tell() {
    let (mut baseline, candidate) = table(25, 0, 0, 0);
    let latency = compare(&baseline, &candidate).unwrap().latency;
    let p99 = latency.last().unwrap();
    close(p99.quantile, 0.99, 0.0);
    assert_eq!((p99.baseline.upper, p99.ratio.lower, p99.ratio.upper), (None, None, None));
    // Slow phrases that went unanswered must not make a run look fast.
    super::runs::say(&mut baseline, "crisis-001", None);
    baseline.results[0].observations[0].latency_ms = 60_000.0;
    let latency = compare(&baseline, &candidate).unwrap().latency;
    assert!(latency.iter().all(|latency| latency.baseline.value < 1_000.0), "{latency:?}");
}
