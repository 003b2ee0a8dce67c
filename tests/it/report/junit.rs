//! `JUnit` XML, read back by the two kinds of readers there are: the Jenkins dialect's and a plain XML parser.

use std::io::Write;
use std::process::{Command, Stdio};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, XmlString};
use thrash::domain::{Conclusion, RunRecord, RunStatus, TextPolicy};
use thrash::report::{Format, JunitCases, RenderOptions, render};

use super::extras;
use super::terminal::assert_snapshot;
use crate::support::sample::{self, Sample};

fn junit(record: &RunRecord, options: &RenderOptions) -> String {
    String::from_utf8(render(Format::Junit, record, options).expect("it renders")).expect("it is UTF-8")
}

fn parsed(record: &RunRecord, junit_cases: JunitCases) -> Report {
    let xml = junit(record, &RenderOptions { junit_cases, ..RenderOptions::default() });
    Report::deserialize_from_str(&xml).expect("it parses")
}

fn case<'a>(report: &'a Report, suite: &str, name: &str) -> &'a TestCase {
    let suite = report.test_suites.iter().find(|found| found.name == *suite).expect("the suite is there");
    suite.test_cases.iter().find(|found| found.name == *name).expect("the case is there")
}

/// Kind, type and message of a case that did not succeed.
fn trouble(case: &TestCase) -> (NonSuccessKind, &str, &str) {
    match &case.status {
        TestCaseStatus::NonSuccess { kind, ty: Some(ty), message: Some(message), .. } => (*kind, ty, message),
        other => panic!("expected a failure or an error, found {other:?}"),
    }
}

#[test]
fn every_phrase_is_a_case_of_its_category_and_every_check_one_of_the_gates() {
    let record = sample::record();
    let report = parsed(&record, JunitCases::All);
    assert_eq!(report.test_suites.len(), 1 + 8);
    let [gates, categories @ ..] = report.test_suites.as_slice() else { panic!("there are suites") };
    assert_eq!(gates.name.as_str(), "gates");
    assert_eq!(gates.test_cases.len(), 1 + record.verdict.checks.len());
    assert_eq!(categories.iter().map(|suite| suite.tests).sum::<usize>(), 25);
    let case = case(&report, "gaming_slang", "gaming_slang-001");
    assert_eq!(case.classname.as_deref(), Some("gaming_slang"));
    assert_eq!(case.time.map(|time| time.as_millis()), Some(106));
    assert_eq!(case.extra.get("file").map(XmlString::as_str), Some("phrases/quick/gaming_slang.yaml"));
}

#[test]
fn a_wrong_answer_is_a_failure_that_says_by_how_many_levels() {
    let report = parsed(&sample::record(), JunitCases::All);
    assert_eq!(
        trouble(case(&report, "explicit_ideation", "explicit_ideation-003")),
        (NonSuccessKind::Failure, "under", "expected high|critical, got low (2 under)")
    );
    assert_eq!(
        trouble(case(&report, "gaming_slang", "gaming_slang-004")),
        (NonSuccessKind::Failure, "over", "expected none, got medium (2 over)")
    );
}

#[test]
fn no_answer_is_an_error_of_the_reason_type() {
    let report = parsed(&sample::record(), JunitCases::All);
    assert_eq!(
        trouble(case(&report, "self_harm", "self_harm-002")),
        (NonSuccessKind::Error, "timed out", "expected high, no answer: nothing came within 5 s")
    );
}

#[test]
fn an_inconclusive_check_is_an_error_and_a_failed_one_a_failure() {
    let report = parsed(&Sample::comprehensive().record(), JunitCases::Gates);
    let (kind, of_type, _) = trouble(case(&report, "gates", "false_positive_rate <= 4% (bound 95%)"));
    assert_eq!((kind, of_type), (NonSuccessKind::Error, "inconclusive"));
    let (kind, of_type, _) = trouble(case(&report, "gates", "accuracy >= 92%"));
    assert_eq!((kind, of_type), (NonSuccessKind::Failure, "accuracy"));
}

#[test]
fn gates_alone_are_green_when_the_run_passed() {
    let report = parsed(&Sample::all_right().record(), JunitCases::Gates);
    assert_eq!((report.failures, report.errors, report.test_suites.len()), (0, 0, 1));
}

#[test]
fn a_run_that_did_not_pass_is_never_green() {
    let mut records: Vec<RunRecord> =
        [Conclusion::GateFailed, Conclusion::TargetFailed, Conclusion::Inconclusive, Conclusion::Interrupted]
            .into_iter()
            .map(|conclusion| Sample { conclusion: Some(conclusion), ..Sample::all_right() }.record())
            .collect();
    for status in [RunStatus::Interrupted, RunStatus::Aborted] {
        records.push(Sample { status, ..Sample::all_right() }.record());
    }
    for record in &mut records {
        record.verdict.checks.clear();
        for cases in [JunitCases::All, JunitCases::Gates] {
            let report = parsed(record, cases);
            assert!(report.failures + report.errors > 0, "{:?} looks green", record.verdict.conclusion);
        }
    }
}

#[test]
fn the_text_of_a_phrase_is_there_only_when_asked_for_and_recorded() {
    let mut record = sample::record();
    assert!(!junit(&record, &RenderOptions::default()).contains("The text of"));
    let full = RenderOptions { text: Some(TextPolicy::Full), ..RenderOptions::default() };
    assert!(junit(&record, &full).contains("The text of self_harm-002."));
    for result in &mut record.results {
        result.text = None;
    }
    assert!(!junit(&record, &full).contains("The text of"));
}

#[test]
fn what_xml_cannot_hold_is_left_out() {
    let mut record = Sample::quick().record();
    let nasty = "a\u{0}b\u{1}\u{b}<&>\"']]>\u{1b}[31mred\u{fffe}\u{ffff}\u{7f}é\u{1f600}";
    record.target.name = nasty.to_owned();
    record.verdict.sentence = nasty.to_owned();
    for result in &mut record.results {
        result.text = Some(nasty.to_owned());
        result.category = nasty.to_owned();
        result.id = format!("{}{nasty}", result.id);
    }
    for check in &mut record.verdict.checks {
        check.name = nasty.to_owned();
        check.reason = nasty.to_owned();
    }
    let xml = junit(&record, &RenderOptions { text: Some(TextPolicy::Full), ..RenderOptions::default() });
    let report = Report::deserialize_from_str(&xml).expect("it parses");
    assert_eq!(report.test_suites[1].name.as_str(), "ab<&>\"']]>red\u{7f}é\u{1f600}");
    python_reads(&xml);
}

/// A parser of another make reads it too, where there is one.
fn python_reads(xml: &str) {
    let count = "import sys, xml.etree.ElementTree as e; print(len(e.parse(sys.stdin.buffer).findall('.//testcase')))";
    let python =
        Command::new("python3").args(["-c", count]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = python else { return };
    python.stdin.take().expect("its input is piped").write_all(xml.as_bytes()).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), xml.matches("<testcase ").count().to_string());
}

#[test]
fn an_ordinary_report_is_read_by_a_plain_xml_parser() {
    python_reads(&junit(&sample::record(), &RenderOptions::default()));
}

#[test]
fn a_small_run_reads_well() {
    let mut sample = Sample::empty();
    sample.add("explicit_ideation", &[thrash::domain::Level::High], 2);
    sample.say("explicit_ideation-002", sample::Said::Level(thrash::domain::Level::Low, 0.3));
    assert_snapshot("junit_small", &junit(&sample.record(), &RenderOptions::default()));
}

/// The report as a parser reads it that has nothing to do with the writer.
fn read_elsewhere(record: &RunRecord) -> junit_parser::TestSuites {
    junit_parser::from_reader(junit(record, &RenderOptions::default()).as_bytes()).expect("it parses")
}

fn case_elsewhere<'a>(read: &'a junit_parser::TestSuites, name: &str) -> &'a junit_parser::TestCase {
    let cases = read.suites.iter().flat_map(|suite| &suite.cases);
    cases.into_iter().find(|case| case.original_name == name).expect("the case is there")
}

#[test]
fn another_parser_counts_the_same() {
    for record in [sample::record(), Sample::target_down().record(), extras::rich()] {
        let (ours, theirs) = (parsed(&record, JunitCases::All), read_elsewhere(&record));
        let totals = [ours.tests, ours.failures, ours.errors].map(|count| count as u64);
        assert_eq!([theirs.tests, theirs.failures, theirs.errors], totals);
        for suite in &theirs.suites {
            let bad = suite.cases.iter().filter(|case| case.status.is_failure()).count();
            assert_eq!(
                (suite.failures, suite.tests),
                (bad as u64, suite.cases.len() as u64),
                "{}",
                suite.name
            );
        }
    }
}

#[test]
fn a_known_failure_is_skipped_with_its_reason() {
    let mut record = sample::record();
    let before = parsed(&record, JunitCases::All);
    extras::waive(&mut record, "gaming_slang-004");
    let after = parsed(&record, JunitCases::All);
    assert_eq!(after.failures, before.failures - 1);
    let read = read_elsewhere(&record);
    let junit_parser::TestStatus::Skipped(skipped) = &case_elsewhere(&read, "gaming_slang-004").status else {
        panic!("it is skipped")
    };
    assert_eq!(
        skipped.message,
        "expected none, got medium (2 over); known, @org/nlp answers for it until 2026-04-01: known since v5 (#12)"
    );
    // An expired waiver, and one whose phrase passed, skip nothing.
    for waiver in &mut record.waivers.as_mut().expect("waivers").waivers {
        waiver.state = thrash::domain::WaiverState::Expired;
    }
    assert_eq!(parsed(&record, JunitCases::All).failures, before.failures);
}

#[test]
fn wrong_answers_of_a_phrase_that_is_right_are_flaky_failures() {
    let mut record = sample::record();
    extras::repeat(&mut record, "everyday_benign-001");
    let read = read_elsewhere(&record);
    let case = case_elsewhere(&read, "everyday_benign-001");
    assert!(case.status.is_success());
    let found: Vec<_> = case
        .reruns
        .iter()
        .map(|rerun| (format!("{:?}", rerun.kind), rerun.rerun_type.as_str(), rerun.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("FlakyFailure".to_owned(), "over", "pass 2: expected none, got critical"),
            (
                "FlakyError".to_owned(),
                "timed out",
                "pass 3: expected none, no answer: nothing came within 5 s"
            ),
        ]
    );
}

#[test]
fn wrong_answers_of_a_phrase_that_is_wrong_are_reruns() {
    let mut record = sample::record();
    extras::repeat(&mut record, "everyday_benign-001");
    let result = extras::result(&mut record, "everyday_benign-001");
    (result.level, result.verdict) = (None, thrash::domain::Verdict::Unanswered);
    let read = read_elsewhere(&record);
    let case = case_elsewhere(&read, "everyday_benign-001");
    assert!(case.status.is_error());
    let kinds: Vec<_> =
        case.reruns.iter().map(|rerun| (format!("{:?}", rerun.kind), rerun.message.as_str())).collect();
    assert_eq!(kinds, [("RerunFailure".to_owned(), "pass 2: expected none, got critical")]);
}

#[test]
fn a_gate_that_only_warns_is_no_failure() {
    let mut record = sample::record();
    let before = parsed(&record, JunitCases::Gates).failures;
    let name = extras::warn(&mut record);
    assert_eq!(parsed(&record, JunitCases::Gates).failures, before - 1);
    let read = read_elsewhere(&record);
    let case = case_elsewhere(&read, &name);
    assert!(case.status.is_success());
    assert!(case.system_out.as_deref().expect("it says why").starts_with("warning: 84.0 %"));
}
