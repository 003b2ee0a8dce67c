//! A labelled phrase.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::{Annotations, Level, LevelSet, SliceKind};

/// How many levels outside the expected set still pass, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tolerance(u8);

impl Tolerance {
    /// Nothing outside the set passes.
    pub const NONE: Self = Self(0);
    /// Anything in this direction passes.
    pub const ANY: Self = Self(4);

    /// Tolerates `levels` steps; `None` for more than the four there are.
    pub const fn levels(levels: u8) -> Option<Self> {
        if levels <= 4 { Some(Self(levels)) } else { None }
    }

    /// How many steps pass.
    pub const fn steps(self) -> u8 {
        self.0
    }
}

impl Serialize for Tolerance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Tolerance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or a number of levels from 0 to 4")
            }

            fn visit_bool<E: de::Error>(self, any: bool) -> Result<Tolerance, E> {
                Ok(if any { Tolerance::ANY } else { Tolerance::NONE })
            }

            fn visit_u64<E: de::Error>(self, levels: u64) -> Result<Tolerance, E> {
                u8::try_from(levels)
                    .ok()
                    .and_then(Tolerance::levels)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(levels), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Tolerance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tolerance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": 4}]})
    }
}

/// Where a phrase was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PhraseSource {
    /// The file, as it was named to the program.
    pub file: String,
    /// The line, from 1; 0 when it is not known.
    pub line: u32,
}

/// Which part of a suite a phrase is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// May be looked at while a service is tuned.
    Dev,
    /// Is kept back until the tuning is done.
    Held,
}

impl Split {
    /// The part's name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Held => "held",
        }
    }
}

impl std::str::FromStr for Split {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "dev" => Ok(Self::Dev),
            "held" => Ok(Self::Held),
            _ => Err(format!("`{word}` is not one of dev, held")),
        }
    }
}

/// A message with the levels that a right answer may give it.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase {
    /// Stable, unique in its suite.
    pub id: String,
    /// What somebody wrote. It hurts to read: never log it.
    pub text: String,
    /// The category whose file it stands in.
    pub category: String,
    /// What the phrase tests (`gaming_slang`, `explicit_ideation`).
    pub capability: Option<String>,
    /// Free labels to slice by.
    pub tags: Vec<String>,
    /// The levels that are right.
    pub expected: LevelSet,
    /// How far above the set still passes.
    pub escalation: Tolerance,
    /// How far below the set still passes.
    pub de_escalation: Tolerance,
    /// Whether a miss here is among the costliest.
    pub critical: bool,
    /// Whether a wrong answer here fails the run by itself.
    pub must_pass: bool,
    /// The phrase it is a contrast to.
    pub pair: Option<String>,
    /// The phrase it is a variant of.
    pub seed_of: Option<String>,
    /// Earlier messages, oldest first.
    pub history: Vec<String>,
    /// The part of the suite it is in; none where the suite is not divided.
    pub split: Option<Split>,
    /// BCP 47 tag of the text's language; `None` is English.
    pub language: Option<String>,
    /// What each of several people called it.
    pub annotations: Annotations,
    /// Why the label is what it is.
    pub note: Option<String>,
    /// Where it was read.
    pub source: PhraseSource,
}

impl Phrase {
    /// The lowest level that passes.
    pub fn lowest_passing(&self) -> Level {
        Level::ALL[self.expected.min().index().saturating_sub(usize::from(self.de_escalation.steps()))]
    }

    /// The highest level that passes.
    pub fn highest_passing(&self) -> Level {
        Level::ALL[(self.expected.max().index() + usize::from(self.escalation.steps())).min(4)]
    }

    /// The slices of a kind that the phrase is in.
    pub fn slices(&self, kind: SliceKind) -> Vec<&str> {
        match kind {
            SliceKind::Category => vec![&self.category],
            SliceKind::Tag => self.tags.iter().map(String::as_str).collect(),
            SliceKind::Capability => self.capability.as_deref().into_iter().collect(),
            SliceKind::Language => self.language.as_deref().into_iter().collect(),
            SliceKind::Split => self.split.map(Split::as_str).into_iter().collect(),
        }
    }

    /// Hash of what is sent: the text and the history. With the id it is the phrase's identity across runs.
    pub fn text_hash(&self) -> String {
        text_hash(&self.text, &self.history)
    }
}

/// Hash of a message and its history: the first 16 hexadecimal digits of a SHA-256.
pub fn text_hash(text: &str, history: &[String]) -> String {
    let mut hasher = Sha256::new();
    for part in history.iter().map(String::as_str).chain([text]) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        use fmt::Write;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
