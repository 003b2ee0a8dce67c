//! How steady the answers were: the flips among variants of the phrases, by kind.

use crate::domain::{PerturbationCounts, RunRecord};

use super::super::figures;
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::page::{Line, Page, Tone};

/// A kind's name keeps at least this many columns.
const LEAST_NAME: usize = 13;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let Some(report) = &record.perturbations else { return };
    let mut rows =
        vec![["", "variants", "flips", "up", "down", "alerts lost", "rate"].map(str::to_owned).to_vec()];
    rows.extend(report.kinds.iter().map(|(kind, counts)| row(kind.as_str(), counts)));
    if report.kinds.len() > 1 {
        rows.push(row("all", &report.total));
    }
    let without_rate = rows.iter().map(|row| row[..6].to_vec()).collect();
    let sides = [Left, Right, Right, Right, Right, Right, Left];
    let mut lines =
        columns::fitting([rows, without_rate], &sides, page.width().saturating_sub(4), LEAST_NAME)
            .into_iter();
    page.blank();
    page.line(columns::titled("Flips", &lines.next().unwrap_or_default(), 4));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
    let unanswered = report.total.unanswered + report.total.without_base;
    if unanswered > 0 {
        let missing = figures::count(unanswered, "variant has", "variants have");
        let note = format!("{missing} nothing to be compared, for want of an answer");
        page.paragraph(Line::of(Tone::Plain, "    "), Tone::Dim, &note);
    }
}

fn row(name: &str, counts: &PerturbationCounts) -> Vec<String> {
    let some = |count: u64| if count == 0 { figures::NOTHING.to_owned() } else { count.to_string() };
    vec![
        name.to_owned(),
        counts.variants.to_string(),
        some(counts.flips),
        some(counts.up),
        some(counts.down),
        some(counts.alerts_lost),
        figures::share(counts.rate.value, counts.rate.wilson),
    ]
}
