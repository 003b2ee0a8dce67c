//! What is left out, and what is made stricter, because it could only mislead.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::entry::{Entry, Harvest};
use super::error::ImportError;
use super::report::{ImportReport, Reason, Row};
use crate::domain::{Level, LevelSet, Tolerance};

/// How many rows a refusal names.
const MOST_ROWS: usize = 5;

/// A phrase that stays, with the ids in the source that mean it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) entry: Entry,
    /// Ids of rows with the same text that were left out.
    pub(super) also: Vec<String>,
}

/// Leaves out duplicates and contradictions, and tightens what could never fail.
pub(super) fn sift(
    harvest: &mut Harvest,
    keep_tolerance: bool,
) -> Result<(Vec<Kept>, ImportReport), ImportError> {
    let mut kept = without_repeats(harvest);
    let mut tightened: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    kept.retain_mut(|kept| {
        let entry = &mut kept.entry;
        if has_gap(entry.expected) {
            harvest.drop(entry.row, Reason::GapInLevels);
            return false;
        }
        if !passes_always(entry.expected, entry.escalation, entry.de_escalation) {
            return true;
        }
        if entry.expected.min() == Level::None && entry.expected.max() == Level::Critical {
            harvest.drop(entry.row, Reason::CannotFail);
            return false;
        }
        tightened.entry(entry.category.clone()).or_default().push(entry.row);
        tighten(entry);
        true
    });
    if keep_tolerance && !tightened.is_empty() {
        return Err(ImportError::CannotFail { message: refusal(&tightened, harvest) });
    }
    let mut report = ImportReport {
        sources: harvest.sources.clone(),
        dropped: std::mem::take(&mut harvest.dropped),
        unknown_labels: std::mem::take(&mut harvest.unknown_labels),
        tightened: tightened.into_iter().map(|(category, rows)| (category, rows.len())).collect(),
        notes: std::mem::take(&mut harvest.notes),
        ..ImportReport::default()
    };
    report.dropped.sort();
    Ok((kept, report))
}

/// Rows with one text: one stays if they agree, none if they do not.
///
/// Which one stays does not depend on the order of the rows, so that ids survive when rows move.
fn without_repeats(harvest: &mut Harvest) -> Vec<Kept> {
    let entries = std::mem::take(&mut harvest.entries);
    let mut groups: HashMap<(&str, &[String]), Vec<usize>> = HashMap::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        groups.entry((entry.text.trim(), &entry.history)).or_default().push(i);
    }
    let mut stays = vec![true; entries.len()];
    let mut also: HashMap<usize, Vec<String>> = HashMap::new();
    for members in groups.values().filter(|members| members.len() > 1) {
        let agree = members.iter().all(|i| entries[*i].expected == entries[members[0]].expected);
        let reason = if agree { Reason::DuplicateText } else { Reason::ContradictoryLabels };
        let first = members.iter().copied().min_by_key(|i| {
            let entry = &entries[*i];
            (&entry.category, entry.id.is_none(), &entry.id, *i)
        });
        for i in members {
            if agree && Some(*i) == first {
                continue;
            }
            stays[*i] = false;
            harvest.dropped.add(reason, entries[*i].row);
            if let (true, Some(first), Some(id)) = (agree, first, &entries[*i].id) {
                also.entry(first).or_default().push(id.clone());
            }
        }
    }
    drop(groups);
    let kept = entries.into_iter().enumerate().filter(|(i, _)| stays[*i]);
    kept.map(|(i, entry)| Kept { entry, also: also.remove(&i).unwrap_or_default() }).collect()
}

/// Whether a level is missing between two expected ones; the loader takes no such phrase.
fn has_gap(expected: LevelSet) -> bool {
    expected.iter().count() != expected.max().index() - expected.min().index() + 1
}

/// Whether every level passes, as [`Phrase`](crate::domain::Phrase) counts.
fn passes_always(expected: LevelSet, escalation: Tolerance, de_escalation: Tolerance) -> bool {
    expected.min().index() <= usize::from(de_escalation.steps())
        && expected.max().index() + usize::from(escalation.steps()) >= Level::Critical.index()
}

/// One level up and none down, as the shipped suites tolerate; none up where even that lets everything pass.
fn tighten(entry: &mut Entry) {
    entry.de_escalation = Tolerance::NONE;
    if entry.escalation.steps() > 1 {
        entry.escalation = Tolerance::levels(1).unwrap_or_default();
    }
    if passes_always(entry.expected, entry.escalation, entry.de_escalation) {
        entry.escalation = Tolerance::NONE;
    }
}

fn refusal(tightened: &BTreeMap<String, Vec<Row>>, harvest: &Harvest) -> String {
    let total: usize = tightened.values().map(Vec::len).sum();
    let mut text =
        format!("{total} phrases could never fail: their labels and tolerances let every level pass");
    for (category, rows) in tightened {
        let file =
            rows.first().and_then(|row| harvest.sources.get(row.file)).map_or("", |source| &source.file);
        let mut numbers: Vec<String> = rows.iter().take(MOST_ROWS).map(|row| row.row.to_string()).collect();
        if rows.len() > MOST_ROWS {
            numbers.push("…".to_owned());
        }
        let _ = write!(text, "\n  {category}: {} phrases, `{file}` rows {}", rows.len(), numbers.join(", "));
    }
    text
}
