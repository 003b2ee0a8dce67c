//! Failures that somebody knows of and answers for.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Metrics, Slice};

/// What a waiver did in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// Its phrase failed, and the gates passed it over.
    Used,
    /// Its phrase passed every time: the waiver is to be removed.
    Unneeded,
    /// Its last day is over: it waives nothing.
    Expired,
    /// Its phrase was not in the run, got no answer, which nobody can waive, or was right with some wrong answers among
    /// its repeats; or the run is none that it is for.
    NotRun,
}

/// A known failure in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverRecord {
    /// The phrase's id.
    pub phrase: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is waived.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: NaiveDate,
    /// What it did.
    pub state: WaiverState,
}

/// What waivers did to a run. The record's own numbers count every phrase; a gate that fails on
/// them is asked again with the ones here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverReport {
    /// Every waiver of the file, in its order.
    pub waivers: Vec<WaiverRecord>,
    /// So many may be used at once, at most.
    pub most: u64,
    /// The numbers without the waived failures.
    pub metrics: Metrics,
    /// The slices' numbers without them.
    pub slices: Vec<Slice>,
}
