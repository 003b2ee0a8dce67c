//! A suite becomes a table, one phrase a row, that [`import`](super::import) reads back as the same suite.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Category, Suite};
use crate::domain::{Phrase, Tolerance, harmless_cell};

/// The columns, in their order.
pub const COLUMNS: [&str; 19] = [
    "id",
    "text",
    "category",
    "category_title",
    "expected",
    "escalation",
    "de_escalation",
    "target_accuracy",
    "critical",
    "must_pass",
    "capability",
    "tags",
    "pair",
    "seed_of",
    "history",
    "language",
    "split",
    "note",
    "annotations",
];

/// Whether a table with these columns is an export of ours; the first ones had no annotations.
pub(super) fn is_export(columns: &[impl AsRef<str>]) -> bool {
    let names = || columns.iter().map(AsRef::as_ref);
    names().eq(COLUMNS) || names().eq(COLUMNS[..18].iter().copied())
}

/// How a suite is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON object a line.
    Jsonl,
    /// Values separated by commas; lists are joined by `|`, annotations as `annotator=level|annotator=level`.
    Csv {
        /// Puts `'` before cells that a spreadsheet would run as formulas. Such a table does not read back the same.
        spreadsheet_safe: bool,
    },
}

/// Renders the suite.
///
/// # Errors
/// None that is known: both formats are written to memory.
pub fn export(suite: &Suite, format: ExportFormat) -> std::io::Result<Vec<u8>> {
    let categories: HashMap<&str, &Category> =
        suite.categories.iter().map(|category| (category.name.as_str(), category)).collect();
    let rows =
        suite.phrases.iter().map(|phrase| row(phrase, categories.get(phrase.category.as_str()).copied()));
    match format {
        ExportFormat::Jsonl => {
            let mut lines = Vec::new();
            for row in rows {
                let object: Map<String, Value> = COLUMNS.into_iter().map(str::to_owned).zip(row).collect();
                serde_json::to_writer(&mut lines, &object)?;
                lines.push(b'\n');
            }
            Ok(lines)
        }
        ExportFormat::Csv { spreadsheet_safe } => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(COLUMNS)?;
            for row in rows {
                let cells = row.iter().map(cell);
                writer.write_record(
                    cells.map(|cell| if spreadsheet_safe { harmless_cell(&cell) } else { cell }),
                )?;
            }
            writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
        }
    }
}

fn row(phrase: &Phrase, category: Option<&Category>) -> [Value; COLUMNS.len()] {
    [
        json!(phrase.id),
        json!(phrase.text),
        json!(phrase.category),
        json!(category.map_or("", |category| &category.title)),
        json!(phrase.expected),
        tolerance(phrase.escalation),
        tolerance(phrase.de_escalation),
        json!(category.and_then(|category| category.target_accuracy)),
        json!(phrase.critical),
        json!(phrase.must_pass),
        json!(phrase.capability),
        json!(phrase.tags),
        json!(phrase.pair),
        json!(phrase.seed_of),
        json!(phrase.history),
        json!(phrase.language),
        json!(phrase.split),
        json!(phrase.note),
        json!(phrase.annotations),
    ]
}

fn tolerance(tolerance: Tolerance) -> Value {
    match tolerance {
        Tolerance::NONE => json!(false),
        Tolerance::ANY => json!(true),
        some => json!(some.steps()),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => join(items),
        Value::Object(pairs) => {
            let pairs: Vec<Value> = pairs
                .iter()
                .map(|(key, value)| json!(format!("{key}={}", value.as_str().unwrap_or_default())))
                .collect();
            join(&pairs)
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Joins a list for one cell; [`split`] undoes it.
fn join(items: &[Value]) -> String {
    let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    // One empty item would look like no item.
    if texts == [""] {
        return "\\".to_owned();
    }
    texts.iter().map(|text| text.replace('\\', "\\\\").replace('|', "\\|")).collect::<Vec<_>>().join("|")
}

/// Splits a cell at every `|` that has no backslash before it.
pub(super) fn split(cell: &str) -> Vec<String> {
    if cell.is_empty() {
        return Vec::new();
    }
    let mut items = vec![String::new()];
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        let item = match c {
            '|' => {
                items.push(String::new());
                continue;
            }
            '\\' => chars.next(),
            c => Some(c),
        };
        if let Some(last) = items.last_mut() {
            last.extend(item);
        }
    }
    items
}
