//! Unlabelled lines through target and reference: how often they part, and where most.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Conclusion, Estimate, Level, NoAnswerReason, Rate, ReferenceModel, RunStatus, TargetRecord, ToolRecord,
};

/// One of two answers to a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowAnswer {
    /// The level.
    pub level: Level,
    /// The service's or the model's own word.
    pub label: String,
    /// How badly, 0 to 1, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// A line with what came back for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowPair {
    /// Its number in the input, from 1.
    pub line: u64,
    /// A number that it shares with the lines of the same text; none where there are no others.
    pub alike: Option<usize>,
    /// What the target says; none where it did not answer.
    pub target: Option<ShadowAnswer>,
    /// What the reference says; none where it was stopped before.
    pub reference: Option<ShadowAnswer>,
}

/// A line that target and reference give different levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowDisagreement {
    /// Its number in the input, from 1.
    pub line: u64,
    /// What the target says.
    pub target: ShadowAnswer,
    /// What the reference says.
    pub reference: ShadowAnswer,
    /// Levels that the target is above the reference; below 0 it is below.
    pub levels_above: i64,
    /// The target's score less the reference's, where there are both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<f64>,
    /// The line, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Two sets of answers to the same lines.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ShadowComparison {
    /// Another level, of the lines that both answered. Who is right is not known.
    pub disagreement: Rate,
    /// On different sides of the alert level, of the lines that both answered.
    pub across_alert: Rate,
    /// Agreement beyond chance: Cohen's kappa with quadratic weights.
    pub kappa_quadratic: Option<Estimate>,
    /// Rows: the reference's level; columns: the target's, then "no answer".
    pub levels: Vec<Vec<u64>>,
    /// The strongest disagreements: most levels apart, then the widest score gap, then the first line.
    pub strongest: Vec<ShadowDisagreement>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowInput {
    /// The file; `-` is standard input.
    pub name: String,
    /// SHA-256 of its content.
    pub sha256: String,
    /// Lines with something in them.
    pub lines: u64,
    /// Lines without, which were passed over.
    pub empty: u64,
}

/// What target and reference made of unlabelled lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowReport {
    /// The version of the format.
    pub schema_version: u32,
    /// How it ended: passed means that both answered, whatever they said.
    pub conclusion: Conclusion,
    /// Why it did not pass, in a sentence; empty if it did.
    pub reason: String,
    /// How far it came.
    pub status: RunStatus,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long the target was asked, in milliseconds.
    pub duration_ms: f64,
    /// The program.
    pub tool: ToolRecord,
    /// What was read.
    pub input: ShadowInput,
    /// The target.
    pub target: TargetRecord,
    /// The reference.
    pub reference: ReferenceModel,
    /// What the reader should know of the reference, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Lines that were never sent.
    pub not_sent: u64,
    /// Lines that the target did not answer, by the reason.
    pub unanswered: BTreeMap<NoAnswerReason, u64>,
    /// Lines that the reference did not answer.
    pub without_opinion: u64,
    /// The rest, compared.
    pub comparison: ShadowComparison,
}
