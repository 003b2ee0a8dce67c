//! Laws that hold for all inputs.

use std::time::Duration;

use proptest::prelude::*;
use thrash::stats::{
    Binning, BootstrapOptions, ClusteredChange, Confidence, Confusion, IntervalMethod, KappaWeights,
    LatencyHistogram, PairedTable, Proportion, ScoredCase, ScoredCases, Unanswered, bootstrap, flakiness,
    multiplicity, percentile, unpaired,
};

use super::{EXACT, P95, WILSON, fpr_rule};

const HAIR: f64 = 1e-9;

fn proportions() -> impl Strategy<Value = Proportion> {
    (1_u64..5000).prop_flat_map(|trials| (0..=trials, Just(trials))).prop_map(|(successes, trials)| {
        Proportion::new(successes, trials).expect("no more successes than trials")
    })
}

fn methods() -> impl Strategy<Value = IntervalMethod> {
    prop_oneof![Just(WILSON), Just(EXACT)]
}

fn confidences() -> impl Strategy<Value = Confidence> {
    (0.5..0.999).prop_map(|level| Confidence::new(level).expect("inside"))
}

fn answers() -> impl Strategy<Value = Vec<(usize, Option<usize>)>> {
    prop::collection::vec((0_usize..5, prop::option::weighted(0.9, 0_usize..5)), 0..200)
}

fn confusion(answers: &[(usize, Option<usize>)]) -> Confusion {
    let mut confusion = Confusion::new(5);
    for (gold, answer) in answers {
        confusion.record(*gold, *answer).expect("classes are below 5");
    }
    confusion
}

fn paired_tables() -> impl Strategy<Value = PairedTable> {
    (0_u64..500, 0_u64..40, 0_u64..40, 0_u64..80).prop_map(|(both_right, improved, regressed, both_wrong)| {
        PairedTable { both_right, improved, regressed, both_wrong }
    })
}

fn scored_cases() -> impl Strategy<Value = Vec<ScoredCase>> {
    let case = (0_u32..=20, any::<bool>())
        .prop_map(|(twentieths, positive)| ScoredCase { score: f64::from(twentieths) / 20.0, positive });
    prop::collection::vec(case, 0..100)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_interval_and_the_tests_of_a_change_of_shares_agree(
        changes in prop::collection::vec((0.01..1.0, -1.0..1.0), 1..60), sure in confidences(),
    ) {
        let clusters: Vec<(f64, f64)> = changes.iter().map(|(weight, change)| (*weight, weight * change)).collect();
        let change = ClusteredChange::new(&clusters).unwrap();
        let (interval, bounds, alpha) = (change.interval(sure), change.bounds(sure), sure.alpha());
        prop_assume!((change.p_changed() - alpha).abs() > HAIR && (change.p_fell() - alpha).abs() > HAIR);
        prop_assert_eq!(change.p_changed() < alpha, interval.upper < 0.0 || interval.lower > 0.0);
        prop_assert_eq!(change.p_fell() < alpha, bounds.upper < 0.0);
        let weight: f64 = clusters.iter().map(|(weight, _)| weight).sum();
        let mean = clusters.iter().map(|(_, change)| change).sum::<f64>() / weight;
        let whole = change.interval(P95);
        prop_assert!(whole.lower <= mean + HAIR && mean <= whole.upper + HAIR);
    }

    #[test]
    fn an_interval_holds_its_estimate(observed in proportions(), method in methods(), sure in confidences()) {
        let interval = observed.interval(method, sure).unwrap();
        let rate = observed.rate().unwrap();
        prop_assert!(0.0 <= interval.lower && interval.upper <= 1.0);
        prop_assert!(interval.lower <= rate + HAIR && rate <= interval.upper + HAIR);
    }

    #[test]
    fn a_one_sided_bound_lies_inside_the_two_sided_interval(
        observed in proportions(), method in methods(), sure in confidences(),
    ) {
        let interval = observed.interval(method, sure).unwrap();
        prop_assert!(observed.lower_bound(method, sure).unwrap() >= interval.lower - HAIR);
        prop_assert!(observed.upper_bound(method, sure).unwrap() <= interval.upper + HAIR);
    }

    #[test]
    fn one_more_success_moves_both_ends_up(observed in proportions(), method in methods()) {
        prop_assume!(observed.failures() > 0);
        let more = Proportion::new(observed.successes() + 1, observed.trials()).unwrap();
        let (one, other) = (observed.interval(method, P95).unwrap(), more.interval(method, P95).unwrap());
        prop_assert!(one.lower <= other.lower + HAIR && one.upper <= other.upper + HAIR);
    }

    #[test]
    fn more_confidence_needs_a_wider_interval(observed in proportions(), method in methods()) {
        let sure = observed.interval(method, P95).unwrap();
        let surer = observed.interval(method, Confidence::PERCENT_99).unwrap();
        prop_assert!(surer.lower <= sure.lower + HAIR && sure.upper <= surer.upper + HAIR);
    }

    #[test]
    fn the_interval_of_the_failures_is_the_mirror_image(observed in proportions(), method in methods()) {
        let interval = observed.interval(method, P95).unwrap();
        let mirrored = observed.complement().interval(method, P95).unwrap();
        prop_assert!((interval.lower - (1.0 - mirrored.upper)).abs() < HAIR);
        prop_assert!((interval.upper - (1.0 - mirrored.lower)).abs() < HAIR);
    }

    #[test]
    fn the_acceptance_number_is_the_last_that_passes(trials in 1_u64..3000, method in methods()) {
        let rule = fpr_rule(method);
        let passes = |errors| rule.passes(Proportion::new(errors, trials).unwrap()).unwrap();
        match rule.max_errors(trials) {
            Some(errors) => {
                prop_assert!(passes(errors) && !passes(errors + 1));
                prop_assert!(rule.min_trials(errors).unwrap() <= trials);
                prop_assert!(rule.min_trials(errors + 1).unwrap() > trials);
            }
            None => prop_assert!(!passes(0)),
        }
    }

    #[test]
    fn a_worse_service_never_passes_more_often(
        trials in 1_u64..1000, rates in (0.0..1.0_f64, 0.0..1.0_f64), method in methods(),
    ) {
        let (better, worse) = (rates.0.min(rates.1), rates.0.max(rates.1));
        let power = |rate| fpr_rule(method).pass_probability(trials, rate).unwrap();
        prop_assert!(power(worse) <= power(better) + HAIR);
    }

    #[test]
    fn the_gate_wrongly_passes_at_most_as_often_as_alpha(trials in 1_u64..3000) {
        prop_assert!(fpr_rule(EXACT).pass_probability(trials, 0.04).unwrap() <= 0.05 + HAIR);
    }

    #[test]
    fn paired_p_values_are_probabilities_and_mid_p_is_the_smaller(table in paired_tables()) {
        for (exact, mid) in [
            (table.mcnemar_exact(), table.mcnemar_mid_p()),
            (table.regression_exact(), table.regression_mid_p()),
        ] {
            prop_assert!((0.0..=1.0).contains(&exact) && (0.0..=1.0).contains(&mid));
            prop_assert!(mid <= exact + HAIR);
        }
    }

    #[test]
    fn the_paired_interval_holds_the_difference_and_turns_with_the_runs(table in paired_tables()) {
        prop_assume!(table.total() > 0);
        let turned = PairedTable { improved: table.regressed, regressed: table.improved, ..table };
        let (one, other) = (table.difference_interval(P95).unwrap(), turned.difference_interval(P95).unwrap());
        prop_assert!(-1.0 <= one.lower && one.upper <= 1.0);
        let difference = table.difference().unwrap();
        prop_assert!(one.lower <= difference + HAIR && difference <= one.upper + HAIR);
        prop_assert!((one.lower + other.upper).abs() < HAIR && (one.upper + other.lower).abs() < HAIR);
    }

    #[test]
    fn unpaired_comparisons_do_not_care_which_comes_first(first in proportions(), second in proportions()) {
        let p = unpaired::fisher_exact(first, second);
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert!((p - unpaired::fisher_exact(second, first)).abs() < HAIR);
        let one = unpaired::difference_interval(first, second, P95).unwrap();
        let other = unpaired::difference_interval(second, first, P95).unwrap();
        prop_assert!((one.lower + other.upper).abs() < HAIR);
    }

    #[test]
    fn agreement_stays_in_its_range(answers in answers()) {
        let confusion = confusion(&answers);
        for weights in [KappaWeights::Unweighted, KappaWeights::Linear, KappaWeights::Quadratic] {
            if let Some(kappa) = confusion.kappa(weights) {
                prop_assert!(kappa.value <= 1.0 + HAIR && kappa.standard_error.is_finite());
                if let Some(interval) = kappa.interval(P95) {
                    prop_assert!(interval.lower <= interval.upper);
                }
            }
        }
        for unanswered in [Unanswered::Wrong, Unanswered::Excluded] {
            for score in [confusion.macro_f1(unanswered), confusion.weighted_f1(unanswered)].into_iter().flatten() {
                prop_assert!((0.0..=1.0 + HAIR).contains(&score));
            }
            if let Some(correlation) = confusion.matthews(unanswered) {
                prop_assert!((-1.0 - HAIR..=1.0 + HAIR).contains(&correlation));
            }
        }
        prop_assert!(confusion.mean_distance().unwrap_or(0.0) <= 4.0);
    }

    #[test]
    fn an_unanswered_case_never_helps(answers in answers()) {
        let confusion = confusion(&answers);
        let rate = |unanswered| confusion.accuracy(unanswered).rate().unwrap_or(0.0);
        prop_assert!(rate(Unanswered::Wrong) <= rate(Unanswered::Excluded) + HAIR);
        let f1 = |unanswered| confusion.macro_f1(unanswered);
        if let (Some(wrong), Some(excluded)) = (f1(Unanswered::Wrong), f1(Unanswered::Excluded)) {
            let classes = |unanswered| (0..5).filter_map(|class| confusion.class_scores(class, unanswered)?.f1).count();
            if classes(Unanswered::Wrong) == classes(Unanswered::Excluded) {
                prop_assert!(wrong <= excluded + HAIR);
            }
        }
    }

    #[test]
    fn confusions_merge_in_any_split_and_survive_storage(answers in answers(), split in 0_usize..200) {
        let (one, other) = answers.split_at(split.min(answers.len()));
        let mut merged = confusion(other);
        merged.merge(&confusion(one)).unwrap();
        let whole = confusion(&answers);
        prop_assert_eq!(&merged, &whole);
        let stored = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::from_str::<Confusion>(&stored).unwrap(), whole);
    }

    #[test]
    fn every_cut_counts_every_answered_case_once(answers in answers(), cut in 0_usize..6) {
        let confusion = confusion(&answers);
        let counts = confusion.at_cut(cut);
        let unanswered_positives: u64 = (cut..5).map(|gold| confusion.count(gold, None)).sum();
        prop_assert_eq!(counts.accuracy().trials(), confusion.answered() + unanswered_positives);
    }

    #[test]
    fn adjusting_never_lowers_a_p_value_and_keeps_the_order(
        raw in prop::collection::vec(0.0..=1.0_f64, 0..30),
    ) {
        let holm = multiplicity::holm(&raw).unwrap();
        let fdr = multiplicity::benjamini_hochberg(&raw).unwrap();
        let bonferroni = multiplicity::bonferroni(&raw).unwrap();
        for one in 0..raw.len() {
            prop_assert!(raw[one] <= fdr[one] + HAIR);
            prop_assert!(fdr[one] <= holm[one] + HAIR && holm[one] <= bonferroni[one] + HAIR);
            for other in 0..raw.len() {
                if raw[one] <= raw[other] {
                    prop_assert!(holm[one] <= holm[other] && fdr[one] <= fdr[other]);
                }
            }
        }
    }

    #[test]
    fn scores_do_not_depend_on_the_order_of_the_cases(
        (cases, shuffled) in scored_cases().prop_flat_map(|cases| (Just(cases.clone()), Just(cases).prop_shuffle())),
    ) {
        let (one, other) = (ScoredCases::new(cases).unwrap(), ScoredCases::new(shuffled).unwrap());
        prop_assert_eq!(one.brier(), other.brier());
        prop_assert_eq!(one.roc_auc(), other.roc_auc());
        prop_assert_eq!(one.average_precision(), other.average_precision());
        for binning in [Binning::EqualWidth(10), Binning::EqualMass(7)] {
            prop_assert_eq!(one.calibration(binning), other.calibration(binning));
        }
    }

    #[test]
    fn calibration_bins_hold_every_case_and_errors_are_ordered(cases in scored_cases(), bins in 1_usize..15) {
        let scored = ScoredCases::new(cases.clone()).unwrap();
        for binning in [Binning::EqualWidth(bins), Binning::EqualMass(bins)] {
            let Some(found) = scored.calibration(binning) else {
                prop_assert!(cases.is_empty());
                continue;
            };
            prop_assert_eq!(found.bins.iter().map(|bin| bin.observed.trials()).sum::<u64>(), cases.len() as u64);
            prop_assert!(found.expected_error <= found.max_error + HAIR && found.max_error <= 1.0 + HAIR);
            for bin in &found.bins {
                prop_assert!(bin.lower <= bin.mean_score + HAIR && bin.mean_score <= bin.upper + HAIR);
            }
        }
    }

    #[test]
    fn exchanging_the_classes_mirrors_the_roc_curve(cases in scored_cases()) {
        let mirrored: Vec<ScoredCase> =
            cases.iter().map(|case| ScoredCase { positive: !case.positive, ..*case }).collect();
        let (one, other) = (ScoredCases::new(cases).unwrap(), ScoredCases::new(mirrored).unwrap());
        match (one.roc_auc(), other.roc_auc()) {
            (Some(one), Some(other)) => prop_assert!((one + other - 1.0).abs() < HAIR),
            (one, other) => prop_assert_eq!(one, other),
        }
    }

    #[test]
    fn rank_intervals_cover_what_they_promise(count in 1_u64..20_000, q in 0.001..0.999_f64, sure in confidences()) {
        let ranks = percentile::rank_interval(count, q, sure).unwrap();
        prop_assert!(ranks.coverage >= sure.level() - HAIR);
        let rank = percentile::rank(count, q).unwrap();
        prop_assert!(ranks.lower.is_none_or(|lower| 1 <= lower && lower <= rank));
        prop_assert!(ranks.upper.is_none_or(|upper| rank <= upper && upper <= count));
        let bound = percentile::upper_bound_rank(count, q, sure);
        if let (Some(bound), Some(upper)) = (bound, ranks.upper) {
            prop_assert!(bound <= upper);
        }
    }

    #[test]
    fn merged_histograms_equal_one_histogram_and_survive_storage(
        micros in prop::collection::vec(0_u64..10_000_000_000, 0..200), split in 0_usize..200,
    ) {
        let latencies: Vec<Duration> = micros.into_iter().map(Duration::from_micros).collect();
        let (one, other) = latencies.split_at(split.min(latencies.len()));
        let whole: LatencyHistogram = latencies.iter().copied().collect();
        let mut merged: LatencyHistogram = other.iter().copied().collect();
        merged.merge(&one.iter().copied().collect());
        prop_assert_eq!(&merged, &whole);
        let stored = serde_json::to_string(&whole).unwrap();
        let read: LatencyHistogram = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(read.summary(), whole.summary());
        prop_assert_eq!(&read, &whole);
        prop_assert_eq!(read.to_base64(), whole.to_base64());
    }

    #[test]
    fn histogram_percentiles_are_the_measured_ones_to_three_digits(
        micros in prop::collection::vec(1_u64..3_600_000_000, 1..200), q in 0.0..=1.0_f64,
    ) {
        let mut sorted = micros.clone();
        sorted.sort_unstable();
        let exact = percentile::nearest_rank(&sorted, q).unwrap() as f64;
        let histogram: LatencyHistogram = micros.into_iter().map(Duration::from_micros).collect();
        let found = histogram.percentile(q).unwrap().as_secs_f64() * 1e6;
        prop_assert!(found >= exact - 1e-3 && found <= exact * 1.001 + 1e-3, "{} {}", found, exact);
    }

    #[test]
    fn damaged_histograms_are_errors_and_never_panics(
        millis in prop::collection::vec(1_u64..10_000, 0..50), at in 0_usize..4000, letter in "[A-Za-z0-9+/]",
    ) {
        let histogram: LatencyHistogram = millis.into_iter().map(Duration::from_millis).collect();
        let mut text = histogram.to_base64();
        let at = at % text.len();
        text.replace_range(at..=at, &letter);
        let _ = LatencyHistogram::from_base64(&text);
        text.truncate(at);
        let _ = LatencyHistogram::from_base64(&text);
    }

    #[test]
    fn more_repeats_never_hide_flakiness(flip_rate in 0.0..=1.0_f64, repeats in 1_u32..50) {
        let seen = |repeats| flakiness::detection_probability(flip_rate, repeats).unwrap();
        prop_assert!(seen(repeats) <= seen(repeats + 1) + HAIR);
    }

    #[test]
    fn a_bootstrap_repeats_itself_and_keeps_the_classes(seed in any::<u64>(), classes in 1_usize..4) {
        let strata: Vec<usize> = (0..30).map(|case| case % classes).collect();
        let options = BootstrapOptions { resamples: 100, seed, ..BootstrapOptions::default() };
        let run = || bootstrap::interval(&strata, options, |cases| {
            let kept = (0..classes).all(|class| {
                cases.iter().filter(|case| **case % classes == class).count() == strata.len() / classes
            });
            kept.then(|| cases.iter().sum::<usize>() as f64)
        });
        let first = run().unwrap();
        prop_assert_eq!(first.undefined, 0);
        prop_assert!(first.interval.lower <= first.interval.upper);
        prop_assert_eq!(run().unwrap(), first);
    }
}
