//! `thrash.yaml` beside a model: what its numbers mean.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::characters::CharacterScheme;
use crate::document::{Document, Path, Problem, Problems};
use crate::domain::Level;

/// How far a golden score may be off where the model computes in eight bits; nothing may be off further.
pub(super) const TOLERANCE_IN_EIGHT_BITS: f64 = 0.35;

/// What a model was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One label of several: softmax.
    Classify,
    /// Any number of labels: a sigmoid each.
    MultiLabel,
    /// One number.
    Score,
    /// Does the text entail "this is about …"? A premise and a hypothesis for each label.
    ZeroShot,
    /// A sentence embedding, and a head of our own on it.
    Embedding,
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Classify => "classify",
            Self::MultiLabel => "multi_label",
            Self::Score => "score",
            Self::ZeroShot => "zero_shot",
            Self::Embedding => "embedding",
        })
    }
}

/// What a model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputKind {
    /// What `tokenizer.json` makes of the text.
    #[default]
    Tokens,
    /// Characters.
    Characters,
}

/// How one number becomes a probability, for [`Task::Score`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScoreActivation {
    /// The model gives a logit.
    #[default]
    Sigmoid,
    /// The model gives the score itself.
    None,
}

/// How token vectors become a sentence's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pooling {
    /// The mean over the text's tokens.
    #[default]
    Mean,
    /// The first token's.
    Cls,
}

/// How probabilities become a level.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decide {
    /// The most probable level.
    Top,
    /// The highest level that, with all above it, is at least so probable.
    AtLeast(BTreeMap<Level, f64>),
    /// The highest level whose number the score reaches.
    Bands(BTreeMap<Level, f64>),
    /// The highest level with a label that is at least so probable.
    Threshold(f64),
}

impl<'de> Deserialize<'de> for Decide {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Rules {
            at_least: Option<BTreeMap<Level, f64>>,
            bands: Option<BTreeMap<Level, f64>>,
            threshold: Option<f64>,
        }
        const FORMS: &str = "expected `top`, or a mapping with one of `at_least`, `bands` and `threshold`";
        let value = Value::deserialize(deserializer)?;
        if value.as_str() == Some("top") {
            return Ok(Self::Top);
        }
        if !value.is_mapping() {
            return Err(D::Error::custom(FORMS));
        }
        let rules: Rules = serde_yaml::from_value(value).map_err(D::Error::custom)?;
        match (rules.at_least, rules.bands, rules.threshold) {
            (Some(at_least), None, None) => Ok(Self::AtLeast(at_least)),
            (None, Some(bands), None) => Ok(Self::Bands(bands)),
            (None, None, Some(threshold)) => Ok(Self::Threshold(threshold)),
            _ => Err(D::Error::custom(FORMS)),
        }
    }
}

/// A text whose scores are known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Golden {
    /// The text.
    pub text: String,
    /// A number a label, after softmax or sigmoid.
    pub scores: Scores,
    /// The level that they make.
    #[serde(default)]
    pub level: Option<Level>,
}

/// Numbers of labels.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Scores {
    /// By the labels' names.
    Named(BTreeMap<String, f64>),
    /// In the labels' order.
    Placed(Vec<f64>),
}

impl Scores {
    /// The numbers, in no order.
    pub(super) fn values(&self) -> Vec<f64> {
        match self {
            Self::Named(scores) => scores.values().copied().collect(),
            Self::Placed(scores) => scores.clone(),
        }
    }

    /// The numbers in the order of these labels; none where a label has none, or there are more numbers than labels.
    pub(super) fn of<'a>(&self, labels: impl ExactSizeIterator<Item = &'a str>) -> Option<Vec<f64>> {
        match self {
            Self::Named(scores) if scores.len() == labels.len() => {
                labels.map(|label| scores.get(label).copied()).collect()
            }
            Self::Placed(scores) if scores.len() == labels.len() => Some(scores.clone()),
            Self::Named(_) | Self::Placed(_) => None,
        }
    }
}

/// The file, as it is written.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SideFile {
    pub(super) name: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) task: Option<Task>,
    /// The file of the model, where it is none of the usual names.
    pub(super) model: Option<String>,
    pub(super) input: InputKind,
    pub(super) characters: Option<CharacterScheme>,
    pub(super) max_length: Option<usize>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) levels: BTreeMap<String, Level>,
    pub(super) weights: BTreeMap<String, f64>,
    pub(super) decide: Option<Decide>,
    pub(super) activation: ScoreActivation,
    pub(super) hypothesis: Option<String>,
    pub(super) independent: bool,
    pub(super) entailment: Option<usize>,
    pub(super) contradiction: Option<usize>,
    pub(super) pooling: Pooling,
    pub(super) normalize: bool,
    pub(super) head: Option<String>,
    pub(super) golden: Vec<Golden>,
    pub(super) tolerance: Option<f64>,
    pub(super) sha256: BTreeMap<String, String>,
}

impl SideFile {
    /// What the document says.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn read(document: &Document) -> Result<Self, Problems> {
        if document.value().is_null() {
            return Ok(Self::default());
        }
        let file: Self = document.decode()?;
        let problems = file.problems(document);
        if problems.is_empty() { Ok(file) } else { Err(problems) }
    }

    fn problems(&self, document: &Document) -> Problems {
        let mut found = Problems::default();
        let mut say = |key: &str, message: String| -> () {
            let problem: Problem = document.problem(&Path::root().join(key), message);
            found.push(problem);
        };
        match (self.input, &self.characters) {
            (InputKind::Characters, None) => {
                say("input", "`input: characters` needs `characters: {scheme: folded-1}`".to_owned());
            }
            (_, Some(scheme)) => {
                if let Some(complaint) = scheme.complaint() {
                    say("characters", complaint);
                }
            }
            (InputKind::Tokens, None) => {}
        }
        match &self.decide {
            Some(Decide::AtLeast(numbers)) => {
                if let Some(complaint) = complaint(numbers) {
                    say("decide", complaint);
                }
            }
            Some(Decide::Bands(numbers)) => {
                if let Some(complaint) = complaint(numbers).or_else(|| descent(numbers)) {
                    say("decide", complaint);
                }
            }
            Some(Decide::Threshold(threshold)) if !is_reached_by_some(*threshold) => {
                say("decide", format!("a threshold is above 0 and at most 1, not {threshold}"));
            }
            Some(Decide::Threshold(_) | Decide::Top) | None => {}
        }
        if let Some(weight) = self.weights.values().find(|weight| !is_share(**weight)) {
            say("weights", format!("a weight is from 0 to 1, not {weight}"));
        }
        if self.hypothesis.as_ref().is_some_and(|hypothesis| hypothesis.matches("{}").count() != 1) {
            say("hypothesis", "the hypothesis holds `{}` once, where the label goes".to_owned());
        }
        if self.tolerance.is_some_and(|tolerance| !(tolerance > 0.0 && tolerance <= TOLERANCE_IN_EIGHT_BITS))
        {
            let most = format!("the tolerance is above 0 and at most {TOLERANCE_IN_EIGHT_BITS}");
            say("tolerance", format!("{most}: more would accept any answer"));
        }
        if self.max_length.is_some_and(|length| length < 8) {
            say("max_length", "the length is at least 8".to_owned());
        }
        for (index, golden) in self.golden.iter().enumerate() {
            // Whatever the task, they are probabilities.
            if let Some(score) = golden.scores.values().into_iter().find(|score| !is_share(*score)) {
                let place = Path::of("golden").join(index).join("scores");
                found.push(document.problem(&place, format!("a score is from 0 to 1, not {score}")));
            }
        }
        found
    }
}

fn is_share(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

/// Whether it tells texts apart: whatever the model says, 0 is reached.
fn is_reached_by_some(number: f64) -> bool {
    number > 0.0 && number <= 1.0
}

/// What is wrong with numbers of levels, if something is.
fn complaint(numbers: &BTreeMap<Level, f64>) -> Option<String> {
    if numbers.is_empty() {
        Some("no level has a number".to_owned())
    } else if numbers.contains_key(&Level::None) {
        Some("`none` is what is left: it has no number".to_owned())
    } else {
        let wrong = numbers.iter().find(|(_, number)| !is_reached_by_some(**number))?;
        Some(format!("the number of `{}` is above 0 and at most 1, not {}", wrong.0, wrong.1))
    }
}

/// The first band that is not above the one of the level below it, which nothing would ever be.
fn descent(bands: &BTreeMap<Level, f64>) -> Option<String> {
    let below = bands.iter().zip(bands.iter().skip(1)).find(|(lower, upper)| upper.1 <= lower.1);
    let ((lower, begins), (upper, ends)) = below?;
    Some(format!(
        "bands rise with the levels, but `{upper}` begins at {ends} and `{lower}` at {begins}: nothing would be `{lower}`"
    ))
}
