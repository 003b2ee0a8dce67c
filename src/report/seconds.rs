//! A load run second by second as a table (RFC 4180), for spreadsheets and data frames. `docs/load.md` describes the
//! columns.

use super::ReportError;
use crate::domain::{LoadRecord, LoadSecond, NoAnswerReason, RunRecord, harmless_cell};

/// The columns, in their order; new ones come last.
const COLUMNS: [&str; 22 + REASONS.len()] = [
    "run",
    "suite",
    "target",
    "target_version",
    "at_s",
    "length_s",
    "stage",
    "load_from",
    "load_to",
    "intended",
    "started",
    "answered",
    "unanswered",
    "right",
    "in_flight",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "lag_ms",
    "phrases_answered",
    "phrases_unanswered",
    "cpu",
    "unreachable",
    "tls",
    "timeout",
    "connection_lost",
    "rate_limited",
    "server_error",
    "rejected",
    "redirected",
    "unexpected_status",
    "malformed",
    "too_large",
    "fail_open",
];

/// Why requests have no answer, as their columns stand.
const REASONS: [NoAnswerReason; 12] = [
    NoAnswerReason::Unreachable,
    NoAnswerReason::Tls,
    NoAnswerReason::Timeout,
    NoAnswerReason::ConnectionLost,
    NoAnswerReason::RateLimited,
    NoAnswerReason::ServerError,
    NoAnswerReason::Rejected,
    NoAnswerReason::Redirected,
    NoAnswerReason::UnexpectedStatus,
    NoAnswerReason::Malformed,
    NoAnswerReason::TooLarge,
    NoAnswerReason::FailOpen,
];

pub(super) fn render(record: &RunRecord, load: &LoadRecord) -> Result<Vec<u8>, ReportError> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(ReportError::Csv)?;
    for second in &load.seconds {
        table.write_record(row(record, load, second)).map_err(ReportError::Csv)?;
    }
    table.into_inner().map_err(|error| ReportError::Csv(error.into_error().into()))
}

fn row(record: &RunRecord, load: &LoadRecord, second: &LoadSecond) -> Vec<String> {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let phrases = second.ended_phrases();
    // The step that holds its middle.
    let middle_ms = (second.at_s + load.second_s / 2.0) * 1e3;
    let step = load.steps.iter().find(|step| step.from_ms <= middle_ms && middle_ms < step.to_ms);
    let mut row = vec![
        record.id.to_string(),
        harmless_cell(&record.suite.name),
        harmless_cell(&record.target.name),
        harmless_cell(record.target.version.as_deref().unwrap_or_default()),
        second.at_s.to_string(),
        load.second_s.to_string(),
        step.map(|step| step.stage.to_string()).unwrap_or_default(),
        number(step.map(|step| step.load_from)),
        number(step.map(|step| step.load_to)),
        second.intended.to_string(),
        second.started.to_string(),
        second.answered.to_string(),
        second.unanswered.to_string(),
        if load.scenario.is_judged() { second.right.to_string() } else { String::new() },
        second.in_flight.to_string(),
        number(second.p50_ms),
        number(second.p95_ms),
        number(second.p99_ms),
        second.lag_ms.to_string(),
        phrases.answered.to_string(),
        phrases.unanswered.to_string(),
        second.cpu.to_string(),
    ];
    row.extend(REASONS.map(|reason| second.no_answer.get(&reason).copied().unwrap_or_default().to_string()));
    row
}
