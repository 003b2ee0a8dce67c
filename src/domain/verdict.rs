//! What an answer is worth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an answer stands to what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// In the expected set.
    Exact,
    /// Outside the set, within what its tolerance allows.
    Tolerated,
    /// Too low.
    Under,
    /// Too high.
    Over,
    /// No answer came.
    Unanswered,
}

impl Verdict {
    /// Whether it counts as right: `exact` and `tolerated` do.
    pub const fn passes(self) -> bool {
        match self {
            Self::Exact | Self::Tolerated => true,
            Self::Under | Self::Over | Self::Unanswered => false,
        }
    }

    /// The verdict's name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Tolerated => "tolerated",
            Self::Under => "under",
            Self::Over => "over",
            Self::Unanswered => "unanswered",
        }
    }
}
