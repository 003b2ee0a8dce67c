//! How far answers are apart that should be the same.

use super::{Model, Opinion, ReferenceError};

/// Engines round differently, by less than this.
const BETWEEN_ENGINES: f64 = 1e-3;

/// Phrases that are asked alone and together.
const SAMPLE: usize = 24;

/// A text that is longer than any phrase, for others to be padded to.
const LONG: &str = "and so the long day went on, with coffee, a walk, some rain and a great many words that mean \
                    nothing at all, until the evening came and everybody went home";

/// Two sets of opinions on the same texts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Apart {
    /// How many texts.
    pub texts: usize,
    /// How many got different levels.
    pub levels: usize,
    /// The largest difference of a label's probability.
    pub scores: f64,
}

impl Apart {
    /// Holds opinions against each other, in their order.
    pub fn between(one: &[Opinion], other: &[Opinion]) -> Self {
        // What one side left out is no agreement.
        let (most, least) = (one.len().max(other.len()), one.len().min(other.len()));
        let mut apart = Self { texts: most - least, levels: most - least, scores: 0.0 };
        for (one, other) in one.iter().zip(other) {
            apart.texts += 1;
            apart.levels += usize::from(one.level != other.level);
            let far = one.scores.iter().zip(&other.scores).map(|(one, other)| (one - other).abs());
            apart.scores = far.fold(apart.scores, f64::max);
        }
        apart
    }
}

impl Model {
    /// How far a score may be off that was computed in another way: with other batch mates, or where it was trained.
    pub const fn tolerance(&self) -> f64 {
        self.recipe.tolerance
    }

    /// How far the engines' scores for one text may be apart.
    pub const fn tolerance_between_engines(&self) -> f64 {
        if self.recipe.is_quantized { self.recipe.tolerance } else { BETWEEN_ENGINES }
    }

    /// Whether every engine has to give the same levels. In eight bits each rounds in its own way.
    pub const fn is_exact(&self) -> bool {
        !self.recipe.is_quantized
    }

    /// What it does to an answer to be computed beside others, padded to the length of a long one.
    ///
    /// # Errors
    /// The engine fails.
    pub fn batch_effect(&mut self, texts: &[&str]) -> Result<Apart, ReferenceError> {
        let step = (texts.len() / SAMPLE).max(1);
        let sample: Vec<&str> = texts.iter().copied().step_by(step).take(SAMPLE).collect();
        let mut alone = Vec::new();
        for text in &sample {
            alone.extend(self.opinions(&[text])?);
        }
        let crowd: Vec<&str> = sample.iter().copied().chain([LONG]).collect();
        let mut together = self.opinions(&crowd)?;
        together.truncate(sample.len());
        Ok(Apart::between(&alone, &together))
    }
}
