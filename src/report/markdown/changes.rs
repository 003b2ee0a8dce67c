//! What changed against the baseline: the phrases that flipped, worst first.

use super::super::{figures, unpaired};
use super::escape::{code, levels, prose};
use super::page::{Page, table};
use crate::domain::{
    AnswerBrief, BaselineRecord, Change, PairedTest, PhraseChange, RunComparison, UnpairedRate,
};

/// So many flips of a kind are shown.
const MOST: usize = 30;
/// So many warnings.
const MOST_WARNINGS: usize = 10;

pub(super) fn of_baseline(page: &mut Page, baseline: Option<&BaselineRecord>) {
    match baseline {
        None => {}
        Some(BaselineRecord::Compared(comparison)) => {
            page.block("### Against the baseline");
            summary(page, comparison);
            flips(page, comparison);
        }
        Some(BaselineRecord::Missing { wanted, reason }) => {
            page.block("### Against the baseline");
            page.block(format!("Could not be compared with {}: {}", code(wanted), prose(reason)));
        }
    }
}

/// How many phrases flipped, and whether that can be chance.
pub(super) fn summary(page: &mut Page, comparison: &RunComparison) {
    let test = &comparison.accuracy;
    let baseline = code(comparison.baseline.id.as_str());
    page.block(match comparison.compared {
        0 => format!("No phrase is compared with run {baseline}: they share none that was answered steadily."),
        compared => format!(
            "Accuracy {} over {} of run {baseline}: **{} regressed**, {} fixed, {} still wrong; p (worse) {}.",
            difference(test),
            figures::count(compared, "phrase", "phrases"),
            test.regressed,
            test.improved,
            test.both_wrong,
            chance(test),
        ),
    });
    let others = [(Change::Flaky, "flaky"), (Change::New, "new"), (Change::Gone, "gone")];
    let others = others.map(|(change, word)| (comparison.changed(change).count(), word));
    let others: Vec<String> = others
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if !others.is_empty() {
        page.block(format!("Not compared: {}.", others.join(", ")));
    }
    let (shown, more) = comparison.warnings.split_at(comparison.warnings.len().min(MOST_WARNINGS));
    page.warnings(shown);
    if !more.is_empty() {
        page.block(format!(
            "… and {} in the record.",
            figures::count(more.len() as u64, "more warning", "more warnings")
        ));
    }
    apart(page, comparison);
}

/// The runs as a whole, where too few of their phrases are the same.
fn apart(page: &mut Page, comparison: &RunComparison) {
    let row = |found: &UnpairedRate| {
        let [name, cells @ ..] = unpaired::row(found);
        std::iter::once(code(&name)).chain(cells).collect()
    };
    if !comparison.unpaired.is_empty() {
        page.block(format!("**{}.** {}", unpaired::TITLE, unpaired::NOTE));
        page.block(table(&unpaired::HEAD, &comparison.unpaired, MOST, row));
    }
}

/// The phrases that were right and are wrong, in full; the others folded.
pub(super) fn flips(page: &mut Page, comparison: &RunComparison) {
    let of = |change| table_of(comparison.changed(change));
    page.block(of(Change::Regressed));
    page.details("Fixed", &of(Change::Fixed));
    page.details("Flaky", &of(Change::Flaky));
}

fn table_of<'a>(changes: impl Iterator<Item = &'a PhraseChange>) -> String {
    table(&["phrase", "category", "expected", "baseline", "now"], changes, MOST, row)
}

fn row(change: &PhraseChange) -> Vec<String> {
    let mark = match (change.must_pass, change.critical) {
        (true, _) => " **must pass**",
        (false, true) => " **critical**",
        (false, false) => "",
    };
    vec![
        format!("{}{mark}", code(&change.id)),
        code(&change.category),
        levels(change.expected),
        answer(change.baseline.as_ref()),
        answer(change.candidate.as_ref()),
    ]
}

fn answer(answer: Option<&AnswerBrief>) -> String {
    match answer {
        None => figures::NOTHING.to_owned(),
        Some(AnswerBrief { answers: Some(answers), .. }) => figures::answers(*answers),
        Some(AnswerBrief { level: None, .. }) => "no answer".to_owned(),
        Some(AnswerBrief { level: Some(level), verdict, .. }) => format!("{level} ({})", verdict.as_str()),
    }
}

/// The chance of so many regressions without a change for the worse: corrected, where it is.
pub(super) fn chance(test: &PairedTest) -> String {
    match test.p_worse_holm.unwrap_or(test.p_worse) {
        p if p < 0.001 => "< 0.001".to_owned(),
        p if p.is_finite() => format!("{p:.3}"),
        _ => figures::NOTHING.to_owned(),
    }
}

/// The difference in points with its interval.
pub(super) fn difference(test: &PairedTest) -> String {
    let Some(difference) = test.difference else { return figures::NOTHING.to_owned() };
    let points = figures::points(Some(difference.value));
    match (difference.lower, difference.upper) {
        (Some(lower), Some(upper)) => {
            format!("{points} [{:+.1}, {:+.1}]", lower * 100.0, upper * 100.0)
        }
        _ => points,
    }
}
