//! The confusion matrix: what was expected, and what came.

use crate::domain::{Level, Metrics};

use super::columns::{self, Side};
use super::failures;
use super::page::{Line, Page, Tone};

/// The blanks before a row.
const INDENT: usize = 4;

/// Levels that no phrase expects have no row. Where every failure is listed by id, there is no matrix: it could only
/// repeat them.
pub(super) fn show(page: &mut Page, metrics: &Metrics) {
    let failures = metrics.accuracy.of.saturating_sub(metrics.accuracy.count);
    if failures <= failures::MOST as u64 {
        return;
    }
    let expected: Vec<(Level, &Vec<u64>)> = Level::ALL
        .into_iter()
        .zip(&metrics.confusion)
        .filter(|(_, row)| row.iter().any(|count| *count > 0))
        .collect();
    if expected.is_empty() {
        return;
    }
    let header = std::iter::once(String::new()).chain(Level::ALL.map(|level| level.to_string()));
    let mut rows = vec![header.chain(["no answer".to_owned()]).collect::<Vec<_>>()];
    for (level, counts) in expected {
        let cells = (0..=Level::ALL.len()).map(|answered| match counts.get(answered) {
            Some(0) | None => "·".to_owned(),
            Some(count) => count.to_string(),
        });
        rows.push(std::iter::once(level.to_string()).chain(cells).collect());
    }
    let mut sides = vec![Side::Left];
    sides.resize(Level::ALL.len() + 2, Side::Right);
    let mut lines = columns::lines(&rows, &sides).into_iter();
    page.blank();
    page.line(columns::titled("Expected", &lines.next().unwrap_or_default(), INDENT));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
}
