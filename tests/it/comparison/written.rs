//! Gates against a baseline, as they are written.

use proptest::prelude::*;
use thrash::domain::{CheckMode, CheckSeverity, Comparison, SliceKind};
use thrash::gate::{Gate, GateProfile};
use thrash::stats::Confidence;

fn gate(text: &str) -> Gate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn gates_against_a_baseline_are_written_as_people_write_them() {
    let plain = gate("accuracy no_regression");
    assert_eq!((plain.mode, plain.comparison), (CheckMode::NoRegression, Comparison::AtLeast));
    assert_eq!(plain, Gate::no_regression(plain.metric));
    let counted = gate("fnr no_regression (max 3 new failures, min 200 cases, confidence 99%, warn)");
    assert_eq!((counted.max_new_failures, counted.min_n), (Some(3), Some(200)));
    assert_eq!((counted.confidence, counted.severity), (Confidence::PERCENT_99, CheckSeverity::Warn));
    assert_eq!(
        counted.to_string(),
        "false_negative_rate no_regression (max 3 new failures, confidence 99%, min 200 cases, warn)"
    );
    let margin = gate("accuracy non_inferior (margin 1%)");
    assert_eq!((margin.mode, margin.limit), (CheckMode::NonInferior, 0.01));
    let drop = gate("accuracy[category=*] drop<=5 points (warn)");
    assert_eq!((drop.mode, drop.limit, drop.comparison), (CheckMode::Change, 0.05, Comparison::AtLeast));
    assert_eq!((drop.every_slice(), drop.named_slice()), (Some(SliceKind::Category), None));
    assert_eq!(gate("accuracy[*] drop <= 5 points (warn)"), drop);
    assert_eq!(drop.to_string(), "accuracy[category=*] drop <= 5 points (warn)");
    let rise = gate("false_negative_rate rise <= 1 point");
    assert_eq!((rise.limit, rise.comparison), (0.01, Comparison::AtMost));
    assert_eq!(rise.to_string(), "false_negative_rate rise <= 1 point");
    assert!((gate("latency_p95 rise <= 150%").limit - 1.5).abs() < 1e-12);
    // Any gate may warn, and have its least cases in the short form too.
    let warn = gate("false_positive_rate <= 4% (bound 90%, warn, min 50 cases)");
    assert_eq!((warn.mode, warn.min_n, warn.severity), (CheckMode::Bound, Some(50), CheckSeverity::Warn));
    assert_eq!(warn.to_string(), "false_positive_rate <= 4% (bound 90%, min 50 cases, warn)");
}

#[test]
fn what_cannot_be_held_against_a_baseline_is_refused_with_a_reason() {
    for (text, reason) in [
        ("accuracy non_inferior", "how much worse is still as good?"),
        ("accuracy no_regression (margin 1%)", "a `margin` belongs to `non_inferior`"),
        ("accuracy drop <= 2 points (max 3 new failures)", "new failures are counted by `no_regression`"),
        ("accuracy >= 92% (max 3 new failures)", "new failures are counted by `no_regression`"),
        ("accuracy no_regression (bound 95%)", "a `bound` is of a number and its limit"),
        ("accuracy drop <= 2 points (confidence 99%)", "a `confidence` belongs to"),
        ("accuracy no_regression (warn, warn)", "stands there twice"),
        ("accuracy no_regression (max 1 new failure, max 2 new failures)", "stands there twice"),
        ("accuracy no_regression (max -1 new failures)", "no whole number"),
        ("accuracy no_regression (surely)", "may stand"),
        ("accuracy no_regression (max 3 new failures", "may stand"),
        ("accuracy rise <= 2 points", "more `accuracy` is better: write `drop`"),
        ("false_positive_rate drop <= 2 points", "less `false_positive_rate` is better: write `rise`"),
        ("accuracy drop <= 2%", "write `2 points`"),
        ("accuracy drop <= -2 points", "write `2 points`"),
        ("accuracy drop <= 101 points", "write `2 points`"),
        ("accuracy drop = 2 points", "after `drop` stands `<=`"),
        ("accuracy drop 2 points", "after `drop` stands `<=`"),
        ("latency_p95 rise <= 2 points", "write `50%`"),
        ("latency_p95 rise <= 50ms", "write `50%`"),
        ("latency_p95 no_regression", "`latency_p95 rise <= 50%`"),
        ("latency_max rise <= 50%", "`latency_max` is not compared with a baseline"),
        ("kappa no_regression", "`kappa` is not compared with a baseline"),
        ("cached_answers rise <= 1 point", "`cached_answers` is not compared with a baseline"),
        ("fpr[gaming] rise <= 1 point", "over the whole run only"),
        ("accuracy[tag=x] no_regression", "by category, capability and language, not by tag"),
        ("accuracy[*] >= 92%", "over every slice there are only gates against a baseline"),
        ("accuracy no_regressions", "neither `>=` nor `<=`"),
        ("accuracy no_regression 3", "neither `>=` nor `<=`"),
    ] {
        let error = text.parse::<Gate>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn the_long_form_says_the_same_as_the_short_one() {
    for (long, short) in [
        ("{metric: accuracy, mode: no_regression}", "accuracy no_regression"),
        (
            "{metric: accuracy, mode: no_regression, max_new_failures: 3, min_n: 50, confidence: 90%}",
            "accuracy no_regression (max 3 new failures, confidence 90%, min 50 cases)",
        ),
        ("{metric: accuracy, mode: non_inferior, margin: 1%}", "accuracy non_inferior (margin 1%)"),
        ("{metric: accuracy, drop: 2 points}", "accuracy drop <= 2 points"),
        (
            "{metric: accuracy, mode: change, category: '*', drop: 5 points, severity: warn}",
            "accuracy[*] drop <= 5 points (warn)",
        ),
        ("{metric: latency_p95, rise: 50%}", "latency_p95 rise <= 50%"),
        ("{metric: accuracy, at_least: 92%, severity: warn}", "accuracy >= 92% (warn)"),
    ] {
        let read: Gate = serde_yaml::from_str(long).unwrap_or_else(|error| panic!("{long}: {error}"));
        assert_eq!(read, gate(short), "{long}");
    }
    for bad in [
        "{metric: accuracy, mode: no_regression, at_least: 92%}",
        "{metric: accuracy, mode: non_inferior}",
        "{metric: accuracy, mode: change}",
        "{metric: accuracy, mode: change, at_least: 92%}",
        "{metric: accuracy, mode: point, drop: 2 points}",
        "{metric: accuracy, drop: 2}",
        "{metric: accuracy, drop: 2 points, rise: 2 points}",
        "{metric: accuracy, drop: 2 points, severity: shout}",
        "{metric: accuracy, margin: 1%}",
        "{metric: accuracy, at_least: 92%, margin: 1%}",
        "{metric: accuracy, mode: no_regression, tag: '*'}",
    ] {
        assert!(serde_yaml::from_str::<Gate>(bad).is_err(), "{bad} is accepted");
    }
}

#[test]
fn the_regression_profile_is_the_rules_of_the_suite_before() {
    let gates = GateProfile::Regression.gates();
    let written: Vec<String> = gates.iter().map(ToString::to_string).collect();
    assert_eq!(written, GateProfile::Regression.lines());
    let decide: Vec<bool> = gates.iter().map(|gate| gate.severity.decides()).collect();
    assert_eq!(decide, [true, true, false, false, false]);
    assert_eq!("regression".parse(), Ok(GateProfile::Regression));
    assert!("regresion".parse::<GateProfile>().unwrap_err().contains("did you mean `regression`?"));
}

fn written() -> impl Strategy<Value = String> {
    let rate = prop::sample::select(vec![
        "accuracy",
        "exact_accuracy",
        "false_positive_rate",
        "false_negative_rate",
        "severe_miss_rate",
        "unanswered_rate",
    ]);
    let slice = prop_oneof![
        3 => Just(String::new()),
        1 => "(category=|capability=|language=|)([a-z][a-z0-9_]{0,12}|[*])".prop_map(|inside| format!("[{inside}]")),
    ];
    let relation = prop_oneof![
        prop::option::of(0..50_u64).prop_map(|most| {
            ("no_regression".to_owned(), most.map(|most| format!("max {most} new failures")))
        }),
        (0..10_000_u32).prop_map(|margin| {
            ("non_inferior".to_owned(), Some(format!("margin {}%", f64::from(margin) / 100.0)))
        }),
        (0..10_000_u32).prop_map(|points| (format!("change <= {} points", f64::from(points) / 100.0), None)),
    ];
    let more = (prop::option::of(5_001..9_999_u32), prop::option::of(0..1000_u64), any::<bool>());
    let rates =
        (rate, slice, relation, more).prop_map(|(metric, slice, (relation, own), (level, least, warn))| {
            let slice = if metric == "accuracy" { slice } else { String::new() };
            let relation =
                relation.replace("change", if metric.contains("accuracy") { "drop" } else { "rise" });
            let level = level.filter(|_| relation.starts_with("no"));
            let options: Vec<String> = [
                own,
                level.map(|level| format!("confidence {}%", f64::from(level) / 100.0)),
                least.map(|least| format!("min {least} cases")),
                warn.then(|| "warn".to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect();
            let options =
                if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
            format!("{metric}{slice} {relation}{options}")
        });
    let latencies =
        ("latency_p(50|90|95|99)", 0..50_000_u32, any::<bool>()).prop_map(|(metric, rise, warn)| {
            format!("{metric} rise <= {}%{}", f64::from(rise) / 100.0, if warn { " (warn)" } else { "" })
        });
    prop_oneof![4 => rates, 1 => latencies]
}

proptest! {
    #[test]
    fn what_a_gate_prints_is_the_gate(text in written()) {
        let first = text.parse::<Gate>().unwrap();
        let second = first.to_string().parse::<Gate>().unwrap();
        prop_assert!((first.limit - second.limit).abs() <= 1e-12, "{} and {}", first.limit, second.limit);
        prop_assert_eq!(first.to_string(), second.to_string());
        prop_assert!((first.confidence.level() - second.confidence.level()).abs() <= 1e-12);
        prop_assert_eq!(Gate { limit: first.limit, confidence: first.confidence, ..second }, first);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
        let _ = format!("accuracy {text}").parse::<Gate>();
        let _ = format!("accuracy no_regression ({text})").parse::<Gate>();
        let _ = format!("accuracy drop <= {text} points").parse::<Gate>();
    }
}
