//! The five levels and sets of them.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How badly somebody is doing, from `none` to `critical`; the order is the order of need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to act on; services also say `safe`.
    None,
    /// A bad day.
    Low,
    /// Serious distress.
    Medium,
    /// At risk.
    High,
    /// At risk now.
    Critical,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The level's place in [`Level::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The level's name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Steps from `other` to `self`; positive when `self` is the more severe.
    pub const fn steps_above(self, other: Self) -> i8 {
        self as i8 - other as i8
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is none of the five levels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("level `{0}` is not one of none, low, medium, high, critical")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == word)
            .ok_or_else(|| UnknownLevel(word.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// On which side of the alert level a phrase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// Every expected level is below the alert level: nobody should be alerted.
    Negative,
    /// Every expected level is at or above it: somebody must be.
    Positive,
    /// The expected set lies on both sides, so the phrase counts in neither rate.
    Straddling,
}

/// A set of levels that holds at least one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LevelSet(u8);

impl LevelSet {
    /// The set of the given levels, or `None` for no level at all.
    pub fn new(levels: impl IntoIterator<Item = Level>) -> Option<Self> {
        let bits = levels.into_iter().fold(0, |bits, level| bits | 1 << level.index());
        (bits != 0).then_some(Self(bits))
    }

    /// The set of one level.
    pub const fn only(level: Level) -> Self {
        Self(1 << level.index())
    }

    /// Whether the level is in the set.
    pub const fn contains(self, level: Level) -> bool {
        self.0 & (1 << level.index()) != 0
    }

    /// The levels in the set, lowest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Level> {
        Level::ALL.into_iter().filter(move |level| self.contains(*level))
    }

    /// The lowest level of the set.
    pub fn min(self) -> Level {
        self.iter().next().unwrap_or(Level::None)
    }

    /// The highest level of the set.
    pub fn max(self) -> Level {
        self.iter().next_back().unwrap_or(Level::Critical)
    }

    /// The one level that stands for the set in a confusion matrix: the middle one, the lower of two middles.
    pub fn primary(self) -> Level {
        let levels: Vec<Level> = self.iter().collect();
        levels[(levels.len() - 1) / 2]
    }

    /// On which side of the alert level the set stands.
    pub fn polarity(self, alert_level: Level) -> Polarity {
        if self.max() < alert_level {
            Polarity::Negative
        } else if self.min() >= alert_level {
            Polarity::Positive
        } else {
            Polarity::Straddling
        }
    }
}

impl fmt::Display for LevelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Level::as_str).collect();
        f.pad(&names.join("|"))
    }
}

impl fmt::Debug for LevelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl Serialize for LevelSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for LevelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let levels = Vec::<Level>::deserialize(deserializer)?;
        Self::new(levels).ok_or_else(|| de::Error::custom("expected at least one level, found an empty list"))
    }
}

impl JsonSchema for LevelSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LevelSet".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let level = generator.subschema_for::<Level>();
        json_schema!({"type": "array", "items": level, "minItems": 1, "uniqueItems": true})
    }
}
