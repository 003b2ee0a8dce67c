//! The rates in both runs, the change with its interval, and how likely chance alone is.

use crate::domain::{Estimate, MetricComparison, PairedTest, RunComparison};

use super::super::super::figures;
use super::super::columns::{
    self,
    Side::{Left, Right},
};
use super::super::page::{Line, Page, Tone};
use super::chance;

const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, comparison: &RunComparison) {
    let mut rows = vec![["", "was", "is", "points", "worse", "better", "chance"].map(str::to_owned).to_vec()];
    let test = comparison.accuracy;
    rows.extend(accuracy(&test));
    rows.extend(comparison.metrics.iter().filter_map(rate));
    if comparison.compared == 0 || rows.len() == 1 {
        return;
    }
    let without_chance = rows.iter().map(|row| row[..6].to_vec()).collect();
    let short = rows.iter().map(|row| row[..4].to_vec()).collect();
    let room = page.width().saturating_sub(INDENT);
    let sides = [Left, Right, Right, Left, Right, Right, Right];
    let mut lines = columns::fitting([rows, without_chance, short], &sides, room, 15).into_iter();
    page.blank();
    page.line(columns::titled("Rates", &lines.next().unwrap_or_default(), INDENT));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
    let indent = || Line::of(Tone::Plain, " ".repeat(INDENT));
    page.paragraph(indent(), Tone::Plain, &format!("{}.", chance(&test)));
    if test.answers.is_some() {
        let meaning = "All answers count; worse and better are phrases whose share changed beyond chance.";
        page.paragraph(indent(), Tone::Dim, meaning);
    } else if test.regressed + test.improved > 0 {
        let meaning =
            "For these phrases every change is real; the interval (95 %) is about phrases like them.";
        page.paragraph(indent(), Tone::Dim, meaning);
    }
}

fn accuracy(test: &PairedTest) -> Option<Vec<String>> {
    let all = test.both_right + test.improved + test.regressed + test.both_wrong;
    let share = |right: u64| (all > 0).then(|| ratio(right, all));
    let (was, is) = match &test.answers {
        Some(answers) => (answers.baseline.value?, answers.candidate.value?),
        None => (share(test.both_right + test.regressed)?, share(test.both_right + test.improved)?),
    };
    Some(row("accuracy", [was, is], difference(test, false), test))
}

fn rate(found: &MetricComparison) -> Option<Vec<String>> {
    let (name, errors) = match found.metric.as_str() {
        "exact_accuracy" => ("exact", false),
        "false_positive_rate" => ("false positives", true),
        "false_negative_rate" => ("false negatives", true),
        "severe_miss_rate" => ("severe misses", true),
        "unanswered_rate" => ("unanswered", true),
        other => (other, false),
    };
    let (was, is) = (found.baseline.value?, found.candidate.value?);
    Some(row(name, [was, is], difference(&found.test, errors), &found.test))
}

fn row(name: &str, rates: [f64; 2], difference: String, test: &PairedTest) -> Vec<String> {
    let some = |count: u64| if count == 0 { figures::NOTHING.to_owned() } else { count.to_string() };
    let chance = if test.regressed == 0 && test.answers.is_none() { None } else { Some(test.p_worse) };
    let [was, is] = rates.map(|rate| figures::percent(Some(rate)));
    vec![
        name.to_owned(),
        was,
        is,
        difference,
        some(test.regressed),
        some(test.improved),
        figures::percent(chance),
    ]
}

/// The difference of the rate that is shown; one that counts errors rises as the cases get worse.
fn difference(test: &PairedTest, errors: bool) -> String {
    let Some(Estimate { value, lower, upper }) = test.difference else {
        return figures::NOTHING.to_owned();
    };
    let ends = lower.zip(upper).map(|(lower, upper)| if errors { [-upper, -lower] } else { [lower, upper] });
    figures::signed(Some(if errors { -value } else { value }), ends)
}

#[expect(clippy::cast_precision_loss, reason = "phrases of a run are few")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}
