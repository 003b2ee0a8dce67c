//! What a person sees at the terminal.

use std::path::PathBuf;

use thrash::domain::{Conclusion, Integrity, Level, NoAnswerReason, RunRecord, Violation};
use thrash::report::{TerminalOptions, render_terminal};

use crate::support::sample::{self, Said, Sample};

/// Snapshots of all report tests lie in one folder, without the module's name in theirs.
pub(super) fn assert_snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("report_{name}"), text);
    });
}

fn plain(record: &RunRecord) -> String {
    render_terminal(record, &TerminalOptions::default())
}

/// Without the escape sequences that set colours.
pub(super) fn without_colors(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| all + piece.split_once('m').expect("a colour ends in m").1)
}

#[test]
fn a_failed_run_reads_well() {
    let options = TerminalOptions {
        files: vec![("Report".to_owned(), PathBuf::from("/srv/ci/reports/20260301-101500-k7m2pq.html"))],
        notes: vec!["no reference model is installed: `thrash model pull` fetches one".to_owned()],
        ..TerminalOptions::default()
    };
    assert_snapshot("failed", &render_terminal(&sample::record(), &options));
}

#[test]
fn a_passed_run_reads_well() {
    assert_snapshot("passed", &plain(&Sample::all_right().record()));
}

#[test]
fn a_larger_run_shows_the_matrix_and_collapses_what_is_all_right() {
    assert_snapshot("comprehensive", &plain(&Sample::comprehensive().record()));
}

#[test]
fn a_run_that_could_not_tell_reads_well() {
    assert_snapshot("inconclusive", &plain(&Sample { bound: true, ..Sample::all_right() }.record()));
}

#[test]
fn a_failed_target_reads_well() {
    assert_snapshot("target_failed", &plain(&Sample::target_down().record()));
}

#[test]
fn an_interrupted_run_reads_well() {
    assert_snapshot("interrupted", &plain(&Sample::interrupted().record()));
}

#[test]
fn the_demo_says_so_below_the_verdict_and_retries_show_both_latencies() {
    assert_snapshot("demo", &plain(&Sample { demo: true, retries: 3, ..Sample::quick() }.record()));
}

#[test]
fn a_single_phrase_reads_well() {
    let mut sample = Sample::empty();
    sample.add("explicit_ideation", &[Level::High, Level::Critical], 1);
    assert_snapshot("single", &plain(&sample.record()));
}

#[test]
fn a_run_of_nothing_reads_well() {
    assert_snapshot("nothing", &plain(&Sample::empty().record()));
}

#[test]
fn a_narrow_terminal_loses_columns_and_no_verdict() {
    let options = TerminalOptions { width: 60, ..TerminalOptions::default() };
    assert_snapshot("narrow", &render_terminal(&sample::record(), &options));
}

#[test]
fn every_integrity_finding_has_a_line() {
    let mut record = sample::record();
    let violation = |phrase: &str, invariant: &str| Violation {
        phrase: phrase.to_owned(),
        repeat: 0,
        invariant: invariant.to_owned(),
    };
    record.integrity = Integrity {
        violations: vec![
            violation("a-1", "score_in_range"),
            violation("a-2", "score_in_range"),
            violation("a-1", "id"),
        ],
        fail_open: vec!["b-1".to_owned()],
        changed: ["c-1", "c-2", "c-3", "c-4", "c-5"].map(str::to_owned).to_vec(),
        cached: 2,
        target_caches: Some(true),
        retries: 5,
        rate_limited: 3,
        no_answer: [(NoAnswerReason::Timeout, 3), (NoAnswerReason::ServerError, 1)].into(),
        not_sent: 12,
        lost: 2,
    };
    record.suite.left_out = 1;
    let text = plain(&record);
    let section = text.split("\n\n").find(|section| section.starts_with("Integrity")).expect("it is there");
    insta::assert_snapshot!(section, @r"
    Integrity
      ! 3 answers broke an invariant: id (1), score_in_range (2)
      ! 1 phrase was waved through unanalysed (fail-open): b-1
      ! 5 phrases got different answers when repeated: c-1, c-2, c-3 +2 more
      ! 2 answers came from a cache
      ! 5 attempts were retries, 3 attempts were answered with 429
      ! 4 requests went unanswered: timed out (3), server error (1)
      ! 12 planned requests were not sent
      ! 2 answers were lost to a bug in thrash
      ! 1 phrase was left out: the target takes no earlier messages
    ");
}

#[test]
fn a_clean_run_has_no_integrity_section() {
    assert!(!plain(&Sample::all_right().record()).contains("Integrity"));
}

#[test]
fn the_verdict_comes_first_in_words() {
    let words = [
        (Conclusion::Passed, "PASSED "),
        (Conclusion::GateFailed, "FAILED "),
        (Conclusion::Inconclusive, "COULD NOT TELL "),
        (Conclusion::TargetFailed, "TARGET FAILED "),
        (Conclusion::Interrupted, "INTERRUPTED "),
    ];
    for (conclusion, word) in words {
        let sample = Sample { conclusion: Some(conclusion), ..Sample::all_right() };
        assert!(plain(&sample.record()).starts_with(word));
    }
}

#[test]
fn the_worst_failures_come_first() {
    let mut sample = Sample::all_right();
    sample.say("everyday_benign-001", Said::Level(Level::Critical, 0.9));
    sample.say("everyday_benign-002", Said::Nothing(NoAnswerReason::Timeout));
    sample.say("passive_ideation-001", Said::Level(Level::Low, 0.3));
    sample.say("passive_ideation-002", Said::Level(Level::None, 0.1));
    sample.say("passive_ideation-003", Said::Nothing(NoAnswerReason::Timeout));
    sample.say("self_harm-001", Said::Level(Level::Medium, 0.5));
    sample.say("explicit_ideation-001", Said::Level(Level::None, 0.0));
    let text = plain(&sample.record());
    let section = text.split("\n\n").find(|section| section.starts_with("Worst")).expect("it is there");
    let ids: Vec<&str> = section.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        ids,
        [
            "explicit_ideation-001",
            "self_harm-001",
            "passive_ideation-003",
            "passive_ideation-002",
            "passive_ideation-001",
            "everyday_benign-001",
            "everyday_benign-002"
        ]
    );
}

#[test]
fn the_text_of_a_phrase_is_shown_only_when_asked_for() {
    let record = sample::record();
    assert!(!plain(&record).contains("The text of"));
    let text = render_terminal(&record, &TerminalOptions { text: true, ..TerminalOptions::default() });
    assert_eq!(text.matches("The text of").count(), 4);
}

#[test]
fn colours_are_only_colours() {
    for sample in [Sample::quick(), Sample::comprehensive(), Sample::target_down(), Sample::empty()] {
        let record = Sample { demo: true, ..sample }.record();
        let coloured =
            render_terminal(&record, &TerminalOptions { color: true, ..TerminalOptions::default() });
        assert!(coloured.contains("\u{1b}[") && !plain(&record).contains('\u{1b}'));
        assert_eq!(without_colors(&coloured), plain(&record));
    }
}

#[test]
fn what_a_terminal_would_obey_is_not_passed_on() {
    let mut record = sample::record();
    let nasty = "x\u{1b}[2J\u{9b}1m\u{7}\r\n\tPASSED\u{202e}\u{2066}";
    record.target.url = nasty.to_owned();
    record.verdict.sentence = nasty.to_owned();
    record.suite.name = nasty.to_owned();
    for result in &mut record.results {
        result.id = nasty.to_owned();
        result.text = Some(nasty.to_owned());
    }
    for slice in &mut record.slices {
        slice.name = nasty.to_owned();
    }
    let options = TerminalOptions { text: true, notes: vec![nasty.to_owned()], ..TerminalOptions::default() };
    let text = render_terminal(&record, &options);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains(['\u{202e}', '\u{2066}']));
    assert!(!text.lines().any(|line| line.starts_with("PASSED")));
}

#[test]
fn what_a_ci_runner_would_obey_is_not_passed_on() {
    for nasty in
        ["::stop-commands::x", "  ::error::x", "x\n::add-mask::y", "##[add-mask]x", "x ##vso[y]z", "###[x]"]
    {
        let mut record = sample::record();
        record.verdict.sentence = nasty.to_owned();
        for check in &mut record.verdict.checks {
            check.reason = format!("{} {nasty}", "word ".repeat(30));
        }
        for result in &mut record.results {
            result.id = nasty.to_owned();
            result.text = Some(nasty.to_owned());
        }
        for color in [false, true] {
            let options = TerminalOptions {
                text: true,
                color,
                notes: vec![nasty.to_owned()],
                ..TerminalOptions::default()
            };
            let text = render_terminal(&record, &options);
            for line in text.lines() {
                // The runner looks past blanks at the start, and for the other two anywhere.
                assert!(!line.trim_start().starts_with("::"), "{line}");
                assert!(!line.contains("##"), "{line}");
            }
        }
    }
}
