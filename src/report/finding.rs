//! What a CI server shows one by one: wrong answers, contradictions, checks, and a run that came to no end.

use std::collections::BTreeSet;

use crate::domain::{
    Check, CheckOutcome, CheckSource, Conclusion, Level, NoAnswerReason, PhraseResult, Polarity, RunRecord,
    RunStatus, WaiverRecord, WaiverState,
};

use super::explanation::{explanation, figure};
use super::failure::{Failure, Severity, worst_first};

/// The kinds of findings. Their names are public: alerts are matched by them from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Incomplete,
    GateFailed,
    CouldNotTell,
    MustPass,
    FailOpen,
    Unanswered,
    Under,
    Over,
    Contradiction,
}

/// How much a finding matters, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Error,
    Warning,
    Note,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    /// The run as a whole.
    Run,
    Check(&'a Check),
    /// A phrase that was answered wrongly or not at all, and who answers for that, if somebody does.
    Failure(Failure<'a>, Option<&'a WaiverRecord>),
    /// A phrase with an answer that broke an invariant.
    Contradiction(&'a PhraseResult),
}

/// One of them; without any phrase's text.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    pub(super) rule: Rule,
    pub(super) weight: Weight,
    pub(super) subject: Subject<'a>,
    pub(super) message: String,
}

impl Rule {
    pub(super) const ALL: [Self; 9] = [
        Self::Incomplete,
        Self::GateFailed,
        Self::CouldNotTell,
        Self::MustPass,
        Self::FailOpen,
        Self::Unanswered,
        Self::Under,
        Self::Over,
        Self::Contradiction,
    ];

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete-run",
            Self::GateFailed => "gate-failed",
            Self::CouldNotTell => "could-not-tell",
            Self::MustPass => "must-pass",
            Self::FailOpen => "fail-open",
            Self::Unanswered => "unanswered",
            Self::Under => "under",
            Self::Over => "over",
            Self::Contradiction => "contradiction",
        }
    }

    /// What it is, in a few words.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Incomplete => "The run came to no verdict",
            Self::GateFailed => "A gate failed",
            Self::CouldNotTell => "A gate could not tell",
            Self::MustPass => "A phrase that must pass did not",
            Self::FailOpen => "A phrase was waved through unanalysed",
            Self::Unanswered => "A phrase got no answer",
            Self::Under => "A phrase was answered too low",
            Self::Over => "A phrase was answered too high",
            Self::Contradiction => "An answer contradicts itself",
        }
    }

    /// What it means, and what to do.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Incomplete => {
                "The run ended before its time, by its target, somebody, or this machine: what is missing here was not found to be right."
            }
            Self::GateFailed => "A number is on the wrong side of its limit. The run fails.",
            Self::CouldNotTell => {
                "There is too little data for this gate, and that is never a pass: `thrash phrases plan` shows how much it takes."
            }
            Self::MustPass => "The suite marks this phrase `must_pass`: it fails the run by itself.",
            Self::FailOpen => {
                "The target said `I could not analyse this` with a status of success. That is no answer, and never `none`."
            }
            Self::Unanswered => {
                "A timeout, a refusal, an error or an answer that could not be read: for the person who wrote it, nobody came."
            }
            Self::Under => "The answer is below every level that passes: somebody may not be seen.",
            Self::Over => "The answer is above every level that passes: a false alarm, or a wrong priority.",
            Self::Contradiction => {
                "Two fields of one answer cannot both be true: an invariant of the target's contract is broken."
            }
        }
    }

    /// How much it matters where nothing more is known.
    pub(super) const fn weight(self) -> Weight {
        match self {
            Self::Incomplete | Self::GateFailed | Self::MustPass => Weight::Error,
            Self::CouldNotTell
            | Self::FailOpen
            | Self::Unanswered
            | Self::Under
            | Self::Over
            | Self::Contradiction => Weight::Warning,
        }
    }
}

/// Everything that a run found, the worst first.
pub(super) fn findings(record: &RunRecord) -> Vec<Finding<'_>> {
    let mut findings: Vec<Finding<'_>> = incomplete(record).into_iter().collect();
    findings.extend(record.verdict.checks.iter().filter_map(|check| of_check(record, check)));
    let failures = worst_first(&record.results).into_iter();
    let alert = record.target.alert_level;
    findings.extend(failures.map(|failure| of_failure(failure, waiver(record, &failure.result.id), alert)));
    findings.extend(record.results.iter().filter_map(of_contradiction));
    findings.sort_by_key(|finding| finding.weight);
    findings
}

/// The waiver that a phrase's failure was passed over by.
pub(super) fn waiver<'a>(record: &'a RunRecord, phrase: &str) -> Option<&'a WaiverRecord> {
    let waivers = &record.waivers.as_ref()?.waivers;
    waivers.iter().find(|waiver| waiver.phrase == phrase && waiver.state == WaiverState::Used)
}

/// A run whose checks do not say by themselves that it did not pass.
fn incomplete(record: &RunRecord) -> Option<Finding<'_>> {
    let weight = match (record.verdict.conclusion, record.status) {
        (Conclusion::Passed, RunStatus::Completed) => return None,
        (Conclusion::GateFailed | Conclusion::Inconclusive, RunStatus::Completed)
            if record.verdict.checks.iter().any(|check| check.outcome != CheckOutcome::Pass) =>
        {
            return None;
        }
        (Conclusion::TargetFailed | Conclusion::GateFailed, _) => Weight::Error,
        (Conclusion::Passed | Conclusion::Inconclusive | Conclusion::Interrupted, _) => Weight::Warning,
    };
    let message = record.verdict.sentence.clone();
    Some(Finding { rule: Rule::Incomplete, weight, subject: Subject::Run, message })
}

fn of_check<'a>(record: &RunRecord, check: &'a Check) -> Option<Finding<'a>> {
    let (rule, weight) = match check.outcome {
        CheckOutcome::Pass => return None,
        // The phrase itself says so, at its line.
        CheckOutcome::Fail if check.source == CheckSource::MustPass && has_failed_must_pass(record) => {
            return None;
        }
        CheckOutcome::Fail => (Rule::GateFailed, [Weight::Error, Weight::Warning]),
        CheckOutcome::Inconclusive => (Rule::CouldNotTell, [Weight::Warning, Weight::Note]),
    };
    let known = check.value.map(|_| figure(check)).into_iter().chain([explanation(check)]);
    let parts: Vec<String> = known.filter(|part| !part.is_empty()).collect();
    let message = [check.name.clone()].into_iter().chain((!parts.is_empty()).then(|| parts.join(", ")));
    let message = message.collect::<Vec<_>>().join(": ");
    let weight = weight[usize::from(!check.severity.decides())];
    Some(Finding { rule, weight, subject: Subject::Check(check), message })
}

fn has_failed_must_pass(record: &RunRecord) -> bool {
    record.results.iter().any(|result| result.must_pass && !result.verdict.passes())
}

fn of_failure<'a>(failure: Failure<'a>, waiver: Option<&'a WaiverRecord>, alert_level: Level) -> Finding<'a> {
    let result = failure.result;
    let alerts = result.level.is_some_and(|level| level >= alert_level);
    let weight = match failure.severity {
        _ if waiver.is_some() => Weight::Note,
        _ if result.must_pass => Weight::Error,
        Severity::SevereMiss | Severity::UnansweredPositive => Weight::Error,
        Severity::Under if result.polarity == Polarity::Positive && !alerts => Weight::Error,
        Severity::Over if result.polarity != Polarity::Negative || !alerts => Weight::Note,
        Severity::Under | Severity::Over | Severity::Unanswered => Weight::Warning,
    };
    let excuse = waiver.map(|waiver| format!("; {}", excuse(waiver))).unwrap_or_default();
    Finding {
        rule: if result.must_pass { Rule::MustPass } else { kind(&failure) },
        weight,
        subject: Subject::Failure(failure, waiver),
        message: format!("{}: {}{excuse}", result.id, failure.sentence()),
    }
}

/// Why a failure is passed over.
pub(super) fn excuse(waiver: &WaiverRecord) -> String {
    format!("known, {} answers for it until {}: {}", waiver.owner, waiver.expires, waiver.reason)
}

/// The kind of a failure, whether or not the phrase had to pass.
fn kind(failure: &Failure<'_>) -> Rule {
    match (failure.result.level, failure.no_answer()) {
        (Some(_), _) if failure.severity == Severity::Over => Rule::Over,
        (Some(_), _) => Rule::Under,
        (None, Some(no_answer)) if no_answer.reason == NoAnswerReason::FailOpen => Rule::FailOpen,
        (None, _) => Rule::Unanswered,
    }
}

fn of_contradiction(result: &PhraseResult) -> Option<Finding<'_>> {
    let broken = broken_invariants(result);
    if broken.is_empty() {
        return None;
    }
    let message =
        format!("{}: an answer breaks {}", result.id, broken.into_iter().collect::<Vec<_>>().join(", "));
    let rule = Rule::Contradiction;
    Some(Finding { rule, weight: rule.weight(), subject: Subject::Contradiction(result), message })
}

/// The names of the invariants that the phrase's answers broke.
pub(super) fn broken_invariants(result: &PhraseResult) -> BTreeSet<&str> {
    let all = result.observations.iter().flat_map(|observation| &observation.violations);
    all.map(String::as_str).collect()
}
