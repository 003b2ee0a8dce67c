//! The runs of a series over time: a table with the newest last, a line of bars a metric, and what shifted.

use crate::domain::{History, HistoryRun};

use super::super::drift::{self, Finding, Note};
use super::super::headline::in_words;
use super::super::{figures, fit};
use super::TerminalOptions;
use super::columns::{self, Side};
use super::footer::{Place, places};
use super::page::{Line, Page, Tone};

/// Bars from the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns from which there is room for misses and the target's version.
const WIDE: usize = 110;
/// The blanks before a row.
const INDENT: usize = 2;

/// Shows a history as text whose last line ends in a newline.
pub fn render_history(history: &History, options: &TerminalOptions) -> String {
    let mut page = Page::new(options.width, options.color);
    let runs = figures::count(history.runs.len() as u64, "run", "runs");
    page.paragraph(
        Line::of(Tone::Strong, "History  "),
        Tone::Plain,
        &format!("{} of {}", runs, history.series),
    );
    for note in figures::elsewhere(history.elsewhere).iter().chain(&options.notes) {
        page.paragraph(Line::of(Tone::Plain, " ".repeat(9)), Tone::Dim, note);
    }
    table(&mut page, &history.runs);
    bars(&mut page, history);
    show_drift(&mut page, history);
    page.blank();
    let files =
        options.files.iter().map(|(label, path)| (label.clone(), Place::End(path.display().to_string())));
    places(&mut page, &files.collect::<Vec<_>>());
    page.finish()
}

fn table(page: &mut Page, runs: &[HistoryRun]) {
    let wide = page.width() >= WIDE;
    let mut header = vec!["", "verdict", "accuracy", "false pos.", "p95"];
    let mut sides = vec![Side::Left, Side::Left, Side::Right, Side::Right, Side::Right];
    if wide {
        header.extend(["misses", "severe", "version"]);
        sides.extend([Side::Right, Side::Right, Side::Left]);
    }
    let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
    let rows: Vec<Vec<String>> =
        std::iter::once(header).chain(runs.iter().map(|run| row(run, wide))).collect();
    let mut lines = columns::fitting([rows], &sides, page.width().saturating_sub(INDENT + 2), 22).into_iter();
    page.blank();
    page.line(columns::titled("Runs", &lines.next().unwrap_or_default(), INDENT + 2));
    for (run, line) in runs.iter().zip(lines) {
        let (tone, mark) = match (run.baseline, run.counted) {
            (true, _) => (Tone::Strong, "="),
            (false, true) => (Tone::Plain, " "),
            (false, false) => (Tone::Dim, "·"),
        };
        let text = if run.counted { Tone::Plain } else { Tone::Dim };
        page.line(
            Line::of(Tone::Plain, " ".repeat(INDENT))
                .with(tone, mark)
                .with(Tone::Plain, " ")
                .with(text, line),
        );
    }
    let legend = [
        runs.iter().any(|run| run.baseline).then_some("= the baseline"),
        runs.iter()
            .any(|run| !run.counted)
            .then_some("· not counted below: other phrases, incomplete, or its target failed"),
    ];
    let legend = legend.into_iter().flatten().collect::<Vec<_>>().join("; ");
    if !legend.is_empty() {
        page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT)), Tone::Dim, &legend);
    }
}

fn row(run: &HistoryRun, wide: bool) -> Vec<String> {
    let mut cells = vec![
        run.id.to_string(),
        run.conclusion.map_or(figures::NOTHING, in_words).to_owned(),
        figures::percent(run.accuracy),
        figures::percent(run.false_positive_rate),
        figures::duration(run.p95_ms),
    ];
    if wide {
        cells.push(figures::percent(run.false_negative_rate));
        cells.push(figures::percent(run.severe_miss_rate));
        cells.push(fit::cut(run.target_version.as_deref().unwrap_or(figures::NOTHING), 24));
    }
    cells
}

/// A number of a run.
type Of = fn(&HistoryRun) -> Option<f64>;
/// The number as text.
type Shown = fn(Option<f64>) -> String;

/// A line of bars a metric, over the counted runs.
fn bars(page: &mut Page, history: &History) {
    let counted: Vec<&HistoryRun> = history.counted().collect();
    if counted.len() < 2 {
        return;
    }
    let metrics: [(&str, Of, Shown); 4] = [
        ("accuracy", |run| run.accuracy, figures::percent),
        ("false positives", |run| run.false_positive_rate, figures::percent),
        ("misses", |run| run.false_negative_rate, figures::percent),
        ("p95", |run| run.p95_ms, figures::duration),
    ];
    page.blank();
    page.line(Line::of(Tone::Strong, "Trends").with(Tone::Dim, "  lowest to highest; the newest last"));
    for (name, value, show) in metrics {
        let values: Vec<Option<f64>> = counted.iter().map(|run| value(run)).collect();
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        let (Some(low), Some(high)) = (least(&known), most(&known)) else { continue };
        let figures = if low < high {
            format!("{} to {}", show(Some(low)), show(Some(high)))
        } else {
            format!("always {}", show(Some(low)))
        };
        let lead = format!("{}{name:<15}  ", " ".repeat(INDENT + 2));
        // The newest ones matter most.
        let room = page.width().saturating_sub(lead.len() + columns::width_of([figures.as_str()]) + 2).max(1);
        let shown = &values[values.len().saturating_sub(room)..];
        let line: String =
            shown.iter().map(|value| value.map_or(' ', |value| bar(value, low, high))).collect();
        page.line(
            Line::of(Tone::Plain, lead).with(Tone::Plain, line).with(Tone::Dim, format!("  {figures}")),
        );
    }
}

fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

fn most(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

/// The bar of a value; one of the middle where all values are the same.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 7")]
fn bar(value: f64, low: f64, high: f64) -> char {
    let place = if high > low { (value - low) / (high - low) * 7.0 } else { 3.0 };
    BARS[(place.round() as usize).min(BARS.len() - 1)]
}

fn show_drift(page: &mut Page, history: &History) {
    let notes = drift::notes(history);
    if notes.is_empty() {
        return;
    }
    page.blank();
    if let [Note { finding: Finding::TooFew, text }] = notes.as_slice() {
        page.paragraph(Line::of(Tone::Strong, "Drift  "), Tone::Dim, text);
        return;
    }
    page.line(Line::of(Tone::Strong, "Drift").with(Tone::Dim, "  over the runs of the same phrases"));
    for Note { finding, text } in &notes {
        let (tone, mark) = match finding {
            Finding::TooFew => (Tone::Dim, "?"),
            Finding::Steady => (Tone::Good, "✓"),
            Finding::Shifted => (Tone::Bad, "!"),
            Finding::OutOfLine => (Tone::Warn, "!"),
        };
        let lead = Line::of(Tone::Plain, " ".repeat(INDENT)).with(tone, mark).with(Tone::Plain, " ");
        page.paragraph(lead, Tone::Plain, text);
    }
}
