//! How well answers agree with gold over several classes: accuracy, F1, MCC and level distances.
//!
//! As in scikit-learn, except that an undefined number is `None` rather than 0. Where "no answer" could mean
//! either of two things the caller says which ([`Unanswered`]); distances and κ need an answer to measure, so they look
//! at the answered cases only.

use serde::{Deserialize, Serialize};

use super::{Confusion, Proportion};

/// What a case without an answer counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// As a wrong answer of no class: it lowers recall, blames no class's precision.
    #[default]
    Wrong,
    /// As if the case had not been asked.
    Excluded,
}

/// Precision, recall and F1 of one class against all others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Right among the answers that named this class; no trials when none did.
    pub precision: Proportion,
    /// Right among the cases of this class; no trials when there are none.
    pub recall: Proportion,
    /// 2TP / (2TP + FP + FN); `None` when the class appears neither in gold nor in the answers.
    pub f1: Option<f64>,
}

impl Confusion {
    /// The share of cases answered with exactly the gold class.
    pub fn accuracy(&self, unanswered: Unanswered) -> Proportion {
        let right = (0..self.classes()).map(|class| self.count(class, Some(class))).sum();
        let cases = match unanswered {
            Unanswered::Wrong => self.total(),
            Unanswered::Excluded => self.answered(),
        };
        Proportion::from_counts(right, cases - right)
    }

    /// The scores of one class; `None` when there is no such class.
    pub fn class_scores(&self, class: usize, unanswered: Unanswered) -> Option<ClassScores> {
        if class >= self.classes() {
            return None;
        }
        let right = self.count(class, Some(class));
        let named = self.named(class);
        let cases = self.support(class, unanswered);
        Some(ClassScores {
            precision: Proportion::from_counts(right, named - right),
            recall: Proportion::from_counts(right, cases - right),
            f1: (named + cases > 0).then(|| 2.0 * right as f64 / (named + cases) as f64),
        })
    }

    /// The plain mean of F1 over the classes that appear in gold or in the answers; `None` when none does.
    pub fn macro_f1(&self, unanswered: Unanswered) -> Option<f64> {
        let scores: Vec<f64> =
            (0..self.classes()).filter_map(|class| self.class_scores(class, unanswered)?.f1).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }

    /// The mean of F1 weighted by the cases of each gold class; `None` without cases.
    pub fn weighted_f1(&self, unanswered: Unanswered) -> Option<f64> {
        let (mut sum, mut cases) = (0.0, 0.0);
        for class in 0..self.classes() {
            let support = self.support(class, unanswered) as f64;
            if let Some(f1) = self.class_scores(class, unanswered)?.f1 {
                sum += support * f1;
                cases += support;
            }
        }
        (cases > 0.0).then(|| sum / cases)
    }

    /// Matthews' correlation for several classes, R_K of Gorodkin (2004, Comput. Biol. Chem. 28:367).
    ///
    /// With [`Unanswered::Wrong`] "no answer" is one more answer class. `None` when gold or the answers hold a
    /// single class: a correlation with a constant does not exist.
    pub fn matthews(&self, unanswered: Unanswered) -> Option<f64> {
        let right = self.accuracy(unanswered);
        let (correct, total) = (right.successes() as f64, right.trials() as f64);
        let (mut products, mut gold_squares, mut answer_squares) = (0.0, 0.0, 0.0);
        for class in 0..self.classes() {
            let (cases, named) = (self.support(class, unanswered) as f64, self.named(class) as f64);
            products += cases * named;
            gold_squares += cases * cases;
            answer_squares += named * named;
        }
        if unanswered == Unanswered::Wrong {
            answer_squares += (self.unanswered() as f64).powi(2);
        }
        let spread = (total * total - gold_squares) * (total * total - answer_squares);
        (spread > 0.0).then(|| (correct * total - products) / spread.sqrt())
    }

    /// The mean distance in levels between answer and gold; `None` when nothing was answered.
    pub fn mean_distance(&self) -> Option<f64> {
        self.mean_over_answered(|gold, answer| gold.abs_diff(answer) as f64)
    }

    /// The mean of answer minus gold in levels: below 0 it under-calls; `None` when nothing was answered.
    pub fn bias(&self) -> Option<f64> {
        self.mean_over_answered(|gold, answer| answer as f64 - gold as f64)
    }

    /// The answered cases that are at most this many levels off.
    pub fn within(&self, levels: usize) -> Proportion {
        let near = self
            .answered_cells()
            .filter(|(gold, answer, _)| gold.abs_diff(*answer) <= levels)
            .map(|(_, _, cases)| cases)
            .sum();
        Proportion::from_counts(near, self.answered() - near)
    }

    /// How often the answers named this class.
    fn named(&self, class: usize) -> u64 {
        (0..self.classes()).map(|gold| self.count(gold, Some(class))).sum()
    }

    /// The cases of this gold class.
    fn support(&self, class: usize, unanswered: Unanswered) -> u64 {
        let answered = (0..self.classes()).map(|answer| self.count(class, Some(answer))).sum::<u64>();
        match unanswered {
            Unanswered::Wrong => answered + self.count(class, None),
            Unanswered::Excluded => answered,
        }
    }

    fn mean_over_answered(&self, value: impl Fn(usize, usize) -> f64) -> Option<f64> {
        let answered = self.answered();
        let sum: f64 =
            self.answered_cells().map(|(gold, answer, cases)| cases as f64 * value(gold, answer)).sum();
        (answered > 0).then(|| sum / answered as f64)
    }
}
