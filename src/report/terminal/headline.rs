//! The verdict: one word, one sentence, and a loud line if it is about the demo.

use crate::domain::{Conclusion, RunRecord};

use super::super::fit;
use super::super::headline::{self, DEMO, counts};
use super::page::{Line, Page, Tone};

/// Names longer than this are cut: the counts matter more.
const LONGEST_NAME: usize = 32;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let (tone, word) = word(record.verdict.conclusion);
    page.paragraph(Line::of(tone, &word).with(Tone::Plain, "  "), Tone::Strong, &sentence(record));
    if !record.verdict.sentence.is_empty() {
        let indent = Line::of(Tone::Plain, " ".repeat(word.len() + 2));
        page.paragraph(indent, Tone::Plain, &record.verdict.sentence);
    }
    if record.target.demo {
        let lead = Line::of(Tone::Warn, format!("{:<width$}", "DEMO", width = word.len() + 2));
        page.paragraph(lead, Tone::Warn, DEMO);
    }
    if let Some(removed) = headline::removed(record) {
        let lead = Line::of(Tone::Plain, format!("{:<width$}", "NOTE", width = word.len() + 2));
        page.paragraph(lead, Tone::Plain, &removed);
    }
}

/// The verdict in a word or two.
pub(super) fn word(conclusion: Conclusion) -> (Tone, String) {
    let tone = match conclusion {
        Conclusion::Passed => Tone::Good,
        Conclusion::GateFailed | Conclusion::TargetFailed => Tone::Bad,
        Conclusion::Inconclusive | Conclusion::Interrupted => Tone::Warn,
    };
    (tone, headline::word(conclusion).to_uppercase())
}

/// Suite, target and counts.
fn sentence(record: &RunRecord) -> String {
    let suite = fit::cut(&record.suite.name, LONGEST_NAME);
    let target = fit::cut(&record.target.name, LONGEST_NAME);
    format!("{suite} against {target}: {}", counts(record))
}
