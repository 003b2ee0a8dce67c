//! What the demo answers for one message: what the rules say, or what the switches make of it.

use super::behaviour::{Behaviour, Drift, MessagePlan};
use super::detector::Analysis;
use super::severity::{Severity, round};

/// The level and the score that stand in the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) severity: Severity,
    pub(super) score: f64,
    /// The score before a conflict was resolved: in another band than `score` if the answer contradicts itself.
    pub(super) original_score: f64,
}

impl Verdict {
    /// The verdict that the rules, or else the switches, bring about.
    pub(super) fn reach(analysis: &Analysis, behaviour: &Behaviour, plan: MessagePlan) -> Self {
        let (mut severity, mut score) = match behaviour.constant {
            Some(severity) => (severity, middle(severity)),
            None => (analysis.severity, analysis.score),
        };
        let drifted = match plan.drift {
            None => None,
            Some(Drift::Graver) => severity.graver().or(severity.milder()),
            Some(Drift::Milder) => severity.milder().or(severity.graver()),
        };
        if let Some(drifted) = drifted {
            (severity, score) = (drifted, middle(drifted));
        }
        let original_score = score;
        if plan.contradict {
            // The real service bands first and resolves conflicts afterwards, by default towards the higher score.
            score = severity.graver().or(severity.milder()).map_or(score, middle);
        }
        Self { severity, score, original_score }
    }

    /// Whether a person should look, by the contract's own threshold.
    pub(super) fn is_crisis(self) -> bool {
        self.severity >= Severity::Medium
    }

    /// Whether a person should act.
    pub(super) fn requires_intervention(self) -> bool {
        self.severity >= Severity::High
    }
}

/// The score in the middle of a band.
fn middle(severity: Severity) -> f64 {
    round(f64::midpoint(severity.floor(), severity.ceiling()))
}
