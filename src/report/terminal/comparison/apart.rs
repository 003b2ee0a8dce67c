//! Both runs as a whole, where too few of their phrases are the same.

use crate::domain::RunComparison;

use super::super::super::{figures, fit, unpaired};
use super::super::columns::{
    self,
    Side::{Left, Right},
};
use super::super::page::{Line, Page, Tone};

const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, comparison: &RunComparison) {
    if comparison.unpaired.is_empty() {
        return;
    }
    let head = unpaired::HEAD.map(str::to_lowercase).to_vec();
    let rows = comparison.unpaired.iter().map(|found| {
        let mut row = unpaired::row(found).to_vec();
        // There is no room for the counts.
        row[1] = figures::percent(found.baseline.value);
        row[2] = figures::percent(found.candidate.value);
        row
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let without_second = rows.iter().map(|row| row[..5].to_vec()).collect();
    let narrow = rows.iter().map(|row| row[..3].to_vec()).collect();
    let room = page.width().saturating_sub(INDENT);
    let sides = [Left, Right, Right, Right, Right, Right];
    page.blank();
    page.line(Line::of(Tone::Strong, unpaired::TITLE));
    for line in columns::fitting([rows, without_second, narrow], &sides, room, 15) {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
    page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT)), Tone::Dim, unpaired::NOTE);
}

/// The accuracy alone, for the page of a run.
pub(super) fn brief(page: &mut Page, comparison: &RunComparison) {
    let Some(found) = unpaired::accuracy(comparison) else { return };
    let [_, before, after, points, worse, _] = unpaired::row(found).map(|cell| fit::unbroken(&cell));
    let text = format!(
        "{}: accuracy {before} and {after}, {points} points, p (worse) {worse} by Fisher's exact test; harder phrases look \
         like a worse service, and no gate reads it",
        unpaired::TITLE.to_lowercase()
    );
    page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT)), Tone::Dim, &text);
}
