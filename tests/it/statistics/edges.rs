//! Too little data, undefined measures and impossible inputs: values or typed errors, never a number that looks
//! certain.

use std::time::Duration;

use thrash::stats::{
    BinaryCounts, Binning, BootstrapError, BootstrapKind, BootstrapOptions, Confidence, ConfidenceError,
    Confusion, ConfusionError, CostError, CostMatrix, KappaWeights, LatencyHistogram, LatencyHistogramError,
    Proportion, ProportionError, ScoreError, ScoredCase, ScoredCases, Unanswered, bootstrap, early_stop,
};

use super::{EXACT, P95, WILSON, close_to, paired, proportion};

#[test]
fn no_trials_give_no_rate_and_no_interval() {
    let nothing = Proportion::default();
    assert_eq!(nothing.rate(), None);
    for method in [WILSON, EXACT] {
        assert_eq!(nothing.interval(method, P95), None);
        assert_eq!(nothing.lower_bound(method, P95), None);
        assert_eq!(nothing.upper_bound(method, P95), None);
    }
}

#[test]
fn more_successes_than_trials_are_refused_even_from_json() {
    let error = Proportion::new(5, 3).unwrap_err();
    assert_eq!(error, ProportionError { successes: 5, trials: 3 });
    assert!(serde_json::from_str::<Proportion>(r#"{"successes":5,"trials":3}"#).is_err());
    let read: Proportion = serde_json::from_str(r#"{"successes":3,"trials":5}"#).unwrap();
    assert_eq!(read, proportion(3, 5));
}

#[test]
fn a_confidence_is_a_fraction_between_the_ends() {
    for level in [0.0, 1.0, 95.0, -0.5] {
        assert_eq!(Confidence::new(level), Err(ConfidenceError(level)));
    }
    assert!(Confidence::new(f64::NAN).is_err());
    assert!(serde_json::from_str::<Confidence>("95").is_err());
}

#[test]
fn two_runs_that_agree_everywhere_show_no_change() {
    for table in [paired(0, 0, 0, 0), paired(300, 0, 0, 50)] {
        for p in
            [table.mcnemar_exact(), table.mcnemar_mid_p(), table.regression_exact(), table.regression_mid_p()]
        {
            close_to(p, 1.0, 0.0);
        }
    }
    assert_eq!(paired(0, 0, 0, 0).difference_interval(P95), None);
}

#[test]
fn no_answer_is_a_miss_for_a_positive_case_and_left_out_for_a_negative_one() {
    let mut confusion = Confusion::new(3);
    confusion.record(2, None).unwrap();
    confusion.record(0, None).unwrap();
    confusion.record(0, Some(0)).unwrap();
    let expected = BinaryCounts { true_negatives: 1, false_negatives: 1, ..BinaryCounts::default() };
    assert_eq!(confusion.at_cut(1), expected);
}

#[test]
fn agreement_over_one_class_is_undefined() {
    let mut confusion = Confusion::new(5);
    for measure in [confusion.macro_f1(Unanswered::Wrong), confusion.mean_distance(), confusion.bias()] {
        assert_eq!(measure, None);
    }
    for _ in 0..40 {
        confusion.record(3, Some(3)).unwrap();
    }
    for weights in [KappaWeights::Unweighted, KappaWeights::Linear, KappaWeights::Quadratic] {
        assert_eq!(confusion.kappa(weights), None);
    }
    assert_eq!(confusion.matthews(Unanswered::Wrong), None);
    assert_eq!(confusion.macro_f1(Unanswered::Wrong), Some(1.0));
}

#[test]
fn perfect_agreement_claims_no_certain_kappa() {
    let confusion = Confusion::from_rows(vec![vec![9, 0, 0], vec![0, 9, 0]]).unwrap();
    let kappa = confusion.kappa(KappaWeights::Quadratic).unwrap();
    close_to(kappa.value, 1.0, 1e-12);
    assert_eq!(kappa.interval(P95), None);
}

#[test]
fn a_confusion_refuses_what_does_not_fit() {
    let mut confusion = Confusion::new(2);
    assert_eq!(confusion.record(0, Some(2)), Err(ConfusionError::UnknownClass { class: 2, classes: 2 }));
    assert_eq!(confusion.record(3, None), Err(ConfusionError::UnknownClass { class: 3, classes: 2 }));
    assert_eq!(confusion.merge(&Confusion::new(3)), Err(ConfusionError::OtherSize { found: 3, expected: 2 }));
    assert_eq!(
        Confusion::from_rows(vec![vec![1, 2]]).map(|confusion| confusion.total()),
        Ok(3),
        "one class has two columns"
    );
    assert!(Confusion::from_rows(vec![vec![1]]).is_err());
    assert!(serde_json::from_str::<Confusion>("[[1,2],[3,4]]").is_err());
}

#[test]
fn binary_measures_without_cases_are_undefined() {
    let nothing = BinaryCounts::default();
    for measure in [
        nothing.f1(),
        nothing.f2(),
        nothing.matthews(),
        nothing.balanced_accuracy(),
        nothing.youden(),
        nothing.precision().rate(),
        nothing.false_positive_rate().rate(),
    ] {
        assert_eq!(measure, None);
    }
}

#[test]
fn no_answer_costs_the_worst_under_call() {
    let costs =
        CostMatrix::new(vec![vec![0.0, 1.0, 9.0], vec![5.0, 0.0, 1.0], vec![20.0, 30.0, 0.0]]).unwrap();
    assert_eq!(
        (0..3).map(|gold| costs.price(gold, None)).collect::<Vec<_>>(),
        [Some(0.0), Some(5.0), Some(30.0)]
    );
    let mut confusion = Confusion::new(3);
    assert_eq!(costs.assess(&confusion), Ok(None));
    confusion.record(2, None).unwrap();
    confusion.record(0, Some(1)).unwrap();
    let summary = costs.assess(&confusion).unwrap().unwrap();
    close_to(summary.total, 31.0, 1e-12);
    close_to(summary.worst, 39.0, 1e-12);
    assert_eq!(costs.assess(&Confusion::new(2)), Err(CostError::OtherSize { found: 2, expected: 3 }));
}

#[test]
fn a_cost_matrix_refuses_prices_that_make_no_sense() {
    for rows in [
        vec![vec![0.0, 1.0], vec![1.0]],
        vec![vec![0.0, -1.0], vec![1.0, 0.0]],
        vec![vec![1.0, 1.0], vec![1.0, 0.0]],
        vec![vec![0.0, f64::NAN], vec![1.0, 0.0]],
    ] {
        assert!(CostMatrix::new(rows).is_err());
    }
}

#[test]
fn scores_of_one_class_cannot_be_ranked() {
    let positive = |score| ScoredCase { score, positive: true };
    let scored = ScoredCases::new(vec![positive(0.2), positive(0.9)]).unwrap();
    assert_eq!(scored.roc_auc(), None);
    assert_eq!(scored.brier_skill(), None);
    assert_eq!(scored.average_precision(), Some(1.0));
    let nothing = ScoredCases::default();
    assert_eq!((nothing.brier(), nothing.average_precision(), nothing.roc_auc()), (None, None, None));
    assert_eq!(nothing.calibration(Binning::default()), None);
    assert_eq!(
        ScoredCases::new(vec![positive(0.2), positive(1.5)]),
        Err(ScoreError { index: 1, score: 1.5 })
    );
    assert!(ScoredCases::new(vec![positive(f64::NAN)]).is_err());
}

#[test]
fn the_bootstrap_refuses_too_little_data_and_says_which() {
    let options = BootstrapOptions { resamples: 200, ..BootstrapOptions::default() };
    let share = |cases: &[usize]| Some(cases.iter().filter(|case| **case % 2 == 0).count() as f64);
    let run = |strata: &[usize]| bootstrap::interval(strata, options, share).map(|found| found.undefined);
    assert_eq!(run(&[0; 19]), Err(BootstrapError::TooFewCases { cases: 19 }));
    let lopsided: Vec<usize> = (0..40).map(|case| usize::from(case < 4)).collect();
    assert_eq!(run(&lopsided), Err(BootstrapError::TooFewInStratum { stratum: 1, cases: 4 }));
    assert_eq!(run(&[0; 20]), Ok(0));
    let few = BootstrapOptions { resamples: 99, ..options };
    let refused = bootstrap::interval(&[0; 20], few, share);
    assert_eq!(refused, Err(BootstrapError::TooFewResamples { resamples: 99 }));
}

#[test]
fn the_bootstrap_never_claims_certainty_or_hides_undefined_values() {
    let options = BootstrapOptions { resamples: 200, ..BootstrapOptions::default() };
    let bca = BootstrapOptions { kind: BootstrapKind::Bca, ..options };
    for options in [options, bca] {
        assert_eq!(bootstrap::interval(&[0; 30], options, |_| Some(1.0)), Err(BootstrapError::NoVariation));
        assert_eq!(bootstrap::interval(&[0; 30], options, |_| None), Err(BootstrapError::Undefined));
        assert_eq!(
            bootstrap::interval(&[0; 30], options, |_| Some(f64::NAN)),
            Err(BootstrapError::Undefined)
        );
    }
    let often = bootstrap::interval(&[0; 30], options, |cases| cases.is_sorted().then_some(1.0));
    assert_eq!(often, Err(BootstrapError::OftenUndefined { undefined: 200, resamples: 200 }));
}

#[test]
fn an_empty_latency_histogram_has_no_numbers() {
    let nothing = LatencyHistogram::new();
    assert!(nothing.is_empty());
    assert_eq!(nothing.summary(), None);
    assert_eq!(nothing.percentile(0.5), None);
    assert_eq!((nothing.min(), nothing.max(), nothing.mean(), nothing.stdev()), (None, None, None, None));
    assert_eq!(nothing.percentile_interval(0.5, P95), None);
    assert_eq!(LatencyHistogram::from_base64(&nothing.to_base64()).unwrap(), nothing);
}

#[test]
fn too_few_latencies_give_a_percentile_no_upper_end() {
    let histogram: LatencyHistogram = (1..=350).map(Duration::from_millis).collect();
    let interval = histogram.percentile_interval(0.99, P95).unwrap();
    close_to(interval.lower.unwrap().as_secs_f64(), 0.342, 0.0004);
    assert_eq!(interval.upper, None);
    let bound = histogram.percentile_upper_bound(0.99, P95).unwrap();
    close_to(bound.as_secs_f64(), 0.350, 0.0004);
    let fewer: LatencyHistogram = (1..=298).map(Duration::from_millis).collect();
    assert_eq!(fewer.percentile_upper_bound(0.99, P95), None);
}

#[test]
fn a_stored_histogram_of_another_shape_is_refused() {
    let good = LatencyHistogram::new().to_base64();
    assert!(matches!(LatencyHistogram::from_base64("%"), Err(LatencyHistogramError::Base64(_))));
    assert!(matches!(LatencyHistogram::from_base64(""), Err(LatencyHistogramError::OtherShape)));
    assert!(matches!(
        LatencyHistogram::from_base64(&good.replacen('H', "I", 1)),
        Err(LatencyHistogramError::OtherShape)
    ));
    assert!(serde_json::from_str::<LatencyHistogram>("\"AAAA\"").is_err());
}

#[test]
fn early_stopping_needs_a_percentile_that_can_be_missed() {
    for percentile in [0.0, 1.0, f64::NAN] {
        assert_eq!(early_stop::min_queries(percentile, 0.0, P95, 0), None);
    }
}
