//! The run that later ones are held against: which one is wanted, and which one is set.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{RunId, Series};

/// A run that stands for its suite and target: later ones are held against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The run.
    pub run: RunId,
    /// The suite and the target, which are the run's.
    #[serde(flatten)]
    pub series: Series,
    /// Since when.
    pub set_at: DateTime<Utc>,
    /// What was said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which run somebody wants to hold another one against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineWish {
    /// None.
    Nothing,
    /// The newest complete run of the same phrases against the same target that did not fail its gates.
    Latest,
    /// A stored run, by its id or the only beginning of one.
    Run(String),
    /// A run record in a file.
    File(PathBuf),
}

impl FromStr for BaselineWish {
    type Err = String;

    /// An id has no `/` and no `.`, so a text that has one is a file.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        Ok(match text.to_ascii_lowercase().as_str() {
            "" => return Err("it is empty: write a run's id, a record's file, `latest` or `none`".to_owned()),
            "none" => Self::Nothing,
            "latest" => Self::Latest,
            _ if text.contains(['/', '.']) => Self::File(text.into()),
            _ => Self::Run(text.to_owned()),
        })
    }
}

impl BaselineWish {
    /// Whether it names one thing, which is there or not whatever the run finds.
    pub const fn is_named(&self) -> bool {
        match self {
            Self::Run(_) | Self::File(_) => true,
            Self::Nothing | Self::Latest => false,
        }
    }
}

impl fmt::Display for BaselineWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Latest => f.write_str("latest"),
            Self::Run(run) => f.write_str(run),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for BaselineWish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for BaselineWish {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BaselineWish".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "a run's id or the beginning of one, a record file, `latest` or `none`"})
    }
}
