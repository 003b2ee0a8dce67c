//! Target and reference beside each other, in the words of every report.

use super::figures;
use crate::domain::{Disagreement, Level, PairedTest, ReferenceReport, SliceKind};

/// What target and reference made of a phrase, and what to do about it.
pub(super) const fn words(kind: Disagreement) -> &'static str {
    match kind {
        Disagreement::OnlyTargetWrong => "target wrong, reference right (read first)",
        Disagreement::BothWrongAlike => "both wrong with the same level (is the label right?)",
        Disagreement::BothWrong => "both wrong with different levels",
        Disagreement::OnlyReferenceWrong => "target right, reference wrong",
        Disagreement::BothRight => "both right",
        Disagreement::Unanswered => "unanswered by the target, so not compared",
    }
}

/// Whether somebody should read the phrases of a kind.
pub(super) const fn is_to_read(kind: Disagreement) -> bool {
    matches!(kind, Disagreement::OnlyTargetWrong | Disagreement::BothWrongAlike | Disagreement::BothWrong)
}

/// How many phrases are of each kind, in reading order; kinds without any are left out.
pub(super) fn groups(report: &ReferenceReport) -> Vec<(Disagreement, u64)> {
    let count = |kind| report.comparison.disagreements.get(&kind).copied().unwrap_or(0);
    let groups = Disagreement::ALL.into_iter().map(|kind| (kind, count(kind)));
    groups.filter(|(_, count)| *count > 0).collect()
}

/// The phrases of a kind.
pub(super) fn phrases(report: &ReferenceReport, kind: Disagreement) -> impl Iterator<Item = &str> {
    let of_kind = report.answers.iter().filter(move |answer| answer.disagreement == kind);
    of_kind.map(|answer| answer.id.as_str())
}

/// The model, what ran it and how fast.
pub(super) fn model(report: &ReferenceReport) -> String {
    let model = &report.model;
    let revision = model.revision.as_ref().map_or_else(String::new, |revision| format!(" {revision}"));
    let speed = report.phrases_per_second.map_or_else(String::new, |speed| format!(", {speed:.0} phrases/s"));
    format!("{}{revision} in {} on {}{speed}", model.name, model.engine, model.device)
}

/// What makes the opinion, or what it is held against, less than a whole one.
pub(super) fn gaps(report: &ReferenceReport) -> Vec<String> {
    let (answered, compared, planned) = (report.answered(), report.comparison.compared, report.planned);
    let mut gaps = Vec::new();
    if !report.is_whole() {
        gaps.push(format!("it answered {answered} of {planned} phrases, about a draw of them"));
    }
    if compared < answered {
        gaps.push(format!("the target answered {compared} of these {answered}; the others are not compared"));
    }
    gaps
}

/// The reference's own numbers, by the labels.
pub(super) fn own(report: &ReferenceReport) -> String {
    let metrics = &report.metrics;
    let (accuracy, false_positives) = (&metrics.accuracy, &metrics.false_positive_rate);
    format!("accuracy {}, false positives {}", figures::rate(accuracy), figures::rate(false_positives))
}

/// The categories in which the two agree least often, as `self_harm 20 % of 15`; small ones are left out.
pub(super) fn lowest(report: &ReferenceReport) -> String {
    const FEWEST: u64 = 5;
    const MOST: usize = 3;
    let slices = report.comparison.slices.iter();
    let mut slices: Vec<_> = slices
        .filter(|slice| slice.kind == SliceKind::Category && slice.agreement.of >= FEWEST)
        .filter_map(|slice| Some((slice.agreement.value.filter(|share| *share < 1.0)?, slice)))
        .collect();
    slices.sort_by(|one, other| one.0.total_cmp(&other.0));
    let shown = slices.iter().take(MOST).map(|(share, slice)| {
        format!("{} {} of {}", slice.name, figures::percent(Some(*share)), slice.agreement.of)
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The difference of the accuracies with its interval, as `+4.0 points [-1.2, +9.1]`.
pub(super) fn difference(test: &PairedTest) -> String {
    let Some(difference) = test.difference else { return figures::NOTHING.to_owned() };
    let interval = match (difference.lower, difference.upper) {
        (Some(lower), Some(upper)) => format!(" [{:+.1}, {:+.1}]", lower * 100.0, upper * 100.0),
        _ => String::new(),
    };
    format!("{}{interval}", figures::points(Some(difference.value)))
}

/// A p-value without its name.
pub(super) fn probability(p: f64) -> String {
    match p {
        p if p < 0.001 => "<0.001".to_owned(),
        p if p.is_finite() => format!("{p:.3}"),
        _ => figures::NOTHING.to_owned(),
    }
}

/// A level with its score.
pub(super) fn side((level, score): (Level, f64)) -> String {
    format!("{level} {score:.2}")
}

/// How many phrases the target puts so many levels above the reference, as `-2: 3, -1: 12, 0: 310, +1: 20`. What one of
/// them did not answer is not in it.
pub(super) fn distances(levels: &[Vec<u64>]) -> String {
    let most = Level::ALL.len();
    let apart = |above: usize, below: usize| -> u64 {
        let rows = levels.iter().enumerate().take(most);
        let cells = rows.flat_map(|(row, counts)| {
            counts.iter().take(most).enumerate().map(move |(column, count)| (row, column, *count))
        });
        cells.filter(|(row, column, _)| column + below == row + above).map(|(_, _, count)| count).sum()
    };
    let below = (1..most).rev().map(|steps| (format!("-{steps}"), apart(0, steps)));
    let above = (1..most).map(|steps| (format!("+{steps}"), apart(steps, 0)));
    let all = below.chain([("0".to_owned(), apart(0, 0))]).chain(above);
    let shown = all.filter(|(_, count)| *count > 0).map(|(steps, count)| format!("{steps}: {count}"));
    shown.collect::<Vec<_>>().join(", ")
}
