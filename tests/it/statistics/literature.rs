//! Values from papers and from other programs (scipy 1.17.1, statsmodels 0.15.0, scikit-learn 1.9.1).

use std::time::Duration;

use thrash::stats::{
    Binning, BootstrapOptions, Confusion, Curtailment, Decision, KappaWeights, LatencyHistogram, PairedTable,
    ScoredCase, ScoredCases, Sprt, Unanswered, bootstrap, cluster, flakiness, krippendorff_alpha,
    multiplicity, percentile, unpaired,
};

use super::{EXACT, P95, WILSON, close_to, paired, proportion};

/// If this changes, every recorded seed loses its meaning.
const FIRST_RESAMPLE_OF_SEED_42: [usize; 20] =
    [6, 5, 9, 7, 16, 1, 9, 5, 9, 15, 11, 16, 6, 9, 10, 2, 8, 3, 11, 14];

/// Twelve scored cases with ties.
fn scored() -> ScoredCases {
    let scores = [0.1, 0.4, 0.35, 0.8, 0.35, 0.9, 0.6, 0.05, 0.35, 0.6, 1.0, 0.7];
    let positive = [0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1];
    let cases =
        scores.into_iter().zip(positive).map(|(score, is)| ScoredCase { score, positive: is == 1 }).collect();
    ScoredCases::new(cases).unwrap()
}

#[test]
fn exact_intervals_keep_their_digits_for_a_billion_trials() {
    // From scipy, and the last one from mpmath at 40 digits, because scipy is off by a hundred-millionth there.
    for (successes, trials, lower, upper) in [
        (1, 3, 0.008403758659612636, 0.9057006759497539),
        (5000, 100000, 0.048657255207270746, 0.05136892088058044),
        (999990, 1000000, 0.9999816097211087, 0.9999952046012225),
        (123456789, 1000000000, 0.12343640076269403, 0.12347717941704354),
        (1, 1000000000, 2.531780798396938e-11, 5.571643378203115e-9),
    ] {
        let interval = proportion(successes, trials).interval(EXACT, P95).unwrap();
        close_to(interval.lower / lower, 1.0, 1e-9);
        close_to(interval.upper / upper, 1.0, 1e-9);
    }
}

#[test]
fn the_newcombe_interval_of_the_literature_is_met() {
    let interval = paired(36, 12, 2, 0).difference_interval(P95).unwrap();
    close_to(interval.lower, 0.0569, 5e-5);
    close_to(interval.upper, 0.3404, 5e-5);
}

#[test]
fn the_smallest_significant_pure_regressions_are_as_published() {
    let alpha = 0.05;
    let smallest = |p: fn(PairedTable) -> f64| (1..20).find(|&flips| p(paired(0, 0, flips, 0)) <= alpha);
    assert_eq!(smallest(PairedTable::mcnemar_exact), Some(6));
    assert_eq!(smallest(PairedTable::mcnemar_mid_p), Some(5));
    assert_eq!(smallest(PairedTable::regression_exact), Some(5));
    assert_eq!(smallest(PairedTable::regression_mid_p), Some(4));
}

#[test]
fn fisher_exact_matches_scipy() {
    for (first, second, two_sided, lower) in [
        ((8, 10), (1, 6), 0.034965034965034975, 0.9991258741258742),
        ((6, 8), (1, 5), 0.10256410256410256, 0.9953379953379954),
        ((3, 4), (1, 4), 0.48571428571428565, 0.9857142857142858),
        ((329, 350), (300, 350), 0.0003920905991607828, 0.9999293682765359),
        ((0, 5), (0, 7), 1.0, 1.0),
        ((0, 0), (3, 7), 1.0, 1.0),
    ] {
        let (first, second) = (proportion(first.0, first.1), proportion(second.0, second.1));
        close_to(unpaired::fisher_exact(first, second), two_sided, 1e-9);
        close_to(unpaired::fisher_exact_lower(first, second), lower, 1e-9);
    }
}

#[test]
fn the_unpaired_difference_matches_newcombe_1998() {
    let interval = unpaired::difference_interval(proportion(56, 70), proportion(48, 80), P95).unwrap();
    close_to(interval.lower, 0.05243147240236498, 1e-9);
    close_to(interval.upper, 0.33387265403690614, 1e-9);
    assert_eq!(unpaired::difference_interval(proportion(0, 0), proportion(48, 80), P95), None);
}

#[test]
fn a_confusion_with_unanswered_cases_matches_scikit_learn() {
    let rows = vec![vec![5, 2, 0, 1], vec![1, 0, 3, 2], vec![0, 0, 7, 0]];
    let confusion = Confusion::from_rows(rows).unwrap();
    close_to(confusion.matthews(Unanswered::Wrong).unwrap(), 0.4178082191780822, 1e-9);
    close_to(confusion.macro_f1(Unanswered::Wrong).unwrap(), 0.5126050420168067, 1e-9);
    close_to(confusion.weighted_f1(Unanswered::Wrong).unwrap(), 0.5466186474589836, 1e-9);
    for (weights, value, standard_error) in [
        (KappaWeights::Unweighted, 0.4705882352941176, 0.14643670567127215),
        (KappaWeights::Linear, 0.6582278481012658, 0.11633545667097488),
        (KappaWeights::Quadratic, 0.8, 0.07777425036092807),
    ] {
        let kappa = confusion.kappa(weights).unwrap();
        close_to(kappa.value, value, 1e-9);
        close_to(kappa.standard_error, standard_error, 1e-9);
    }
    assert_eq!(confusion.accuracy(Unanswered::Wrong), proportion(12, 21));
    assert_eq!(confusion.accuracy(Unanswered::Excluded), proportion(12, 18));
    assert_eq!(confusion.within(1), proportion(18, 18));
    close_to(confusion.bias().unwrap(), 4.0 / 18.0, 1e-12);
    assert_eq!((confusion.total(), confusion.answered(), confusion.unanswered()), (21, 18, 3));
}

#[test]
fn scores_measure_as_in_scikit_learn() {
    let scored = scored();
    close_to(scored.roc_auc().unwrap(), 0.8428571428571429, 1e-12);
    close_to(scored.average_precision().unwrap(), 0.8904761904761904, 1e-12);
    close_to(scored.brier().unwrap(), 0.15, 1e-12);
    close_to(scored.brier_skill().unwrap(), 1.0 - 0.15 / 0.24305555555555555, 1e-12);
    for (bins, expected, largest, reliability, resolution) in [
        (10, 0.19166666666666665, 0.4, 0.052361111111111115, 0.14583333333333334),
        (4, 0.09166666666666665, 0.1375, 0.010017361111111105, 0.10416666666666666),
    ] {
        let found = scored.calibration(Binning::EqualWidth(bins)).unwrap();
        close_to(found.expected_error, expected, 1e-12);
        close_to(found.max_error, largest, 1e-12);
        close_to(found.murphy.reliability, reliability, 1e-12);
        close_to(found.murphy.resolution, resolution, 1e-12);
        let whole = reliability - resolution + found.murphy.uncertainty + found.murphy.residual;
        close_to(whole, 0.15, 1e-12);
    }
    assert_eq!(scored.distinct_scores(), 9);
}

#[test]
fn bins_of_equal_mass_keep_equal_scores_together() {
    let scored = scored();
    let found = scored.calibration(Binning::EqualMass(3)).unwrap();
    let sizes: Vec<u64> = found.bins.iter().map(|bin| bin.observed.trials()).collect();
    assert_eq!(sizes, [5, 3, 4]);
    assert_eq!(scored.calibration(Binning::EqualMass(0)), None);
    assert_eq!(scored.calibration(Binning::EqualWidth(0)), None);
}

#[test]
fn even_an_honest_service_has_some_calibration_error() {
    let expected = scored().calibration_error_by_chance(Binning::default(), 500, 7).unwrap();
    assert!((0.1..0.35).contains(&expected), "{expected}");
    assert_eq!(scored().calibration_error_by_chance(Binning::default(), 500, 7), Some(expected));
}

#[test]
fn the_interval_of_the_calibration_error_is_about_that_error() {
    let cases = ScoredCases::new(scored().as_slice().repeat(20)).unwrap();
    let options = BootstrapOptions { resamples: 500, seed: 3, ..BootstrapOptions::default() };
    for binning in [Binning::EqualWidth(5), Binning::EqualMass(3)] {
        let found = cases.calibration_error_interval(binning, options).unwrap();
        close_to(found.estimate, cases.calibration(binning).unwrap().expected_error, 1e-12);
        let (lower, upper) = (found.interval.lower, found.interval.upper);
        assert!(0.0 < lower && lower < found.estimate && found.estimate < upper, "{found:?}");
        assert!(upper - lower < 0.2, "{found:?}");
    }
    assert!(ScoredCases::default().calibration_error_interval(Binning::default(), options).is_err());
}

#[test]
fn the_sweep_ends_with_everything_called_positive() {
    let scored = scored();
    let rows = scored.sweep();
    assert_eq!(rows.len(), scored.distinct_scores());
    let last = rows.last().unwrap().counts;
    assert_eq!((last.true_positives, last.false_positives), (7, 5));
    close_to(scored.cheapest_threshold(1.0, 5.0).unwrap().threshold, 0.35, 1e-12);
    close_to(scored.cheapest_threshold(5.0, 1.0).unwrap().threshold, 0.7, 1e-12);
}

#[test]
fn a_seed_means_the_same_draws_everywhere() {
    let options = BootstrapOptions { resamples: 100, seed: 42, ..BootstrapOptions::default() };
    let mut first = None;
    let sum = |cases: &[usize]| Some(cases.iter().sum::<usize>() as f64);
    let found = bootstrap::interval(&[0; 20], options, |cases| {
        if !cases.is_sorted() {
            first.get_or_insert_with(|| cases.to_vec());
        }
        sum(cases)
    });
    assert!(found.is_ok());
    assert_eq!(first.unwrap(), FIRST_RESAMPLE_OF_SEED_42);
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let values: Vec<u32> = (1..=100).collect();
    for (q, expected) in [(0.0, 1), (0.07, 7), (0.5, 50), (0.95, 95), (0.99, 99), (0.999, 100), (1.0, 100)] {
        assert_eq!(percentile::nearest_rank(&values, q), Some(expected));
    }
    assert_eq!(percentile::nearest_rank::<u32>(&[], 0.5), None);
    assert_eq!(percentile::nearest_rank(&values, 1.1), None);
    assert_eq!(percentile::nearest_rank(&values, f64::NAN), None);
    assert_eq!(percentile::interpolated(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
    assert_eq!(percentile::interpolated(&[], 0.5), None);
    assert_eq!(percentile::rank_interval(0, 0.5, P95), None);
    assert_eq!(percentile::rank_interval(10, 1.0, P95), None);
}

#[test]
fn a_latency_histogram_keeps_three_digits_and_its_ends() {
    let mut histogram: LatencyHistogram = (1..=1000).map(Duration::from_millis).collect();
    let summary = histogram.summary().unwrap();
    assert_eq!(summary.count, 1000);
    for (found, expected) in [
        (summary.min_ms, 1.0),
        (summary.mean_ms, 500.5),
        (summary.stdev_ms, 288.675),
        (summary.p50_ms, 500.0),
        (summary.p90_ms, 900.0),
        (summary.p95_ms, 950.0),
        (summary.p99_ms, 990.0),
        (summary.p999_ms, 999.0),
        (summary.max_ms, 1000.0),
    ] {
        close_to(found / expected, 1.0, 0.001);
    }
    histogram.record(Duration::ZERO);
    histogram.record(Duration::MAX);
    close_to(histogram.min().unwrap().as_secs_f64(), 1e-6, 1e-9);
    close_to(histogram.max().unwrap().as_secs_f64() / 3600.0, 1.0, 0.001);
}

#[test]
fn curtailment_stops_when_nothing_can_change_the_outcome() {
    let plan = Curtailment { planned: 227, max_errors: 4 };
    assert_eq!(plan.decide(proportion(4, 100)), Decision::Continue);
    assert_eq!(plan.decide(proportion(5, 6)), Decision::Fail);
    assert_eq!(plan.decide(proportion(0, 222)), Decision::Continue);
    assert_eq!(plan.decide(proportion(0, 223)), Decision::Pass);
    assert_eq!(plan.decide(proportion(4, 227)), Decision::Pass);
}

#[test]
fn the_sequential_test_has_walds_bounds() {
    let test = Sprt::new(0.02, 0.06, 0.05, 0.05).unwrap();
    close_to(test.pass_at(), -2.944, 5e-4);
    close_to(test.fail_at(), 2.944, 5e-4);
    close_to(test.per_error(), 1.0986, 5e-5);
    close_to(test.per_success(), -0.0417, 5e-5);
    assert_eq!(test.decide(proportion(0, 70)), Decision::Continue);
    assert_eq!(test.decide(proportion(0, 71)), Decision::Pass);
    assert_eq!(test.decide(proportion(3, 3)), Decision::Fail);
    assert_eq!(Sprt::new(0.06, 0.02, 0.05, 0.05), None);
    assert_eq!(Sprt::new(0.0, 0.02, 0.05, 0.05), None);
}

#[test]
fn thirteen_tests_alarm_in_half_of_the_runs_without_change() {
    close_to(multiplicity::family_false_alarm_rate(13, 0.05).unwrap(), 0.49, 0.005);
    assert_eq!(multiplicity::holm(&[0.5, f64::NAN]), None);
    assert_eq!(multiplicity::benjamini_hochberg(&[1.5]), None);
    assert_eq!(multiplicity::holm(&[]), Some(vec![]));
}

#[test]
fn repeats_tell_flakiness_apart_from_luck() {
    assert_eq!(flakiness::detection_probability(0.05, 0), None);
    assert_eq!(flakiness::detection_probability(0.05, 1), Some(0.0));
    assert_eq!(flakiness::repeats_needed(0.05, 0.4), Some(10));
    assert_eq!(flakiness::repeats_needed(0.0, 0.4), None);
    assert_eq!(flakiness::modal(&[2, 3, 3, 1]), Some(&3));
    assert_eq!(flakiness::modal(&[3, 1]), Some(&1));
    assert!(flakiness::is_flaky(&[1, 1, 2]));
    assert!(!flakiness::is_flaky(&[1]));
    let cases = [vec![1, 1, 2], vec![4], vec![3, 3]];
    assert_eq!(flakiness::flip_rate(&cases), proportion(1, 5));
    close_to(flakiness::pass_any(proportion(1, 4), 2).unwrap(), 0.5, 1e-12);
    close_to(flakiness::pass_all(proportion(3, 4), 2).unwrap(), 0.5, 1e-12);
    assert_eq!(flakiness::pass_all(proportion(3, 4), 5), None);
}

#[test]
fn templates_shrink_hatecheck_as_published() {
    for (correlation, expected) in [(0.3, 1843.0), (0.5, 1378.0)] {
        let effect = cluster::design_effect(4.41, correlation).unwrap();
        close_to(cluster::effective_cases(3728, effect).unwrap(), expected, 0.5);
    }
    assert_eq!(cluster::design_effect(0.5, 0.3), None);
}

/// Krippendorff (2011), example C: four observers, twelve units, some of them not seen by all.
#[test]
fn the_agreement_of_four_observers_is_as_published() {
    let by_observer = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ];
    let rows: Vec<Vec<&str>> = by_observer.iter().map(|row| row.split(' ').collect()).collect();
    let units: Vec<Vec<usize>> = (0..12)
        .map(|unit| {
            rows.iter().filter_map(|row| row[unit].parse::<usize>().ok()).map(|seen| seen - 1).collect()
        })
        .collect();
    close_to(krippendorff_alpha(&units, 5).unwrap(), 0.815, 5e-4);
}

#[test]
fn copies_of_a_case_count_once() {
    let values: Vec<(usize, f64)> = (0..40).map(|case| (case / 4, f64::from(u8::from(case < 28)))).collect();
    let found = cluster::clustered_mean(&values).unwrap();
    // Ten clusters, seven of them right: the standard error of ten independent cases.
    close_to(found.standard_error, (0.7_f64 * 0.3 / 9.0).sqrt(), 1e-12);
    assert!(found.design_effect.unwrap() > 4.0);
    assert_eq!(cluster::clustered_mean(&values[..4]), None);
    assert_eq!(cluster::clustered_mean(&[]), None);
    for method in [EXACT, WILSON] {
        let whole = cluster::rate_interval(0.94, 350.0, method, P95).unwrap();
        let plain = proportion(329, 350).interval(method, P95).unwrap();
        close_to(whole.lower, plain.lower, 1e-9);
        close_to(whole.upper, plain.upper, 1e-9);
        assert_eq!(cluster::rate_interval(0.94, 0.0, method, P95), None);
    }
}
