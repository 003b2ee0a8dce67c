//! What stands on the board: the job, each of its loads, and what workers tell; JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::load::{Overrides, Ramp, Sending, Tally, Window};

/// The job: what a worker has to have in its own files, and the scenario. A worker that does not know all of it would send
/// another load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    /// The program's version: counts are added only to counts of the same making.
    pub(super) version: String,
    /// The scenario's name.
    pub(super) name: String,
    /// The scenario, as it is written.
    pub(super) text: String,
    /// What its lengths of time are multiplied by.
    pub(super) time_scale: f64,
    /// What holds in place of what it says.
    pub(super) overrides: Overrides,
    /// The seed.
    pub(super) seed: u64,
    /// The target's name.
    pub(super) target: String,
    /// Where it is, without a password.
    pub(super) url: String,
    /// Hash of its contract.
    pub(super) contract_hash: String,
    /// Hash of the phrases.
    pub(super) selection_hash: String,
}

/// One of its loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoadOrders {
    pub(super) ramps: Vec<Ramp>,
    pub(super) warm_up: Duration,
    pub(super) first: u64,
    pub(super) longest: Duration,
    pub(super) most: u64,
    pub(super) idle_right: Option<Vec<bool>>,
}

impl LoadOrders {
    pub(super) fn of(sending: &Sending) -> Self {
        Self {
            ramps: sending.ramps.clone(),
            warm_up: sending.warm_up,
            first: sending.first,
            longest: sending.longest,
            most: sending.most,
            idle_right: sending.idle_right.clone(),
        }
    }
}

/// What a worker tells of a load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Told {
    /// Which load it is about.
    pub(super) load: u32,
    pub(super) what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// It can begin.
    Ready {
        threads: usize,
        /// How far its clock is ahead of the database's, and how well it knows that.
        clock_ms: f64,
        clock_error_ms: f64,
    },
    /// What it saw since the last time.
    Seen(Vec<Window>),
    /// All that it counted. With `trouble` it is not all that it should have sent.
    Done { tally: Box<Tally>, trouble: Option<String> },
    /// It sent nothing.
    Failed(String),
}
