//! What an import did, for people and for scripts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

/// A row of one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Row {
    /// The file's place in [`ImportReport::sources`].
    pub file: usize,
    /// The row, from 1: a table's first row is its header, JSON lines are counted as lines, phrases of the existing
    /// suite's JSON as they follow each other.
    pub row: usize,
}

/// Why a row was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has no text.
    EmptyText,
    /// The text is longer than a suite may hold.
    TooLong,
    /// It has no label, or one that stands for no level.
    UnknownLabel,
    /// It has more cells than the header: a comma in a text without quotes would cut the text.
    TooManyCells,
    /// A cell says something that its column cannot say, or an entry is no phrase.
    Unreadable,
    /// The same text with the same label stands elsewhere.
    DuplicateText,
    /// The same text stands elsewhere with another label: nobody can tell which is right.
    ContradictoryLabels,
    /// The expected levels do not stand next to each other.
    GapInLevels,
    /// Every level is expected.
    CannotFail,
}

impl Reason {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyText => "no text",
            Self::TooLong => "text longer than 100000 characters",
            Self::UnknownLabel => "no level for the label",
            Self::TooManyCells => "more cells than the header",
            Self::Unreadable => "a value that cannot be read",
            Self::DuplicateText => "same text, same label",
            Self::ContradictoryLabels => "same text, other label",
            Self::GapInLevels => "expected levels with a gap",
            Self::CannotFail => "every level is expected",
        }
    }
}

/// Rows that were left out, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dropped(BTreeMap<Reason, Vec<Row>>);

impl Dropped {
    /// Adds a row.
    pub(super) fn add(&mut self, reason: Reason, row: Row) {
        self.0.entry(reason).or_default().push(row);
    }

    /// The reasons with their rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, &[Row])> {
        self.0.iter().map(|(reason, rows)| (*reason, rows.as_slice()))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether no row was left out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows that were left out for a reason.
    pub fn rows(&self, reason: Reason) -> &[Row] {
        self.0.get(&reason).map_or(&[], Vec::as_slice)
    }

    pub(super) fn sort(&mut self) {
        self.0.values_mut().for_each(|rows| rows.sort_unstable());
    }
}

impl Serialize for Dropped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            reason: Reason,
            count: usize,
            rows: &'a [Row],
        }
        serializer.collect_seq(self.iter().map(|(reason, rows)| Line { reason, count: rows.len(), rows }))
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SourceReport {
    /// The file, as it was named to the program.
    pub file: String,
    /// Its name without folders.
    #[serde(skip)]
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What it was taken for.
    pub read_as: String,
    /// How its characters were written.
    pub encoding: &'static str,
    /// Rows, the header not counted.
    pub rows: usize,
    /// What was read from which column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<&'static str, String>,
    /// Columns that were not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns_not_read: Vec<String>,
}

/// A category that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryReport {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// Its phrases.
    pub phrases: usize,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImportReport {
    /// The files that were read.
    pub sources: Vec<SourceReport>,
    /// Phrases that were imported.
    pub imported: usize,
    /// The categories they are in.
    pub categories: Vec<CategoryReport>,
    /// What was left out.
    pub dropped: Dropped,
    /// Labels that stood for no level; what does not look like a label is not shown.
    pub unknown_labels: Vec<String>,
    /// Phrases that could never have failed and now tolerate less, by category.
    pub tightened: BTreeMap<String, usize>,
    /// Links between phrases that were let go, because a partner was left out or is not there.
    pub links_dropped: usize,
    /// Rows whose id in the source could not be kept.
    pub ids_replaced: Vec<Row>,
    /// Other things to know.
    pub notes: Vec<String>,
    /// The files that were written.
    pub written: Vec<PathBuf>,
}

impl ImportReport {
    /// Rows that were read.
    pub fn rows(&self) -> usize {
        self.sources.iter().map(|source| source.rows).sum()
    }
}
