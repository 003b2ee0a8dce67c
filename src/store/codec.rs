//! The record as JSON: the one place that writes it and reads every version of it.

use serde::Deserialize;

use crate::domain::{RunRecord, SCHEMA_VERSION};

/// A record that cannot be read. It never repeats a value of the record, which may be a phrase's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A newer program wrote it.
    #[error("it has format version {found}, this program reads versions up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// It is no record.
    #[error("{place} is not as format version {SCHEMA_VERSION} has it (line {line}, column {column})")]
    Unreadable {
        /// The path inside the document.
        place: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// The record as JSON, as it is stored and spooled.
pub fn encode_record(record: &RunRecord) -> Result<String, RecordError> {
    serde_json::to_string(record).map_err(|error| unreadable("the record".into(), &error))
}

/// The record that the JSON holds, whichever version of this program wrote it.
///
/// A version that changes the format adds its step from the version before it here, and a fixture to the tests.
pub fn decode_record(json: &str) -> Result<RunRecord, RecordError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema_version: u32,
    }

    let version: Versioned =
        serde_json::from_str(json).map_err(|error| unreadable("the document".into(), &error))?;
    match version.schema_version {
        SCHEMA_VERSION => decode_current(json),
        found if found > SCHEMA_VERSION => Err(RecordError::Newer { found, known: SCHEMA_VERSION }),
        _ => Err(RecordError::Unreadable { place: "`schema_version`".into(), line: 1, column: 1 }),
    }
}

fn decode_current(json: &str) -> Result<RunRecord, RecordError> {
    serde_json::from_str(json).or_else(|_| {
        // Keeping track of the path costs time, so it is done only when somebody needs to know.
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| {
            let (path, message) = (error.path().to_string(), error.inner().to_string());
            // Of all that is said of an error only a key that is missing cannot be a text.
            let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            let place = match missing {
                Some(key) if path == "." => format!("`{key}`"),
                Some(key) => format!("`{path}.{key}`"),
                None => format!("`{path}`"),
            };
            unreadable(place, error.inner())
        })
    })
}

fn unreadable(place: String, error: &serde_json::Error) -> RecordError {
    RecordError::Unreadable { place, line: error.line(), column: error.column() }
}
