//! What the runs of a series show together, in sentences: what shifted, with the test that says so.

use super::{figures, fit};
use crate::domain::{History, HistoryRun, NewestRun, RunId, Shift, ShiftTest, Trend};

/// What a sentence says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// There are too few runs to tell.
    TooFew,
    /// It is as it was.
    Steady,
    /// It shifted at a run.
    Shifted,
    /// The newest run is not as the ones before it.
    OutOfLine,
}

/// A sentence about a metric.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) finding: Finding,
    pub(super) text: String,
}

/// Everything that there is to say; one note for all where the runs are too few.
pub(super) fn notes(history: &History) -> Vec<Note> {
    if let Some(Trend { runs, shift: Shift::TooFew { needed }, .. }) = history.trends.first() {
        let runs = figures::count(*runs, "counted run is", "counted runs are");
        let text = format!("{runs} too few to tell a shift from chance: {needed} are needed");
        return vec![Note { finding: Finding::TooFew, text }];
    }
    let mut notes = Vec::new();
    for trend in &history.trends {
        notes.push(shift(trend, history));
        if let Some(newest) = trend.newest.as_ref().filter(|newest| newest.differs) {
            notes.push(Note { finding: Finding::OutOfLine, text: out_of_line(trend, newest) });
        }
    }
    notes
}

fn shift(trend: &Trend, history: &History) -> Note {
    let Trend { metric, runs, .. } = trend;
    let (finding, text) = match &trend.shift {
        Shift::TooFew { needed } => {
            (Finding::TooFew, format!("{metric}: {runs} runs are too few, {needed} are needed"))
        }
        Shift::Constant => (Finding::Steady, format!("{metric}: the same in all {runs} runs")),
        Shift::Tested(test) if test.significant => {
            (Finding::Shifted, format!("{}{}", shifted(metric, test), changed_with(history, &test.from)))
        }
        Shift::Tested(test) => {
            (Finding::Steady, format!("{metric}: no shift that chance would not do ({})", evidence(test)))
        }
    };
    Note { finding, text }
}

fn shifted(metric: &str, test: &ShiftTest) -> String {
    let value = |value| fit::unbroken(&figures::of_metric(metric, Some(value), None));
    format!(
        "{metric} shifted with run {}: {} on average in the {} before, {} in the {} from it on ({})",
        test.from,
        value(test.mean_before),
        figures::count(test.runs_before, "run", "runs"),
        value(test.mean_after),
        figures::count(test.runs_after, "run", "runs"),
        evidence(test)
    )
}

/// What else changed with the run that a shift began with.
fn changed_with(history: &History, from: &RunId) -> String {
    let runs: Vec<&HistoryRun> = history.counted().collect();
    let Some(&[before, after]) = runs.array_windows().find(|[_, after]| after.id == *from) else {
        return String::new();
    };
    let mut changes = Vec::new();
    if before.target_version != after.target_version {
        let name = |run: &HistoryRun| fit::unbroken(run.target_version.as_deref().unwrap_or("unknown"));
        changes.push(format!("the target's version, from {} to {}", name(before), name(after)));
    }
    if before.contract_hash != after.contract_hash {
        changes.push("the target's contract".to_owned());
    }
    if changes.is_empty() { String::new() } else { format!("; with it changed {}", changes.join(" and ")) }
}

fn evidence(test: &ShiftTest) -> String {
    let p = fit::unbroken(&figures::p_value(test.p_holm));
    format!(
        "largest standardised CUSUM {:.2}, {p} by {} permutations, Holm",
        test.statistic, test.permutations
    )
}

fn out_of_line(trend: &Trend, newest: &NewestRun) -> String {
    let value = |value| fit::unbroken(&figures::of_metric(&trend.metric, Some(value), None));
    let before = trend.runs.saturating_sub(1);
    let than = match newest.predicted {
        Some([lower, upper]) => format!(
            "outside the {} to {} that the {before} runs before it predict (95 %)",
            value(lower),
            value(upper)
        ),
        None => format!("and all {before} runs before it had {}", value(newest.mean_before)),
    };
    format!("{} of the newest run is {}, {than}", trend.metric, value(newest.value))
}
