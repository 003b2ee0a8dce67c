//! Does the score separate positive from negative cases, and where would a threshold cut?

use serde::{Deserialize, Serialize};

use super::{BinaryCounts, ScoredCases};

/// One threshold: cases that score at least this much are called positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRow {
    /// The threshold.
    pub threshold: f64,
    /// Hits, misses and false alarms at it.
    pub counts: BinaryCounts,
}

impl ThresholdRow {
    /// What its misses and false alarms cost together.
    pub fn cost(&self, per_false_positive: f64, per_false_negative: f64) -> f64 {
        per_false_positive * self.counts.false_positives as f64
            + per_false_negative * self.counts.false_negatives as f64
    }
}

impl ScoredCases {
    /// One row for each different score, from the highest (strictest) to the lowest (everything is positive).
    pub fn sweep(&self) -> Vec<ThresholdRow> {
        let all = self.base_rate();
        let mut counts = BinaryCounts {
            true_negatives: all.failures(),
            false_negatives: all.successes(),
            ..BinaryCounts::default()
        };
        let tied = |one: f64, other: f64| one.total_cmp(&other).is_eq();
        let mut rows = Vec::new();
        for group in self.as_slice().chunk_by(|one, other| tied(one.score, other.score)).rev() {
            for case in group {
                if case.positive {
                    counts.true_positives += 1;
                    counts.false_negatives -= 1;
                } else {
                    counts.false_positives += 1;
                    counts.true_negatives -= 1;
                }
            }
            rows.push(ThresholdRow { threshold: group[0].score, counts });
        }
        rows
    }

    /// P(a positive case scores higher than a negative one), ties counting half: the area under the ROC curve.
    ///
    /// The Mann–Whitney statistic with midranks (Hanley & McNeil 1982). `None` unless there are both positive and
    /// negative cases.
    pub fn roc_auc(&self) -> Option<f64> {
        let all = self.base_rate();
        let pairs = all.successes() as f64 * all.failures() as f64;
        let mut above = BinaryCounts::default();
        let mut wins = 0.0;
        for row in self.sweep() {
            let tied_negatives = (row.counts.false_positives - above.false_positives) as f64;
            let tied_positives = (row.counts.true_positives - above.true_positives) as f64;
            wins += tied_negatives * (above.true_positives as f64 + tied_positives / 2.0);
            above = row.counts;
        }
        (pairs > 0.0).then(|| wins / pairs)
    }

    /// Σ (recallₙ − recallₙ₋₁) · precisionₙ over falling thresholds, without interpolation.
    ///
    /// As scikit-learn's `average_precision_score`. `None` without positive cases.
    pub fn average_precision(&self) -> Option<f64> {
        let mut recall_before = 0.0;
        let mut area = 0.0;
        for row in self.sweep() {
            let recall = row.counts.recall().rate()?;
            area += (recall - recall_before) * row.counts.precision().rate()?;
            recall_before = recall;
        }
        (self.base_rate().successes() > 0).then_some(area)
    }

    /// The strictest threshold with the least cost; `None` without cases.
    ///
    /// Chosen on the very cases it is judged on, so its cost is too good to be true: say so beside it.
    pub fn cheapest_threshold(
        &self,
        per_false_positive: f64,
        per_false_negative: f64,
    ) -> Option<ThresholdRow> {
        let cost = |row: &ThresholdRow| row.cost(per_false_positive, per_false_negative);
        self.sweep().into_iter().min_by(|one, other| cost(one).total_cmp(&cost(other)))
    }
}
