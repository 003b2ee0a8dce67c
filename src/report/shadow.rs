//! The strongest disagreements over unlabelled lines as rows of a table (RFC 4180), and everything as JSON.

use super::ReportError;
use crate::domain::{ShadowAnswer, ShadowReport, harmless_cell};

const COLUMNS: [&str; 10] = [
    "line",
    "target_level",
    "target_label",
    "target_score",
    "reference_level",
    "reference_label",
    "reference_score",
    "levels_above",
    "gap",
    "text",
];

/// The disagreements as CSV, the strongest first.
///
/// # Errors
/// A row cannot be written.
pub fn render_shadow_csv(report: &ShadowReport) -> Result<Vec<u8>, ReportError> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(ReportError::Csv)?;
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let side = |answer: &ShadowAnswer| {
        [answer.level.to_string(), harmless_cell(&answer.label), number(answer.score)]
    };
    for seen in &report.comparison.strongest {
        let mut row = vec![seen.line.to_string()];
        row.extend(side(&seen.target));
        row.extend(side(&seen.reference));
        row.extend([seen.levels_above.to_string(), number(seen.gap)]);
        row.push(harmless_cell(seen.text.as_deref().unwrap_or_default()));
        table.write_record(row).map_err(ReportError::Csv)?;
    }
    table.into_inner().map_err(|error| ReportError::Csv(error.into_error().into()))
}

/// The report as a JSON document that ends in a newline.
///
/// # Errors
/// It cannot be written as JSON.
pub fn render_shadow_json(report: &ShadowReport) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(report).map_err(ReportError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The JSON Schema of the report.
pub fn shadow_schema() -> serde_json::Value {
    schemars::schema_for!(ShadowReport).to_value()
}
