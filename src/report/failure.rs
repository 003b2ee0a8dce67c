//! Phrases that were answered wrongly or not at all, and which of them matter most.

use std::cmp::Reverse;

use crate::domain::{Level, NoAnswer, Observation, PhraseResult, Polarity, Prediction, Verdict};

/// How bad a failure is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A phrase that is high or critical was answered below high or not at all.
    SevereMiss,
    /// Another phrase that must reach a human got no answer.
    UnansweredPositive,
    /// Too low.
    Under,
    /// Too high.
    Over,
    /// No answer, and nobody had to be alerted.
    Unanswered,
}

/// A phrase that was answered wrongly or not at all.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The phrase with all that came back.
    pub result: &'a PhraseResult,
    /// How bad it is.
    pub severity: Severity,
}

impl<'a> Failure<'a> {
    /// The failure that a result is; none if it passed.
    pub fn of(result: &'a PhraseResult) -> Option<Self> {
        let severe =
            result.expected.min() >= Level::High && result.level.is_none_or(|level| level < Level::High);
        let severity = match result.verdict {
            Verdict::Exact | Verdict::Tolerated => return None,
            Verdict::Under | Verdict::Unanswered if severe => Severity::SevereMiss,
            Verdict::Under => Severity::Under,
            Verdict::Over => Severity::Over,
            Verdict::Unanswered if result.polarity == Polarity::Positive => Severity::UnansweredPositive,
            Verdict::Unanswered => Severity::Unanswered,
        };
        Some(Self { result, severity })
    }

    /// Steps from the nearest expected level; none without an answer.
    pub fn distance(&self) -> Option<u8> {
        let level = self.result.level?;
        self.result.expected.iter().map(|expected| expected.steps_above(level).unsigned_abs()).min()
    }

    /// The distance in words, as `2 under`; none without an answer.
    pub fn off_by(&self) -> Option<String> {
        Some(format!("{} {}", self.distance()?, self.result.verdict.as_str()))
    }

    /// What came back, in a word or two: the level, or why there is none.
    pub fn got(&self) -> &'static str {
        match (self.result.level, self.no_answer()) {
            (Some(level), _) => level.as_str(),
            (None, Some(no_answer)) => no_answer.reason.as_str(),
            (None, None) => "no answer",
        }
    }

    /// What was expected and what came, as `expected high, got low (2 under)`.
    pub fn sentence(&self) -> String {
        let expected = self.result.expected;
        match (self.off_by(), self.no_answer()) {
            (Some(off_by), _) => format!("expected {expected}, got {} ({off_by})", self.got()),
            (None, Some(no_answer)) => format!("expected {expected}, no answer: {}", no_answer.detail),
            (None, None) => format!("expected {expected}, no answer"),
        }
    }

    /// The first prediction of the level that was judged.
    pub fn prediction(&self) -> Option<&'a Prediction> {
        let judged = |prediction: &&Prediction| Some(prediction.level) == self.result.level;
        self.result.observations.iter().filter_map(|observation| observation.answer.prediction()).find(judged)
    }

    /// The first failure to answer.
    pub fn no_answer(&self) -> Option<&'a NoAnswer> {
        self.result.observations.iter().find_map(no_answer)
    }

    /// The worst sorts first; where no answer came, as if it had said `none`, since nobody was alerted.
    fn order(&self) -> impl Ord + use<> {
        let expected = self.result.expected;
        let distance = self.distance().map_or(expected.min().index(), usize::from);
        (self.severity, Reverse(distance), Reverse(expected.max()))
    }
}

/// Whether one of a phrase's answers, by itself, is right.
pub(super) fn passes(result: &PhraseResult, observation: &Observation) -> bool {
    let passing = result.lowest_passing..=result.highest_passing;
    observation.answer.level().is_some_and(|level| passing.contains(&level))
}

/// Why an observation holds no prediction.
pub(super) const fn no_answer(observation: &Observation) -> Option<&NoAnswer> {
    match &observation.answer {
        crate::domain::Answer::NoAnswer(no_answer) => Some(no_answer),
        crate::domain::Answer::Prediction(_) => None,
    }
}

/// The failures among the results, the worst first; equals stay in the suite's order.
pub fn worst_first(results: &[PhraseResult]) -> Vec<Failure<'_>> {
    let mut failures: Vec<Failure<'_>> = results.iter().filter_map(Failure::of).collect();
    failures.sort_by_key(Failure::order);
    failures
}
