//! The run record as JSON, and the schema that describes it.

use std::borrow::Cow;

use crate::domain::{ComparisonRecord, History, RunRecord, TextPolicy};

use super::ReportError;

/// The record as a JSON document that ends in a newline.
pub(super) fn render(record: &RunRecord, text: TextPolicy, compact: bool) -> Result<Vec<u8>, ReportError> {
    let record = with_text(record, text);
    let bytes = if compact { serde_json::to_vec(&*record) } else { serde_json::to_vec_pretty(&*record) };
    let mut bytes = bytes.map_err(ReportError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The record with as much of the phrases' text as the policy lets through.
fn with_text(record: &RunRecord, policy: TextPolicy) -> Cow<'_, RunRecord> {
    if policy == TextPolicy::Full {
        return Cow::Borrowed(record);
    }
    let mut record = record.clone();
    for result in &mut record.results {
        result.text = result.text.take().and_then(|text| policy.apply(&text));
    }
    Cow::Owned(record)
}

/// The JSON Schema of a run record.
pub fn record_schema() -> serde_json::Value {
    schemars::schema_for!(RunRecord).to_value()
}

/// A comparison as a JSON document that ends in a newline. It holds no phrase's text.
pub fn render_comparison_json(record: &ComparisonRecord) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(record).map_err(ReportError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The JSON Schema of a comparison.
pub fn comparison_schema() -> serde_json::Value {
    schemars::schema_for!(ComparisonRecord).to_value()
}

/// A history as a JSON document that ends in a newline.
pub fn render_history_json(history: &History) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(history).map_err(ReportError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The JSON Schema of a history.
pub fn history_schema() -> serde_json::Value {
    schemars::schema_for!(History).to_value()
}
