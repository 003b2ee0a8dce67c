//! Runs that can be held against each other over time.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RunRecord;

/// The runs of a suite against a target. Those of the embedded demo detector are a series of their own, whatever
/// their target is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The suite's name.
    pub suite: String,
    /// The target's name.
    pub target: String,
    /// Whether the target is the embedded demo detector.
    #[serde(default)]
    pub demo: bool,
}

impl Series {
    /// The series that a run belongs to.
    pub fn of(record: &RunRecord) -> Self {
        Self {
            suite: record.suite.name.clone(),
            target: record.target.name.clone(),
            demo: record.target.demo,
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let demo = if self.demo { " (the built-in demo)" } else { "" };
        write!(f, "`{}` against `{}`{demo}", self.suite, self.target)
    }
}
