//! Two load runs beside each other: the loads themselves, and how they were borne over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LatencyReport, LoadRecord, LoadSecond, Rate, RunRecord};

/// Slices of time that are kept of a run, at most.
const MOST_SLICES: usize = 120;

/// Both loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadComparison {
    /// The baseline's.
    pub baseline: LoadBrief,
    /// The candidate's.
    pub candidate: LoadBrief,
}

/// A load, as a comparison shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadBrief {
    /// Requests that started, the warm-up left out.
    pub started: u64,
    /// Requests started a second, over the whole run; none where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Requests started within a second of when they should have, of those intended.
    pub achieved: Rate,
    /// Requests that ended.
    pub ended: u64,
    /// Those of them without an answer.
    pub unanswered: u64,
    /// Response time.
    pub response: LatencyReport,
    /// The run over time, neighbouring seconds as one where it was long.
    pub seconds: Vec<LoadSecond>,
    /// How long the seconds are that they are made of.
    pub second_s: f64,
}

impl LoadComparison {
    /// Of two load runs; none of others.
    pub fn of(baseline: &RunRecord, candidate: &RunRecord) -> Option<Self> {
        let brief = |run: &RunRecord| Some(LoadBrief::of(run, run.load.as_deref()?));
        Some(Self { baseline: brief(baseline)?, candidate: brief(candidate)? })
    }
}

impl LoadBrief {
    fn of(run: &RunRecord, load: &LoadRecord) -> Self {
        // Each step for as long as its starts took.
        #[expect(clippy::cast_precision_loss, reason = "no run has so many requests")]
        let took = load
            .steps
            .iter()
            .filter(|step| step.rate > 0.0)
            .map(|step| step.counts.started as f64 / step.rate);
        let took: f64 = took.sum();
        let counts = &load.counts;
        Self {
            started: counts.started,
            #[expect(clippy::cast_precision_loss, reason = "no run has so many requests")]
            rate: (took > 0.0).then(|| counts.started as f64 / took),
            achieved: load.achieved,
            ended: counts.ended(),
            unanswered: counts.unanswered(),
            response: run.latency.clone(),
            seconds: LoadSecond::thinned(&load.seconds, MOST_SLICES),
            second_s: load.second_s,
        }
    }
}
