//! Phrases as a source has them, before anything is left out or named.

use std::collections::HashMap;

use super::format::Shape;
use super::report::{Dropped, Reason, Row, SourceReport};
use super::source::Source;
use crate::domain::{Annotations, LevelSet, Split, Tolerance};

/// Longest message that a suite may hold, in characters: the loader's own limit.
const LONGEST_TEXT: usize = 100_000;
/// Unknown labels that are remembered, to be shown.
const MOST_LABELS: usize = 12;

/// What a phrase is a variant of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Seed {
    /// Nothing.
    #[default]
    None,
    /// The phrase with this id in the source.
    Named(String),
    /// The first phrase of this family.
    Family(String),
}

/// One labelled phrase of a source.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) row: Row,
    /// Its id in the source.
    pub(super) id: Option<String>,
    pub(super) text: String,
    pub(super) category: String,
    pub(super) expected: LevelSet,
    pub(super) escalation: Tolerance,
    pub(super) de_escalation: Tolerance,
    pub(super) must_pass: bool,
    pub(super) capability: Option<String>,
    pub(super) tags: Vec<String>,
    /// The contrast partner's id in the source.
    pub(super) pair: Option<String>,
    pub(super) seed: Seed,
    pub(super) history: Vec<String>,
    pub(super) language: Option<String>,
    pub(super) split: Option<Split>,
    pub(super) annotations: Annotations,
    pub(super) note: Option<String>,
}

/// What a source says of a category as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) title: String,
    pub(super) target_accuracy: Option<f64>,
    pub(super) critical: bool,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    pub(super) sources: Vec<SourceReport>,
    pub(super) entries: Vec<Entry>,
    pub(super) heads: HashMap<String, Head>,
    pub(super) dropped: Dropped,
    pub(super) unknown_labels: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Harvest {
    /// Begins with another file.
    pub(super) fn begin(&mut self, source: &Source, shape: &Shape) {
        self.sources.push(SourceReport {
            file: source.shown.clone(),
            name: source.name.clone(),
            sha256: source.sha256.clone(),
            read_as: shape.name(),
            encoding: source.encoding,
            ..SourceReport::default()
        });
    }

    /// The file that is being read.
    pub(super) fn source(&mut self) -> &mut SourceReport {
        if self.sources.is_empty() {
            self.sources.push(SourceReport::default());
        }
        let last = self.sources.len() - 1;
        &mut self.sources[last]
    }

    /// Counts a row of the file that is being read, and names it.
    pub(super) fn row(&mut self, number: usize) -> Row {
        self.source().rows += 1;
        Row { file: self.sources.len() - 1, row: number }
    }

    /// Leaves a row out.
    pub(super) fn drop(&mut self, row: Row, reason: Reason) {
        self.dropped.add(reason, row);
    }

    /// Leaves a row out because of its label.
    pub(super) fn drop_label(&mut self, row: Row, label: &str) {
        self.drop(row, Reason::UnknownLabel);
        // Where the wrong column was taken for the label, it holds phrases: only what looks like a label is shown.
        let label = label.trim();
        let is_label = label.chars().count() <= 24 && !label.contains(char::is_whitespace);
        let shown = match label {
            "" => "(empty)",
            label if is_label => label,
            _ => "(more than a word)",
        };
        if self.unknown_labels.len() < MOST_LABELS && !self.unknown_labels.iter().any(|known| known == shown)
        {
            self.unknown_labels.push(shown.to_owned());
        }
    }

    /// Keeps a phrase, unless its text cannot be one.
    pub(super) fn keep(&mut self, entry: Entry) {
        if let Some(reason) = unfit(&entry.text) {
            self.drop(entry.row, reason);
        } else {
            self.entries.push(entry);
        }
    }

    /// Notes what a source says of a category; where two differ, the stricter holds.
    pub(super) fn head(&mut self, category: &str, head: Head) {
        let Some(known) = self.heads.get_mut(category) else {
            self.heads.insert(category.to_owned(), head);
            return;
        };
        let before = (known.target_accuracy, known.critical);
        let differ = before != (head.target_accuracy, head.critical);
        if known.title.is_empty() {
            known.title = head.title;
        }
        known.critical |= head.critical;
        known.target_accuracy = match (known.target_accuracy, head.target_accuracy) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        let note = format!(
            "category `{category}`: the source differs on `critical` or its target; the stricter holds"
        );
        if differ && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn unfit(text: &str) -> Option<Reason> {
    if text.trim().is_empty() {
        return Some(Reason::EmptyText);
    }
    // Bytes first: counting characters of every phrase would take longer than reading it.
    (text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT).then_some(Reason::TooLong)
}

/// The name as a category's, as the loader wants one.
pub(super) fn category_name(name: &str) -> String {
    let mut slug: String = name
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-.:".contains(c) { c } else { '_' })
        .collect();
    if !slug.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        slug.insert(0, '_');
    }
    // Half of a hundred: ids are the category, a dash and a hash.
    slug.truncate(60);
    if slug == "_" { "uncategorised".to_owned() } else { slug }
}
