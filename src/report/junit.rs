//! `JUnit` XML as CI servers read it (the Jenkins dialect, written as nextest writes it).
//!
//! A suite a category with a case a phrase, and the suite `gates` with a case a check. The run's conclusion is a case
//! of its own, so that a run that was cut short, or got no answers, is never green for want of failed cases.
//!
//! A known failure is skipped, with who answers for it. Of a phrase that was sent more than once, every wrong answer
//! beside the judged one is a flaky failure if the phrase is right, a rerun if it is wrong.

use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite, XmlString,
};

use crate::domain::{
    Check, CheckOutcome, CheckSource, Conclusion, Observation, PhraseResult, RunRecord, RunStatus,
    TextPolicy, Verdict,
};

use super::ReportError;
use super::explanation::{explanation, figure};
use super::failure::{Failure, no_answer, passes};
use super::finding::{excuse, waiver};
use super::fit;
use super::headline::removed;

/// The suite that holds the checks.
const GATES: &str = "gates";

/// Which test cases a `JUnit` report lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum JunitCases {
    /// Phrases and gates. A CI server turns red for any wrong answer, also for those that the gates allow.
    #[default]
    All,
    /// Gates alone: red exactly when the run did not pass.
    Gates,
}

/// The run as `JUnit` XML.
pub(super) fn render(
    record: &RunRecord,
    text: TextPolicy,
    cases: JunitCases,
) -> Result<Vec<u8>, ReportError> {
    let mut report = Report::new(xml(&format!("thrash {}", record.suite.name)));
    report.set_timestamp(record.started_at).set_time(milliseconds(record.duration_ms));
    report.add_test_suite(gates(record));
    if cases == JunitCases::All {
        for category in categories(&record.results) {
            let results = record.results.iter().filter(|result| result.category == category);
            let mut suite = TestSuite::new(xml(category));
            suite.set_time(results.clone().map(time).sum());
            suite.add_test_cases(results.map(|result| phrase(record, result, text)));
            report.add_test_suite(suite);
        }
    }
    let mut bytes = Vec::new();
    report.serialize(&mut bytes).map_err(ReportError::Junit)?;
    Ok(bytes)
}

/// The categories, in the order in which they first appear.
fn categories(results: &[PhraseResult]) -> Vec<&str> {
    let mut categories: Vec<&str> = Vec::new();
    for result in results {
        if !categories.contains(&result.category.as_str()) {
            categories.push(&result.category);
        }
    }
    categories
}

fn phrase(record: &RunRecord, result: &PhraseResult, text: TextPolicy) -> TestCase {
    let mut status = match (Failure::of(result), waiver(record, &result.id)) {
        (None, _) => TestCaseStatus::success(),
        (Some(failure), Some(waiver)) => {
            let mut status = TestCaseStatus::skipped();
            status.set_type("waived");
            status.set_message(xml(&format!("{}; {}", failure.sentence(), excuse(waiver))));
            status
        }
        (Some(failure), None) => failed(&failure),
    };
    if record.repeats.is_some() {
        status.add_reruns(wrong_answers(result));
    }
    if let Some(text) = result.text.as_deref().and_then(|recorded| text.apply(recorded)) {
        status.set_description(xml(&fit::clean_lines(&text)));
    }
    let mut case = TestCase::new(xml(&result.id), status);
    case.set_classname(xml(&result.category)).set_time(time(result));
    if result.source.line > 0 {
        case.extra.insert(xml("file"), xml(&result.source.file));
        case.extra.insert(xml("line"), xml(&result.source.line.to_string()));
    }
    case
}

/// A wrong answer is a failure, no answer an error.
fn failed(failure: &Failure<'_>) -> TestCaseStatus {
    let (kind, of_type) = match (failure.result.verdict, failure.no_answer()) {
        (Verdict::Unanswered, Some(no_answer)) => (NonSuccessKind::Error, no_answer.reason.as_str()),
        (Verdict::Unanswered, None) => (NonSuccessKind::Error, "unanswered"),
        (Verdict::Exact | Verdict::Tolerated | Verdict::Under | Verdict::Over, _) => {
            (NonSuccessKind::Failure, failure.result.verdict.as_str())
        }
    };
    non_success(kind, of_type, &failure.sentence())
}

/// The wrong answers to a phrase beside the one that was judged.
fn wrong_answers(result: &PhraseResult) -> Vec<TestRerun> {
    // The judged answer is the case's own failure.
    let judged =
        result.observations.iter().position(|observation| observation.answer.level() == result.level);
    let is_judged = |at: usize| !result.verdict.passes() && Some(at) == judged;
    let others = result.observations.iter().enumerate().filter(|(at, _)| !is_judged(*at));
    let wrong = others.filter(|(_, observation)| !passes(result, observation));
    wrong.map(|(_, observation)| rerun(result, observation)).collect()
}

fn rerun(result: &PhraseResult, observation: &Observation) -> TestRerun {
    let (kind, of_type, found) = match (no_answer(observation), observation.answer.level()) {
        (Some(no_answer), _) => {
            (NonSuccessKind::Error, no_answer.reason.as_str(), format!("no answer: {}", no_answer.detail))
        }
        (None, Some(level)) if level > result.highest_passing => {
            (NonSuccessKind::Failure, "over", format!("got {level}"))
        }
        (None, level) => (
            NonSuccessKind::Failure,
            "under",
            format!("got {}", level.map_or("nothing", |level| level.as_str())),
        ),
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_type(xml(of_type)).set_time(milliseconds(observation.latency_ms)).set_message(xml(&format!(
        "pass {}: expected {}, {found}",
        observation.repeat + 1,
        result.expected
    )));
    rerun
}

/// The checks, after the conclusion.
fn gates(record: &RunRecord) -> TestSuite {
    let mut suite = TestSuite::new(GATES);
    for (name, value) in [
        ("run", record.id.as_str()),
        ("target", &record.target.name),
        ("url", &record.target.url),
        ("suite", &record.suite.name),
        ("suite_hash", &record.suite.hash),
        ("tool_version", &record.tool.version),
    ] {
        suite.add_property(Property::new(name, xml(value)));
    }
    if let Some(load) = &record.load {
        for (key, value) in &load.scenario.overrides {
            suite.add_property(Property::new(xml(&format!("override.{key}")), xml(value)));
        }
        if let Some(by) = load.ended_by {
            suite.add_property(Property::new("ended_by", by.as_str()));
        }
    }
    if let Some(removed) = removed(record) {
        suite.add_property(Property::new("note", xml(&removed)));
    }
    suite.add_test_case(conclusion(record));
    suite.add_test_cases(record.verdict.checks.iter().map(check));
    suite
}

fn conclusion(record: &RunRecord) -> TestCase {
    let sentence = &record.verdict.sentence;
    let status = match (record.verdict.conclusion, record.status) {
        (Conclusion::Passed, RunStatus::Completed) => TestCaseStatus::success(),
        (Conclusion::Passed, RunStatus::Interrupted | RunStatus::Aborted) => {
            non_success(NonSuccessKind::Error, "incomplete", sentence)
        }
        (failed @ Conclusion::GateFailed, _) => {
            non_success(NonSuccessKind::Failure, failed.as_str(), sentence)
        }
        (other @ (Conclusion::TargetFailed | Conclusion::Inconclusive | Conclusion::Interrupted), _) => {
            non_success(NonSuccessKind::Error, other.as_str(), sentence)
        }
    };
    let mut case = TestCase::new("conclusion", status);
    case.set_classname(GATES);
    case
}

/// A check that only warns is no failure: its case passes and says what is the matter.
fn check(check: &Check) -> TestCase {
    let known = check.value.map(|_| figure(check)).into_iter().chain([explanation(check)]);
    let message = known.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let status = match check.outcome {
        CheckOutcome::Pass => TestCaseStatus::success(),
        // A server that turned red for it would let it decide.
        CheckOutcome::Fail | CheckOutcome::Inconclusive if !check.severity.decides() => {
            let mut status = TestCaseStatus::success();
            status.set_description(xml(&format!("warning: {message}")));
            status
        }
        CheckOutcome::Fail => non_success(NonSuccessKind::Failure, &check.metric, &message),
        CheckOutcome::Inconclusive => non_success(NonSuccessKind::Error, check.outcome.as_str(), &message),
    };
    let mut case = TestCase::new(xml(&check.name), status);
    case.set_classname(match check.source {
        CheckSource::Gate => GATES,
        CheckSource::Category => "gates.category",
        CheckSource::MustPass => "gates.must_pass",
        CheckSource::Integrity => "gates.integrity",
        CheckSource::Waiver => "gates.waiver",
    });
    if check.value.is_some() {
        case.add_property(Property::new("value", figure(check)));
    }
    if check.outcome != CheckOutcome::Pass && !check.severity.decides() {
        case.set_system_out(xml(&format!("warning: {message}")));
    }
    case
}

fn non_success(kind: NonSuccessKind, of_type: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(xml(of_type)).set_message(xml(message));
    status
}

/// How long a phrase took, all repeats together.
fn time(result: &PhraseResult) -> Duration {
    milliseconds(result.observations.iter().map(|observation| observation.latency_ms).sum())
}

/// A duration; zero for what is none.
fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}

/// Text without the characters that XML 1.0 cannot hold (§2.2); [`XmlString`] knows all but the last two.
fn xml(text: &str) -> XmlString {
    XmlString::new(text.replace(['\u{fffe}', '\u{ffff}'], ""))
}
