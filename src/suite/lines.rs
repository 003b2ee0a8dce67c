//! Texts out of any file that holds one a line or row, with their places: what else a suite may be held against.

use std::path::Path;

use serde_json::Value;

use super::catalog::{find_files, read_file};
use super::import::TEXT_COLUMNS;
use super::{SuiteError, category_file};
use crate::document::{Problem, Problems};
use crate::domain::{Phrase, PhraseSource};

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What somebody wrote. It hurts to read: never log it.
    pub text: String,
    /// Where it was read.
    pub source: PhraseSource,
}

/// The endings that are looked for in a folder.
const ENDINGS: [&str; 7] = ["yaml", "yml", "tsv", "csv", "jsonl", "ndjson", "txt"];

/// Every message of the phrases: their texts, and the earlier ones.
pub fn messages(phrases: &[Phrase]) -> Vec<Line> {
    let line = |phrase: &Phrase, text: &String| Line { text: text.clone(), source: phrase.source.clone() };
    let of = |phrase: &Phrase| -> Vec<Line> {
        phrase.history.iter().chain([&phrase.text]).map(|text| line(phrase, text)).collect()
    };
    phrases.iter().flat_map(of).collect()
}

/// The texts of a file, or of all files of a folder.
///
/// By its ending a file is phrases (`.yaml`), a table (`.tsv`, `.csv`), JSON lines (`.jsonl`, `.ndjson`), or text with
/// a message a line. Of a table that does not call a column `text` or the like, the column with the longest texts is
/// taken, from the first row on.
///
/// # Errors
/// A file that cannot be read for what it is, or no text at all: to share nothing with nothing shows nothing.
pub fn read_lines(path: &Path) -> Result<Vec<Line>, SuiteError> {
    let mut files = Vec::new();
    if path.is_dir() {
        find_files(path, &mut files, &|path| ENDINGS.contains(&ending(path).as_str()))?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut lines = Vec::new();
    for file in &files {
        let (name, text) = read_file(file)?;
        lines.extend(texts(&name, &text, &ending(file))?);
    }
    lines.retain(|line| !line.text.trim().is_empty());
    if lines.is_empty() {
        return Err(SuiteError::Nothing {
            message: format!("there is no text in `{}`", path.display()),
            hint: format!(
                "files that are read end in {}",
                ENDINGS.map(|ending| format!("`.{ending}`")).join(", ")
            ),
        });
    }
    Ok(lines)
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn texts(name: &str, text: &str, ending: &str) -> Result<Vec<Line>, SuiteError> {
    let invalid = |line: usize, message: String| {
        let mut problem = Problem::with_file(name, message);
        problem.position.line = line;
        SuiteError::Invalid { problems: problem.into() }
    };
    let numbered = || text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let rows: Vec<(usize, Vec<String>)> = match ending {
        "yaml" | "yml" => return phrase_file(name, text),
        "json" => {
            return Err(invalid(
                0,
                "JSON is not read here; `thrash phrases import` makes phrase files of it".to_owned(),
            ));
        }
        // Quotes do not matter to a comparison, and a lone one must not swallow the lines after it.
        "tsv" => numbered().map(|(at, line)| (at, line.split('\t').map(str::to_owned).collect())).collect(),
        "csv" => {
            let mut reader =
                csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
            let row = |record: csv::StringRecord| {
                let line = record.position().map_or(0, csv::Position::line);
                (usize::try_from(line).unwrap_or(0), record.iter().map(str::to_owned).collect())
            };
            let rows: Result<Vec<_>, csv::Error> = reader.records().map(|record| record.map(row)).collect();
            rows.map_err(|error| invalid(0, format!("this is not a table: {error}")))?
        }
        "jsonl" | "ndjson" => {
            let mut lines = Vec::new();
            for (at, line) in numbered().filter(|(_, line)| !line.trim().is_empty()) {
                let found = json_text(line).ok_or_else(|| {
                    invalid(
                        at,
                        format!("no text here: an object has it as one of {}", TEXT_COLUMNS.join(", ")),
                    )
                })?;
                lines.push((at, vec![found]));
            }
            lines
        }
        _ => numbered().map(|(at, line)| (at, vec![line.to_owned()])).collect(),
    };
    let (column, first) = text_column(&rows);
    let line = |(at, cells): (usize, Vec<String>)| Line {
        text: cells.into_iter().nth(column).unwrap_or_default(),
        source: PhraseSource { file: name.to_owned(), line: u32::try_from(at).unwrap_or(0) },
    };
    Ok(rows.into_iter().skip(first).map(line).collect())
}

fn phrase_file(name: &str, text: &str) -> Result<Vec<Line>, SuiteError> {
    let read = category_file::parse(name, text);
    let problems: Problems = read.problems;
    if problems.is_empty() { Ok(messages(&read.phrases)) } else { Err(SuiteError::Invalid { problems }) }
}

/// The text of a JSON line: the line's string, or that of the object's text.
fn json_text(line: &str) -> Option<String> {
    match serde_json::from_str(line).ok()? {
        Value::String(text) => Some(text),
        Value::Object(object) => {
            let text = TEXT_COLUMNS.into_iter().find_map(|name| object.get(name)?.as_str())?;
            Some(text.to_owned())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// The column of the texts, and the row from which on they stand there.
fn text_column(rows: &[(usize, Vec<String>)]) -> (usize, usize) {
    let named = rows.first().and_then(|(_, header)| {
        let is = |cell: &String, name: &str| cell.trim().eq_ignore_ascii_case(name);
        TEXT_COLUMNS.into_iter().find_map(|name| header.iter().position(|cell| is(cell, name)))
    });
    if let Some(column) = named.filter(|_| rows[0].1.len() > 1) {
        return (column, 1);
    }
    let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let length = |column: usize| -> usize {
        rows.iter().filter_map(|(_, cells)| cells.get(column)).map(String::len).sum()
    };
    // The first of two that are as long.
    ((0..columns).rev().max_by_key(|column| length(*column)).unwrap_or(0), 0)
}
