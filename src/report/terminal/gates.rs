//! The checks: what failed and why, what could not be told, and what holds.

use crate::domain::{Check, CheckOutcome, CheckSource};

use super::super::explanation::{explanation, figure};
use super::super::{figures, fit};
use super::columns::{self, Side};
use super::page::{Line, Page, Tone};

/// So many failed or undecided checks are shown one by one.
const MOST_TROUBLES: usize = 12;
/// So many passed gates are shown one by one, where none is in trouble; more are named in a line.
const MOST_PASSED: usize = 6;
/// So many are named.
const MOST_NAMES: usize = 12;
/// The mark before a name, with the blanks around it.
const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, checks: &[Check]) {
    let of = |outcome| checks.iter().filter(move |check| check.outcome == outcome);
    let mut troubles: Vec<&Check> = of(CheckOutcome::Fail).chain(of(CheckOutcome::Inconclusive)).collect();
    troubles.sort_by_key(|check| {
        (!check.severity.decides(), check.outcome != CheckOutcome::Fail, rank(check.source))
    });
    let hidden = troubles.len().saturating_sub(MOST_TROUBLES);
    troubles.truncate(MOST_TROUBLES);
    let passed: Vec<&Check> =
        of(CheckOutcome::Pass).filter(|check| check.source == CheckSource::Gate).collect();
    let listed: &[&Check] = if troubles.is_empty() && passed.len() <= MOST_PASSED { &passed } else { &[] };

    page.section("Gates", &summary(checks));
    for (check, layout) in troubles.iter().zip(layouts(&troubles, page.width())) {
        show_check(page, check, layout);
    }
    if hidden > 0 {
        page.line(Line::of(Tone::Dim, format!("    +{hidden} more in the record")));
    }
    for (check, layout) in listed.iter().zip(layouts(listed, page.width())) {
        show_check(page, check, layout);
    }
    let collapsed = collapsed(checks, if listed.is_empty() { &passed } else { &[] });
    if !collapsed.is_empty() {
        let (tone, mark) = mark(CheckOutcome::Pass);
        page.paragraph(marked(tone, mark), Tone::Plain, &collapsed);
    }
}

/// How many failed, could not tell and passed.
fn summary(checks: &[Check]) -> String {
    if checks.is_empty() {
        return "none, so nothing could pass".to_owned();
    }
    let count = |holds: &dyn Fn(&Check) -> bool, word| {
        let count = checks.iter().filter(|check| holds(check)).count();
        (count > 0).then(|| format!("{count} {word}"))
    };
    let decided = |outcome| move |check: &Check| check.outcome == outcome && check.severity.decides();
    let warns = |check: &Check| check.outcome != CheckOutcome::Pass && !check.severity.decides();
    let counts = [
        count(&decided(CheckOutcome::Fail), "failed"),
        count(&decided(CheckOutcome::Inconclusive), "could not tell"),
        count(&warns, "warned"),
        count(&|check| check.outcome == CheckOutcome::Pass, "passed"),
    ];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How a check is laid out.
enum Layout {
    /// Name, number and a short explanation in columns.
    Row(String),
    /// A check without a number: the name, as wide as those of its like, and the explanation after it.
    Unnumbered(String),
    /// The name is too long for the columns: the rest stands below it.
    Stacked,
}

fn show_check(page: &mut Page, check: &Check, layout: Layout) {
    let explanation = explanation(check);
    let lead = lead(check);
    let indent = || Line::of(Tone::Plain, " ".repeat(INDENT));
    match layout {
        Layout::Row(row) => {
            page.line(lead.with(Tone::Plain, row));
            if !is_short(&explanation) {
                page.paragraph(indent(), Tone::Plain, &explanation);
            }
        }
        Layout::Unnumbered(name) => page.paragraph(lead.with(Tone::Plain, name), Tone::Plain, &explanation),
        Layout::Stacked => {
            page.paragraph(lead, Tone::Plain, &check.name);
            let details = [figure(check), explanation].into_iter().filter(|detail| !detail.is_empty());
            page.paragraph(indent(), Tone::Plain, &details.collect::<Vec<_>>().join(", "));
        }
    }
}

/// The mark before a check.
fn lead(check: &Check) -> Line {
    let (tone, mark) = match check.outcome {
        CheckOutcome::Fail if !check.severity.decides() => (Tone::Warn, "!"),
        outcome => mark(outcome),
    };
    marked(tone, mark)
}

fn marked(tone: Tone, mark: &str) -> Line {
    Line::of(Tone::Plain, "  ").with(tone, mark).with(Tone::Plain, " ")
}

/// The sign of an outcome.
pub(super) const fn mark(outcome: CheckOutcome) -> (Tone, &'static str) {
    match outcome {
        CheckOutcome::Pass => (Tone::Good, "✓"),
        CheckOutcome::Fail => (Tone::Bad, "✗"),
        CheckOutcome::Inconclusive => (Tone::Warn, "?"),
    }
}

/// What concerns the whole run comes first.
const fn rank(source: CheckSource) -> u8 {
    match source {
        CheckSource::Gate => 0,
        CheckSource::Integrity | CheckSource::Waiver => 1,
        CheckSource::MustPass => 2,
        CheckSource::Category => 3,
    }
}

/// The layout of each check.
fn layouts(checks: &[&Check], width: usize) -> Vec<Layout> {
    let row = |check: &Check| {
        let explanation = Some(explanation(check)).filter(|explanation| is_short(explanation));
        vec![check.name.clone(), figure(check), explanation.unwrap_or_default()]
    };
    let (numbered, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.value.is_some());
    let rows: Vec<Vec<String>> = numbered.into_iter().map(row).collect();
    let room = columns::room(&rows, width.saturating_sub(INDENT));
    let fits = |name: &str| columns::width_of([name]) <= room;
    let rows: Vec<Vec<String>> = rows.into_iter().filter(|row| fits(&row[0])).collect();
    let mut rows = columns::lines(&rows, &[Side::Left, Side::Left, Side::Left]).into_iter();
    let names: Vec<Vec<String>> = others.into_iter().map(|check| vec![check.name.clone()]).collect();
    let mut names = columns::lines(&names, &[Side::Left]).into_iter();
    let layout = |check: &&Check| match check.value {
        None => names.next().map(Layout::Unnumbered),
        Some(_) if fits(&check.name) => rows.next().map(Layout::Row),
        Some(_) => None,
    };
    checks.iter().map(layout).map(|layout| layout.unwrap_or(Layout::Stacked)).collect()
}

/// Whether an explanation can stand in a column.
fn is_short(explanation: &str) -> bool {
    columns::width_of([explanation]) <= 32
}

/// The passed checks that are not listed: gates by name, the others counted.
fn collapsed(checks: &[Check], gates: &[&Check]) -> String {
    let passed = |source| {
        checks.iter().filter(move |check| check.source == source && check.outcome == CheckOutcome::Pass)
    };
    let counted = |count: u64, one, many| (count > 0).then(|| figures::count(count, one, many));
    let names: Vec<String> = gates.iter().map(|gate| fit::unbroken(&gate.name)).collect();
    // One check may stand for all phrases that must pass.
    let phrases = passed(CheckSource::MustPass).map(|check| check.of.unwrap_or(1)).sum();
    let parts = [
        (!gates.is_empty()).then(|| figures::names(names.iter().map(String::as_str), MOST_NAMES)),
        counted(passed(CheckSource::Category).count() as u64, "category target", "category targets"),
        counted(phrases, "phrase that must pass", "phrases that must pass"),
        counted(passed(CheckSource::Integrity).count() as u64, "integrity check", "integrity checks"),
        counted(passed(CheckSource::Waiver).count() as u64, "waiver check", "waiver checks"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
