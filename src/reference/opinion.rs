//! From a model's numbers to a level.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::side_file::Decide;
use crate::domain::Level;

/// Scores may be so far beyond 0 and 1.
const ROUNDING: f32 = 1e-3;

/// What a model says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The level.
    pub level: Level,
    /// The model's own word for it.
    pub label: String,
    /// How badly, 0 to 1.
    pub score: f64,
    /// How probable the level is, where that can be said.
    pub confidence: Option<f64>,
    /// The probability of each label.
    pub scores: Vec<f64>,
}

impl Opinion {
    /// The worse of two opinions on parts of one text: the higher level, then the higher score.
    pub(super) fn worse(self, other: Self) -> Self {
        let order = self.level.cmp(&other.level).then(self.score.total_cmp(&other.score));
        if order == Ordering::Less { other } else { self }
    }
}

/// How numbers become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// Together they make 1.
    Softmax,
    /// Each for itself.
    Sigmoid,
    /// They are what they are.
    None,
}

/// What a label stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) name: String,
    /// None where only the score decides.
    pub(super) level: Option<Level>,
    /// What it counts for the score, 0 to 1.
    pub(super) weight: f64,
}

/// What a row of numbers means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) activation: Activation,
    pub(super) labels: Vec<Label>,
    pub(super) decide: Decide,
}

impl Reading {
    /// What no text could ever be, where that shows a mistake: such a model would agree, or part, whatever it reads.
    pub(super) fn unreachable(&self) -> Option<String> {
        if let Decide::Bands(bands) = &self.decide {
            let weights = self.labels.iter().map(|label| label.weight);
            let most = weights.clone().fold(0.0, f64::max);
            // Labels that exclude one another weigh together what the least of them does, or more.
            let least = match self.activation {
                Activation::Softmax => weights.fold(f64::INFINITY, f64::min),
                Activation::Sigmoid | Activation::None => 0.0,
            };
            let too_high = bands.iter().find(|(_, number)| **number > most);
            let too_low = bands.iter().find(|(_, number)| **number <= least);
            return match (too_high, too_low) {
                (Some((level, number)), _) => Some(format!(
                    "`{level}` begins at {number}, and no text scores above {most}, the greatest weight"
                )),
                (None, Some((level, number))) => Some(format!(
                    "`{level}` begins at {number}, and every text scores {least}, the least weight, or more"
                )),
                (None, None) => None,
            };
        }
        if let (Decide::AtLeast(least), Some((lowest, highest))) = (&self.decide, self.span()) {
            let too_high = least.keys().find(|level| **level > highest);
            let too_low = least.keys().find(|level| **level <= lowest);
            if let Some(level) = too_high {
                return Some(format!(
                    "a number for `{level}`, and no label above `{highest}`: it is never reached"
                ));
            }
            if let Some(level) = too_low {
                return Some(format!(
                    "a number for `{level}`, and no label below `{lowest}`: every text reaches it"
                ));
            }
        }
        let levels: BTreeSet<Level> = self.labels.iter().filter_map(|label| label.level).collect();
        // Below a threshold there is no label, which is `none`.
        let is_constant = match &self.decide {
            Decide::Threshold(_) => levels.iter().all(|level| *level == Level::None),
            Decide::Top | Decide::AtLeast(_) | Decide::Bands(_) => levels.len() < 2,
        };
        is_constant.then(|| {
            let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
            format!("only `{}`, whatever it reads", levels.join(""))
        })
    }

    /// The lowest and the highest level of the labels.
    fn span(&self) -> Option<(Level, Level)> {
        let levels = || self.labels.iter().filter_map(|label| label.level);
        Some((levels().min()?, levels().max()?))
    }

    /// The opinion behind the numbers, one a label.
    ///
    /// # Errors
    /// Why they are none that it could be behind.
    pub(super) fn opinion(&self, values: &[f32]) -> Result<Opinion, String> {
        if values.len() != self.labels.len() {
            return Err(format!("{} numbers for {} labels", values.len(), self.labels.len()));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err("what is no number".to_owned());
        }
        // A little beyond is rounding; more is a logit, which would be taken for the worst score or none at all.
        let is_score = |value: &&f32| (-ROUNDING..=1.0 + ROUNDING).contains(*value);
        if self.activation == Activation::None
            && let Some(value) = values.iter().find(|value| !is_score(value))
        {
            return Err(format!("{value}, which with `activation: none` is no score from 0 to 1"));
        }
        let scores = probabilities(self.activation, values);
        let weighted = || self.labels.iter().zip(&scores).map(|(label, p)| label.weight * p);
        let score = match self.activation {
            Activation::Softmax => weighted().sum::<f64>(),
            // Independent labels do not add up.
            Activation::Sigmoid | Activation::None => weighted().fold(0.0, f64::max),
        }
        .clamp(0.0, 1.0);
        let mass = self.mass(&scores);
        let level = match &self.decide {
            Decide::Top => most_probable(&mass),
            Decide::AtLeast(least) => {
                highest(least, |level, number| mass[level.index()..].iter().sum::<f64>() >= number)
            }
            Decide::Bands(bands) => highest(bands, |_, number| score >= number),
            Decide::Threshold(threshold) => self
                .labels
                .iter()
                .zip(&scores)
                .filter(|(_, p)| *p >= threshold)
                .filter_map(|(label, _)| label.level)
                .max()
                .unwrap_or(Level::None),
        };
        let own = |label: &Label| label.level == Some(level);
        let best = self.best(&scores, own).or_else(|| self.best(&scores, |_| true));
        Ok(Opinion {
            level,
            label: best.map_or_else(String::new, |(label, _)| label.name.clone()),
            score,
            confidence: match (&self.decide, self.activation) {
                (Decide::Bands(_), _) => None,
                (_, Activation::Softmax) => Some(mass[level.index()].clamp(0.0, 1.0)),
                _ => self.best(&scores, own).map(|(_, p)| p),
            },
            scores,
        })
    }

    /// The probability of each level.
    fn mass(&self, scores: &[f64]) -> [f64; 5] {
        let mut mass = [0.0; 5];
        for (label, p) in self.labels.iter().zip(scores) {
            if let Some(level) = label.level {
                mass[level.index()] += p;
            }
        }
        mass
    }

    /// The most probable label of those.
    fn best(&self, scores: &[f64], which: impl Fn(&Label) -> bool) -> Option<(&Label, f64)> {
        self.labels
            .iter()
            .zip(scores.iter().copied())
            .filter(|(label, _)| which(label))
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }
}

/// Of equally probable levels the higher.
fn most_probable(mass: &[f64; 5]) -> Level {
    Level::ALL
        .into_iter()
        .max_by(|one, other| mass[one.index()].total_cmp(&mass[other.index()]).then(one.cmp(other)))
        .unwrap_or(Level::None)
}

/// The highest level that holds; `none` if none does.
fn highest(numbers: &BTreeMap<Level, f64>, holds: impl Fn(Level, f64) -> bool) -> Level {
    numbers
        .iter()
        .rev()
        .find(|(level, number)| holds(**level, **number))
        .map_or(Level::None, |(level, _)| *level)
}

fn probabilities(activation: Activation, values: &[f32]) -> Vec<f64> {
    let values = values.iter().map(|value| f64::from(*value));
    match activation {
        Activation::Softmax => {
            let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = values.map(|value| (value - most).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.into_iter().map(|power| power / sum).collect()
        }
        Activation::Sigmoid => values.map(|value| 1.0 / (1.0 + (-value).exp())).collect(),
        Activation::None => values.map(|value| value.clamp(0.0, 1.0)).collect(),
    }
}
