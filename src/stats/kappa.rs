//! Cohen's κ: agreement beyond what the margins alone would give.
//!
//! κ = 1 − Σ w·O / Σ w·E (Cohen 1960, 1968), with the large-sample standard error of Fleiss, Cohen & Everitt (1969,
//! Psychol. Bull. 72:323) as in statsmodels' `cohens_kappa`. Answered cases only: no distance leads to "no answer",
//! so the share of unanswered cases must be shown beside it.

use serde::{Deserialize, Serialize};

use super::{Confidence, Confusion, Interval};

/// How much a disagreement of d levels counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KappaWeights {
    /// Every disagreement counts the same; for classes without order.
    Unweighted,
    /// d.
    Linear,
    /// d²; the default for levels.
    #[default]
    Quadratic,
}

/// κ and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Kappa {
    /// 1 is full agreement, 0 is chance, below 0 is worse than chance.
    pub value: f64,
    /// The large-sample standard error; 0 when the agreement is perfect.
    pub standard_error: f64,
}

impl KappaWeights {
    /// The weight of agreement between two classes: 1 on the diagonal, 0 for the worst disagreement.
    fn agreement(self, gold: usize, answer: usize, classes: usize) -> f64 {
        let distance = gold.abs_diff(answer) as f64 / (classes - 1) as f64;
        match self {
            Self::Unweighted => f64::from(u8::from(gold == answer)),
            Self::Linear => 1.0 - distance,
            Self::Quadratic => 1.0 - distance * distance,
        }
    }
}

impl Confusion {
    /// Cohen's κ over the answered cases.
    ///
    /// `None` when nothing was answered, or when gold and answers hold the same single class: then chance alone
    /// explains everything.
    pub fn kappa(&self, weights: KappaWeights) -> Option<Kappa> {
        let (classes, cases) = (self.classes(), self.answered() as f64);
        if classes < 2 || cases <= 0.0 {
            return None;
        }
        let mut gold_share = vec![0.0; classes];
        let mut answer_share = vec![0.0; classes];
        for (gold, answer, count) in self.answered_cells() {
            gold_share[gold] += count as f64 / cases;
            answer_share[answer] += count as f64 / cases;
        }
        let (mut observed, mut expected) = (0.0, 0.0);
        // The weight a class would meet by chance, on either side.
        let mut gold_chance = vec![0.0; classes];
        let mut answer_chance = vec![0.0; classes];
        for (gold, answer, count) in self.answered_cells() {
            let weight = weights.agreement(gold, answer, classes);
            observed += weight * count as f64 / cases;
            expected += weight * gold_share[gold] * answer_share[answer];
            gold_chance[gold] += weight * answer_share[answer];
            answer_chance[answer] += weight * gold_share[gold];
        }
        let room = 1.0 - expected;
        if room <= f64::EPSILON {
            return None;
        }
        let value = (observed - expected) / room;
        let spread: f64 = self
            .answered_cells()
            .map(|(gold, answer, count)| {
                let chance = gold_chance[gold] + answer_chance[answer];
                let deviation = weights.agreement(gold, answer, classes) - chance * (1.0 - value);
                count as f64 / cases * deviation * deviation
            })
            .sum();
        let centre = value - expected * (1.0 - value);
        let variance = (spread - centre * centre).max(0.0) / (cases * room * room);
        Some(Kappa { value, standard_error: variance.sqrt() })
    }
}

impl Kappa {
    /// The normal interval κ ± z·SE, kept within −1 and 1.
    ///
    /// `None` for perfect agreement, whose standard error of 0 would claim certainty: say "too little
    /// disagreement to tell" instead.
    pub fn interval(self, confidence: Confidence) -> Option<Interval> {
        let half = confidence.z_two_sided() * self.standard_error;
        (self.standard_error > 1e-9)
            .then(|| Interval { lower: (self.value - half).max(-1.0), upper: (self.value + half).min(1.0) })
    }
}
