//! What a file is, told by its content.

use serde_json::Value;

use super::error::ImportError;
use super::source::Source;

/// What somebody says the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// The JSON files of the existing suite.
    AshThrash,
    /// `HateCheck`'s table of cases, in any language.
    HateCheck,
    /// A table, separated by `,`, `;` or `|`.
    Csv,
    /// A table, separated by tabs.
    Tsv,
    /// A JSON object a line.
    Jsonl,
}

/// How a file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// The JSON of the existing suite.
    AshThrash,
    /// Cells separated by this byte.
    Separated(u8),
    /// A JSON object a line.
    JsonLines,
    /// One JSON list of objects.
    JsonList,
}

impl Shape {
    /// The shape's name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::AshThrash => "the existing suite's JSON".to_owned(),
            Self::Separated(b'\t') => "a table separated by tabs".to_owned(),
            Self::Separated(delimiter) => format!("a table separated by `{}`", char::from(*delimiter)),
            Self::JsonLines => "JSON lines".to_owned(),
            Self::JsonList => "a JSON list".to_owned(),
        }
    }
}

/// Tells how a file has to be read.
pub(super) fn tell(source: &Source, asked: Option<ImportFormat>) -> Result<Shape, ImportError> {
    match asked {
        Some(ImportFormat::AshThrash) => Ok(Shape::AshThrash),
        Some(ImportFormat::Tsv) => Ok(Shape::Separated(b'\t')),
        Some(ImportFormat::Csv) => Ok(Shape::Separated(delimiter(&source.text, b",;|"))),
        Some(ImportFormat::Jsonl) => Ok(Shape::JsonLines),
        None | Some(ImportFormat::HateCheck) => guess(source),
    }
}

fn guess(source: &Source) -> Result<Shape, ImportError> {
    let text = source.text.trim_start();
    if text.starts_with('[') {
        return Ok(Shape::JsonList);
    }
    if !text.starts_with('{') {
        return Ok(Shape::Separated(delimiter(&source.text, b"\t,;|")));
    }
    // A whole object on the first line is a row; an object over many lines, or with these keys, is the existing suite.
    let first = text.lines().next().unwrap_or_default();
    let value: Value = match serde_json::from_str(first) {
        Ok(value) => value,
        Err(_) => source.json(text)?,
    };
    let is_suite = ["category", "category_info", "_metadata"]
        .iter()
        .any(|key| value.get(key).is_some_and(Value::is_object));
    if is_suite {
        Ok(Shape::AshThrash)
    } else if first.trim_end().ends_with('}')
        && value.is_object()
        && serde_json::from_str::<Value>(first).is_ok()
    {
        Ok(Shape::JsonLines)
    } else {
        Err(ImportError::Unknown { file: source.shown.clone() })
    }
}

/// The separator that stands most often in the first line, outside quotes.
fn delimiter(text: &str, known: &[u8]) -> u8 {
    let mut counts = vec![0_usize; known.len()];
    let mut quoted = false;
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = known.iter().position(|one| *one == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let first = counts.iter().position(|count| *count == most && most > 0);
    first.map_or(b',', |at| known[at])
}
