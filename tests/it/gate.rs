//! Gates: how they are written, and what they make of a record.

use proptest::prelude::*;
use thrash::domain::{
    Check, CheckMode, CheckOutcome, CheckSource, Comparison, Conclusion, Level, NoAnswerReason, Rate,
    RunRecord, RunStatus, SliceKind,
};
use thrash::gate::{Gate, GateOptions, Metric, evaluate};
use thrash::stats::Confidence;

use crate::support::sample::{Said, Sample};

use Level::{Critical, High, Low, Medium};

const METRICS: [&str; 27] = [
    "accuracy",
    "accuracy_answered",
    "exact_accuracy",
    "false_positive_rate",
    "false_negative_rate",
    "severe_miss_rate",
    "unanswered_rate",
    "kappa",
    "macro_f1",
    "mcc",
    "lift",
    "latency_p50",
    "latency_p90",
    "latency_p95",
    "latency_p99",
    "latency_max",
    "latency_mean",
    "flip_rate",
    "reference_agreement",
    "target_minus_reference",
    "invariant_violations",
    "fail_open_answers",
    "changed_answers",
    "flaky_phrases",
    "cached_answers",
    "pair_accuracy",
    "perturbation_flip_rate",
];

fn gate(text: &str) -> Gate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn options(gates: &[&str]) -> GateOptions {
    GateOptions {
        gates: gates.iter().map(|text| gate(text)).collect(),
        error_budget: 0.05,
        needs_baseline: false,
    }
}

/// The check that a gate becomes on a record.
fn checked(record: &RunRecord, text: &str) -> Check {
    let verdict = evaluate(record, &options(&[text]));
    let name = gate(text).to_string();
    verdict.checks.into_iter().find(|check| check.name == name).expect("the gate's check")
}

/// A record whose metrics say so many of so many, and nothing else.
fn record_with(change: impl FnOnce(&mut RunRecord)) -> RunRecord {
    let mut record = Sample::all_right().record();
    for slice in &mut record.slices {
        slice.target_accuracy = None;
    }
    for result in &mut record.results {
        result.must_pass = false;
    }
    change(&mut record);
    record
}

fn rate(count: u64, of: u64) -> Rate {
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let value = (of > 0).then(|| count as f64 / of as f64);
    Rate { count, of, value, ..Rate::default() }
}

#[test]
fn gates_are_written_as_people_write_them() {
    let written = gate(" accuracy[definite_high]>=95% ");
    assert_eq!(written.slice, Some((SliceKind::Category, "definite_high".to_owned())));
    assert_eq!(written.to_string(), "accuracy[definite_high] >= 95%");
    let bound = gate("fpr <= 4% (bound)");
    assert_eq!(bound.mode, CheckMode::Bound);
    assert_eq!(bound.to_string(), "false_positive_rate <= 4% (bound 95%)");
    for (text, limit) in [
        ("latency_p95 <= 1s 500ms", 1500.0),
        ("latency_p95 <= 250us", 0.25),
        ("kappa >= -0.5", -0.5),
        ("cached_answers <= 3", 3.0),
        ("fnr <= 0.5%", 0.005),
    ] {
        assert!((gate(text).limit - limit).abs() < 1e-12, "{text}");
    }
    assert_eq!(gate("accuracy[tag=x y] >= 1").slice, Some((SliceKind::Tag, "x y".to_owned())));
}

#[test]
fn what_is_no_gate_is_refused_with_a_reason() {
    let cases = [
        ("", "neither `>=` nor `<=`"),
        ("accuracy", "neither"),
        ("accuracy = 92%", "neither"),
        (">= 92%", "there is no metric"),
        ("accuracy >=", "not a share"),
        ("accuracy >= 92", "not a share"),
        ("accuracy >= 120%", "not a share"),
        ("accuracy >= -1%", "not a share"),
        ("accuracy >= nan", "not a share"),
        ("accuracy[ >= 92%", "without its `]`"),
        ("accuracy[] >= 92%", "no name between"),
        ("accuracy[colour=red] >= 92%", "`colour` is not one of"),
        ("accuracy >= 92% (bound 95", "only `(bound 95%)`"),
        ("accuracy >= 92% (sure)", "only `(bound 95%)`"),
        ("accuracy >= 92% (bound 100%)", ""),
        ("accuracy >= 92% (bound 0%)", ""),
        ("accuracy <= 92%", "more `accuracy` is better"),
        ("false_positive_rate >= 4%", "less `false_positive_rate` is better"),
        ("latency_p95 >= 5ms", "less `latency_p95` is better"),
        ("latency_p95 <= 500", "not a length of time"),
        ("latency_max <= 1s (bound 95%)", "no confidence limit"),
        ("lift >= 0.1 (bound 95%)", "no confidence limit"),
        ("lift >= inf", "no number"),
        ("cached_answers <= 0.5", "no whole number"),
        ("latency_p95[x] <= 1s", "over the whole run only"),
        ("pair_accuracy[capability=x] >= 50%", "over the whole run only"),
        ("perturbation_flip_rate[tpyo] <= 5%", "did you mean `typo`?"),
        ("perturbation_flip_rate[kind=typing] <= 5%", "there are no variants `typing`"),
        ("perturbation_flip_rate[tag=x] <= 5%", "a `group` or a `kind`, and no `tag`"),
        ("perturbation_flip_rate >= 5%", "less `perturbation_flip_rate` is better"),
        ("acuracy >= 1%", "did you mean `accuracy`?"),
        ("xyzzy >= 1%", "there are accuracy, "),
    ];
    for (text, reason) in cases {
        let error = text.parse::<Gate>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(error.starts_with(&format!("`{text}` is no gate")), "{error}");
    }
}

#[test]
fn the_long_form_says_the_same_as_the_short_one() {
    let pairs = [
        ("{metric: accuracy, at_least: 92%}", "accuracy >= 92%"),
        ("{metric: accuracy, at_least: 0.92}", "accuracy >= 92%"),
        ("{metric: accuracy, category: definite_high, at_least: 95%}", "accuracy[definite_high] >= 95%"),
        (
            "{metric: fpr, tag: gaming, at_most: 4%, mode: bound, confidence: 99%}",
            "false_positive_rate[tag=gaming] <= 4% (bound 99%)",
        ),
        ("{metric: latency_p95, at_most: 500ms}", "latency_p95 <= 500ms"),
        ("{metric: lift, at_least: 0.1}", "lift >= 0.1"),
        (
            "{metric: perturbation_flip_rate, variants: typing, at_most: 5%, mode: bound}",
            "perturbation_flip_rate[typing] <= 5% (bound 95%)",
        ),
        (
            "{metric: perturbation_flip_rate, variants: typo, at_most: 5%}",
            "perturbation_flip_rate[kind=typo] <= 5%",
        ),
        ("accuracy >= 92%", "accuracy >= 92%"),
    ];
    for (long, short) in pairs {
        let read: Gate = serde_yaml::from_str(long).unwrap_or_else(|error| panic!("{long}: {error}"));
        assert_eq!(read, gate(short), "{long}");
    }
    let few: Gate = serde_yaml::from_str("{metric: accuracy, at_least: 92%, min_n: 50}").unwrap();
    assert_eq!(few.min_n, Some(50));
    for bad in [
        "{metric: accuracy}",
        "{metric: accuracy, at_least: 92%, at_most: 95%}",
        "{metric: accuracy, at_most: 92%}",
        "{metric: accuracy, at_least: 92}",
        "{metric: accuracy, at_least: 92%, category: a, tag: b}",
        "{metric: accuracy, at_least: 92%, nope: 1}",
        "{metric: accuracy, at_least: 92%, confidence: 95}",
        "{at_least: 92%}",
        "[accuracy]",
        "3",
    ] {
        assert!(serde_yaml::from_str::<Gate>(bad).is_err(), "{bad} is accepted");
    }
}

fn arbitrary_gate() -> impl Strategy<Value = String> {
    let slice = prop_oneof![
        Just(String::new()),
        "[a-z][a-z0-9_]{0,12}".prop_map(|name| format!("[{name}]")),
        ("(tag|capability|language|category)", "[a-z][a-z0-9_.:-]{0,12}")
            .prop_map(|(kind, name)| format!("[{kind}={name}]")),
    ];
    let shares = (
        prop::sample::select(METRICS[..7].to_vec()),
        slice.clone(),
        0..=10_000_u32,
        prop::option::of(500..9999_u32),
    );
    let shares = shares.prop_map(|(metric, slice, limit, bound)| {
        let sign = if metric.ends_with("rate") { "<=" } else { ">=" };
        let bound = bound.map_or_else(String::new, |level| format!(" (bound {}%)", f64::from(level) / 100.0));
        format!("{metric}{slice} {sign} {}%{bound}", f64::from(limit) / 100.0)
    });
    let numbers = (prop::sample::select(METRICS[7..11].to_vec()), slice, -1000..1000_i32)
        .prop_map(|(metric, slice, limit)| format!("{metric}{slice} >= {}", f64::from(limit) / 1000.0));
    let times = (prop::sample::select(METRICS[11..17].to_vec()), 0..100_000_000_u32)
        .prop_map(|(metric, limit)| format!("{metric} <= {limit}us"));
    let flips = (0..=10_000_u32).prop_map(|limit| format!("flip_rate <= {}%", f64::from(limit) / 100.0));
    let counts = (prop::sample::select(METRICS[20..25].to_vec()), any::<u32>())
        .prop_map(|(metric, limit)| format!("{metric} <= {limit}"));
    let variants =
        prop::sample::select(vec!["", "[typing]", "[typo]", "[kind=full_width]", "[ group = direction ]"]);
    let variants = (variants, 0..=100_u32)
        .prop_map(|(variants, limit)| format!("perturbation_flip_rate{variants} <= {limit}% (bound 90%)"));
    let pairs = (0..=100_u32).prop_map(|limit| format!("pair_accuracy >= {limit}%"));
    prop_oneof![shares, numbers, times, flips, counts, variants, pairs]
}

proptest! {
    #[test]
    fn what_a_gate_prints_is_the_gate(text in arbitrary_gate()) {
        let first = text.parse::<Gate>().unwrap();
        let second = first.to_string().parse::<Gate>().unwrap();
        prop_assert!((first.limit - second.limit).abs() <= 1e-9 * first.limit.abs(), "{} and {}", first.limit, second.limit);
        prop_assert_eq!(first.to_string(), second.to_string());
        prop_assert_eq!(Gate { limit: first.limit, confidence: first.confidence, ..second }, first);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<Gate>();
        let _ = format!("accuracy[{text}] >= {text}% ({text})").parse::<Gate>();
    }

    /// The count decides, so that no rounding of a quotient does: the reason, the allowed errors and the outcome agree.
    #[test]
    fn a_point_gate_allows_what_it_says(of in 1..5000_u64, errors in 0..5000_u64, tenths in 0..=1000_u32) {
        let errors = errors.min(of);
        let limit = f64::from(tenths) / 10.0;
        let record = record_with(|record| record.metrics.accuracy = rate(of - errors, of));
        let check = checked(&record, &format!("accuracy >= {limit}%"));
        // In whole numbers: right / of ≥ tenths / 1000.
        let holds = (of - errors) * 1000 >= u64::from(tenths) * of;
        prop_assert_eq!(check.outcome == CheckOutcome::Pass, holds, "{} of {} wrong at {}%", errors, of, limit);
        prop_assert_eq!(check.allowed_errors.map(|allowed| errors <= allowed), Some(holds));
        let record = record_with(|record| record.metrics.false_positive_rate = rate(errors, of));
        let check = checked(&record, &format!("false_positive_rate <= {limit}%"));
        prop_assert_eq!(check.outcome == CheckOutcome::Pass, errors * 1000 <= u64::from(tenths) * of);
    }

    #[test]
    fn a_bound_gate_never_passes_what_the_point_gate_fails(of in 1..600_u64, errors in 0..60_u64, tenths in 1..200_u32) {
        let errors = errors.min(of);
        let limit = f64::from(tenths) / 10.0;
        let record = record_with(|record| record.metrics.false_positive_rate = rate(errors, of));
        let point = checked(&record, &format!("false_positive_rate <= {limit}%")).outcome;
        let bound = checked(&record, &format!("false_positive_rate <= {limit}% (bound 95%)"));
        match bound.outcome {
            CheckOutcome::Pass => {
                prop_assert_eq!(point, CheckOutcome::Pass);
                prop_assert!(bound.allowed_errors.is_some_and(|allowed| errors <= allowed));
            }
            CheckOutcome::Fail => prop_assert_eq!(point, CheckOutcome::Fail),
            CheckOutcome::Inconclusive => {
                prop_assert_eq!(point, CheckOutcome::Pass);
                prop_assert!(bound.allowed_errors.is_none_or(|allowed| errors > allowed));
            }
        }
    }
}

#[test]
fn points_at_their_very_edge_hold() {
    for (right, of, limit) in [
        (322, 350, "92%"),
        (999, 1000, "99.9%"),
        (7, 100, "7%"),
        (57, 100, "57%"),
        (29, 100, "29%"),
        (1, 3, "33.333333%"),
    ] {
        let record = record_with(|record| record.metrics.accuracy = rate(right, of));
        assert_eq!(
            checked(&record, &format!("accuracy >= {limit}")).outcome,
            CheckOutcome::Pass,
            "{right}/{of} at {limit}"
        );
        let record = record_with(|record| record.metrics.accuracy = rate(right - 1, of));
        assert_eq!(
            checked(&record, &format!("accuracy >= {limit}")).outcome,
            CheckOutcome::Fail,
            "one less of {of} at {limit}"
        );
    }
    let record = record_with(|record| record.metrics.accuracy = rate(322, 350));
    let check = checked(&record, "accuracy >= 92%");
    assert_eq!((check.errors, check.allowed_errors, check.of), (Some(28), Some(28), Some(350)));
    assert_eq!(check.reason, "28 of 350 wrong, 28 allowed");
}

/// `statistics.md` §4: the least number of negatives with which so many false positives still prove 4 %.
#[test]
fn the_acceptance_table_for_false_positives_is_met_exactly() {
    let negatives = [74, 117, 156, 192, 227, 261, 294, 326, 358, 390, 421];
    for (errors, of) in (0..).zip(negatives) {
        let outcome = |errors, of| {
            let record = record_with(|record| record.metrics.false_positive_rate = rate(errors, of));
            checked(&record, "false_positive_rate <= 4% (bound 95%)").outcome
        };
        assert_eq!(outcome(errors, of), CheckOutcome::Pass, "{errors} of {of}");
        assert_eq!(outcome(errors, of - 1), CheckOutcome::Inconclusive, "{errors} of {}", of - 1);
        assert_eq!(outcome(errors + 1, of), CheckOutcome::Inconclusive, "{} of {of}", errors + 1);
    }
}

#[test]
fn the_operating_table_says_how_many_errors_are_allowed() {
    for (of, bound, point) in [(100, 0, 4), (150, 1, 6), (200, 3, 8), (304, 6, 12), (400, 9, 16)] {
        let record = record_with(|record| record.metrics.false_positive_rate = rate(0, of));
        assert_eq!(
            checked(&record, "false_positive_rate <= 4% (bound 95%)").allowed_errors,
            Some(bound),
            "{of}"
        );
        assert_eq!(checked(&record, "false_positive_rate <= 4%").allowed_errors, Some(point), "{of}");
    }
    for (of, bound, point) in [
        (200, 9, 16),
        (350, 19, 28),
        (400, 22, 32),
        (500, 29, 40),
        (638, 39, 51),
        (1000, 65, 80),
        (3728, 270, 298),
    ] {
        let record = record_with(|record| record.metrics.accuracy = rate(of, of));
        assert_eq!(checked(&record, "accuracy >= 92% (bound 95%)").allowed_errors, Some(bound), "{of}");
        assert_eq!(checked(&record, "accuracy >= 92%").allowed_errors, Some(point), "{of}");
    }
}

#[test]
fn three_of_200_prove_4_percent_four_do_not_and_nine_disprove_it() {
    let outcome = |errors| {
        let record = record_with(|record| record.metrics.false_positive_rate = rate(errors, 200));
        checked(&record, "false_positive_rate <= 4% (bound 95%)")
    };
    assert_eq!(outcome(3).outcome, CheckOutcome::Pass);
    assert_eq!(outcome(4).outcome, CheckOutcome::Inconclusive);
    assert_eq!(outcome(8).outcome, CheckOutcome::Inconclusive);
    assert_eq!(outcome(9).outcome, CheckOutcome::Fail);
    assert_eq!(outcome(4).reason, "4 of 200 wrong, 3 would prove it");
    let few = record_with(|record| record.metrics.false_positive_rate = rate(0, 73));
    let few = checked(&few, "false_positive_rate <= 4% (bound 95%)");
    assert_eq!((few.outcome, few.allowed_errors), (CheckOutcome::Inconclusive, None));
    assert!(few.reason.contains("even without an error"), "{}", few.reason);
}

#[test]
fn nothing_ever_passes_on_an_empty_record() {
    let record = Sample::empty().record();
    for metric in METRICS {
        let better = if gate_direction(metric) { ">=" } else { "<=" };
        let limit = match metric {
            "kappa" | "macro_f1" | "mcc" | "lift" | "target_minus_reference" => "-5",
            name if name.starts_with("latency") => "1h",
            name if ["answers", "violations", "phrases"].iter().any(|end| name.ends_with(end)) => {
                "4000000000"
            }
            _ if better == ">=" => "0%",
            _ => "100%",
        };
        let text = format!("{metric} {better} {limit}");
        // Without repeats there is no such check at all.
        if metric != "changed_answers" {
            assert_eq!(checked(&record, &text).outcome, CheckOutcome::Inconclusive, "{text}");
        }
        assert_ne!(evaluate(&record, &options(&[&text])).conclusion, Conclusion::Passed, "{text}");
    }
    assert_eq!(evaluate(&record, &options(&[])).conclusion, Conclusion::Inconclusive);
}

fn gate_direction(metric: &str) -> bool {
    let has = |part| metric.contains(part);
    has("accuracy") || has("reference") || ["kappa", "macro_f1", "mcc", "lift"].contains(&metric)
}

#[test]
fn a_slice_that_no_phrase_is_in_is_inconclusive() {
    let record = Sample::all_right().record();
    let check = checked(&record, "accuracy[nowhere] >= 0%");
    assert_eq!(check.outcome, CheckOutcome::Inconclusive);
    assert!(check.reason.contains("category=nowhere"), "{}", check.reason);
}

#[test]
fn fewer_cases_than_min_n_are_inconclusive_and_as_many_are_enough() {
    let record = record_with(|record| record.metrics.accuracy = rate(49, 49));
    let with = |min_n| {
        let gate = Gate { min_n: Some(min_n), ..gate("accuracy >= 50%") };
        evaluate(&record, &GateOptions { gates: vec![gate], error_budget: 0.05, needs_baseline: false })
            .checks
    };
    let outcome =
        |checks: Vec<Check>| checks.into_iter().find(|check| check.metric == "accuracy").unwrap().outcome;
    assert_eq!(outcome(with(50)), CheckOutcome::Inconclusive);
    assert_eq!(outcome(with(49)), CheckOutcome::Pass);
}

#[test]
fn a_categorys_target_is_a_gate_from_ten_phrases_on() {
    for (count, gated) in [(9, false), (10, true)] {
        let mut sample = Sample::all_right();
        sample.add("more_of_it", &[High, Critical], count);
        let mut record = sample.record();
        for slice in &mut record.slices {
            slice.target_accuracy = (slice.name == "more_of_it").then_some(0.95);
        }
        let checks = evaluate(&record, &options(&[])).checks;
        let found = checks.iter().find(|check| check.source == CheckSource::Category);
        assert_eq!(found.map(|check| check.name.as_str()), gated.then_some("accuracy[more_of_it] >= 95%"));
        assert_eq!(found.map(|check| check.outcome), gated.then_some(CheckOutcome::Pass));
    }
}

#[test]
fn each_phrase_that_had_to_pass_fails_the_run_by_itself() {
    let mut sample = Sample::all_right();
    let verdict = evaluate(&sample.record(), &options(&["accuracy >= 0%"]));
    let must = |verdict: &thrash::domain::RunVerdict| -> Vec<(String, CheckOutcome)> {
        let checks = verdict.checks.iter().filter(|check| check.source == CheckSource::MustPass);
        checks.map(|check| (check.name.clone(), check.outcome)).collect()
    };
    assert_eq!(must(&verdict), [("phrases that must pass".to_owned(), CheckOutcome::Pass)]);
    sample.say("explicit_ideation-001", Said::Level(Low, 0.3));
    sample.say("explicit_ideation-002", Said::Nothing(NoAnswerReason::Timeout));
    let verdict = evaluate(&sample.record(), &options(&["accuracy >= 0%"]));
    assert_eq!(
        must(&verdict),
        [
            ("must pass: explicit_ideation-001".to_owned(), CheckOutcome::Fail),
            ("must pass: explicit_ideation-002".to_owned(), CheckOutcome::Fail)
        ]
    );
    let reason = &verdict.checks.iter().find(|check| check.name.ends_with("-002")).unwrap().reason;
    assert_eq!(reason, "expected high|critical, got no answer");
}

#[test]
fn the_conclusion_is_the_worst_that_happened_in_its_order() {
    let conclusion = |record: &RunRecord, gates: &[&str]| evaluate(record, &options(gates)).conclusion;
    let good = record_with(|_| {});
    assert_eq!(conclusion(&good, &["accuracy >= 92%"]), Conclusion::Passed);
    let unproven = "false_positive_rate <= 4% (bound 95%)";
    assert_eq!(conclusion(&good, &["accuracy >= 92%", unproven]), Conclusion::Inconclusive);
    assert_eq!(conclusion(&good, &["latency_max <= 0ms", unproven]), Conclusion::GateFailed);
    // Over the error budget nothing else means anything; at the budget it does.
    let unanswered = |count| record_with(|record| record.metrics.unanswered_rate = rate(count, 100));
    assert_eq!(conclusion(&unanswered(5), &["accuracy >= 92%"]), Conclusion::Passed);
    assert_eq!(conclusion(&unanswered(6), &["latency_max <= 0ms"]), Conclusion::TargetFailed);
    let aborted = record_with(|record| record.status = RunStatus::Aborted);
    assert_eq!(conclusion(&aborted, &["accuracy >= 92%"]), Conclusion::TargetFailed);
    let stopped = record_with(|record| {
        record.status = RunStatus::Interrupted;
        record.metrics.unanswered_rate = rate(50, 100);
    });
    assert_eq!(conclusion(&stopped, &["latency_max <= 0ms"]), Conclusion::Interrupted);
}

#[test]
fn failed_checks_come_first_and_every_conclusion_has_its_sentence() {
    let record = record_with(|_| {});
    let verdict = evaluate(
        &record,
        &options(&["accuracy >= 92%", "latency_max <= 0ms", "false_positive_rate <= 4% (bound 95%)"]),
    );
    let outcomes: Vec<CheckOutcome> = verdict.checks.iter().map(|check| check.outcome).collect();
    assert_eq!(
        outcomes,
        [CheckOutcome::Fail, CheckOutcome::Inconclusive, CheckOutcome::Pass, CheckOutcome::Pass]
    );
    assert_eq!(verdict.sentence, "1 of 4 checks failed");
    assert_eq!(evaluate(&record, &options(&["accuracy >= 92%"])).sentence, "all 2 checks passed");
}

/// On phrases of one side alone a constant answer is always right.
#[test]
fn a_run_that_could_not_see_one_kind_of_error_is_inconclusive() {
    let one_side = |levels: &[Level]| {
        let mut sample = Sample::empty();
        sample.add("only", levels, 9);
        let verdict = evaluate(&sample.record(), &options(&["accuracy >= 92%"]));
        let check =
            verdict.checks.iter().find(|check| check.metric == "both_sides").expect("the check").clone();
        (verdict.conclusion, check.outcome, check.reason)
    };
    for (levels, reason) in [
        (vec![Level::None], "no phrase is positive"),
        (vec![Medium], "no phrase is negative"),
        (vec![Level::None, Low], "neither error can be seen"),
    ] {
        let (conclusion, outcome, found) = one_side(&levels);
        assert_eq!(
            (conclusion, outcome),
            (Conclusion::Inconclusive, CheckOutcome::Inconclusive),
            "{levels:?}"
        );
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn a_changed_answer_is_looked_for_only_where_phrases_were_repeated() {
    let mut record = record_with(|record| record.integrity.changed = vec!["a".to_owned()]);
    assert_eq!(checked(&record, "changed_answers <= 0").outcome, CheckOutcome::Inconclusive);
    record.options.repeat = 3;
    assert_eq!(checked(&record, "changed_answers <= 0").outcome, CheckOutcome::Fail);
    assert_eq!(checked(&record, "changed_answers <= 1").outcome, CheckOutcome::Pass);
    record.integrity.changed.clear();
    assert_eq!(checked(&record, "changed_answers <= 0").outcome, CheckOutcome::Pass);
    record.integrity.target_caches = Some(true);
    assert_eq!(
        checked(&record, "changed_answers <= 0").outcome,
        CheckOutcome::Inconclusive,
        "a cache repeats itself"
    );
}

#[test]
fn the_bound_of_a_percentile_needs_enough_latencies() {
    let with = |count: u32| {
        record_with(|record| {
            let latencies = (1..=count).map(|ms| f64::from(ms) * 100.0 / f64::from(count));
            record.latency = thrash::judge::latency_report(latencies);
        })
    };
    let check = checked(&with(20), "latency_p95 <= 1s (bound 95%)");
    assert_eq!(check.outcome, CheckOutcome::Inconclusive, "{}", check.reason);
    let check = checked(&with(1000), "latency_p95 <= 97ms (bound 95%)");
    assert_eq!(check.outcome, CheckOutcome::Pass, "{}", check.reason);
    // The number itself holds, and its limit does not.
    let check = checked(&with(200), "latency_p95 <= 96ms (bound 95%)");
    assert_eq!(check.outcome, CheckOutcome::Inconclusive, "{}", check.reason);
    let check = checked(&with(1000), "latency_p95 <= 90ms (bound 95%)");
    assert_eq!(check.outcome, CheckOutcome::Fail, "{}", check.reason);
}

#[test]
fn a_gate_made_in_code_is_the_gate_that_is_written() {
    let made = Gate::point(Metric::Accuracy, Comparison::AtLeast, 0.92);
    assert_eq!(made, gate("accuracy >= 92%"));
    assert_eq!(made.confidence, Confidence::PERCENT_95);
}

#[test]
fn that_no_answer_was_cached_is_known_only_where_it_would_be_seen() {
    let caches = |cached, target_caches| {
        let record = record_with(|record| {
            record.integrity.cached = cached;
            record.integrity.target_caches = target_caches;
        });
        checked(&record, "cached_answers <= 0").outcome
    };
    assert_eq!(caches(0, Some(false)), CheckOutcome::Pass);
    assert_eq!(caches(0, Some(true)), CheckOutcome::Inconclusive);
    assert_eq!(caches(0, None), CheckOutcome::Inconclusive);
    assert_eq!(caches(2, None), CheckOutcome::Fail);
}
