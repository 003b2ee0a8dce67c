//! The categories: how many phrases of each were right, those in trouble first.

use crate::domain::{Check, CheckOutcome, CheckSource, Metrics, RunRecord, Slice, SliceKind};

use super::super::figures;
use super::columns::{self, Side};
use super::gates::mark;
use super::page::{Line, Page, Tone};

/// With more categories than this, those without an error share a line.
const MOST_ROWS: usize = 10;
/// A category's name keeps at least this many columns.
const LEAST_NAME: usize = 16;
/// The mark before a name, with the blanks around it.
const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let mut slices: Vec<&Slice> =
        record.slices.iter().filter(|slice| slice.kind == SliceKind::Category).collect();
    if slices.is_empty() {
        return;
    }
    let outcome = |slice: &Slice| outcome(&record.verdict.checks, slice);
    slices.sort_by_key(|slice| (trouble(outcome(slice)), is_all_right(slice)));
    let all = slices.len();
    let mut right = Vec::new();
    if all > MOST_ROWS {
        (right, slices) = slices.into_iter().partition(|slice| is_all_right(slice));
    }

    let mut rows: Vec<Row> =
        slices.iter().map(|slice| Row::new(&slice.name, slice.target_accuracy, &slice.metrics)).collect();
    if !right.is_empty() {
        let of: u64 = right.iter().map(|slice| slice.metrics.accuracy.of).sum();
        let name = format!("{} more, all right", right.len());
        rows.push(Row { name, right: format!("{of}/{of}"), ..Row::default() });
    }
    if all > 1 {
        rows.push(Row::new("all", None, &record.metrics));
    }
    let mut lines = table(&rows, page.width().saturating_sub(INDENT)).into_iter();
    page.blank();
    page.line(columns::titled("Categories", &lines.next().unwrap_or_default(), INDENT));
    let last = lines.len() - 1;
    for (index, line) in lines.enumerate() {
        let (tone, mark) =
            slices.get(index).and_then(|slice| outcome(slice)).map_or((Tone::Plain, " "), mark);
        let text = if index == last && all > 1 { Tone::Strong } else { Tone::Plain };
        page.line(Line::of(Tone::Plain, "  ").with(tone, mark).with(Tone::Plain, " ").with(text, line));
    }
    if let Some(worth) = record.metrics.accuracy.effective {
        let phrases = record.metrics.accuracy.of;
        let note = if let Some(load) = &record.load {
            let of = if load.scenario.batch > 1 { ", and of one request," } else { "" };
            format!("{phrases} answers, worth {worth:.0}: answers to one phrase{of} are much alike")
        } else {
            format!("{phrases} phrases, worth {worth:.0}: some are variants of one another")
        };
        page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT)), Tone::Dim, &note);
    }
}

/// What the category's own check says, if it has one.
fn outcome(checks: &[Check], slice: &Slice) -> Option<CheckOutcome> {
    let name = format!("category={}", slice.name);
    let own = |check: &&Check| check.source == CheckSource::Category && check.slice.as_deref() == Some(&name);
    checks.iter().find(own).map(|check| check.outcome)
}

/// Failed before undecided before the rest.
const fn trouble(outcome: Option<CheckOutcome>) -> u8 {
    match outcome {
        Some(CheckOutcome::Fail) => 0,
        Some(CheckOutcome::Inconclusive) => 1,
        Some(CheckOutcome::Pass) | None => 2,
    }
}

const fn is_all_right(slice: &Slice) -> bool {
    slice.metrics.accuracy.count == slice.metrics.accuracy.of
}

/// A row as text.
#[derive(Default)]
struct Row {
    name: String,
    right: String,
    accuracy: String,
    interval: String,
    target: String,
    /// Under, over, unanswered.
    wrong: [String; 3],
}

impl Row {
    fn new(name: &str, target: Option<f64>, metrics: &Metrics) -> Self {
        let verdicts = metrics.verdicts;
        let some = |count: u64| if count == 0 { figures::NOTHING.to_owned() } else { count.to_string() };
        Self {
            name: name.to_owned(),
            right: format!("{}/{}", metrics.accuracy.count, metrics.accuracy.of),
            accuracy: figures::percent(metrics.accuracy.value),
            interval: figures::percent_interval(metrics.accuracy.wilson),
            target: target.map_or_else(String::new, |target| figures::percent(Some(target))),
            wrong: [verdicts.under, verdicts.over, verdicts.unanswered].map(some),
        }
    }

    /// The row's cells. Accuracy is as wide in all rows, so that the intervals after it stand in a column.
    fn cells(&self, accuracy: usize, interval: bool, target: bool) -> Vec<String> {
        let mut share = format!("{:>accuracy$}", self.accuracy);
        if interval {
            share = format!("{share} {}", self.interval);
        }
        let mut cells = vec![self.name.clone(), self.right.clone(), share];
        cells.extend(target.then(|| self.target.clone()));
        cells.extend(self.wrong.clone());
        cells
    }
}

/// The table's lines, its header first. What one misses least gives way to a narrow terminal: the interval, then
/// the target.
fn table(rows: &[Row], width: usize) -> Vec<String> {
    use Side::{Left, Right};
    let accuracy = columns::width_of(rows.iter().map(|row| row.accuracy.as_str()));
    let header = Row {
        right: "right".to_owned(),
        accuracy: "accuracy".to_owned(),
        target: "target".to_owned(),
        wrong: ["under", "over", "unans."].map(str::to_owned),
        ..Row::default()
    };
    let layouts = [(true, true), (false, true), (false, false)].map(|(interval, target)| {
        let cells = rows.iter().map(|row| row.cells(accuracy, interval, target));
        std::iter::once(header.cells(0, interval, target)).chain(cells).collect()
    });
    columns::fitting(layouts, &[Left, Right, Left, Right, Right, Right, Right], width, LEAST_NAME)
}
