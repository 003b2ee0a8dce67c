//! The verdict in words, wherever it is shown.

use crate::domain::{Conclusion, RunRecord, RunStatus};

/// What a reader has to know of a run against the demo.
pub(crate) const DEMO: &str = "The built-in demo, not your service: name yours with --target or --url.";

/// That the answers of its phrases were removed, where they were.
pub(super) fn removed(record: &RunRecord) -> Option<String> {
    let day = record.answers_removed_at?.format("%Y-%m-%d");
    Some(format!(
        "The answers, times and texts of the phrases were removed for their age on {day}; the figures are as they were."
    ))
}

/// The conclusion in a word or two.
pub(crate) const fn word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Passed => "Passed",
        Conclusion::GateFailed => "Failed",
        Conclusion::TargetFailed => "Target failed",
        Conclusion::Inconclusive => "Could not tell",
        Conclusion::Interrupted => "Interrupted",
    }
}

/// The same within a line.
pub(crate) const fn in_words(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Passed => "passed",
        Conclusion::GateFailed => "failed",
        Conclusion::TargetFailed => "target failed",
        Conclusion::Inconclusive => "could not tell",
        Conclusion::Interrupted => "interrupted",
    }
}

/// What became of planned requests that have no answer of their own: a hard stop cuts off those that are on their way.
pub(super) fn not_sent(record: &RunRecord) -> &'static str {
    if record.status == RunStatus::Interrupted { "not sent or cut off" } else { "not sent" }
}

/// How many phrases were right, and what became of the others, as `21 of 25 right, 3 under, 1 unanswered`.
pub(super) fn counts(record: &RunRecord) -> String {
    let metrics = &record.metrics;
    let mut counts = match metrics.phrases {
        requests if record.load.as_ref().is_some_and(|load| !load.scenario.is_judged()) => {
            vec![format!("{requests} requests with one fixed body, not judged")]
        }
        0 => vec!["no phrase was judged".to_owned()],
        phrases => vec![format!("{} of {phrases} right", metrics.accuracy.count)],
    };
    let verdicts = metrics.verdicts;
    let batches = record.load.as_ref().is_some_and(|load| load.scenario.batch > 1);
    for (count, word) in [
        (verdicts.under, "under"),
        (verdicts.over, "over"),
        (verdicts.unanswered, "unanswered"),
        (record.integrity.not_sent, if batches { "requests not sent" } else { not_sent(record) }),
    ] {
        if count > 0 {
            counts.push(format!("{count} {word}"));
        }
    }
    counts.join(", ")
}
