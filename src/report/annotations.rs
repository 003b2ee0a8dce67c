//! Workflow commands of GitHub Actions: findings at their lines in a pull request.
//!
//! The runner obeys a line that begins with `::`, on stdout and stderr alike, and takes ten of each level from a step:
//! so the worst come first, and no word from outside begins a line or ends a command.

use super::finding::{Finding, Rule, Subject, Weight, findings};
use super::fit;
use super::places::Places;
use crate::domain::{Conclusion, RunRecord, RunStatus};

/// What the runner takes of one level.
const MOST: usize = 10;

/// The run's findings as lines for the runner; nothing for a run without any. Never the text of a phrase.
pub fn render_annotations(record: &RunRecord, places: &Places) -> String {
    let passed = record.verdict.conclusion == Conclusion::Passed && record.status == RunStatus::Completed;
    let mut findings = findings(record);
    if !passed {
        // What the whole run came to, before its parts.
        findings.retain(|finding| finding.rule != Rule::Incomplete);
        findings.insert(0, verdict(record));
    }
    let mut lines = String::new();
    for level in ["error", "warning", "notice"] {
        let of_level = findings.iter().filter(|finding| self::level(finding.weight, passed) == level);
        let all: Vec<&Finding<'_>> = of_level.collect();
        for finding in all.iter().take(MOST) {
            lines.push_str(&command(level, finding, places));
        }
    }
    lines
}

/// An error in a green run would contradict its colour.
const fn level(weight: Weight, passed: bool) -> &'static str {
    match weight {
        Weight::Error if !passed => "error",
        Weight::Error | Weight::Warning => "warning",
        Weight::Note => "notice",
    }
}

fn verdict(record: &RunRecord) -> Finding<'_> {
    let message =
        format!("{} against {}: {}", record.suite.name, record.target.name, record.verdict.sentence);
    Finding { rule: Rule::Incomplete, weight: Weight::Error, subject: Subject::Run, message }
}

fn command(level: &str, finding: &Finding<'_>, places: &Places) -> String {
    let (title, place) = match finding.subject {
        Subject::Run => ("thrash".to_owned(), None),
        Subject::Check(_) => (format!("thrash: {}", finding.rule.id()), None),
        Subject::Failure(super::Failure { result, .. }, _) | Subject::Contradiction(result) => {
            let place = places.of(&result.source).map(|file| (file, result.source.line.max(1)));
            (format!("thrash: {}", finding.rule.id()), place)
        }
    };
    let place = place.map(|(file, line)| format!("file={},line={line},", property(file))).unwrap_or_default();
    format!("::{level} {place}title={}::{}\n", property(&title), data(&finding.message))
}

/// One line, escaped as `@actions/core` escapes a message.
fn data(text: &str) -> String {
    fit::clean(text).replace('%', "%25")
}

/// As `@actions/core` escapes a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
