//! The worst failures, by id: the text of a phrase is shown only to those who ask for it.

use crate::domain::PhraseResult;

use super::super::failure::{Failure, worst_first};
use super::super::{figures, fit};
use super::columns::{self, Side};
use super::page::{Line, Page, Tone};

/// So many are shown.
pub(super) const MOST: usize = 10;
/// A phrase's id keeps at least this many columns.
const LEAST_ID: usize = 20;
/// The blanks before a row.
const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, results: &[PhraseResult], text: bool) {
    let failures = worst_first(results);
    if failures.is_empty() {
        return;
    }
    let shown = &failures[..failures.len().min(MOST)];
    let header = ["", "expected", "got", "off by", "score"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(shown.iter().map(row)).collect();
    let without_score = rows.iter().map(|row| row[..4].to_vec()).collect();
    let sides = [Side::Left, Side::Left, Side::Left, Side::Left, Side::Right];
    let room = page.width().saturating_sub(INDENT);
    let mut lines = columns::fitting([rows, without_score], &sides, room, LEAST_ID).into_iter();

    page.blank();
    page.line(columns::titled("Worst failures", &lines.next().unwrap_or_default(), INDENT));
    let indent = " ".repeat(INDENT);
    for (failure, line) in shown.iter().zip(lines) {
        page.line(Line::of(Tone::Plain, format!("{indent}{line}")));
        if let Some(text) = failure.result.text.as_deref().filter(|_| text) {
            let text = fit::cut(&fit::clean(text), page.width().saturating_sub(INDENT + 2));
            page.line(Line::of(Tone::Plain, format!("{indent}  ")).with(Tone::Dim, text));
        }
    }
    if failures.len() > shown.len() {
        let more = failures.len() - shown.len();
        page.line(Line::of(Tone::Dim, format!("{indent}+{more} more in the record")));
    }
}

fn row(failure: &Failure<'_>) -> Vec<String> {
    let score = failure.prediction().and_then(|prediction| prediction.score);
    vec![
        failure.result.id.clone(),
        failure.result.expected.to_string(),
        failure.got().to_owned(),
        failure.off_by().unwrap_or_else(|| figures::NOTHING.to_owned()),
        figures::number(score),
    ]
}
