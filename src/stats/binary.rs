//! Hits, misses and false alarms at one cut.
//!
//! Rates come as [`Proportion`], so that each has its interval; compound measures as `Option<f64>`, `None` where a
//! denominator is zero (scikit-learn would say 0).

use serde::{Deserialize, Serialize};

use super::Proportion;

/// How positive and negative cases were called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct BinaryCounts {
    /// Positive cases called positive: hits.
    pub true_positives: u64,
    /// Negative cases called positive: false alarms.
    pub false_positives: u64,
    /// Negative cases called negative.
    pub true_negatives: u64,
    /// Positive cases called negative: misses.
    pub false_negatives: u64,
}

impl BinaryCounts {
    /// FP / (FP + TN).
    pub fn false_positive_rate(self) -> Proportion {
        Proportion::from_counts(self.false_positives, self.true_negatives)
    }

    /// FN / (FN + TP).
    pub fn false_negative_rate(self) -> Proportion {
        Proportion::from_counts(self.false_negatives, self.true_positives)
    }

    /// TP / (TP + FP).
    pub fn precision(self) -> Proportion {
        Proportion::from_counts(self.true_positives, self.false_positives)
    }

    /// TP / (TP + FN), also called sensitivity.
    pub fn recall(self) -> Proportion {
        Proportion::from_counts(self.true_positives, self.false_negatives)
    }

    /// TN / (TN + FP).
    pub fn specificity(self) -> Proportion {
        Proportion::from_counts(self.true_negatives, self.false_positives)
    }

    /// (TP + TN) / all.
    pub fn accuracy(self) -> Proportion {
        Proportion::from_counts(
            self.true_positives + self.true_negatives,
            self.false_positives + self.false_negatives,
        )
    }

    /// (1 + β²)TP / ((1 + β²)TP + β²FN + FP) of van Rijsbergen (1979).
    ///
    /// β says how many times recall matters more than precision. `None` when there is neither a positive case
    /// nor a positive call, or β is not a finite number ≥ 0.
    pub fn f_beta(self, beta: f64) -> Option<f64> {
        if !(beta.is_finite() && beta >= 0.0) {
            return None;
        }
        let square = beta * beta;
        let hits = (1.0 + square) * self.true_positives as f64;
        ratio(hits, hits + square * self.false_negatives as f64 + self.false_positives as f64)
    }

    /// 2TP / (2TP + FN + FP).
    pub fn f1(self) -> Option<f64> {
        self.f_beta(1.0)
    }

    /// 5TP / (5TP + 4FN + FP): a miss weighs more than a false alarm.
    pub fn f2(self) -> Option<f64> {
        self.f_beta(2.0)
    }

    /// Matthews' correlation (1975); `None` when cases or calls hold a single class.
    pub fn matthews(self) -> Option<f64> {
        let [tp, fp, tn, fn_] =
            [self.true_positives, self.false_positives, self.true_negatives, self.false_negatives]
                .map(|count| count as f64);
        let margins = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        ratio(tp * tn - fp * fn_, margins.sqrt())
    }

    /// The mean of recall and specificity; `None` when a class has no cases.
    pub fn balanced_accuracy(self) -> Option<f64> {
        Some(f64::midpoint(self.recall().rate()?, self.specificity().rate()?))
    }

    /// Youden's J (1950): recall + specificity − 1; `None` when a class has no cases.
    pub fn youden(self) -> Option<f64> {
        Some(self.recall().rate()? + self.specificity().rate()? - 1.0)
    }
}

fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}
