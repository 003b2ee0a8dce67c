//! What repeats showed: how steady the answers are, and the phrases that got different ones.

use crate::domain::{FlakyPhrase, Level, RepeatReport, RunRecord};

use super::super::figures;
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::page::{Line, Page, Tone};

/// So many phrases are shown.
const MOST: usize = 10;
/// A phrase's id keeps at least this many columns.
const LEAST_ID: usize = 20;
/// The blanks before a row.
const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let Some(report) = &record.repeats else { return };
    page.section("Repeats", &summary(report, record.options.repeat));
    if record.integrity.cached > 0 || record.integrity.target_caches == Some(true) {
        let text = "the target caches answers, and an answer that is said again shows nothing";
        page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Plain, text);
    }
    if report.flaky.is_empty() {
        return;
    }
    let shown = &report.flaky[..report.flaky.len().min(MOST)];
    let header = ["", "right", "same", "answers"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(shown.iter().map(row)).collect();
    let without_same = rows.iter().map(|row| [&row[..2], &row[3..]].concat()).collect();
    let room = page.width().saturating_sub(INDENT);
    let lines = columns::fitting([rows, without_same], &[Left, Right, Right, Left], room, LEAST_ID);
    let mut lines = lines.into_iter();
    page.line(columns::titled("  Flaky", &lines.next().unwrap_or_default(), INDENT));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
    if report.flaky.len() > MOST {
        let more = report.flaky.len() - MOST;
        page.line(Line::of(Tone::Dim, format!("{}+{more} more in the record", " ".repeat(INDENT))));
    }
}

fn summary(report: &RepeatReport, passes: u32) -> String {
    let phrases = figures::count(report.phrases, "phrase", "phrases");
    let mut parts = vec![if passes > 1 {
        format!("{phrases} sent {passes} times")
    } else {
        format!("{phrases} in doubt sent again")
    }];
    if passes > 1 && report.extra > 0 {
        parts.push(format!("{} more for those in doubt", report.extra));
    }
    parts.push(match report.flaky_rate.count {
        0 => "every answer stayed the same".to_owned(),
        flaky => format!("{flaky} flaky, {} of the answers flipped", figures::rate(&report.flip_rate)),
    });
    parts.push(format!("{} right every time", report.always_right.count));
    parts.join(", ")
}

fn row(phrase: &FlakyPhrase) -> Vec<String> {
    let answer = |level: Option<Level>| level.map_or("no answer", Level::as_str);
    let answers: Vec<String> =
        phrase.answers.iter().map(|seen| format!("{} {}×", answer(seen.level), seen.count)).collect();
    vec![
        phrase.id.clone(),
        format!("{}/{}", phrase.passing.count, phrase.passing.of),
        figures::percent(Some(phrase.agreement)),
        answers.join(", "),
    ]
}
