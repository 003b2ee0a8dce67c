//! The phrases that are not simply right in both runs, by id.

use std::collections::BTreeMap;

use crate::domain::{AnswerBrief, Change, PhraseChange, RunComparison};

use super::super::super::{figures, fit};
use super::super::columns::{self, Side};
use super::super::page::{Line, Page, Tone};

/// So many that got worse are shown, and so many of any other fate.
const MOST_WORSE: usize = 20;
const MOST_OTHERS: usize = 10;
/// So many are named in a line.
const MOST_NAMES: usize = 6;
/// A phrase's id keeps at least this many columns.
const LEAST_ID: usize = 20;
const INDENT: usize = 4;

/// The phrases that got worse, the worst first.
pub(super) fn worse(page: &mut Page, comparison: &RunComparison, texts: &BTreeMap<String, String>) {
    table(page, "Worse", comparison, Change::Regressed, MOST_WORSE, texts);
}

/// The phrases of every other fate.
pub(super) fn others(page: &mut Page, comparison: &RunComparison, texts: &BTreeMap<String, String>) {
    table(page, "Better", comparison, Change::Fixed, MOST_OTHERS, texts);
    table(page, "Flaky", comparison, Change::Flaky, MOST_OTHERS, texts);
    page.blank();
    for (title, change) in [("Still wrong", Change::StillWrong), ("New", Change::New), ("Gone", Change::Gone)]
    {
        let phrases: Vec<&PhraseChange> = comparison.changed(change).collect();
        if phrases.is_empty() {
            continue;
        }
        let found = |phrase: &&&PhraseChange| {
            phrase.candidate.or(phrase.baseline).is_some_and(|found| !found.verdict.passes())
        };
        let wrong = phrases.iter().filter(found).count();
        let names: Vec<String> = phrases.iter().map(|phrase| fit::unbroken(&phrase.id)).collect();
        let names = figures::names(names.iter().map(String::as_str), MOST_NAMES);
        let phrases = figures::count(phrases.len() as u64, "phrase", "phrases");
        let told = change == Change::StillWrong || wrong == 0;
        let wrong = if told { String::new() } else { format!(", {wrong} wrong") };
        line(page, title, &format!("{phrases}{wrong}: {names}"));
    }
}

fn line(page: &mut Page, title: &str, text: &str) {
    page.paragraph(Line::of(Tone::Strong, title).with(Tone::Plain, "  "), Tone::Plain, text);
}

fn table(
    page: &mut Page,
    title: &str,
    comparison: &RunComparison,
    change: Change,
    most: usize,
    texts: &BTreeMap<String, String>,
) {
    let phrases: Vec<&PhraseChange> = comparison.changed(change).collect();
    if phrases.is_empty() {
        return;
    }
    let shown = &phrases[..phrases.len().min(most)];
    let header = ["", "expected", "was", "is", ""].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> =
        std::iter::once(header).chain(shown.iter().map(|phrase| row(phrase))).collect();
    let without_marks = rows.iter().map(|row| row[..4].to_vec()).collect();
    let room = page.width().saturating_sub(INDENT);
    let mut lines = columns::fitting([rows, without_marks], &[Side::Left; 5], room, LEAST_ID).into_iter();
    page.blank();
    page.line(columns::titled(title, &lines.next().unwrap_or_default(), INDENT));
    let indent = " ".repeat(INDENT);
    for (phrase, line) in shown.iter().zip(lines) {
        page.line(Line::of(Tone::Plain, format!("{indent}{line}")));
        if let Some(text) = texts.get(&phrase.id) {
            let text = fit::cut(&fit::clean(text), page.width().saturating_sub(INDENT + 2));
            page.line(Line::of(Tone::Plain, format!("{indent}  ")).with(Tone::Dim, text));
        }
    }
    if phrases.len() > shown.len() {
        let more = phrases.len() - shown.len();
        page.line(Line::of(Tone::Dim, format!("{indent}+{more} more in the JSON")));
    }
}

fn row(phrase: &PhraseChange) -> Vec<String> {
    let level = |found: Option<AnswerBrief>| match found {
        Some(AnswerBrief { answers: Some(answers), .. }) => figures::answers(answers),
        Some(AnswerBrief { level: Some(level), .. }) => level.to_string(),
        Some(AnswerBrief { level: None, .. }) => "no answer".to_owned(),
        None => figures::NOTHING.to_owned(),
    };
    let marks: Vec<&str> = [(phrase.must_pass, "must pass"), (phrase.critical, "critical")]
        .into_iter()
        .filter_map(|(holds, mark)| holds.then_some(mark))
        .collect();
    vec![
        phrase.id.clone(),
        phrase.expected.to_string(),
        level(phrase.baseline),
        level(phrase.candidate),
        marks.join(", "),
    ]
}
