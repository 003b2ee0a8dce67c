//! What the runs of a series show together.

use chrono::{TimeDelta, TimeZone, Utc};
use thrash::domain::{Conclusion, History, HistoryRun, RunId, RunStatus, Series, Shift, ShiftTest, Trend};
use thrash::judge::history;
use thrash::report::{TerminalOptions, render_history, render_history_html};

use crate::support::html::Html;

/// A run of 100 phrases, a day after the one before it.
fn run(day: i32, accuracy: f64, p95_ms: f64) -> HistoryRun {
    let started_at =
        Utc.with_ymd_and_hms(2026, 3, 1, 6, 0, 0).single().unwrap() + TimeDelta::days(day.into());
    HistoryRun {
        id: RunId::from_stored(format!("{}-run{day:03}", started_at.format("%Y%m%d-%H%M%S"))),
        started_at,
        status: Some(RunStatus::Completed),
        conclusion: Some(Conclusion::Passed),
        baseline: false,
        counted: false,
        selection_hash: Some("aaaa".into()),
        target_version: Some("v5.1".into()),
        contract_hash: Some("cccc".into()),
        phrases: 100,
        accuracy: Some(accuracy),
        accuracy_interval: None,
        false_positive_rate: Some(0.02),
        false_negative_rate: Some(0.05),
        severe_miss_rate: Some(0.0),
        unanswered_rate: Some(0.0),
        p50_ms: Some(p95_ms / 2.0),
        p95_ms: Some(p95_ms),
    }
}

fn of(runs: Vec<HistoryRun>) -> History {
    history(Series { suite: "comprehensive".into(), target: "ash-v5".into(), demo: false }, runs)
}

/// Runs of these accuracies; the latencies go up and down, and nowhere.
fn accuracies(values: &[f64]) -> History {
    let latency = |day: usize| 100.0 + [0.0, 7.0, 3.0, 9.0, 1.0, 6.0][day % 6];
    of((0..)
        .zip(values)
        .map(|(day, value)| run(day, *value, latency(usize::try_from(day).unwrap())))
        .collect())
}

fn trend<'a>(history: &'a History, metric: &str) -> &'a Trend {
    history.trends.iter().find(|trend| trend.metric == metric).expect("the trend")
}

fn tested<'a>(history: &'a History, metric: &str) -> &'a ShiftTest {
    match &trend(history, metric).shift {
        Shift::Tested(test) => test,
        other => panic!("{metric}: {other:?}"),
    }
}

const STEADY: [f64; 12] = [0.93, 0.94, 0.92, 0.93, 0.95, 0.93, 0.94, 0.92, 0.93, 0.94, 0.93, 0.92];

#[test]
fn a_fall_names_its_first_run_and_the_means_around_it() {
    let mut values = STEADY.to_vec();
    values.extend([0.85, 0.86, 0.84, 0.85, 0.86]);
    let history = accuracies(&values);
    let test = tested(&history, "accuracy");
    assert!(test.significant && test.p_holm < 0.001, "{test:?}");
    assert_eq!(test.from, history.runs[12].id);
    assert_eq!((test.runs_before, test.runs_after), (12, 5));
    assert!((test.mean_before - 0.931_667).abs() < 1e-5 && (test.mean_after - 0.852).abs() < 1e-9);
    let latency = tested(&history, "latency_p95");
    assert!(!latency.significant, "{latency:?}");
    assert!(latency.p_holm >= latency.p && test.p_holm >= test.p);
}

#[test]
fn a_slower_service_is_noticed_though_it_is_as_right_as_ever() {
    let latency = |day| if day < 8 { 100.0 } else { 170.0 } + 4.0 * f64::from(day % 2);
    let history = of((0..14).map(|day| run(day, 0.93, latency(day))).collect());
    assert_eq!(trend(&history, "accuracy").shift, Shift::Constant);
    let test = tested(&history, "latency_p95");
    assert!(test.significant);
    assert_eq!(test.from, history.runs[8].id);
    assert!((test.mean_before - 102.0).abs() < 1e-9 && (test.mean_after - 172.0).abs() < 1e-9, "plain means");
}

#[test]
fn steady_runs_show_no_shift() {
    let test = accuracies(&STEADY);
    assert!(!tested(&test, "accuracy").significant);
    assert_eq!(trend(&test, "accuracy").newest.as_ref().map(|newest| newest.differs), Some(false));
}

#[test]
fn fewer_than_eight_runs_are_too_few() {
    let history = accuracies(&[0.99, 0.99, 0.99, 0.1, 0.1, 0.1, 0.1]);
    for trend in &history.trends {
        assert_eq!((trend.runs, &trend.shift, &trend.newest), (7, &Shift::TooFew { needed: 8 }, &None));
    }
    let none = of(Vec::new());
    assert_eq!(trend(&none, "accuracy").shift, Shift::TooFew { needed: 8 });
}

#[test]
fn only_complete_runs_of_the_same_phrases_count() {
    let mut runs: Vec<HistoryRun> = (0..12).map(|day| run(day, 0.93, 100.0)).collect();
    runs[0].selection_hash = Some("bbbb".into());
    runs[1].selection_hash = None;
    runs[2].status = Some(RunStatus::Interrupted);
    runs[3].status = Some(RunStatus::Aborted);
    runs[4].conclusion = Some(Conclusion::TargetFailed);
    runs[5].status = None;
    runs[6].conclusion = Some(Conclusion::GateFailed);
    for run in &mut runs[..6] {
        run.accuracy = Some(0.1);
    }
    let history = of(runs);
    let counted: Vec<bool> = history.runs.iter().map(|run| run.counted).collect();
    assert_eq!(counted, [vec![false; 6], vec![true; 6]].concat());
    assert_eq!(trend(&history, "accuracy").runs, 6);
}

#[test]
fn the_phrases_are_the_newest_that_more_than_one_run_sent() {
    let with = |hashes: &[&str]| {
        let runs = (0..).zip(hashes).map(|(day, hash)| HistoryRun {
            selection_hash: Some((*hash).to_owned()),
            ..run(day, 0.9, 100.0)
        });
        of(runs.collect()).counted().map(|run| run.selection_hash.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(with(&["a", "a", "a", "b"]), ["a", "a", "a"], "somebody tried a few phrases");
    assert_eq!(with(&["a", "a", "a", "b", "b"]), ["b", "b"], "the suite changed");
    assert_eq!(with(&["a", "b", "a", "b", "c"]), ["b", "b"]);
    assert_eq!(with(&["a", "b"]), ["b"]);
}

#[test]
fn a_newest_run_out_of_line_is_noticed_alone() {
    let mut values = STEADY.to_vec();
    values.push(0.88);
    let history = accuracies(&values);
    let newest = trend(&history, "accuracy").newest.as_ref().unwrap();
    let [lower, upper] = newest.predicted.unwrap();
    assert!(newest.differs && newest.value < lower && lower < 0.93 && upper > 0.94, "{newest:?}");

    // A service that never varied, and does now: no interval, and still said.
    let mut values = vec![0.93; 9];
    values.push(0.92);
    let history = accuracies(&values);
    let newest = trend(&history, "accuracy").newest.as_ref().unwrap();
    assert_eq!((newest.predicted, newest.differs), (None, true));
    assert!(
        render_history(&history, &TerminalOptions::default())
            .contains("accuracy of the newest run is 92.0 %, and all 9 runs before it had 93.0 %")
    );
}

#[test]
fn the_interval_is_wilsons() {
    let history = accuracies(&[0.5]);
    let [lower, upper] = history.runs[0].accuracy_interval.unwrap();
    assert!((lower - 0.403_831).abs() < 1e-5 && (upper - 0.596_169).abs() < 1e-5);
}

#[test]
fn runs_without_numbers_are_shown_and_make_no_trend() {
    let mut empty = run(3, 0.9, 100.0);
    (empty.accuracy, empty.p95_ms, empty.phrases, empty.false_positive_rate) = (None, None, 0, None);
    let history = of(vec![run(0, 0.9, 0.0), run(1, 0.9, 90.0), run(2, 0.8, 80.0), empty]);
    assert_eq!(trend(&history, "accuracy").runs, 3);
    assert_eq!(trend(&history, "latency_p95").runs, 2, "a latency of zero has no logarithm");
    assert_eq!(history.runs[3].accuracy_interval, None);
    let page = render_history(&history, &TerminalOptions::default());
    assert!(page.contains('–') && !page.contains("NaN"), "{page}");
}

/// Fourteen runs, of which the ninth begins a fall; one is the baseline, one was interrupted.
pub(crate) fn shifted() -> History {
    let mut runs: Vec<HistoryRun> =
        (0..9).map(|day| run(day, 0.93 + 0.01 * f64::from(day % 2), 120.0)).collect();
    runs.extend((9..14).map(|day| run(day, 0.86, 122.0 + f64::from(day))));
    runs[3].baseline = true;
    runs[5].status = Some(RunStatus::Interrupted);
    runs[5].conclusion = Some(Conclusion::Interrupted);
    for run in &mut runs[9..] {
        run.conclusion = Some(Conclusion::GateFailed);
        run.target_version = Some("v5.2".into());
    }
    of(runs)
}

#[test]
fn the_page_reads_well() {
    let options = TerminalOptions { notes: vec!["a note".to_owned()], ..TerminalOptions::default() };
    let page = render_history(&shifted(), &options);
    for line in page.lines() {
        assert!(console::measure_text_width(line) <= 80, "{line}");
    }
    insta::assert_snapshot!(page);
}

#[test]
fn more_runs_than_columns_keep_the_newest_bars_and_every_line_fits() {
    let runs: Vec<HistoryRun> = (0..300).map(|day| run(day, f64::from(day % 10) / 10.0, 100.0)).collect();
    for width in [30, 80, 160] {
        let page =
            render_history(&of(runs.clone()), &TerminalOptions { width, ..TerminalOptions::default() });
        for line in page.lines() {
            assert!(console::measure_text_width(line) <= width, "{width}: {line}");
        }
        let bars = page.lines().find(|line| line.trim_start().starts_with("accuracy  ")).unwrap();
        assert!(width < 40 || bars.contains("▆▇█  0.0 % to 90.0 %"), "{bars}");
    }
}

#[test]
fn the_page_for_the_browser_says_what_shifted_and_has_every_run() {
    let history = shifted();
    let html = Html::parse(&render_history_html(&history));
    assert_eq!(html.errors, [""; 0]);
    assert!(html.all("h1").all(|heading| heading.text.contains("Something shifted")));
    let drift = &html.id("drift").text;
    let first = history.runs[9].id.to_string();
    for words in
        ["accuracy shifted with run", &first, "largest standardised CUSUM", "Holm", "from v5.1 to v5.2"]
    {
        assert!(drift.contains(words), "no `{words}` in {drift}");
    }
    let runs = &html.id("runs").text;
    let places: Vec<usize> =
        history.runs.iter().rev().map(|run| runs.find(run.id.as_str()).expect("the run is listed")).collect();
    assert!(places.is_sorted(), "newest first");
    for words in ["the baseline", "not counted", "Interrupted", "93.0 %", "[86.3, 96.6]", "v5.2"] {
        assert!(runs.contains(words), "no `{words}` in {runs}");
    }
    // A chart each for accuracy, false positives, misses and latency, with words for those who do not see it.
    let charts: Vec<&str> = html.all("title").skip(1).map(|title| title.text.as_str()).collect();
    assert_eq!(charts.len(), 4, "{charts:?}");
    assert_eq!(charts[0], "Accuracy over 13 runs, now 86.0 %.");
    assert!(html.id("over-time").text.contains("dashed: where it shifted"));
}

#[test]
fn a_page_never_says_more_than_its_runs() {
    let heading = |history: &History| {
        let html = Html::parse(&render_history_html(history));
        assert_eq!(html.errors, [""; 0]);
        let body = html.all("body").next().and_then(|body| body.attribute("class")).map(str::to_owned);
        (html.all("h1").next().expect("a heading").text.clone(), body.expect("a tone"))
    };
    let says = |history: &History, words: &str, tone: &str| {
        let (text, body) = heading(history);
        assert!(text.contains(words) && body == tone, "{text}, {body}");
    };
    says(&accuracies(&STEADY), "No shift seen", "plain");
    says(&accuracies(&STEADY[..7]), "Too few runs to tell", "plain");
    says(&of(Vec::new()), "Too few runs to tell", "plain");
    let mut values = STEADY.to_vec();
    values.push(0.88);
    says(&accuracies(&values), "The newest run is out of line", "unsure");
}

#[test]
fn words_from_outside_are_words_on_the_page() {
    let mut history = shifted();
    let word = "</title><script>alert(1)</script>\u{202e}\u{1b}[31m";
    history.series.suite = word.to_owned();
    history.series.target = word.to_owned();
    for (at, run) in (0..).zip(&mut history.runs) {
        run.target_version = Some(format!("{word}{}", at / 9));
    }
    let bytes = render_history_html(&history);
    let html = Html::parse(&bytes);
    assert_eq!(
        (html.errors.as_slice(), html.all("script").count()),
        ([""; 0].map(String::from).as_slice(), 0)
    );
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'));
}
