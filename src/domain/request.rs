//! What somebody asks for.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Split;

/// A run's name: `YYYYMMDD-HHMMSS-xxxxxx`, the UTC time when it began or was asked for, and six random letters or digits.
///
/// It sorts by time, is safe as a file name, and two runs of the same second do not collide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Thirty-two signs that are hard to confuse.
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// Makes the id from the start time and 30 random bits.
    pub fn new(started_at: DateTime<Utc>, random: u32) -> Self {
        let tail: String =
            (0..6).map(|i| char::from(Self::ALPHABET[(random >> (5 * i) & 31) as usize])).collect();
        Self(format!("{}-{tail}", started_at.format("%Y%m%d-%H%M%S")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of a stored run, as it was stored.
    pub fn from_stored(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which phrases of a suite are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// Only these categories; empty means all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Only phrases with one of these tags; empty means all.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Only this part of the suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// At most so many, drawn evenly over the categories.
    #[serde(default)]
    pub limit: Option<usize>,
    /// The seed of that draw.
    #[serde(default)]
    pub seed: u64,
}

/// What somebody asks to be run; the command line, the service and the schedule all ask this way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RunRequest {
    /// Suites by name, phrase files and folders of them; they are joined.
    pub suites: Vec<String>,
    /// Which of their phrases.
    #[serde(default)]
    pub selection: Selection,
}

/// What becomes of the text of phrases in records and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TextPolicy {
    /// Kept as it is.
    #[default]
    Full,
    /// Letters and digits become dots; length and punctuation stay.
    Redacted,
    /// Left out.
    None,
}

impl TextPolicy {
    /// The text as this policy lets it be kept.
    pub fn apply(self, text: &str) -> Option<String> {
        match self {
            Self::Full => Some(text.to_owned()),
            Self::Redacted => Some(
                text.chars()
                    .map(|c| if c.is_whitespace() || c.is_ascii_punctuation() { c } else { '•' })
                    .collect(),
            ),
            Self::None => None,
        }
    }
}

impl FromStr for TextPolicy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "full" => Ok(Self::Full),
            "redacted" => Ok(Self::Redacted),
            "none" => Ok(Self::None),
            _ => Err(format!("`{word}` is not one of full, redacted, none")),
        }
    }
}
