//! A page over the runs of a series: did something shift, the numbers over time, and every run.

use maud::{Markup, html};

use super::super::drift::{self, Finding, Note};
use super::super::figures;
use super::super::headline::word;
use super::page::Page;
use super::section::{Section, Table, Tone, cell, mark};
use super::series::{Chart, Point};
use super::{clean, verdict};
use crate::domain::{History, HistoryRun, Shift};

/// A number over the runs.
struct Series {
    id: &'static str,
    name: &'static str,
    /// The trend that looks for a shift in it.
    metric: &'static str,
    value: fn(&HistoryRun) -> Option<f64>,
    show: fn(Option<f64>) -> String,
}

const SERIES: [Series; 4] = [
    Series {
        id: "over-accuracy",
        name: "Accuracy",
        metric: "accuracy",
        value: |run| run.accuracy,
        show: figures::percent,
    },
    Series {
        id: "over-false-positives",
        name: "False positives",
        metric: "false_positive_rate",
        value: |run| run.false_positive_rate,
        show: figures::percent,
    },
    Series {
        id: "over-misses",
        name: "Misses",
        metric: "false_negative_rate",
        value: |run| run.false_negative_rate,
        show: figures::percent,
    },
    Series {
        id: "over-p95",
        name: "Latency p95",
        metric: "latency_p95",
        value: |run| run.p95_ms,
        show: figures::duration,
    },
];

/// The whole page.
pub(crate) fn page(history: &History) -> Page {
    let notes = drift::notes(history);
    let (tone, heading) = heading(&notes);
    let series = &history.series;
    let demo = if series.demo { " (the built-in demo)" } else { "" };
    let runs = figures::count(history.runs.len() as u64, "run", "runs");
    let first = history.runs.first().map(day).unwrap_or_default();
    let last = history.runs.last().map(day).unwrap_or_default();
    let header = html! {
        p.origin { "thrash · a history" }
        h1.loud.(tone.class()) { (mark(tone)) " " (heading) }
        p.lead {
            (runs) " of " b { (clean::name(&series.suite)) } " against " b { (clean::name(&series.target)) } (demo)
            ", from " (first) " to " (last) "."
        }
        @if let Some(run) = history.runs.last() {
            p.why {
                "The newest one: " b { (run.conclusion.map_or(figures::NOTHING, word)) } ", accuracy "
                (figures::share(run.accuracy, run.accuracy_interval)) "."
            }
        }
        @if let Some(left_out) = figures::elsewhere(history.elsewhere) { p.why { (left_out) "." } }
    };
    let sections = [Some(shifts(&notes)), charts(history), Some(table(history))];
    let title = format!(
        "{} {heading}: {} against {}{demo}",
        tone.mark(),
        clean::cut(&series.suite, 60),
        clean::cut(&series.target, 60)
    );
    let sections = sections.into_iter().flatten().collect();
    Page { title, tone, header, sections, data: None, frame: None }
}

fn day(run: &HistoryRun) -> String {
    run.started_at.format("%Y-%m-%d").to_string()
}

/// The most that the notes say. Whether a shift is good news is the reader's to say; and that there is none is no good
/// news by itself, for a service may be as bad as ever.
fn heading(notes: &[Note]) -> (Tone, &'static str) {
    let found = |finding| notes.iter().any(|note| note.finding == finding);
    if found(Finding::Shifted) {
        (Tone::Unsure, "Something shifted")
    } else if found(Finding::OutOfLine) {
        (Tone::Unsure, "The newest run is out of line")
    } else if found(Finding::Steady) {
        (Tone::Plain, "No shift seen")
    } else {
        (Tone::Plain, "Too few runs to tell")
    }
}

/// What shifted, with the test that says so.
fn shifts(notes: &[Note]) -> Section {
    let tone = |finding| match finding {
        Finding::TooFew => Tone::Plain,
        Finding::Steady => Tone::Good,
        Finding::Shifted | Finding::OutOfLine => Tone::Unsure,
    };
    let body = html! {
        @if notes.is_empty() { p { "There is no number to look at." } }
        ul.findings {
            @for note in notes { li { (mark(tone(note.finding))) " " span { (clean::sentence(&note.text)) "." } } }
        }
        p.note {
            "Looked for is one shift, over the complete runs of the same phrases: the largest standardised CUSUM, its "
            "p-value by permutation of the runs, Holm's correction for the metrics. It takes the runs as independent of "
            "one another."
        }
    };
    Section { id: "drift", title: "Did something shift?", summary: String::new(), body }
}

/// The numbers over the counted runs; none where there are fewer than two.
fn charts(history: &History) -> Option<Section> {
    let counted: Vec<&HistoryRun> = history.counted().collect();
    if counted.len() < 2 {
        return None;
    }
    let body = html! { div.multiples { @for series in &SERIES { (chart(series, history, &counted)) } } };
    let summary = format!("over the {} runs of the same phrases; the newest last", counted.len());
    Some(Section { id: "over-time", title: "Over time", summary, body })
}

fn chart(series: &Series, history: &History, runs: &[&HistoryRun]) -> Markup {
    let points: Vec<Point> = runs
        .iter()
        .map(|run| Point {
            at: run.started_at,
            value: (series.value)(run),
            tone: run.conclusion.map_or(Tone::Plain, verdict::tone),
        })
        .collect();
    let known = points.iter().filter_map(|point| point.value).filter(|value| value.is_finite());
    let ends = known.fold(None, |ends: Option<(f64, f64)>, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    let mut note = match ends {
        Some((low, high)) if low < high => {
            format!("{} to {}", (series.show)(Some(low)), (series.show)(Some(high)))
        }
        _ => "always the same".to_owned(),
    };
    let trend = history.trends.iter().find(|trend| trend.metric == series.metric);
    let shifted = trend.and_then(|trend| match &trend.shift {
        Shift::Tested(test) if test.significant => Some(test),
        Shift::Tested(_) | Shift::TooFew { .. } | Shift::Constant => None,
    });
    let shift = shifted.and_then(|test| runs.iter().position(|run| run.id == test.from));
    if shift.is_some() {
        note.push_str("; dashed: where it shifted");
    }
    Chart { id: series.id, name: series.name, show: series.show, points, limit: None, shift, note }.render()
}

/// Every run with its numbers, for those who see no charts too.
fn table(history: &History) -> Section {
    let rows = history.runs.iter().rev().map(|run| {
        let interval = figures::percent_interval(run.accuracy_interval);
        let marks = [run.baseline.then_some("the baseline"), (!run.counted).then_some("not counted")];
        let mut row = vec![
            cell(clean::name(run.id.as_str())),
            cell(run.started_at.format("%Y-%m-%d %H:%M").to_string()),
            cell(run.conclusion.map_or(figures::NOTHING, word)),
            html! { (figures::percent(run.accuracy)) @if run.accuracy.is_some() { i { (interval) } } },
        ];
        let shares =
            [run.false_positive_rate, run.false_negative_rate, run.severe_miss_rate, run.unanswered_rate];
        row.extend(shares.map(|share| cell(figures::percent(share))));
        row.extend([
            cell(figures::duration(run.p50_ms)),
            cell(figures::duration(run.p95_ms)),
            cell(run.phrases.to_string()),
            cell(run.target_version.as_deref().map(clean::name).unwrap_or_default()),
            cell(marks.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        ]);
        row
    });
    let head = vec![
        "Run",
        "Began (UTC)",
        "Verdict",
        "#Accuracy (95 %)",
        "#False positives",
        "#Misses",
        "#Severe misses",
        "#Unanswered",
        "#p50",
        "#p95",
        "#Phrases",
        "Version",
        "Note",
    ];
    let table = Table { caption: "The runs, newest first", head, rows: rows.collect() };
    let body = html! {
        (table.render())
        @if history.runs.iter().any(|run| !run.counted) {
            p.note { "Not counted above: runs of other phrases, incomplete ones, and those whose target failed." }
        }
    };
    Section { id: "runs", title: "Runs", summary: "newest first".to_owned(), body }
}
