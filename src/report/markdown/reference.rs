//! The second opinion: the phrases to read first, and where target and reference part.

use super::super::{figures, second_opinion};
use super::escape::{code, levels, prose};
use super::page::{Page, table};
use crate::domain::{
    Disagreement, Level, ReferenceRecord, ReferenceReport, ReferenceSlice, RunRecord, ScoreGap, SliceKind,
};

/// So many phrases of a kind are named.
const MOST_NAMES: usize = 15;
/// So many rows a table has.
const MOST: usize = 25;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    match &record.reference {
        None => {}
        Some(ReferenceRecord::Missing { wanted, reason }) => {
            page.block("### Reference");
            page.block(format!("{} gave no opinion: {}", code(wanted), prose(reason)));
        }
        Some(ReferenceRecord::Answered(report)) => answered(page, report),
    }
}

fn answered(page: &mut Page, report: &ReferenceReport) {
    let comparison = &report.comparison;
    page.block("### Reference");
    page.block(format!(
        "{}: agreement {}, kappa {}, target − reference {} (McNemar p {}).",
        code(&second_opinion::model(report)),
        figures::rate(&comparison.agreement),
        figures::estimate(comparison.kappa_quadratic.as_ref()),
        second_opinion::difference(&comparison.test),
        second_opinion::probability(comparison.test.p_changed),
    ));
    let notes: Vec<String> = second_opinion::gaps(report).into_iter().chain(report.notes.clone()).collect();
    page.warnings(&notes);
    let row = |(kind, count): (Disagreement, u64)| {
        let ids: Vec<&str> =
            second_opinion::phrases(report, kind).filter(|_| second_opinion::is_to_read(kind)).collect();
        let mut shown: Vec<String> = ids.iter().take(MOST_NAMES).map(|id| code(id)).collect();
        if ids.len() > MOST_NAMES {
            shown.push(format!("+{} more", ids.len() - MOST_NAMES));
        }
        vec![count.to_string(), second_opinion::words(kind).to_owned(), shown.join(" ")]
    };
    page.block(table(&["", "target and reference", "phrases"], second_opinion::groups(report), MOST, row));
    if comparison.compared > 0 {
        page.block("How often each level met each; rows: the reference's, columns: the target's.");
        page.block(matrix(&comparison.levels));
    }
    let distances = second_opinion::distances(&comparison.levels);
    if !distances.is_empty() {
        page.block(format!("Levels by which the target is above the reference: {distances}."));
    }
    page.block(format!("The reference by itself: {}.", second_opinion::own(report)));
    let lowest = second_opinion::lowest(report);
    if !lowest.is_empty() {
        page.block(prose(&format!("Agreement is lowest in {lowest}.")));
    }
    page.details("Largest score gaps", &gaps(report));
    page.details("Reference by category", &slices(report, SliceKind::Category));
    page.details("Reference by capability", &slices(report, SliceKind::Capability));
}

/// How often each level met each.
fn matrix(levels: &[Vec<u64>]) -> String {
    let names = Level::ALL.map(Level::as_str);
    let head: Vec<&str> = std::iter::once("reference").chain(names).chain(["no answer"]).collect();
    let row = |(name, counts): (&str, &Vec<u64>)| {
        let cell = |count: &u64| if *count == 0 { "·".to_owned() } else { count.to_string() };
        std::iter::once(name.to_owned()).chain(counts.iter().map(cell)).collect()
    };
    table(&head, names.into_iter().zip(levels), MOST, row)
}

fn gaps(report: &ReferenceReport) -> String {
    let row = |gap: &ScoreGap| {
        vec![
            code(&gap.id),
            levels(gap.expected),
            second_opinion::side(gap.target),
            second_opinion::side(gap.reference),
            format!("{:+.2}", gap.gap),
        ]
    };
    table(&["phrase", "expected", "target", "reference", "gap"], &report.comparison.gaps, MOST, row)
}

fn slices(report: &ReferenceReport, kind: SliceKind) -> String {
    let row = |slice: &ReferenceSlice| {
        let test = &slice.test;
        vec![
            code(&slice.name),
            figures::rate(&slice.agreement),
            (test.both_right + test.improved).to_string(),
            (test.both_right + test.regressed).to_string(),
            (test.both_right + test.improved + test.regressed + test.both_wrong).to_string(),
        ]
    };
    let of_kind = report.comparison.slices.iter().filter(|slice| slice.kind == kind);
    table(&["slice", "agreement", "target right", "reference right", "of"], of_kind, MOST, row)
}
