//! Variants of phrases, and what a target makes of them.
//!
//! A variant is a phrase with a slip, a dodge, or a sentence more. It has no label of its own: its answer is held
//! against the same target's answer to the phrase itself, so that a wrong answer given twice is no flip.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, Phrase, Rate};

/// What is done to a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PerturbationKind {
    /// All letters in upper case.
    CaseUpper,
    /// All letters in lower case.
    CaseLower,
    /// A neighbouring key was hit.
    Typo,
    /// Two letters changed places.
    Swap,
    /// A letter is missing.
    Delete,
    /// A letter came twice.
    Double,
    /// A space inside a word.
    SpaceAdd,
    /// A space is missing between two words.
    SpaceDrop,
    /// Digits and signs for letters.
    Leet,
    /// An emoji that says nothing, at the end.
    Emoji,
    /// A vowel held down.
    Elongate,
    /// Punctuation left out, or more of it.
    Punctuation,
    /// Invisible characters of no width inside words.
    ZeroWidth,
    /// Some letters from another alphabet that look the same.
    Homoglyph,
    /// Letters of the width that East Asian text uses.
    FullWidth,
    /// Accents on letters that have none.
    Combining,
    /// Invisible hyphens inside words.
    SoftHyphen,
    /// Invisible marks of the writing direction.
    Rtl,
    /// A greeting before it.
    Prefix,
    /// A sentence about something else before it.
    FillerBefore,
    /// A sentence about something else after it.
    FillerAfter,
    /// Another identity, or the other gender throughout.
    Identity,
    /// A plan or more urgency after it: the level must not fall.
    Intensify,
    /// A resolution after it: the level must not rise.
    Resolve,
    /// Laughter after it: the level must not fall by more than one.
    Lol,
}

/// Kinds that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PerturbationGroup {
    /// What fingers do.
    Typing,
    /// What deceives a machine and no reader.
    Unicode,
    /// Other words around it or in it that change nothing.
    Wording,
    /// More words that move the level one way at most.
    Direction,
}

impl PerturbationKind {
    /// Every kind, group by group.
    pub const ALL: [Self; 25] = [
        Self::CaseUpper,
        Self::CaseLower,
        Self::Typo,
        Self::Swap,
        Self::Delete,
        Self::Double,
        Self::SpaceAdd,
        Self::SpaceDrop,
        Self::Leet,
        Self::Emoji,
        Self::Elongate,
        Self::Punctuation,
        Self::ZeroWidth,
        Self::Homoglyph,
        Self::FullWidth,
        Self::Combining,
        Self::SoftHyphen,
        Self::Rtl,
        Self::Prefix,
        Self::FillerBefore,
        Self::FillerAfter,
        Self::Identity,
        Self::Intensify,
        Self::Resolve,
        Self::Lol,
    ];

    /// The kind's name, as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CaseUpper => "case_upper",
            Self::CaseLower => "case_lower",
            Self::Typo => "typo",
            Self::Swap => "swap",
            Self::Delete => "delete",
            Self::Double => "double",
            Self::SpaceAdd => "space_add",
            Self::SpaceDrop => "space_drop",
            Self::Leet => "leet",
            Self::Emoji => "emoji",
            Self::Elongate => "elongate",
            Self::Punctuation => "punctuation",
            Self::ZeroWidth => "zero_width",
            Self::Homoglyph => "homoglyph",
            Self::FullWidth => "full_width",
            Self::Combining => "combining",
            Self::SoftHyphen => "soft_hyphen",
            Self::Rtl => "rtl",
            Self::Prefix => "prefix",
            Self::FillerBefore => "filler_before",
            Self::FillerAfter => "filler_after",
            Self::Identity => "identity",
            Self::Intensify => "intensify",
            Self::Resolve => "resolve",
            Self::Lol => "lol",
        }
    }

    /// Where it belongs.
    pub const fn group(self) -> PerturbationGroup {
        match self {
            Self::CaseUpper
            | Self::CaseLower
            | Self::Typo
            | Self::Swap
            | Self::Delete
            | Self::Double
            | Self::SpaceAdd
            | Self::SpaceDrop
            | Self::Leet
            | Self::Emoji
            | Self::Elongate
            | Self::Punctuation => PerturbationGroup::Typing,
            Self::ZeroWidth
            | Self::Homoglyph
            | Self::FullWidth
            | Self::Combining
            | Self::SoftHyphen
            | Self::Rtl => PerturbationGroup::Unicode,
            Self::Prefix | Self::FillerBefore | Self::FillerAfter | Self::Identity => {
                PerturbationGroup::Wording
            }
            Self::Intensify | Self::Resolve | Self::Lol => PerturbationGroup::Direction,
        }
    }

    /// What the answer to such a variant must be.
    pub const fn expectation(self) -> Expectation {
        match self {
            Self::Intensify => Expectation::NotBelow,
            Self::Resolve => Expectation::NotAbove,
            Self::Lol => Expectation::NotBelowBy(1),
            _ => Expectation::Same,
        }
    }
}

impl fmt::Display for PerturbationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PerturbationGroup {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::Typing, Self::Unicode, Self::Wording, Self::Direction];

    /// The group's name, as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Typing => "typing",
            Self::Unicode => "unicode",
            Self::Wording => "wording",
            Self::Direction => "direction",
        }
    }
}

impl fmt::Display for PerturbationGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the answer to a variant must stand to the same target's answer to the phrase itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// The same level.
    Same,
    /// No lower.
    NotBelow,
    /// No higher.
    NotAbove,
    /// Not lower by more than so many levels.
    NotBelowBy(u8),
}

impl Expectation {
    /// Whether `answer` is as it must be, where the phrase itself was answered with `base`.
    pub const fn holds(self, base: Level, answer: Level) -> bool {
        let steps = answer.steps_above(base);
        match self {
            Self::Same => steps == 0,
            Self::NotBelow => steps >= 0,
            Self::NotAbove => steps <= 0,
            Self::NotBelowBy(allowed) => steps >= 0 || steps.unsigned_abs() <= allowed,
        }
    }

    /// Whether any answer at all would break it: nothing is below `none` or above `critical`.
    pub fn can_break(self, base: Level) -> bool {
        Level::ALL.into_iter().any(|answer| !self.holds(base, answer))
    }
}

/// A phrase with something done to it.
///
/// The text can be made again from the phrase, the kind, the index and the run's seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The id of the phrase it is made of.
    pub of: String,
    /// What was done.
    pub kind: PerturbationKind,
    /// Which variant of this kind it is, from 0.
    pub index: u32,
    /// What the answer must be.
    pub expectation: Expectation,
    /// What is sent. It hurts to read: never log it.
    pub text: String,
}

impl Variant {
    /// The variant's id: the phrase's, the kind and the index.
    pub fn id(&self) -> String {
        format!("{}~{}.{}", self.of, self.kind, self.index)
    }

    /// The variant as a phrase that can be sent; `base` is the phrase it is made of, whose history and language it keeps.
    pub fn phrase(&self, base: &Phrase) -> Phrase {
        Phrase {
            id: self.id(),
            text: self.text.clone(),
            seed_of: Some(base.seed_of.clone().unwrap_or_else(|| base.id.clone())),
            pair: None,
            must_pass: false,
            ..base.clone()
        }
    }
}

/// What became of a set of variants.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PerturbationCounts {
    /// Variants sent.
    pub variants: u64,
    /// Variants held against their phrase's answer: both were answered.
    pub judged: u64,
    /// Variants without an answer whose phrase has one; they are in no rate.
    pub unanswered: u64,
    /// Variants whose phrase has no answer to hold them against.
    pub without_base: u64,
    /// Judged variants that no answer could have broken, such as "no lower" than `none`; they are in no rate.
    pub cannot_flip: u64,
    /// Judged variants whose phrase was itself answered in more than one way: their flips may be noise.
    pub unsteady: u64,
    /// Answers that broke what was expected.
    pub flips: u64,
    /// Those that are too high.
    pub up: u64,
    /// Those that are too low.
    pub down: u64,
    /// Flips by which nobody is alerted any more.
    pub alerts_lost: u64,
    /// Flips by which somebody is alerted for the first time.
    pub alerts_raised: u64,
    /// Flips of the judged that could flip. Both intervals are widened for variants of one seed phrase.
    pub rate: Rate,
    /// Seed phrases that those variants come from.
    pub seeds: u64,
    /// How many of those variants say as much as one independent one: at least 1, none where there are none.
    pub design_effect: Option<f64>,
    /// Judged variants where both answers have a score to compare.
    pub scored: u64,
    /// Those whose score moved by more than 0.1 in a way that was not expected.
    pub score_moved: u64,
}

/// An answer that was not as expected, without the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerturbationFlip {
    /// The phrase's id.
    pub phrase: String,
    /// What was done to it.
    pub kind: PerturbationKind,
    /// Which variant of this kind.
    pub index: u32,
    /// The level of the phrase itself.
    pub base: Level,
    /// The level of the variant.
    pub level: Level,
    /// By how much the score rose, where both have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_change: Option<f64>,
}

/// How steady a target's answers are under changes that should not matter, or matter in one direction only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PerturbationReport {
    /// All variants.
    pub total: PerturbationCounts,
    /// By group; groups that nothing was sent of are left out.
    pub groups: BTreeMap<PerturbationGroup, PerturbationCounts>,
    /// By kind; kinds that nothing was sent of are left out.
    pub kinds: BTreeMap<PerturbationKind, PerturbationCounts>,
    /// The worst flips: the deepest falls first, then the highest rises.
    pub worst: Vec<PerturbationFlip>,
}
