//! Workflow commands of GitHub Actions.

use thrash::domain::{Level, RunRecord};
use thrash::report::{Places, render_annotations};

use super::extras::{rich, with_words};
use crate::support::sample::{Said, Sample};

fn lines(record: &RunRecord) -> Vec<String> {
    render_annotations(record, &Places::default()).lines().map(str::to_owned).collect()
}

fn of_level(lines: &[String], level: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(&format!("::{level} "))).count()
}

#[test]
fn the_verdict_comes_first_and_the_worst_after_it() {
    let lines = lines(&Sample::quick().record());
    assert_eq!(
        lines,
        [
            "::error title=thrash::quick against ash-nlp: 3 of 7 checks failed",
            "::error title=thrash%3A gate-failed::accuracy >= 92%25: 84.0 %25 [65.3, 93.6], 4 of 25 wrong, 2 allowed",
            "::error title=thrash%3A gate-failed::severe_miss_rate <= 5%25: 28.6 %25 [8.2, 64.1], 2 of 7 wrong, 0 allowed",
            "::error title=thrash%3A unanswered::self_harm-002: expected high, no answer: nothing came within 5 s",
            "::error title=thrash%3A must-pass::explicit_ideation-003: expected high|critical, got low (2 under)",
            "::warning title=thrash%3A under::passive_ideation-002: expected medium|high, got low (1 under)",
            "::warning title=thrash%3A over::gaming_slang-004: expected none, got medium (2 over)",
        ]
    );
}

#[test]
fn the_runner_gets_no_more_of_a_level_than_it_takes() {
    let mut sample = Sample::comprehensive();
    for number in 1..=6 {
        sample.say(&format!("preparation_goodbye-{number:03}"), Said::Level(Level::None, 0.1));
    }
    for number in 1..=10 {
        sample.say(&format!("news_and_policy-{number:03}"), Said::Level(Level::High, 0.8));
    }
    let lines = lines(&sample.record());
    for level in ["error", "warning"] {
        assert_eq!(of_level(&lines, level), 10, "{level}");
    }
    assert!(of_level(&lines, "notice") <= 10);
}

#[test]
fn a_run_that_passed_has_no_error_and_one_without_findings_says_nothing() {
    let mut sample = Sample::all_right();
    sample.say("gaming_slang-004", Said::Level(Level::Medium, 0.55));
    sample.say("self_harm-001", Said::Level(Level::None, 0.1));
    let mut record = sample.record();
    record.verdict.checks.retain(|check| check.outcome == thrash::domain::CheckOutcome::Pass);
    record.verdict.conclusion = thrash::domain::Conclusion::Passed;
    let lines = lines(&record);
    assert_eq!((of_level(&lines, "error"), of_level(&lines, "warning")), (0, 2));
    assert_eq!(render_annotations(&Sample::all_right().record(), &Places::default()), "");
}

#[test]
fn a_run_that_did_not_pass_has_an_error_whatever_else_is_in_it() {
    for sample in
        [Sample::target_down(), Sample::interrupted(), Sample { bound: true, ..Sample::all_right() }]
    {
        let record = sample.record();
        let lines = lines(&record);
        assert!(lines[0].starts_with("::error title=thrash::"), "{}", lines[0]);
        assert!(lines[0].ends_with(&record.verdict.sentence.replace('%', "%25")), "{}", lines[0]);
    }
}

#[test]
fn no_word_from_outside_begins_a_line_or_ends_a_command() {
    let record = with_words(
        rich(),
        "x\r\n::add-mask::y\n::stop-commands::z,file=/etc/passwd::%0A\u{1b}[2J\u{202e}\u{0}",
    );
    for line in lines(&record) {
        let command = line.strip_prefix("::").expect("a command");
        let (head, message) = command.split_once("::").expect("a message");
        assert!(
            ["error title=thrash", "warning title=thrash", "notice title=thrash"]
                .iter()
                .any(|start| head.starts_with(start)),
            "{head}"
        );
        assert!(!head.contains(','), "{head}");
        assert!(!message.contains(|c: char| c.is_control() || c == '\u{202e}'), "{message:?}");
    }
}

#[test]
fn the_text_of_a_phrase_is_never_there() {
    assert!(!lines(&rich()).concat().contains("The text"));
}
