//! Gates that belong together, under a name.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::threshold::Gate;
use crate::document::nearest;

/// A ready set of gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateProfile {
    /// What the suite that this program replaces held against a baseline.
    Regression,
}

impl GateProfile {
    const ALL: [Self; 1] = [Self::Regression];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Regression => "regression",
        }
    }

    /// Its gates, as they are written.
    pub const fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Regression => &[
                "accuracy drop <= 2 points",
                "false_negative_rate rise <= 2 points",
                "accuracy[category=*] drop <= 5 points (warn)",
                "false_positive_rate rise <= 3 points (warn)",
                "latency_p95 rise <= 50% (warn)",
            ],
        }
    }

    /// Its gates.
    ///
    /// # Panics
    /// Never: a test reads every line.
    pub fn gates(self) -> Vec<Gate> {
        self.lines().iter().map(|line| line.parse().expect("the gates of a profile can be read")).collect()
    }
}

impl fmt::Display for GateProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for GateProfile {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str);
            match nearest(word, &known) {
                Some(near) => format!("there is no gate profile `{word}`; did you mean `{near}`?"),
                None => format!("there is no gate profile `{word}`; there is {}", known.join(", ")),
            }
        })
    }
}
