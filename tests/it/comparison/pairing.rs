//! Which phrase is which, and what became of it.

use thrash::domain::{Change, Level, LevelSet, MetricComparison, RunComparison, Verdict};
use thrash::judge::{Incomparable, compare, compare_at};

use super::runs::{answer_again, runs, say, table};
use crate::support::sample::{Said, Sample};

use Level::{Critical, High, Low, Medium};

fn ids(comparison: &RunComparison, change: Change) -> Vec<&str> {
    comparison.changed(change).map(|phrase| phrase.id.as_str()).collect()
}

fn metric<'a>(comparison: &'a RunComparison, name: &str) -> &'a MetricComparison {
    comparison.metrics.iter().find(|metric| metric.metric == name).expect("the metric")
}

#[test]
fn every_phrase_that_is_not_right_in_both_has_its_fate() {
    let mut candidate = Sample::quick();
    candidate.say("explicit_ideation-003", Said::Level(High, 0.8));
    candidate.say("everyday_benign-002", Said::Level(Low, 0.4));
    candidate.add("brand_new", &[High], 1);
    candidate.phrases.retain(|phrase| phrase.id != "hypothetical-001");
    let (baseline, mut candidate) = runs(&Sample::quick(), &candidate);
    answer_again(&mut candidate, "figurative_idioms-001", Medium);
    let found = compare(&baseline, &candidate).unwrap();
    assert_eq!(ids(&found, Change::Regressed), ["everyday_benign-002"]);
    assert_eq!(ids(&found, Change::Fixed), ["explicit_ideation-003"]);
    // Unanswered is as far off as `none`.
    assert_eq!(
        ids(&found, Change::StillWrong),
        ["self_harm-002", "passive_ideation-002", "gaming_slang-004"]
    );
    assert_eq!(ids(&found, Change::Flaky), ["figurative_idioms-001"]);
    assert_eq!(ids(&found, Change::New), ["brand_new-001"]);
    assert_eq!(ids(&found, Change::Gone), ["hypothetical-001"]);
    assert_eq!(found.compared, 23, "24 in both, one of them flaky");
    assert_eq!(found.accuracy.both_right, 18);
    let regressed = found.changed(Change::Regressed).next().unwrap();
    let (was, is) = (regressed.baseline.unwrap(), regressed.candidate.unwrap());
    assert_eq!((was.level, was.verdict), (Some(Level::None), Verdict::Exact));
    assert_eq!((is.level, is.verdict, is.score), (Some(Low), Verdict::Over, Some(0.4)));
}

#[test]
fn a_phrase_is_flaky_if_its_verdicts_differ_and_not_its_right_answers() {
    let mut sample = Sample::empty();
    sample.add("crisis", &[High, Critical], 4);
    let (mut baseline, mut candidate) = runs(&sample, &sample);
    for run in [&mut baseline, &mut candidate] {
        say(run, "crisis-001", Some(Critical));
        answer_again(run, "crisis-001", High);
    }
    // Wrong by majority in the candidate alone got worse; in the baseline it shows nothing.
    say(&mut candidate, "crisis-002", Some(Low));
    answer_again(&mut candidate, "crisis-002", High);
    say(&mut baseline, "crisis-003", Some(Low));
    answer_again(&mut baseline, "crisis-003", High);
    let found = compare(&baseline, &candidate).unwrap();
    assert_eq!((found.compared, found.accuracy.both_right, found.accuracy.regressed), (3, 2, 1));
    assert_eq!(ids(&found, Change::Regressed), ["crisis-002"]);
    assert_eq!(ids(&found, Change::Flaky), ["crisis-003"]);
}

#[test]
fn a_flaky_phrase_counts_in_no_test_whichever_run_it_is_flaky_in() {
    for in_baseline in [true, false] {
        let (mut baseline, mut candidate) = table(10, 1, 1, 0);
        let run = if in_baseline { &mut baseline } else { &mut candidate };
        answer_again(run, "crisis-001", Low);
        // The same answer twice is steady.
        answer_again(run, "crisis-002", High);
        let found = compare(&baseline, &candidate).unwrap();
        assert_eq!(ids(&found, Change::Flaky), ["crisis-001"]);
        assert_eq!((found.compared, found.accuracy.both_right), (11, 9));
        assert_eq!(metric(&found, "false_negative_rate").candidate.of, 11);
    }
}

#[test]
fn a_phrase_with_another_text_is_another_phrase() {
    let (baseline, mut candidate) = table(6, 0, 0, 0);
    candidate.results[3].text_hash = "another".to_owned();
    let found = compare(&baseline, &candidate).unwrap();
    assert_eq!(ids(&found, Change::New), ["crisis-004"]);
    assert_eq!(ids(&found, Change::Gone), ["crisis-004"]);
    assert!(found.warnings.iter().any(|warning| warning.contains("1 phrase with another text")), "{found:?}");
}

#[test]
fn a_corrected_label_is_no_change_of_the_service() {
    let (baseline, mut candidate) = table(6, 0, 0, 0);
    // The label was wrong: the same answer `high` is over now, in both runs.
    let result = &mut candidate.results[2];
    (result.expected, result.lowest_passing, result.highest_passing) = (LevelSet::only(Low), Low, Low);
    result.verdict = Verdict::Over;
    let found = compare(&baseline, &candidate).unwrap();
    assert_eq!(ids(&found, Change::StillWrong), ["crisis-003"]);
    assert_eq!(found.accuracy.regressed, 0);
    assert!(found.warnings.iter().any(|warning| warning.contains("another label")), "{:?}", found.warnings);
}

#[test]
fn each_rate_is_over_the_phrases_that_count_for_it_in_both_runs() {
    let (mut baseline, mut candidate) = runs(&Sample::all_right(), &Sample::all_right());
    // 12 positives, 11 negatives, 2 on both sides.
    say(&mut candidate, "gaming_slang-001", Some(Low)); // a false positive more
    say(&mut candidate, "gaming_slang-002", None); // a negative that is not answered counts in no such rate
    say(&mut baseline, "gaming_slang-003", Some(Critical)); // one less
    say(&mut candidate, "explicit_ideation-001", Some(Level::None)); // a miss, and a severe one
    say(&mut candidate, "self_harm-001", Some(Medium)); // a severe miss that alerts
    say(&mut baseline, "passive_ideation-001", None); // no answer alerts nobody
    let found = compare(&baseline, &candidate).unwrap();
    let cells = |name: &str| {
        let found = metric(&found, name);
        let test = found.test;
        (
            [test.both_right, test.improved, test.regressed, test.both_wrong],
            [found.baseline.count, found.baseline.of, found.candidate.count, found.candidate.of],
        )
    };
    assert_eq!(cells("false_positive_rate"), ([8, 1, 1, 0], [1, 10, 1, 10]));
    assert_eq!(cells("false_negative_rate"), ([10, 1, 1, 0], [1, 12, 1, 12]));
    assert_eq!(cells("severe_miss_rate"), ([5, 0, 2, 0], [0, 7, 2, 7]));
    assert_eq!(cells("unanswered_rate"), ([23, 1, 1, 0], [1, 25, 1, 25]));
    assert_eq!(cells("exact_accuracy"), ([19, 2, 4, 0], [23, 25, 21, 25]));
    assert_eq!(metric(&found, "severe_miss_rate").candidate.value, Some(2.0 / 7.0));
}

#[test]
fn what_got_worse_stands_in_the_order_in_which_it_matters() {
    let mut baseline = Sample::empty();
    baseline.add("calm", &[Level::None], 1);
    baseline.add("sad", &[Medium], 2);
    baseline.add("crisis", &[High, Critical], 3);
    let mut candidate = baseline.clone();
    candidate.say("calm-001", Said::Level(Critical, 0.9)); // four over
    candidate.say("sad-001", Said::Level(Low, 0.3)); // one under, critical
    candidate.say("sad-002", Said::Level(Level::None, 0.1)); // two under
    candidate.say("crisis-001", Said::Level(Medium, 0.5)); // one under, must pass
    candidate.say("crisis-002", Said::Level(Level::None, 0.1)); // three under
    candidate.say("crisis-003", Said::Nothing(thrash::domain::NoAnswerReason::Timeout)); // as far
    let (baseline, mut candidate) = runs(&baseline, &candidate);
    for result in &mut candidate.results {
        result.must_pass = result.id == "crisis-001";
        result.critical = result.id == "sad-001";
    }
    let found = compare(&baseline, &candidate).unwrap();
    let order = ["crisis-001", "sad-001", "crisis-002", "crisis-003", "sad-002", "calm-001"];
    assert_eq!(ids(&found, Change::Regressed), order);
}

#[test]
fn a_run_without_a_phrase_is_refused() {
    let (baseline, mut candidate) = table(3, 0, 0, 0);
    candidate.results.clear();
    let refused = compare(&baseline, &candidate).unwrap_err();
    assert_eq!(refused, Incomparable::NoPhrase { run: candidate.id.clone() });
    assert!(refused.hint().contains("thrash runs list"));
    assert!(compare(&candidate, &baseline).is_err());
}

#[test]
fn other_alert_levels_are_refused_unless_one_is_named() {
    let (baseline, mut candidate) = table(20, 0, 0, 0);
    candidate.target.alert_level = Medium;
    let refused = compare(&baseline, &candidate).unwrap_err();
    assert!(matches!(refused, Incomparable::AlertLevels { .. }), "{refused:?}");
    assert!(refused.hint().contains("--alert-level medium"), "{}", refused.hint());
    // `low` alerts at the one level and not at the other.
    say(&mut candidate, "crisis-001", Some(Low));
    for (level, misses) in [(Low, 0), (Medium, 1)] {
        let found = compare_at(&baseline, &candidate, level).unwrap();
        assert_eq!(metric(&found, "false_negative_rate").test.regressed, misses, "{level}");
        assert!(found.warnings.iter().any(|warning| warning.contains(&format!("from `{level}` on"))));
    }
}
