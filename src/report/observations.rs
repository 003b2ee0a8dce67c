//! Every observation as a row of a table (RFC 4180), for spreadsheets and data frames. `docs/ci.md` describes the
//! columns.

use std::collections::HashMap;

use super::ReportError;
use crate::domain::{
    Answer, Observation, PhraseResult, Polarity, ReferenceAnswer, ReferenceRecord, RunRecord, TextPolicy,
    harmless_cell,
};

/// The columns, in their order; new ones come last.
const COLUMNS: [&str; 38] = [
    "run",
    "suite",
    "target",
    "target_version",
    "phrase",
    "text_hash",
    "category",
    "capability",
    "tags",
    "language",
    "split",
    "polarity",
    "critical",
    "must_pass",
    "expected",
    "lowest_passing",
    "highest_passing",
    "judged_level",
    "verdict",
    "repeat",
    "level",
    "passes",
    "label",
    "score",
    "confidence",
    "no_answer",
    "attempts",
    "status",
    "started_ms",
    "latency_ms",
    "service_latency_ms",
    "violations",
    "text",
    "reference_level",
    "reference_label",
    "reference_score",
    "reference_verdict",
    "disagreement",
];

pub(super) fn render(record: &RunRecord, text: TextPolicy) -> Result<Vec<u8>, ReportError> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(ReportError::Csv)?;
    let reference = record.reference.iter().filter_map(ReferenceRecord::report);
    let opinions: HashMap<&str, &ReferenceAnswer> =
        reference.flat_map(|report| &report.answers).map(|answer| (answer.id.as_str(), answer)).collect();
    for result in &record.results {
        let opinion = opinions.get(result.id.as_str()).copied();
        let text = result.text.as_deref().and_then(|recorded| text.apply(recorded)).unwrap_or_default();
        for observation in &result.observations {
            table.write_record(row(record, result, observation, opinion, &text)).map_err(ReportError::Csv)?;
        }
    }
    table.into_inner().map_err(|error| ReportError::Csv(error.into_error().into()))
}

fn row(
    record: &RunRecord,
    result: &PhraseResult,
    observation: &Observation,
    opinion: Option<&ReferenceAnswer>,
    text: &str,
) -> [String; COLUMNS.len()] {
    let (prediction, no_answer) = match &observation.answer {
        Answer::Prediction(prediction) => (Some(prediction), None),
        Answer::NoAnswer(no_answer) => (None, Some(no_answer)),
    };
    let words = |words: &[String]| harmless_cell(&words.join(" "));
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let status = observation.attempts.last().and_then(|attempt| attempt.status);
    [
        record.id.to_string(),
        harmless_cell(&record.suite.name),
        harmless_cell(&record.target.name),
        harmless_cell(record.target.version.as_deref().unwrap_or_default()),
        harmless_cell(&result.id),
        result.text_hash.clone(),
        harmless_cell(&result.category),
        harmless_cell(result.capability.as_deref().unwrap_or_default()),
        words(&result.tags),
        harmless_cell(result.language.as_deref().unwrap_or_default()),
        result.split.map(|split| split.as_str().to_owned()).unwrap_or_default(),
        match result.polarity {
            Polarity::Negative => "negative",
            Polarity::Positive => "positive",
            Polarity::Straddling => "straddling",
        }
        .to_owned(),
        result.critical.to_string(),
        result.must_pass.to_string(),
        result.expected.to_string(),
        result.lowest_passing.to_string(),
        result.highest_passing.to_string(),
        result.level.map(|level| level.to_string()).unwrap_or_default(),
        result.verdict.as_str().to_owned(),
        observation.repeat.to_string(),
        observation.answer.level().map(|level| level.to_string()).unwrap_or_default(),
        super::failure::passes(result, observation).to_string(),
        harmless_cell(prediction.map(|prediction| prediction.label.as_str()).unwrap_or_default()),
        number(prediction.and_then(|prediction| prediction.score)),
        number(prediction.and_then(|prediction| prediction.confidence)),
        no_answer.map(|no_answer| no_answer.reason.as_str().to_owned()).unwrap_or_default(),
        observation.attempts.len().to_string(),
        status.map(|status| status.to_string()).unwrap_or_default(),
        observation.started_ms.to_string(),
        observation.latency_ms.to_string(),
        number(prediction.and_then(|prediction| prediction.service_latency_ms)),
        words(&observation.violations),
        harmless_cell(text),
        opinion.map(|opinion| opinion.level.to_string()).unwrap_or_default(),
        harmless_cell(opinion.map(|opinion| opinion.label.as_str()).unwrap_or_default()),
        number(opinion.map(|opinion| opinion.score)),
        opinion.map(|opinion| opinion.verdict.as_str().to_owned()).unwrap_or_default(),
        opinion.map(|opinion| opinion.disagreement.as_str().to_owned()).unwrap_or_default(),
    ]
}
