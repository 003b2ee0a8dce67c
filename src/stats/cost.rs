//! What the mistakes cost: a price for every (gold, answer) pair.
//!
//! Under-calls are usually dearer than over-calls (Elkan 2001, "The foundations of cost-sensitive learning").

use serde::{Deserialize, Serialize};

use super::Confusion;

/// The price of every answer for every gold class; the right answer is free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub struct CostMatrix {
    rows: Vec<Vec<f64>>,
}

/// What a run's mistakes cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CostSummary {
    /// The sum over all cases.
    pub total: f64,
    /// The mean per case.
    pub mean: f64,
    /// What it would be if every case got its dearest answer.
    pub worst: f64,
    /// 1 − total ÷ worst: 1 is free of cost, 0 is as dear as can be; `None` when nothing costs anything.
    pub score: Option<f64>,
}

/// A cost matrix that cannot be, or that does not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// A row with the wrong number of columns.
    #[error("row {row} has {found} columns, {expected} were expected")]
    NotSquare {
        /// The index of the row.
        row: usize,
        /// Its columns.
        found: usize,
        /// The number of rows.
        expected: usize,
    },
    /// A cost that is negative or not finite, or a right answer that is not free.
    #[error("cost `{cost}` of answer {answer} for gold {gold} is not a number ≥ 0 (0 for the right answer)")]
    InvalidCost {
        /// The gold class.
        gold: usize,
        /// The answer.
        answer: usize,
        /// The cost that was given.
        cost: f64,
    },
    /// A confusion matrix over another number of classes.
    #[error("costs for {expected} classes do not fit a confusion matrix of {found}")]
    OtherSize {
        /// The classes of the confusion matrix.
        found: usize,
        /// The classes of the costs.
        expected: usize,
    },
}

impl CostMatrix {
    /// A cost matrix from its rows, one a gold class.
    ///
    /// # Errors
    /// [`CostError`] when it is not square, a cost is negative or not finite, or a right answer costs something.
    pub fn new(rows: Vec<Vec<f64>>) -> Result<Self, CostError> {
        let expected = rows.len();
        for (gold, row) in rows.iter().enumerate() {
            if row.len() != expected {
                return Err(CostError::NotSquare { row: gold, found: row.len(), expected });
            }
            for (answer, &cost) in row.iter().enumerate() {
                let valid = cost.is_finite() && cost >= 0.0 && (answer != gold || cost == 0.0);
                if !valid {
                    return Err(CostError::InvalidCost { gold, answer, cost });
                }
            }
        }
        Ok(Self { rows })
    }

    /// The rows, one a gold class.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// The price of an answer; no answer costs as much as the dearest under-call of that gold class.
    ///
    /// For the lowest class, which cannot be under-called, no answer is free. `None` for a class that does not exist.
    pub fn price(&self, gold: usize, answer: Option<usize>) -> Option<f64> {
        let row = self.rows.get(gold)?;
        match answer {
            Some(answer) => row.get(answer).copied(),
            None => Some(dearest(&row[..gold])),
        }
    }

    /// What the answers of a confusion matrix cost; `Ok(None)` when it holds no cases.
    ///
    /// # Errors
    /// [`CostError::OtherSize`] when it has another number of classes.
    pub fn assess(&self, confusion: &Confusion) -> Result<Option<CostSummary>, CostError> {
        if confusion.classes() != self.rows.len() {
            return Err(CostError::OtherSize { found: confusion.classes(), expected: self.rows.len() });
        }
        let (mut total, mut worst) = (0.0, 0.0);
        for (prices, counts) in self.rows.iter().zip(confusion.rows()) {
            total += prices.iter().zip(counts).map(|(price, &cases)| price * cases as f64).sum::<f64>();
            worst += dearest(prices) * counts.iter().sum::<u64>() as f64;
        }
        for gold in 0..self.rows.len() {
            total += self.price(gold, None).unwrap_or(0.0) * confusion.count(gold, None) as f64;
        }
        let cases = confusion.total();
        Ok((cases > 0).then(|| CostSummary {
            total,
            mean: total / cases as f64,
            worst,
            score: (worst > 0.0).then(|| 1.0 - total / worst),
        }))
    }
}

fn dearest(prices: &[f64]) -> f64 {
    prices.iter().copied().fold(0.0, f64::max)
}

impl TryFrom<Vec<Vec<f64>>> for CostMatrix {
    type Error = CostError;

    fn try_from(rows: Vec<Vec<f64>>) -> Result<Self, CostError> {
        Self::new(rows)
    }
}

impl From<CostMatrix> for Vec<Vec<f64>> {
    fn from(costs: CostMatrix) -> Self {
        costs.rows
    }
}
