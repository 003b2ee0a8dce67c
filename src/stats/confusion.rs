//! The confusion matrix: gold levels in rows, answers in columns, and a last column for "no answer".
//!
//! Every other agreement measure is computed from it. The last column is never dropped silently: each measure
//! says what it does with it.

use serde::{Deserialize, Serialize};

use super::BinaryCounts;

/// Counts of (gold, answer) over `K` ordered classes.
///
/// It is stored as its rows, each with `K` answer columns and then the "no answer" column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct Confusion {
    rows: Vec<Vec<u64>>,
}

/// A confusion matrix or an entry of one that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfusionError {
    /// A class index that the matrix does not have.
    #[error("class `{class}` is not one of the {classes} classes")]
    UnknownClass {
        /// The index that was given.
        class: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A row with the wrong number of columns.
    #[error("row {row} has {found} columns, {expected} were expected (one a class and one for no answer)")]
    RowLength {
        /// The index of the row.
        row: usize,
        /// Its columns.
        found: usize,
        /// The columns it should have.
        expected: usize,
    },
    /// Two matrices over different numbers of classes.
    #[error("a matrix of {found} classes cannot be added to one of {expected}")]
    OtherSize {
        /// The classes of the other matrix.
        found: usize,
        /// The classes of this one.
        expected: usize,
    },
}

impl Confusion {
    /// An empty matrix over this many classes.
    pub fn new(classes: usize) -> Self {
        Self { rows: vec![vec![0; classes + 1]; classes] }
    }

    /// A matrix from its rows, each with one column a class and a last one for "no answer".
    ///
    /// # Errors
    /// [`ConfusionError::RowLength`] when a row has not exactly one column more than there are rows.
    pub fn from_rows(rows: Vec<Vec<u64>>) -> Result<Self, ConfusionError> {
        let expected = rows.len() + 1;
        match rows.iter().position(|row| row.len() != expected) {
            Some(row) => Err(ConfusionError::RowLength { row, found: rows[row].len(), expected }),
            None => Ok(Self { rows }),
        }
    }

    /// Counts one case; `answer` is `None` when none came.
    ///
    /// # Errors
    /// [`ConfusionError::UnknownClass`] when an index is out of range.
    pub fn record(&mut self, gold: usize, answer: Option<usize>) -> Result<(), ConfusionError> {
        let classes = self.classes();
        for class in std::iter::once(gold).chain(answer) {
            if class >= classes {
                return Err(ConfusionError::UnknownClass { class, classes });
            }
        }
        self.rows[gold][answer.unwrap_or(classes)] += 1;
        Ok(())
    }

    /// Adds the counts of another matrix.
    ///
    /// # Errors
    /// [`ConfusionError::OtherSize`] when it has another number of classes.
    pub fn merge(&mut self, other: &Self) -> Result<(), ConfusionError> {
        if other.classes() != self.classes() {
            return Err(ConfusionError::OtherSize { found: other.classes(), expected: self.classes() });
        }
        for (row, more) in self.rows.iter_mut().zip(&other.rows) {
            for (count, extra) in row.iter_mut().zip(more) {
                *count += extra;
            }
        }
        Ok(())
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// The rows, each with its "no answer" count last.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// Cases of this gold class with this answer; 0 for a class that does not exist.
    pub fn count(&self, gold: usize, answer: Option<usize>) -> u64 {
        let column = match answer {
            Some(class) if class >= self.classes() => return 0,
            Some(class) => class,
            None => self.classes(),
        };
        self.rows.get(gold).map_or(0, |row| row[column])
    }

    /// All cases.
    pub fn total(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// Cases without an answer.
    pub fn unanswered(&self) -> u64 {
        self.rows.iter().filter_map(|row| row.last()).sum()
    }

    /// Cases with an answer.
    pub fn answered(&self) -> u64 {
        self.total() - self.unanswered()
    }

    /// The two-class view at a cut: classes from `cut` on are positive.
    ///
    /// No answer to a positive case is a miss, because nobody was alerted; no answer to a negative case is left
    /// out, because nobody was alerted wrongly.
    pub fn at_cut(&self, cut: usize) -> BinaryCounts {
        let mut counts = BinaryCounts::default();
        for (gold, row) in self.rows.iter().enumerate() {
            for (answer, &cases) in row.iter().enumerate() {
                let answered = answer < self.classes();
                match (gold >= cut, answered && answer >= cut) {
                    (true, true) => counts.true_positives += cases,
                    (true, false) => counts.false_negatives += cases,
                    (false, true) => counts.false_positives += cases,
                    (false, false) if answered => counts.true_negatives += cases,
                    (false, false) => {}
                }
            }
        }
        counts
    }

    /// Every answered cell as (gold, answer, cases).
    pub(super) fn answered_cells(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let classes = self.classes();
        self.rows.iter().enumerate().flat_map(move |(gold, row)| {
            row.iter().take(classes).enumerate().map(move |(answer, &cases)| (gold, answer, cases))
        })
    }
}

impl TryFrom<Vec<Vec<u64>>> for Confusion {
    type Error = ConfusionError;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, ConfusionError> {
        Self::from_rows(rows)
    }
}

impl From<Confusion> for Vec<Vec<u64>> {
    fn from(confusion: Confusion) -> Self {
        confusion.rows
    }
}
