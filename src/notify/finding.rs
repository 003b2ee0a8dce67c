//! What a run means for those who answer for its target.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Check, CheckOutcome, CheckSource, Conclusion, RunId, RunKind, RunRecord, RunStatus, SliceKind,
};
use crate::report::{explanation, figure, figures};

/// The runs that are told about together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlertSeries {
    /// The suite's or the scenario's name.
    pub suite: String,
    /// The target's name.
    pub target: String,
    /// Whether the target is the embedded demo detector.
    pub demo: bool,
    /// The environment's name, if it has one.
    pub environment: Option<String>,
    /// What the runs do.
    pub kind: RunKind,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It can wait a few minutes, and for the end of quiet hours.
    Warning,
    /// Somebody may not be seen: it is told at once.
    Critical,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every check passed.
    Passed,
    /// Something is broken.
    Failed(Severity),
    /// The target does not answer, which is critical.
    Away,
    /// It could not be told, and that is not fine.
    Unknown,
    /// It could not begin though the target was not even asked, or was not kept: that does not mend itself.
    NotBegun,
}

/// What a run means, without any phrase's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The runs that it belongs to.
    pub series: AlertSeries,
    /// When it was found.
    pub at: DateTime<Utc>,
    /// The run, if there is a record of one.
    pub run: Option<RunId>,
    /// What came out.
    pub outcome: Outcome,
    /// The same in a sentence.
    pub sentence: String,
    /// The numbers behind it, each in a line.
    pub facts: Vec<String>,
}

/// So many checks are named; the run's page has them all.
const MOST: usize = 6;

/// Numbers that tell whether somebody may not be seen.
const CRITICAL: [&str; 5] =
    ["accuracy", "false_negative_rate", "severe_miss_rate", "unanswered_rate", "fail_open_answers"];

impl AlertSeries {
    /// The series of a run.
    pub fn of(record: &RunRecord) -> Self {
        let scenario = record.load.as_ref().map(|load| load.scenario.name.clone());
        Self {
            suite: scenario.unwrap_or_else(|| record.suite.name.clone()),
            target: record.target.name.clone(),
            demo: record.target.demo,
            environment: record.environment.clone(),
            kind: record.kind,
        }
    }

    /// The series as the store knows it.
    pub fn key(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for AlertSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} against {}", self.suite, self.target)?;
        if let Some(environment) = &self.environment {
            write!(f, " in {environment}")?;
        }
        f.write_str(if self.demo { " (the built-in demo)" } else { "" })
    }
}

impl Severity {
    /// Its name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Finding {
    /// What the record of a run means.
    pub fn of(record: &RunRecord) -> Self {
        let outcome = match record.verdict.conclusion {
            Conclusion::Passed => Outcome::Passed,
            Conclusion::TargetFailed if record.status == RunStatus::Aborted => Outcome::Away,
            Conclusion::TargetFailed => Outcome::Failed(Severity::Critical),
            Conclusion::GateFailed => Outcome::Failed(severity(record)),
            Conclusion::Inconclusive | Conclusion::Interrupted => Outcome::Unknown,
        };
        Self {
            series: AlertSeries::of(record),
            at: record.finished_at,
            run: Some(record.id.clone()),
            outcome,
            sentence: record.verdict.sentence.clone(),
            facts: facts(record),
        }
    }

    /// What is left of a run that did not begin, or was lost.
    pub fn without_run(series: AlertSeries, at: DateTime<Utc>, outcome: Outcome, sentence: String) -> Self {
        Self { series, at, run: None, outcome, sentence, facts: Vec::new() }
    }
}

/// The checks that failed the run.
fn failed(record: &RunRecord) -> impl Iterator<Item = &Check> {
    let checks = record.verdict.checks.iter();
    checks.filter(|check| check.outcome == CheckOutcome::Fail && check.severity.decides())
}

/// How much it matters that these checks failed.
fn severity(record: &RunRecord) -> Severity {
    let is_critical = |check: &Check| match check.source {
        CheckSource::MustPass => true,
        CheckSource::Category => {
            let name = check.slice.as_deref().and_then(|slice| slice.strip_prefix("category="));
            let slice = name.and_then(|name| record.slice(SliceKind::Category, name));
            slice.is_some_and(|slice| slice.critical)
        }
        CheckSource::Gate | CheckSource::Integrity => CRITICAL.contains(&check.metric.as_str()),
        CheckSource::Waiver => false,
    };
    if failed(record).any(is_critical) { Severity::Critical } else { Severity::Warning }
}

/// What the run found, in lines: the checks that did not pass, and the accuracy in any case.
fn facts(record: &RunRecord) -> Vec<String> {
    let unclear = record
        .verdict
        .checks
        .iter()
        .filter(|check| check.outcome == CheckOutcome::Inconclusive && check.severity.decides());
    let troubles: Vec<&Check> = failed(record).chain(unclear).collect();
    let mut facts: Vec<String> = troubles.iter().take(MOST).map(|check| fact(check)).collect();
    if troubles.len() > MOST {
        facts.push(format!("and {} more", figures::count((troubles.len() - MOST) as u64, "check", "checks")));
    }
    let metrics = &record.metrics;
    if metrics.phrases > 0 {
        facts.push(format!(
            "accuracy {}, {} of {} right",
            figures::rate(&metrics.accuracy),
            metrics.accuracy.count,
            figures::count(metrics.phrases, "phrase", "phrases"),
        ));
    }
    facts
}

fn fact(check: &Check) -> String {
    let found = check.value.map(|_| figure(check)).into_iter().chain([explanation(check)]);
    let parts: Vec<String> = found.filter(|part| !part.is_empty()).collect();
    let unclear = if check.outcome == CheckOutcome::Inconclusive { "could not tell: " } else { "" };
    if parts.is_empty() {
        format!("{unclear}{}", check.name)
    } else {
        format!("{unclear}{}: {}", check.name, parts.join(", "))
    }
}
