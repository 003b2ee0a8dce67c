//! The verdict: one word, one sentence, and a loud line if it is about the demo.

use crate::domain::{Conclusion, RunRecord};

use super::super::fit;
use super::page::{Line, Page, Tone};

/// Names longer than this are cut: the counts matter more.
const LONGEST_NAME: usize = 32;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let (tone, word) = word(record.verdict.conclusion);
    let lead = || Line::of(tone, word).with(Tone::Plain, "  ");
    page.paragraph(lead(), Tone::Strong, &sentence(record));
    if !record.verdict.sentence.is_empty() {
        let indent = Line::of(Tone::Plain, " ".repeat(word.len() + 2));
        page.paragraph(indent, Tone::Plain, &record.verdict.sentence);
    }
    if record.target.demo {
        let lead = Line::of(Tone::Warn, format!("{:<width$}", "DEMO", width = word.len() + 2));
        let text = "The built-in demo, not your service: name yours with --target or --url.";
        page.paragraph(lead, Tone::Warn, text);
    }
}

/// The verdict in one word.
pub(super) const fn word(conclusion: Conclusion) -> (Tone, &'static str) {
    match conclusion {
        Conclusion::Passed => (Tone::Good, "PASSED"),
        Conclusion::GateFailed => (Tone::Bad, "FAILED"),
        Conclusion::TargetFailed => (Tone::Bad, "TARGET FAILED"),
        Conclusion::Inconclusive => (Tone::Warn, "COULD NOT TELL"),
        Conclusion::Interrupted => (Tone::Warn, "INTERRUPTED"),
    }
}

/// Suite, target and counts.
fn sentence(record: &RunRecord) -> String {
    let suite = fit::cut(&record.suite.name, LONGEST_NAME);
    let target = fit::cut(&record.target.name, LONGEST_NAME);
    let metrics = &record.metrics;
    let mut counts = match metrics.phrases {
        0 => vec!["no phrase was judged".to_owned()],
        phrases => vec![format!("{} of {phrases} right", metrics.accuracy.count)],
    };
    let verdicts = metrics.verdicts;
    for (count, word) in [
        (verdicts.under, "under"),
        (verdicts.over, "over"),
        (verdicts.unanswered, "unanswered"),
        (record.integrity.not_sent, "not sent"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {word}"));
        }
    }
    format!("{suite} against {target}: {}", counts.join(", "))
}
